"""Puts the parts together: one handler for gateways, control and wall."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from pathlib import Path

from .callbacks import Callbacks
from .control import Control
from .faults import Faults
from .gateway import Box, Gateway
from .gateways import GATEWAYS
from .http import Answer, Request
from .store import KEEP, Store
from .wall import Wall


class Sandbox:
    def __init__(
        self,
        state: Path,
        settings: Mapping[str, str],
        *,
        seed: int = 0,
        keep: int = KEEP,
        speed: float = 1.0,
        specials: bool = True,
    ) -> None:
        self.box = Box(Store(state, keep), Faults(seed), Callbacks(), settings, speed, specials)
        self.gateways: dict[str, Gateway] = {g.name: g(self.box) for g in GATEWAYS}
        self.control = Control(self.box, self.gateways)
        self.wall = Wall(self.box.store, self.gateways, self.control)

    def handle(self, request: Request) -> Answer | Awaitable[Answer]:
        name, slash, rest = request.path[1:].partition("/")
        if gateway := self.gateways.get(name):
            return gateway.handle(request, slash + rest)
        if name == "control":
            return self.control.handle(request, rest)
        return self.wall.handle(request, request.path)

    async def start(self) -> None:
        self.box.callbacks.start()
        for gateway in self.gateways.values():
            await gateway.start()

    async def close(self) -> None:
        for gateway in self.gateways.values():
            await gateway.close()
        await self.box.callbacks.close()
        self.box.store.close()
