"""Is the database as the last migration left it? Asking takes milliseconds, migrating two seconds of a start."""

import hashlib
from pathlib import Path

import psycopg

from .state import ROOT

_DECIDES = ("requirements.txt", "config/**/*.py", "*/migrations/*.py")  # what a migration depends on


def fingerprint(database_url: str, root: Path = ROOT) -> str:
    """Of the tree's migrations and of those the database has had; empty where it cannot be told."""
    digest = hashlib.sha256()
    for file in sorted(file for pattern in _DECIDES for file in root.glob(pattern)):
        digest.update(f"{file.relative_to(root)}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    try:
        with psycopg.connect(database_url, connect_timeout=5) as connection:
            rows = connection.execute("SELECT id, app, name, applied::text FROM django_migrations ORDER BY id")
            for row in rows:
                digest.update(f"{row}\n".encode())
    except psycopg.Error:
        return ""  # migrating will say what is wrong
    return digest.hexdigest()
