"""Audio clips in the list of a commune's loudspeaker operator.

Contract: ``PUT {base_url}/outlets/stations/{station}/clips/{reference}`` with a bearer token and JSON ``{title,
priority, text, audio: {path | url, sha256, seconds, mime}, not_after}`` answers 200 or 201 ``{"id"}``; ``DELETE`` of
the same path takes the clip off the list. Receipts are ours as well: a POST of ``{"reference", "id", "event", "at",
"seconds", "detail"}``, or of ``{"events": [...]}`` with many, whose ``X-Loa-Signature`` is
:func:`signatures.sign_timed` with the account's token. Events: downloaded, played, failed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from .core import signatures
from .core.interface import (
    Callback,
    Capabilities,
    Content,
    Estimate,
    Field,
    Message,
    Next,
    Outcome,
    Reason,
    Receipt,
    ReceiptState,
    Recipient,
    Rendered,
    Request,
    Warning_,
)
from .core.local import FIELDS, LocalOutlet, media_object
from .core.options import moment
from .core.sms import nfc

_STATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}").fullmatch

EVENTS: Mapping[str, ReceiptState] = {
    "downloaded": ReceiptState.DELIVERED,
    "played": ReceiptState.READ,
    "failed": ReceiptState.FAILED,
}


class Loudspeaker(LocalOutlet):
    capabilities = Capabilities(
        label="Loa truyền thanh",
        family="loudspeaker",
        address_kind="station",
        reach="outlet",
        receipts="push",
        idempotent=True,
        needs_audio=True,
        corrects=True,
        retracts=True,
        fields=FIELDS,
        content_fields=(Field("not_after", "Không phát sau", required=False, help="Quá giờ này thì không phát nữa."),),
        local=True,
    )

    @classmethod
    def validate(cls, address: str) -> str:
        station = address.strip()
        if not _STATION(station):
            raise ValueError("Mã đài chỉ gồm chữ không dấu, chữ số, dấu chấm và dấu gạch, tối đa 64 ký tự.")
        return station

    def render(self, content: Content, recipient: Recipient) -> Rendered:
        title = " ".join(nfc(content.subject if recipient.subject is None else recipient.subject).split())
        text = nfc(content.body if recipient.body is None else recipient.body).strip()
        if not text:
            raise ValueError("Bản tin chưa có nội dung.")
        # The station's own clip, with its greeting, goes before the one made for all.
        audio = [media for media in (*recipient.media, *content.media) if media.kind == "audio"]
        urgent = content.category == "emergency" or content.priority == "urgent"
        data: dict[str, Any] = {"priority": "urgent" if urgent else content.priority}
        if not_after := moment(content.options.get("not_after"), "Không phát sau"):
            data["not_after"] = not_after.astimezone(UTC).isoformat()
        return Rendered(text, title or text.partition("\n")[0][:80], tuple(audio[:1]), data)

    def estimate(self, rendered: Rendered) -> Estimate:
        # Audio is made after approval, so its absence is no fault yet.
        seconds = rendered.media[0].seconds if rendered.media else 0.0
        warnings = (Warning_("Bản tin dài hơn 15 phút; các đài thường cắt bớt."),) if seconds > 900 else ()
        return Estimate(parts=1, characters=len(rendered.text), warnings=warnings)

    async def send(self, batch: Sequence[Message]) -> list[Outcome]:
        (message,) = batch
        return [await self._offer(message, message.reference)]

    async def correct(self, message: Message, provider_id: str) -> Outcome:
        return await self._offer(message, provider_id)

    async def retract(self, reference: str, provider_id: str, address: str) -> Outcome:
        return await self._delete(reference, ("stations", address, "clips", provider_id), provider_id)

    async def _offer(self, message: Message, clip: str) -> Outcome:
        rendered = message.rendered
        if not rendered.media:
            return Outcome.fail(message.reference, Next.GIVE_UP, Reason.MISSING_MEDIA, detail="no audio was made")
        audio = media_object(rendered.media[0])
        payload = {
            "title": rendered.subject,
            "priority": rendered.data["priority"],
            "text": rendered.text,
            "audio": {name: audio[name] for name in ("path", "url", "sha256", "seconds", "mime") if name in audio},
            "not_after": rendered.data.get("not_after"),
        }
        return await self._put(
            message.reference, ("stations", message.address, "clips", clip), payload, delivered=False
        )

    def verify(self, request: Request) -> bool:
        given = request.headers.get("x-loa-signature", "")
        return signatures.is_signed_timed(self.settings["token"], request.body, given, time.time())

    def parse(self, request: Request) -> Callback:
        body = orjson.loads(request.body)
        events = body.get("events", [body]) if isinstance(body, dict) else None
        if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
            raise ValueError("a list of events was expected")
        return Callback(receipts=tuple(map(_receipt, events)))


def _receipt(event: Mapping[str, Any]) -> Receipt:
    state = EVENTS.get(str(event.get("event")))
    reference = str(event.get("reference") or "")
    provider_id = str(event.get("id") or "")
    if state is None or not (reference or provider_id):
        raise ValueError("an event without a known kind or a reference")
    failed = state is ReceiptState.FAILED
    seconds = event.get("seconds") or 0
    return Receipt(
        state,
        reference,
        provider_id,
        next=Next.GIVE_UP if failed else None,
        reason=Reason.UNKNOWN if failed else None,
        code=str(event["event"]),
        at=datetime.fromisoformat(str(event["at"])) if event.get("at") else None,
        seconds=float(seconds) if isinstance(seconds, int | float) else 0.0,
        detail=str(event.get("detail") or "")[:300],
    )
