"""The stand-in gateways. A new provider is one module here and one name in this list."""

from ..gateway import Gateway
from .esms import Esms
from .facebook import Facebook
from .fpt import Fpt
from .http_gateway import HttpGateway
from .smpp import Smpp
from .speedsms import SpeedSms
from .stringee import Stringee
from .telegram import Telegram
from .twilio import Twilio
from .viettel import Viettel
from .vmg import Vmg
from .vnpt import Vnpt
from .zalo import Zalo

GATEWAYS: tuple[type[Gateway], ...] = (
    Twilio,
    Esms,
    SpeedSms,
    Vnpt,
    Viettel,
    Fpt,
    Vmg,
    Stringee,
    HttpGateway,
    Smpp,
    Zalo,
    Facebook,
    Telegram,
)
