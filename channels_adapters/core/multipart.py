"""multipart/form-data (RFC 7578)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

Part = tuple[str, bytes, str]  # file name, content, media type


def encode(fields: Mapping[str, str], files: Mapping[str, Part]) -> tuple[str, bytes]:
    """The Content-Type and the body of a form with files."""
    boundary = secrets.token_hex(16)
    chunks = []
    for name, value in fields.items():
        chunks.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n{value}\r\n'.encode()
        )
    for name, (filename, content, mime) in files.items():
        head = (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="{_quoted(name)}"; filename="{_quoted(filename)}"\r\n'
            f"Content-Type: {mime or 'application/octet-stream'}\r\n\r\n"
        )
        chunks += [head.encode(), content, b"\r\n"]
    chunks.append(f"--{boundary}--\r\n".encode())
    return f"multipart/form-data; boundary={boundary}", b"".join(chunks)


def _quoted(text: str) -> str:
    return text.replace("\\", "%5C").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
