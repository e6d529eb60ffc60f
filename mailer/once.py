"""A property that is made once, also when several threads ask for it at the same time.

``functools.cached_property`` held a lock until Python 3.11 and has none since 3.12: two threads
that meet at an app's database would open it twice, and one of the two is never closed.
"""

from __future__ import annotations

from functools import cached_property
from threading import Lock, RLock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    once = cached_property
else:
    _LOCK = Lock()

    class once(cached_property):  # noqa: N801  a decorator, like the one it extends
        """Compute on first use and keep, under a lock of the object it belongs to.

        Making one property may ask for others of the same object, in the same thread.
        """

        def __get__(self, instance: object, owner: type[Any] | None = None) -> Any:
            if instance is None:
                return self
            kept = vars(instance)
            if "_once" not in kept:
                with _LOCK:
                    kept.setdefault("_once", RLock())
            with kept["_once"]:
                # Somebody may have made it while we waited; it looks again.
                return super().__get__(instance, owner)
