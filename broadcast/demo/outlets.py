"""The demonstration's outlets and the accounts that reach them."""

import os
import secrets

from broadcast.models import Account, Address, Contact, Place, Station
from broadcast.models.text import fold
from broadcast.states import AddressState

from .citizens import HOME

NEWSROOM = "bac-ninh"
PROVINCE_CHANNEL = "@bacninh_thongbao"
HOME_CHANNEL = "@daison_thongbao"

# What the sandbox gateways expect unless they are told otherwise by the same variables.
_TWILIO_SID = "AC" + "0" * 32
_TWILIO_TOKEN = "0" * 32
_TELEGRAM_TOKEN = "1000000000:sandbox-sandbox-sandbox-sandbox-sa"  # noqa: S105 - the sandbox's own
_NAME = {"sender": "UBND-BN", "prices": "Viettel 420 650\nVinaPhone 450 650\nMobiFone 450 650\n* 500 700"}
# Gateways of Vietnam; the sandbox expects these credentials.
_BRANDNAME: dict[str, tuple[str, dict[str, str]]] = {
    "sms_esms": (
        "SMS eSMS (hộp cát)",
        {**_NAME, "api_key": "SANDBOXESMSAPIKEY", "secret_key": "SANDBOXESMSSECRET"},
    ),
    "sms_speedsms": (
        "SMS SpeedSMS (hộp cát)",
        {**_NAME, "token": "sandbox-speedsms-token"},
    ),
    "sms_vnpt": (
        "SMS VinaPhone (hộp cát)",
        {
            "prices": _NAME["prices"],
            "agent_id": "111",
            "api_user": "ubnd_bacninh",
            "api_pass": "sandbox-vnpt-password",
            "user_name": "loa",
            "contract_id": "222",
            "label_id": "12345",
            "template_id": "67890",
        },
    ),
    "sms_viettel": (
        "SMS Viettel (hộp cát)",
        {**_NAME, "user": "ubnd_bacninh", "password": "sandbox-viettel-password", "cp_code": "UBNDBN"},
    ),
    "sms_fpt": (
        "SMS FPT (hộp cát)",
        {**_NAME, "client_id": "sandbox-fpt-client", "client_secret": "sandbox-fpt-secret"},
    ),
    "sms_stringee": (
        "SMS Stringee (hộp cát)",
        {**_NAME, "api_key_sid": "SK.0.sandbox", "api_key_secret": "sandbox-stringee-key-secret-0000"},
    ),
    "sms_smpp": ("SMS SMPP (hộp cát)", {**_NAME, "link_token": "sandbox-smpp-link-token"}),
}


def install(province: Place, communes: list[Place]) -> int:
    """Create the outlets that are missing; the number created."""
    home = next(place for place in communes if place.code == HOME)
    created = _outlet(province, "Trang tin tỉnh Bắc Ninh", "newsroom", NEWSROOM)
    created += _outlet(province, "Kênh Telegram tỉnh Bắc Ninh", "telegram", PROVINCE_CHANNEL)
    created += _outlet(home, "Kênh Telegram xã Đại Sơn", "telegram", HOME_CHANNEL)
    return created + _stations(province, communes)


def _outlet(place: Place, name: str, kind: str, value: str) -> int:
    if Address.objects.matching(kind, value).exists():
        return 0
    contact = Contact.objects.create(place=place, kind=Contact.Kind.OUTLET, name=name)
    address = Address(contact=contact, kind=kind, state=AddressState.VALID)
    address.plain = value
    address.save()
    return 1


def _stations(province: Place, communes: list[Place]) -> int:
    there = set(Station.objects.values_list("code", flat=True))
    missing = [(f"loa-{place.code}", place) for place in communes if f"loa-{place.code}" not in there]
    contacts = [
        Contact(place=place, kind=Contact.Kind.OUTLET, name=name, folded=fold(name))
        for place, name in ((place, f"Đài truyền thanh {_spoken(place)}") for _code, place in missing)
    ]
    Contact.objects.bulk_create(contacts)
    addresses = []
    for contact, (code, _place) in zip(contacts, missing, strict=True):
        address = Address(contact=contact, kind="station", state=AddressState.VALID)
        address.plain = code
        addresses.append(address)
    Address.objects.bulk_create(addresses)
    Station.objects.bulk_create(
        Station(
            contact=contact,
            code=code,
            greeting=f"Đây là Đài truyền thanh {_spoken(place)}, {_spoken(province)}.",
        )
        for contact, (code, place) in zip(contacts, missing, strict=True)
    )
    return len(missing)


def _spoken(place: Place) -> str:
    """As it stands inside a sentence: "xã Đại Sơn"."""
    return place.name[:1].lower() + place.name[1:]


def install_accounts(province: Place) -> int:
    """Create the accounts that are missing, all of them training accounts or our own outlets."""
    wanted = {
        "sms_twilio": (
            "SMS Twilio (hộp cát)",
            {
                "account_sid": os.environ.get("SANDBOX_TWILIO_SID") or _TWILIO_SID,
                "auth_token": os.environ.get("SANDBOX_TWILIO_TOKEN") or _TWILIO_TOKEN,
                "sender": "BACNINH",
                "segment_price": "450",
            },
        ),
        **_BRANDNAME,
        "telegram": (
            "Telegram (hộp cát)",
            {
                "token": os.environ.get("SANDBOX_TELEGRAM_TOKEN") or _TELEGRAM_TOKEN,
                "webhook_secret": secrets.token_urlsafe(32),
            },
        ),
        "enews_site": ("Trang tin tỉnh Bắc Ninh", {}),
        "loudspeaker": ("Loa truyền thanh cơ sở", {}),
    }
    there = set(Account.objects.filter(adapter__in=wanted).values_list("adapter", flat=True))
    created = 0
    for adapter, (label, values) in wanted.items():
        if adapter in there:
            continue
        account = Account(adapter=adapter, label=label, place=province)
        account.sandbox = not account.adapter_class.capabilities.local
        account.settings = values
        account.save()
        created += 1
    return created
