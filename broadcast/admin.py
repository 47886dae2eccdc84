"""Where Django looks for the administrator's pages."""

from broadcast.web import admin  # noqa: F401
