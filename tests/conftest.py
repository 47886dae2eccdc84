"""What all tests share: a real PostgreSQL and Valkey from the environment (`./loa test` starts its own)."""

import pytest


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    """Files that tests write never reach the installation's own folder."""
    settings.MEDIA_ROOT = tmp_path / "media"
