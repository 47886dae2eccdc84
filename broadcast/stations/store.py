"""Audio files named by what is in them: MEDIA_ROOT/clips/ab/<sha256>.mp3.

Equal audio is one file however many stations and campaigns use it, a file never changes under a reader, and a
request can only ever name a hash, never a path.
"""

import hashlib
import re
import secrets
from pathlib import Path

from django.conf import settings

_SHA256 = re.compile(r"[0-9a-f]{64}")


def relative(sha256: str) -> str:
    """Below MEDIA_ROOT. Raises ValueError for what is not a SHA-256 in lower-case hex."""
    if not _SHA256.fullmatch(sha256):
        raise ValueError("not a SHA-256")
    return f"clips/{sha256[:2]}/{sha256}.mp3"


def locate(sha256: str) -> Path:
    return Path(settings.MEDIA_ROOT) / relative(sha256)


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def keep(path: Path) -> str:
    """Take a finished file into the store and return its SHA-256. ``path`` stays, on the same disk, as another name."""
    sha256 = digest(path)
    target = locate(sha256)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        name = target.with_name(f".{sha256}.{secrets.token_hex(4)}")
        name.hardlink_to(path)
        name.replace(target)  # atomic: a reader sees the whole file or none
    return sha256
