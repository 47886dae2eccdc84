"""An MP3 of the store as a reply that players and browsers can seek in: Range, ETag, 304."""

import re
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.utils.http import http_date, parse_http_date_safe

from broadcast.stations import store

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True, slots=True)
class Served:
    """``whole``: this reply brings the last byte, so the file is now with whoever asked."""

    response: HttpResponse
    whole: bool


def serve(request: HttpRequest, sha256: str, name: str, *, attachment: bool = False) -> Served:
    """200, 206, 304 or 416 by the request's conditions; 404 where the file is gone."""
    path = store.locate(sha256)
    try:
        size, changed = path.stat().st_size, int(path.stat().st_mtime)
    except FileNotFoundError:
        return Served(HttpResponse(status=404), False)
    etag = f'"{sha256[:32]}"'
    start, stop, status = 0, size, 200
    if _unchanged(request, etag, changed):
        status = 304
    elif asked := _asked(request, etag, changed):
        found = _RANGE.fullmatch(asked.strip())  # several ranges at once get the whole file, as the standard allows
        if found and any(found.groups()):
            first, last = found.groups()
            start = int(first) if first else max(size - int(last), 0)
            stop = min(int(last) + 1, size) if first and last else size
            status = 206 if start < stop else 416
    body = b""
    if status in (200, 206) and request.method != "HEAD":
        with path.open("rb") as file:
            file.seek(start)
            body = file.read(stop - start)
    response = HttpResponse(body, status=status, content_type="audio/mpeg")
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    response["Last-Modified"] = http_date(changed)
    if status in (200, 206):
        response["Content-Length"] = str(stop - start)
    if status == 206:
        response["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    if status == 416:
        response["Content-Range"] = f"bytes */{size}"
    if attachment:
        response["Content-Disposition"] = f'attachment; filename="{name}"'
    return Served(response, request.method == "GET" and status in (200, 206) and stop == size)


def _unchanged(request: HttpRequest, etag: str, changed: int) -> bool:
    if known := request.headers.get("If-None-Match"):
        return etag in known or known.strip() == "*"
    since = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
    return since is not None and changed <= since


def _asked(request: HttpRequest, etag: str, changed: int) -> str:
    """The range, unless it speaks of another version of the file."""
    condition = request.headers.get("If-Range", "").strip()
    if condition and condition != etag and parse_http_date_safe(condition) != changed:
        return ""
    return request.headers.get("Range", "")
