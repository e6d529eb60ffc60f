"""How often Python looks for garbage that refers to itself.

By itself it looks after every 700 things made, and a process that reads or chooses makes millions
and few circles; to look as often costs it about a tenth of its time.
"""

from __future__ import annotations

import gc

THRESHOLDS = (50_000, 20, 50)
"""Of ``gc.set_threshold``."""


def look_seldom() -> None:
    """Look for circles seldom from now on, in this process."""
    gc.set_threshold(*THRESHOLDS)
