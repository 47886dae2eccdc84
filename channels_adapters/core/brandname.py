"""SMS under a registered sender name («tin thương hiệu»), as all Vietnamese gateways sell it.

A name is registered with each operator by itself; each has its own price per segment, and some refuse marks. The
operator of a number is guessed from its prefix. Since numbers may be ported, a guess only chooses a price and a form
of the text: it never keeps a message from being sent.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import orjson

from . import phone, sms
from .http import Response, TransportError, outcome_of_error, outcome_of_status
from .interface import (
    Adapter,
    Content,
    Estimate,
    Field,
    Message,
    Next,
    Outcome,
    Problem,
    Reason,
    Recipient,
    Rendered,
    Warning_,
)
from .options import is_on, whole
from .redact import redacted

Codes = Mapping[str, tuple[Next, Reason]]
UNKNOWN = (Next.GIVE_UP, Reason.UNKNOWN)
OTHERS = "*"

SENDER = Field("sender", "Tên gửi", help="Tên thương hiệu đã đăng ký.")
TABLES = (
    Field(
        "prices",
        "Giá một phần tin theo nhà mạng (đồng)",
        kind="textarea",
        default="* 0",
        help="Mỗi dòng: nhà mạng, giá tin thông báo, giá tin quảng cáo. Ví dụ: Viettel 420 650. Dấu * là mạng khác.",
    ),
    Field(
        "operators",
        "Nhà mạng đã đăng ký tên gửi",
        required=False,
        help="Cách nhau bằng dấu phẩy, ví dụ: Viettel, VinaPhone, MobiFone. Để trống: mọi nhà mạng.",
    ),
    Field(
        "plain_operators",
        "Nhà mạng chỉ nhận tin không dấu",
        required=False,
        help="Cách nhau bằng dấu phẩy. Tin tới các mạng này được bỏ dấu.",
        unverified=True,
    ),
    Field(
        "max_parts",
        "Số phần tin nhiều nhất",
        kind="int",
        default="5",
        help="Nhà mạng từ chối tin dài hơn.",
        unverified=True,
    ),
    Field(
        "refusal",
        "Câu từ chối của tin quảng cáo",
        required=False,
        help="Đứng cuối tin quảng cáo. Ví dụ: Từ chối: soạn TC gửi 9123 hoặc gọi 0204 123 4567.",
    ),
)
SECRET_PATH = Field(
    "webhook_token",
    "Mã bí mật của địa chỉ nhận phản hồi",
    secret=True,
    required=False,
    help="Chuỗi ngẫu nhiên từ 16 ký tự, đứng sau ?k= trong địa chỉ khai với nhà cung cấp.",
)
UNACCENT = Field("unaccent", "Bỏ dấu", required=False, kind="bool", help="Tin không dấu dài gấp hơn hai lần.")


@dataclass(frozen=True, slots=True)
class Price:
    notice: int  # đồng for one segment
    advertising: int


def prices(text: str) -> dict[str, Price]:
    """Operator (or «*») -> price. Raises ValueError with a sentence that names the line."""
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, *numbers = line.replace(":", " ").split()
        if not 1 <= len(numbers) <= 2:
            raise ValueError(f"Dòng giá «{line}» phải có nhà mạng và một hoặc hai giá, ví dụ: Viettel 420 650.")
        given = [whole(number, f"Giá của {name}") for number in numbers]
        found[OTHERS if name == OTHERS else _operator(name)] = Price(given[0], given[-1])
    return found


def operators(text: str) -> frozenset[str]:
    """Names as :mod:`phone` writes them. Raises ValueError with a sentence for one we do not know."""
    return frozenset(_operator(name.strip()) for name in text.split(",") if name.strip())


def _operator(name: str) -> str:
    for known in phone.OPERATORS:
        if known.casefold() == name.casefold():
            return known
    raise ValueError(f"Không có nhà mạng «{name}». Các nhà mạng: {', '.join(phone.OPERATORS)}.")


class BrandnameSms(Adapter):
    """What the gateways share: text, price, one request for one message, and reading the reply by a table of codes."""

    codes: ClassVar[Codes] = {}
    no_advertising: ClassVar[str] = ""  # a sentence, where this account form cannot carry advertising

    # -- before sending -------------------------------------------------------------------------------------
    @classmethod
    def validate(cls, address: str) -> str:
        return phone.mobile(address)

    def render(self, content: Content, recipient: Recipient) -> Rendered:
        operator = phone.operator(recipient.address)
        text = sms.nfc(content.body if recipient.body is None else recipient.body).strip()
        if not text:
            raise ValueError("Tin nhắn chưa có nội dung.")
        data: dict[str, Any] = {"operator": operator}
        if content.category == "advertising":
            text = sms.advertisement(text, sms.nfc(self.settings["refusal"]).strip())
            data["advertising"] = True
        if is_on(content.options.get("unaccent")) or operator in self._set("plain_operators"):
            text = sms.plain(text)
        parts = self.measure(text).parts
        if 0 < self._max_parts < parts:
            raise ValueError(
                f"Tin dài {parts} phần, nhà mạng chỉ nhận {self._max_parts} phần. Hãy rút gọn hoặc bỏ dấu."
            )
        if content.media:
            data["media_dropped"] = True
        return Rendered(text, data=data)

    def estimate(self, rendered: Rendered) -> Estimate:
        size = self.measure(rendered.text)
        return Estimate(
            parts=size.parts,
            cost=size.parts * self.price(rendered),
            encoding=size.encoding,
            characters=len(rendered.text),
            limit=size.limit,
            warnings=tuple(self._warnings(rendered, size)),
        )

    def _warnings(self, rendered: Rendered, size: sms.Size) -> list[Warning_]:
        found = []
        if rendered.data.get("advertising"):
            if self.no_advertising:
                found.append(Warning_(self.no_advertising, True))
            elif not self.settings["refusal"].strip():
                found.append(
                    Warning_("Tin quảng cáo phải có cách từ chối. Hãy điền câu từ chối trong cấu hình tài khoản.", True)
                )
        if rendered.data.get("media_dropped"):
            found.append(Warning_("Tin SMS không kèm được ảnh hay âm thanh; chỉ phần chữ được gửi."))
        registered, operator = self._set("operators"), rendered.data.get("operator")
        missing = sorted(set(phone.OPERATORS) - registered) if registered else []
        if missing and (not operator or operator in missing):
            found.append(
                Warning_(
                    f"Tên gửi chưa đăng ký với {', '.join(missing)}: tin tới số của các mạng này có thể không tới."
                )
            )
        if size.encoding == "UCS-2" and (bare := sorted(self._set("plain_operators"))):
            found.append(Warning_(f"Số của {', '.join(bare)} sẽ nhận tin không dấu, vì mạng không nhận tin có dấu."))
        return found

    def measure(self, text: str) -> sms.Size:
        return sms.measure(text)

    def price(self, rendered: Rendered) -> int:
        """đồng for one segment; the dearest where the operator is not known."""
        table = self._prices
        price = table.get(rendered.data.get("operator") or "") or table.get(OTHERS)
        known = [price] if price and rendered.data.get("operator") else list(table.values())
        advertising = bool(rendered.data.get("advertising"))
        return max((p.advertising if advertising else p.notice for p in known), default=0)

    @cached_property
    def _prices(self) -> dict[str, Price]:
        with suppress(ValueError):  # `check` names it
            return prices(self.settings["prices"])
        return {}

    @cached_property
    def _max_parts(self) -> int:
        with suppress(ValueError):
            return whole(self.settings["max_parts"], "Số phần tin nhiều nhất")
        return 0

    def _set(self, name: str) -> frozenset[str]:
        with suppress(ValueError):
            return operators(self.settings[name])
        return frozenset()

    # -- sending --------------------------------------------------------------------------------------------
    @abstractmethod
    async def post(self, message: Message) -> Response:
        """The one request for this message. Raises TransportError."""

    @abstractmethod
    def read(self, message: Message, response: Response) -> Outcome | None:
        """What a reply in the provider's own form says; None where it is not in that form."""

    async def send(self, batch: Sequence[Message]) -> list[Outcome]:
        (message,) = batch
        try:
            response = await self.post(message)
        except TransportError as error:
            return [outcome_of_error(message.reference, error)]
        return [self.read(message, response) or outcome_of_status(message.reference, response)]

    def accepted(self, message: Message, provider_id: str) -> Outcome:
        parts = self.measure(message.rendered.text).parts
        return Outcome.ok(message.reference, provider_id, parts=parts, cost=parts * self.price(message.rendered))

    def refused(self, message: Message, response: Response, code: str, detail: object = "") -> Outcome:
        """By the table of codes; by the status where that says more (401, 429, 5xx)."""
        words = redacted(detail, message.address, phone.digits(message.address), phone.national(message.address))
        known = self.codes.get(code)
        if known is None and response.status in (400, 422):  # this message is lost, the campaign need not be
            return Outcome.fail(message.reference, *UNKNOWN, code=code, detail=words)
        if not response.ok and (known is None or response.status in (401, 429) or response.status >= 500):
            return outcome_of_status(message.reference, response, code=code, detail=words, understood=known is not None)
        return Outcome.fail(message.reference, *(known or UNKNOWN), code=code, detail=words)

    # -- the connection check -------------------------------------------------------------------------------
    async def check(self) -> list[Problem]:
        problems = []
        for read, name in ((prices, "prices"), (operators, "operators"), (operators, "plain_operators")):
            try:
                read(self.settings[name])
            except ValueError as error:
                problems.append(Problem(str(error)))
        try:
            whole(self.settings["max_parts"], "Số phần tin nhiều nhất")
        except ValueError as error:
            problems.append(Problem(str(error)))
        try:
            response = await self.probe()
        except TransportError:
            return [*problems, Problem("Không kết nối được tới nhà cung cấp. Hãy kiểm tra đường mạng của máy chủ.")]
        if response.status in (401, 403):
            return [*problems, Problem("Nhà cung cấp từ chối tài khoản hoặc mật khẩu. Hãy kiểm tra lại.")]
        if not response.ok:
            return [*problems, Problem(f"Nhà cung cấp trả lời lỗi HTTP {response.status}. Hãy thử lại sau.")]
        finding = self.probed(response)
        return [*problems, Problem(finding)] if finding else problems

    @abstractmethod
    async def probe(self) -> Response:
        """A request that sends nothing and shows whether the account works. Raises TransportError."""

    @abstractmethod
    def probed(self, response: Response) -> str:
        """What a successful reply to ``probe`` says is wrong, as a sentence; empty if nothing is."""

    async def post_json(self, url: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
        sent = {"Content-Type": "application/json", "Accept": "application/json", **(headers or {})}
        return await self.transport.request("POST", url, headers=sent, body=orjson.dumps(body))


UNREADABLE = "Không đọc được trả lời của nhà cung cấp. Hãy kiểm tra địa chỉ máy chủ."


def json_object(body: bytes) -> dict[str, Any]:
    """A JSON object, or an empty one."""
    with suppress(orjson.JSONDecodeError):
        value = orjson.loads(body)
        if isinstance(value, dict):
            return value
    return {}


def text_of(value: Any) -> str:
    """A code or an id, which providers write as text or as a number; empty for anything else."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def is_unicode(text: str) -> bool:
    return sms.measure(text).encoding == "UCS-2"
