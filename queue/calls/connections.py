"""Who hears whom: channels in bridges, and the pairs of Local channels that make one talk of two bridges.

Pure. It knows nothing of callers and agents: ``talks.py`` asks it whom a channel talks with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from hotline.queue.facts import Bridged, Unbridged

LOCAL = "Local/"
ONE_STEP = timedelta(seconds=1)  # a transfer and its hang-up: milliseconds, on a busy exchange too
TWINS = {";1": ";2", ";2": ";1"}


@dataclass(slots=True)
class Leg:
    """A channel that is or was in a bridge.

    Attributes:
        since: when it was first together with another channel; None if never.
        bridge: the bridge it is in; empty when in none.
        left_at: when it left its last bridge; None while it is in one.
        on_hold: its phone has put whom it talks with on hold.
        kept: the exchange plays music to it.
        handed_on_at: when it transferred the call, perhaps into a three-way in which it stayed.
    """

    uniqueid: str
    channel: str
    call_id: str
    number: str
    since: datetime | None = None
    bridge: str = ""
    left_at: datetime | None = None
    on_hold: bool = False
    kept: bool = False
    handed_on_at: datetime | None = None

    def left_by_transfer(self, at: datetime) -> bool:
        """Whether leaving at ``at`` is part of a transfer."""
        return self.handed_on_at is not None and abs(at - self.handed_on_at) <= ONE_STEP

    @property
    def is_local(self) -> bool:
        """Half of a pair that Asterisk makes to join two bridges: nobody speaks there."""
        return self.channel.startswith(LOCAL)

    @property
    def twin(self) -> str:
        """The name of a Local channel's other half."""
        return self.channel[:-2] + TWINS.get(self.channel[-2:], "")


class Connections:
    """All channels that are in a bridge, or were until just now."""

    def __init__(self) -> None:
        self._legs: dict[str, Leg] = {}
        self._by_name: dict[str, Leg] = {}
        self._bridges: dict[str, dict[str, Leg]] = {}  # bridge -> uniqueid -> leg, in order of entering

    def enter(self, fact: Bridged) -> Leg:
        """The channel is in this bridge now, and in no other. Entering ends a hold: the others hear it."""
        leg = self._legs.get(fact.uniqueid)
        if leg is None:
            leg = Leg(fact.uniqueid, fact.channel, fact.call_id, fact.number)
            self._legs[fact.uniqueid] = leg
        elif leg.bridge == fact.bridge:
            return leg
        self._take_out(leg)
        leg.channel, leg.call_id, leg.number = fact.channel, fact.call_id, fact.number or leg.number
        self._by_name[leg.channel] = leg
        leg.bridge, leg.left_at, leg.on_hold, leg.kept = fact.bridge, None, False, False
        members = self._bridges.setdefault(fact.bridge, {})
        members[leg.uniqueid] = leg
        for member in members.values() if len(members) > 1 else ():
            member.since = member.since or fact.at
        return leg

    def leave(self, fact: Unbridged) -> Leg | None:
        """The channel left that bridge; nothing if it is in another one by now."""
        leg = self._legs.get(fact.uniqueid)
        if leg is None or leg.bridge != fact.bridge:
            return None
        self._take_out(leg)
        leg.left_at = fact.at
        return leg

    def forget(self, uniqueid: str) -> Leg | None:
        """The channel is gone; what was known of it."""
        leg = self._legs.pop(uniqueid, None)
        if leg is not None:
            self._take_out(leg)
            if self._by_name.get(leg.channel) is leg:
                del self._by_name[leg.channel]
        return leg

    def leg(self, uniqueid: str) -> Leg | None:
        """The channel, if it has been in a bridge."""
        return self._legs.get(uniqueid)

    def known(self) -> list[str]:
        """Every channel that is not gone."""
        return list(self._legs)

    def heard_by(self, uniqueid: str) -> list[tuple[Leg, Leg]]:
        """Whom the channel talks with: the channel in its bridge that leads there, and the party itself."""
        leg = self._legs.get(uniqueid)
        if leg is None or not leg.bridge:
            return []
        here = [other for other in self._bridges[leg.bridge].values() if other is not leg]
        return [(via, party) for via in here for party in self._behind(via, {leg.bridge})]

    def is_somebody_at(self, leg: Leg) -> bool:
        """Whether the channel is in a bridge; of a Local one, whether its other half is with somebody."""
        return any(self._behind(leg, {leg.bridge})) if leg.is_local else bool(leg.bridge)

    def _behind(self, leg: Leg, seen: set[str]) -> Iterator[Leg]:
        """The party at this channel: itself, or those at the other end of a Local pair."""
        if not leg.is_local:
            yield leg
            return
        twin = self._by_name.get(leg.twin)
        if twin is None or not twin.bridge or twin.bridge in seen:
            return
        seen.add(twin.bridge)
        for other in self._bridges[twin.bridge].values():
            if other is not twin:
                yield from self._behind(other, seen)

    def _take_out(self, leg: Leg) -> None:
        members = self._bridges.get(leg.bridge)
        if members is not None:
            members.pop(leg.uniqueid, None)
            if not members:
                del self._bridges[leg.bridge]
        leg.bridge = ""
