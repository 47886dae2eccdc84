from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from channels_adapters.core.http import HttpTransport
from tests.adapters.provider import HurriedTransport, Provider
from tests.adapters.provider import provider as running


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with running() as answering:
        yield answering


@pytest.fixture
async def transport() -> AsyncIterator[HttpTransport]:
    async with HttpTransport() as pool:
        yield pool


@pytest.fixture
async def hurried() -> AsyncIterator[HttpTransport]:
    async with HurriedTransport() as pool:
        yield pool
