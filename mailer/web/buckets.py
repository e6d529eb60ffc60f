"""Buckets: how often something may happen, by key, in bounded memory. Pure but for its own state.

A bucket holds an hour's worth and refills evenly. Keys are forgotten, the longest unused first,
when there are too many; an attacker with that many networks is what the overall bucket is for.
IPv6 networks count by /64, the smallest that one household has; an IPv4 address written as IPv6
is the IPv4 address.
"""

from __future__ import annotations

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address, ip_network

MOST_KEYS = 50_000
HOUR_S = 3600.0


class Buckets:
    """One limit for many keys.

    Args:
        per_hour: how many an hour, also at once; 0 for any number.
        most_keys: how many keys are remembered.
    """

    def __init__(self, per_hour: int, *, most_keys: int = MOST_KEYS) -> None:
        self._per_hour = per_hour
        self._most_keys = most_keys
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._levels)

    def take(self, key: str, now_s: float) -> bool:
        """Take one; False when the key has none left.

        Args:
            now_s: seconds of a clock that never goes backwards.
        """
        if not self._per_hour:
            return True
        level, at_s = self._levels.pop(key, (float(self._per_hour), now_s))
        level = min(self._per_hour, level + (now_s - at_s) * self._per_hour / HOUR_S)
        is_there = level >= 1
        self._levels[key] = (level - 1 if is_there else level, now_s)
        if len(self._levels) > self._most_keys:
            self._levels.popitem(last=False)
        return is_there


def network_of(host: str) -> str:
    """Return the network that a peer's address counts for; what is no address counts as itself."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host[:64]
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ip_network((address, 64), strict=False))
    return str(address)
