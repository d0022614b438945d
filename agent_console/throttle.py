"""How many wrong passwords are borne. Pure: times come in, waiting times go out.

Three counters, so that neither guessing one account from many places, nor many accounts from one place, nor
locking a colleague out from elsewhere comes cheap:

    this user from this address     5 in 5 minutes
    this user from anywhere        30 in 5 minutes
    this address, any user        100 in 5 minutes   (a whole room of agents may share one address)
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

WINDOW_SECONDS: Final = 300.0
PER_PAIR: Final = 5
PER_USER: Final = 30
PER_ADDRESS: Final = 100
MAX_KEYS: Final = 10_000
"""Counters kept; the longest untouched are forgotten first. One address can touch some 200 in a window."""

Key = tuple[str, ...]


def network_of(address: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 that one IPv6 customer has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


@dataclass(slots=True)
class _Count:
    since: float
    failures: int = 0


@dataclass(slots=True)
class Throttle:
    """Counts failures in fixed windows that begin with the first failure."""

    _counts: OrderedDict[Key, _Count] = field(default_factory=OrderedDict)

    def wait_seconds(self, user: str, address: str, now: float) -> float:
        """Seconds until another attempt is allowed; 0 when it is allowed now."""
        longest = 0.0
        for key, limit in self._keys(user, address):
            count = self._counts.get(key)
            if count is not None and count.failures >= limit:
                longest = max(longest, count.since + WINDOW_SECONDS - now)
        return max(0.0, longest)

    def begin(self, user: str, address: str, now: float) -> None:
        """Count an attempt as failed before it is tried, so that attempts side by side are counted too."""
        for key, _ in self._keys(user, address):
            count = self._counts.pop(key, None)
            if count is None or now - count.since >= WINDOW_SECONDS:
                count = _Count(since=now)
            count.failures += 1
            self._counts[key] = count
        while len(self._counts) > MAX_KEYS:
            self._counts.popitem(last=False)

    def succeeded(self, user: str, address: str) -> None:
        """Take the attempt back: this pair starts anew, the others lose the one failure."""
        self.undo(user, address)
        pair, _ = self._keys(user, address)[0]
        self._counts.pop(pair, None)

    def undo(self, user: str, address: str) -> None:
        """Take back an attempt that could not be tried: the server was busy, or its database away."""
        for key, _ in self._keys(user, address):
            count = self._counts.get(key)
            if count is not None:
                count.failures = max(0, count.failures - 1)

    def _keys(self, user: str, address: str) -> tuple[tuple[Key, int], ...]:
        user, place = user.casefold()[:80], network_of(address)
        return (
            (("pair", user, place), PER_PAIR),
            (("user", user), PER_USER),
            (("address", place), PER_ADDRESS),
        )
