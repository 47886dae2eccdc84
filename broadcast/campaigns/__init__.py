"""Compose, estimate, approve, schedule, launch, pause, cancel. No network."""

from django.core.exceptions import ValidationError


class Refused(ValidationError):
    """What was asked for is not possible. The message is a sentence for the officer; nothing was changed.

    ``code`` names the rule: "stale", "state", "permission", "self_approval", "empty_content", "no_recipients",
    "past_date", "too_long", "no_account", "changed".
    """
