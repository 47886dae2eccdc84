"""Encryption at rest: AES-SIV with versioned keys.

Deterministic, so equality look-up and uniqueness work on the ciphertext. A sealed value is one version byte
and the SIV ciphertext; ``context`` separates kinds, so a phone number as an SMS address and the same digits
as something else do not look alike. Keys come from ``LOA_KEYS`` ("1:<base64 of 64 bytes>,2:..."): the last
one seals, all of them open, so a key is rotated by adding one and resealing.
"""

import base64
import binascii
import json
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class Unreadable(ValueError):
    """The value was sealed with a key this installation does not have, or was altered."""


@cache
def _keys(configured: str) -> tuple[int, dict[int, AESSIV]]:
    keys: dict[int, AESSIV] = {}
    version = 0
    try:
        for entry in configured.split(","):
            number, _, encoded = entry.strip().partition(":")
            version = int(number)
            if not 1 <= version <= 255:
                raise ValueError("versions run from 1 to 255")
            keys[version] = AESSIV(base64.b64decode(encoded, validate=True))
    except (ValueError, binascii.Error) as error:
        raise ImproperlyConfigured(
            'LOA_KEYS must be "1:<base64 of 64 random bytes>", several separated by commas.'
        ) from error
    return version, keys


def seal(plain: str, context: str) -> bytes:
    version, keys = _keys(settings.LOA_KEYS)
    return bytes([version]) + keys[version].encrypt(plain.encode(), [context.encode()])


def unseal(sealed: bytes | memoryview, context: str) -> str:
    """Raises Unreadable."""
    sealed = bytes(sealed)
    _, keys = _keys(settings.LOA_KEYS)
    try:
        return keys[sealed[0]].decrypt(sealed[1:], [context.encode()]).decode()
    except (KeyError, IndexError, InvalidTag, ValueError) as error:
        raise Unreadable("This value was sealed with another key.") from error


def candidates(plain: str, context: str) -> list[bytes]:
    """The value under every key, newest first: what to look for while keys are being rotated."""
    newest, keys = _keys(settings.LOA_KEYS)
    return [
        bytes([version]) + keys[version].encrypt(plain.encode(), [context.encode()])
        for version in sorted(keys, key=lambda v: v != newest)
    ]


def seal_json(data: dict[str, Any], context: str) -> bytes:
    return seal(json.dumps(data, ensure_ascii=False, sort_keys=True), context)


def unseal_json(sealed: bytes | memoryview, context: str) -> dict[str, Any]:
    return json.loads(unseal(sealed, context)) if sealed else {}


def versions() -> list[int]:
    """The key versions of this installation, ascending."""
    return sorted(_keys(settings.LOA_KEYS)[1])
