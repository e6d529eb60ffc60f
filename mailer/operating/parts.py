"""The names of the service's parts; alone in a module that costs a command line nothing."""

from __future__ import annotations

from enum import StrEnum


class PartName(StrEnum):
    """The parts of the service; see ``service``."""

    SCHEDULE = "schedule"
    SENDING = "sending"
    PAGES = "pages"
