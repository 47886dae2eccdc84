"""Articles on our own news pages.

Contract: ``PUT {base_url}/outlets/newsroom/{site}/articles/{reference}`` with a bearer token and JSON ``{title,
summary, body, language, media, category}`` answers 200 or 201 ``{"id", "url"}``; ``DELETE`` of the same path
removes the article from page and feed. Accepted is published.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .core.interface import (
    Capabilities,
    Content,
    Estimate,
    Field,
    Message,
    Next,
    Outcome,
    Reason,
    Recipient,
    Rendered,
    Warning_,
)
from .core.local import FIELDS, LocalOutlet, media_object
from .core.sms import nfc

_SITE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?").fullmatch
TITLE_LIMIT = 200
SUMMARY_LIMIT = 500


class EnewsSite(LocalOutlet):
    capabilities = Capabilities(
        label="Trang tin của Loa",
        family="news",
        address_kind="newsroom",
        reach="outlet",
        idempotent=True,
        corrects=True,
        retracts=True,
        fields=FIELDS,
        content_fields=(
            Field("title", "Tiêu đề", required=False),
            Field("summary", "Tóm tắt", required=False, kind="textarea"),
        ),
        local=True,
    )

    @classmethod
    def validate(cls, address: str) -> str:
        site = address.strip().lower()
        if not _SITE(site):
            raise ValueError("Mã trang tin chỉ gồm chữ thường không dấu, chữ số và dấu gạch nối, ví dụ: bac-ninh.")
        return site

    def render(self, content: Content, recipient: Recipient) -> Rendered:
        own_title = recipient.subject if recipient.subject is not None else content.subject
        title = " ".join(nfc(own_title or str(content.options.get("title") or "")).split())
        body = nfc(content.body if recipient.body is None else recipient.body).strip()
        summary = nfc(content.summary or str(content.options.get("summary") or "")).strip()
        if not title:
            raise ValueError("Bài viết chưa có tiêu đề.")
        if len(title) > TITLE_LIMIT:
            raise ValueError(f"Tiêu đề dài {len(title)} ký tự; tối đa {TITLE_LIMIT} ký tự.")
        if not body:
            raise ValueError("Bài viết chưa có nội dung.")
        data = {"summary": summary, "language": recipient.language, "category": content.category}
        return Rendered(body, title, (*content.media, *recipient.media), data)

    def estimate(self, rendered: Rendered) -> Estimate:
        warnings = []
        if len(rendered.data["summary"]) > SUMMARY_LIMIT:
            warnings.append(Warning_(f"Tóm tắt dài hơn {SUMMARY_LIMIT} ký tự; trang tin chỉ hiện phần đầu."))
        return Estimate(parts=1, characters=len(rendered.text), warnings=tuple(warnings))

    async def send(self, batch: Sequence[Message]) -> list[Outcome]:
        (message,) = batch
        return [await self._publish(message, message.reference)]

    async def correct(self, message: Message, provider_id: str) -> Outcome:
        return await self._publish(message, provider_id)

    async def retract(self, reference: str, provider_id: str, address: str) -> Outcome:
        return await self._delete(reference, ("newsroom", address, "articles", provider_id), provider_id)

    async def _publish(self, message: Message, article: str) -> Outcome:
        if not article:
            return Outcome.fail(message.reference, Next.GIVE_UP, Reason.UNKNOWN, detail="no article to correct")
        rendered = message.rendered
        payload = {
            "title": rendered.subject,
            "summary": rendered.data["summary"],
            "body": rendered.text,
            "language": rendered.data["language"],
            "media": [media_object(media) for media in rendered.media],
            "category": rendered.data["category"],
        }
        path = ("newsroom", message.address, "articles", article)
        return await self._put(message.reference, path, payload, delivered=True)
