"""Keyed signatures of callbacks. Every comparison takes constant time and refuses an empty key."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable
from typing import Literal

Algorithm = Literal["sha1", "sha256"]
SHA1: Algorithm = "sha1"
SHA256: Algorithm = "sha256"


def same(expected: str, given: str) -> bool:
    """Constant-time comparison of two texts. An empty expectation equals nothing."""
    return bool(expected) and hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass"))


def hmac_hex(key: str, data: bytes, algorithm: Algorithm = "sha256") -> str:
    return hmac.digest(key.encode(), data, algorithm).hex()


def hmac_base64(key: str, data: bytes, algorithm: Algorithm = "sha256") -> str:
    return base64.b64encode(hmac.digest(key.encode(), data, algorithm)).decode()


def is_hmac_hex(key: str, data: bytes, given: str, algorithm: Algorithm = "sha256") -> bool:
    return bool(key) and same(hmac_hex(key, data, algorithm), given.lower())


def is_hmac_base64(key: str, data: bytes, given: str, algorithm: Algorithm = "sha256") -> bool:
    return bool(key) and same(hmac_base64(key, data, algorithm), given)


def basic_auth(user: str, password: str) -> str:
    """The value of an Authorization header (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def sign_timed(key: str, body: bytes, now: float) -> str:
    """``t=<unix seconds>,v1=<hex>``: the HMAC-SHA256 of the time, a dot and the body."""
    stamp = str(int(now))
    return f"t={stamp},v1={hmac_hex(key, stamp.encode() + b'.' + body)}"


def is_signed_timed(key: str, body: bytes, given: str, now: float, tolerance: float = 300.0) -> bool:
    """Is ``given`` a :func:`sign_timed` header of this body, made at most ``tolerance`` seconds from ``now``?"""
    fields = dict(_pairs(given.split(",")))
    stamp = fields.get("t", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return False
    fresh = abs(now - int(stamp)) <= tolerance
    return is_hmac_hex(key, stamp.encode() + b"." + body, fields.get("v1", "")) and fresh


def _pairs(parts: Iterable[str]) -> Iterable[tuple[str, str]]:
    for part in parts:
        name, _, value = part.partition("=")
        yield name.strip(), value.strip()
