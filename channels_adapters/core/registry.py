"""The list of channels is the list of modules in ``channels_adapters``. Nothing is imported before it is asked for."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

import channels_adapters

from .interface import Adapter

# The order of channels on every screen and in every table. It never changes.
FAMILIES = ("sms", "zalo", "facebook", "telegram", "news", "loudspeaker", "tv", "board", "email", "push", "other")


class UnknownAdapter(LookupError):
    """No module of this name."""


@cache
def names() -> tuple[str, ...]:
    """Module names of all adapters, alphabetically. Imports none of them."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(channels_adapters.__path__) if not module.ispkg))


@cache
def get(name: str) -> type[Adapter]:
    """The adapter class of a module. Raises UnknownAdapter."""
    if name not in names():
        raise UnknownAdapter(name)
    module = importlib.import_module(f"channels_adapters.{name}")
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Adapter)
        and value.__module__ == module.__name__
        and not value.__name__.startswith("_")
    ]
    if len(classes) != 1:
        raise TypeError(f"{module.__name__} must define one adapter, not {len(classes)}")
    classes[0].name = name
    return classes[0]


@cache
def all_adapters() -> tuple[type[Adapter], ...]:
    """Every adapter, in the order of :data:`FAMILIES` and alphabetically within one."""
    return tuple(
        sorted(map(get, names()), key=lambda adapter: (FAMILIES.index(adapter.capabilities.family), adapter.name))
    )
