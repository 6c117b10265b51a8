"""The one Django site that a process can have, for whichever tests come first."""

from __future__ import annotations

import django
from django.conf import settings


def configure() -> None:
    """Configure Django with next to nothing; each test file overrides what it needs."""
    if not settings.configured:
        settings.configure(
            SECRET_KEY="no secret",  # noqa: S106 - of a test
            ALLOWED_HOSTS=["*"],
            MIDDLEWARE=[],
            LOGGING_CONFIG=None,
        )
        django.setup()
