"""Outlets served by this very installation: the newsroom and the loudspeaker stations.

They are reached over HTTP like every provider. PUT and DELETE name the message's own path, so repeating one
changes nothing: a lost reply may be answered by sending again. The engine sets ``base_url`` and ``token``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson

from .http import Response, TransportError, outcome_of_error, outcome_of_status
from .interface import Adapter, Field, Media, Next, Outcome, Problem, Reason
from .redact import redacted

FIELDS = (
    Field("base_url", "Địa chỉ của Loa", kind="url", help="Hệ thống tự điền."),
    Field("token", "Mã truy cập nội bộ", secret=True, help="Hệ thống tự điền."),
)


class LocalOutlet(Adapter):
    """What both share: a resource per message, written by PUT and removed by DELETE."""

    async def _request(self, method: str, path: tuple[str, ...], payload: Mapping[str, Any] | None = None) -> Response:
        """``path`` below ``/outlets``. Raises TransportError."""
        url = f"{self.settings['base_url'].rstrip('/')}/outlets/{'/'.join(quote(part, safe='') for part in path)}"
        headers = {"Authorization": f"Bearer {self.settings['token']}", "Accept": "application/json"}
        body = None
        if payload is not None:
            headers["Content-Type"] = "application/json"
            body = orjson.dumps(payload)
        return await self.transport.request(method, url, headers=headers, body=body)

    async def _put(
        self, reference: str, path: tuple[str, ...], payload: Mapping[str, Any], *, delivered: bool
    ) -> Outcome:
        try:
            response = await self._request("PUT", path, payload)
        except TransportError as error:
            return outcome_of_error(reference, error)
        if not response.ok:
            return _refused(reference, response)
        provider_id = _object(response.body).get("id")
        if not isinstance(provider_id, str | int) or provider_id == "":
            return outcome_of_status(reference, response, detail="the reply names no id")
        return Outcome.ok(reference, str(provider_id), delivered=delivered)

    async def _delete(self, reference: str, path: tuple[str, ...], provider_id: str) -> Outcome:
        try:
            response = await self._request("DELETE", path)
        except TransportError as error:
            return outcome_of_error(reference, error)
        if response.ok or response.status in (404, 410):  # gone is what was asked for
            return Outcome.ok(reference, provider_id, delivered=True)
        return _refused(reference, response)

    async def check(self) -> list[Problem]:
        try:
            response = await self._request("GET", ())
        except TransportError:
            return [Problem("Không kết nối được tới máy chủ của Loa. Hãy kiểm tra địa chỉ trong cấu hình.")]
        if response.status in (401, 403):
            return [Problem("Mã truy cập nội bộ không đúng. Hãy để hệ thống điền lại.")]
        if not response.ok:
            return [
                Problem(f"Máy chủ của Loa trả lời lỗi HTTP {response.status}. Hãy kiểm tra địa chỉ trong cấu hình.")
            ]
        return []


def media_object(media: Media) -> dict[str, Any]:
    """A file as the outlets take it: the members that are known."""
    known = {
        "kind": media.kind, "path": media.path, "url": media.url, "mime": media.mime,
        "sha256": media.sha256, "seconds": media.seconds, "title": media.title,
    }  # fmt: skip
    return {name: value for name, value in known.items() if value}


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


# The outlets' own words for what they refuse, in the member `code`. What is wrong with one entry says nothing about
# the other outlets of the campaign.
_CODES: Mapping[str, tuple[Next, Reason]] = {
    "unknown": (Next.GIVE_UP, Reason.BAD_ADDRESS),
    "gone": (Next.GIVE_UP, Reason.EXPIRED),  # taken back: nothing is published under this name again
    "played": (Next.GIVE_UP, Reason.EXPIRED),  # too late to change
}


def _refused(reference: str, response: Response) -> Outcome:
    told = _object(response.body)
    detail, code = redacted(told.get("error")), str(told.get("code") or "")
    if known := _CODES.get(code):
        return Outcome.fail(reference, *known, code=code, detail=detail)
    if response.status == 403:
        return Outcome.fail(reference, Next.PAUSE_ACCOUNT, Reason.CREDENTIALS, code=code or 403, detail=detail)
    return outcome_of_status(reference, response, code=code, detail=detail, understood=bool(detail))
