"""Who is on each answered call, from the exchange's channels and bridges. Pure.

A call's channels share its linkedid. Whoever stands in a bridge that is joined with the caller's, directly or
through a pair of Local channels, talks with the caller. An agent in a bridge that is not joined with it asks
somebody else: an enquiry (the exchange's attended transfer), whose target is in the Local channel's name.
A channel that leaves a bridge is on its way to another or about to end, so only entering counts.

The caller's channel gave the call its id. Only a callback bears the id of the agent's channel, which says so;
the first channel of such a call that is no agent's phone is the citizen's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from hotline.core.events import ConsultState
from hotline.telephony.ami import events as ami
from hotline.telephony.asterisk_config.callback import is_callback

LOCAL = re.compile(r"Local/(?P<exten>[^@]+)@(?P<pair>.+);(?P<end>[12])")
HOLDING = "WaitForCondition"  # what the caller's channel runs while the exchange holds it: see hold.py
QUEUED = "AppQueue"  # what CoreShowChannels says of a phone that the queue called


@dataclass(slots=True)
class Leg:
    """One channel.

    Attributes:
        agent: the seat behind it, None for anybody else.
        party: the number behind it, as far as known.
        at: when it came into being, then when it was last joined to others.
        holding: this phone put the others on hold.
        held: the exchange itself plays music to it.
        queued: the queue itself called this phone; its ringing and answering are the queue's to tell.
    """

    uniqueid: str
    channel: str
    call_id: str
    at: datetime
    agent: str | None
    party: str
    bridge: str = ""
    up: bool = False
    holding: bool = False
    held: bool = False
    muted: bool = False
    queued: bool = False

    @property
    def local(self) -> re.Match[str] | None:
        """The parts of a Local channel's name; None for a phone's channel."""
        return LOCAL.fullmatch(self.channel)


@dataclass(frozen=True, slots=True)
class Consult:
    """An enquiry: who asks, whom (a number), and how far it has come."""

    asking: Leg
    target: str
    state: ConsultState


@dataclass(frozen=True, slots=True)
class Talk:
    """How one call stands.

    Attributes:
        caller: the caller's channel; None once it is gone.
        phones: everybody else's, in the order they were called.
        talkers: those that talk with the caller.
        consult: the enquiry or three-way talk, if there is one.
        held: the caller hears music because an agent holds the call.
    """

    caller: Leg | None
    phones: tuple[Leg, ...] = ()
    talkers: tuple[Leg, ...] = ()
    consult: Consult | None = None
    held: bool = False

    @property
    def muted_agents(self) -> tuple[str, ...]:
        """The agents on the call whose own phone is muted, whomever they talk with."""
        return tuple(leg.agent for leg in self.phones if leg.muted and leg.agent is not None)

    def leg_of(self, agent: str) -> Leg | None:
        """The agent's own phone on this call: talking, asking, asked or ringing."""
        return next((leg for leg in self.phones if leg.agent == agent), None)

    @property
    def serving(self) -> Leg | None:
        """The agent's phone that has the call: the enquiring one during an enquiry."""
        if self.consult is not None and self.consult.state is not ConsultState.THREE_WAY:
            return self.consult.asking
        return next((leg for leg in self.talkers if leg.agent is not None), None)


@dataclass(slots=True)
class LegBook:
    """Every channel of the exchange that belongs to a call.

    Args:
        agent_of: the seat behind a channel's name, or None.
        number_of: the listed number behind a dial string, or an empty string.
    """

    agent_of: Callable[[str], str | None]
    number_of: Callable[[str], str]
    _citizens: dict[str, str] = field(default_factory=dict)  # callback -> the citizen's channel
    _legs: dict[str, Leg] = field(default_factory=dict)
    _calls: dict[str, dict[str, Leg]] = field(default_factory=dict)  # call -> its legs, in order of arrival

    def apply(self, event: ami.AmiEvent) -> str | None:
        """Take one event in; the call that may stand otherwise now."""
        match event:
            case ami.Newchannel():
                return self._add(event).call_id
            case ami.Newstate(uniqueid=uniqueid, state="Up") if known := self._legs.get(uniqueid):
                known.up = True
                return known.call_id
            case ami.BridgeEnter():
                leg = self._add(event)
                leg.bridge, leg.up, leg.holding, leg.at = event.bridge_id, True, False, event.at
                return leg.call_id
            case ami.DialBegin():
                called = self._legs.get(event.dest_uniqueid)
                if called is None:
                    return None
                called.party = called.party or self.number_of(event.dial_string)
                return called.call_id
            case ami.Hold() | ami.Unhold():
                leg = self._add(event)
                leg.holding = isinstance(event, ami.Hold)
                return leg.call_id
            case ami.UserEvent(name="HotlineHold" | "HotlineUnhold"):
                leg = self._add(event)
                leg.held = event.name == "HotlineHold"
                return leg.call_id
            case ami.AgentCalled() | ami.AgentConnect():
                if called := self._legs.get(event.agent_uniqueid):
                    called.queued = True
                return event.linkedid
            case ami.Hangup():
                return self._remove(event.uniqueid)
            case _:
                return None

    def adopt(self, channels: Iterable[ami.CoreShowChannel]) -> set[str]:
        """Believe the exchange's list after a break; the calls that are there, and those that were."""
        before = set(self._calls)
        muted = {leg.uniqueid for leg in self._legs.values() if leg.muted}
        self._legs.clear()
        self._calls.clear()
        self._citizens.clear()
        dialled: dict[str, str] = {}
        for channel in sorted(channels, key=lambda one: -one.duration_seconds):
            leg = self._add(channel)
            leg.bridge, leg.up = channel.bridge_id, channel.state == "Up"
            leg.held, leg.queued = channel.application == HOLDING, channel.application == QUEUED
            leg.muted = leg.uniqueid in muted
            if channel.application == "Dial":
                dialled[channel.bridge_id] = self.number_of(channel.application_data)
        for leg in self._legs.values():
            if leg.uniqueid != leg.call_id:
                leg.party = leg.party or dialled.get(leg.bridge, "")
        return before | set(self._calls)

    def calls(self) -> set[str]:
        """Every call that has a channel."""
        return set(self._calls)

    def leg(self, uniqueid: str) -> Leg | None:
        """The channel, if it is there."""
        return self._legs.get(uniqueid)

    def of_agent(self, agent: str) -> list[Leg]:
        """Every channel of an agent's phone, on whatever call."""
        return [leg for leg in self._legs.values() if leg.agent == agent]

    def talk(self, call_id: str) -> Talk:
        """How a call stands."""
        by_id = self._calls.get(call_id, {})
        caller = by_id.get(self._citizens.get(call_id, "") if is_callback(call_id) else call_id)
        if caller is None:
            return Talk(None)
        legs = list(by_id.values())
        joined = _joined(legs)
        phones = tuple(leg for leg in legs if leg is not caller and leg.local is None)
        with_caller = joined(caller.bridge)
        talkers = tuple(leg for leg in phones if leg.bridge in with_caller)
        return Talk(
            caller=caller,
            phones=phones,
            talkers=talkers,
            consult=_consult(legs, phones, talkers, joined),
            held=caller.held or any(leg.holding for leg in talkers),
        )

    def _add(self, event: _OnChannel) -> Leg:
        leg = self._legs.get(event.uniqueid)
        if leg is None:
            agent = self.agent_of(event.channel)
            party = event.channel.partition("/")[2].rpartition("-")[0] if agent else ""
            leg = Leg(event.uniqueid, event.channel, event.linkedid, event.at, agent, party)
            self._legs[leg.uniqueid] = leg
        elif leg.call_id != event.linkedid:
            self._forget(leg)
            leg.call_id = event.linkedid
        leg.channel = event.channel
        self._calls.setdefault(leg.call_id, {})[leg.uniqueid] = leg
        if leg.agent is None and leg.local is None and is_callback(leg.call_id):
            self._citizens.setdefault(leg.call_id, leg.uniqueid)
        return leg

    def _remove(self, uniqueid: str) -> str | None:
        leg = self._legs.pop(uniqueid, None)
        if leg is None:
            return None
        self._forget(leg)
        return leg.call_id

    def _forget(self, leg: Leg) -> None:
        legs = self._calls.get(leg.call_id, {})
        legs.pop(leg.uniqueid, None)
        if not legs:
            self._calls.pop(leg.call_id, None)
            self._citizens.pop(leg.call_id, None)


_OnChannel = ami.Newchannel | ami.BridgeEnter | ami.Hold | ami.Unhold | ami.UserEvent | ami.CoreShowChannel


def _joined(legs: list[Leg]) -> Callable[[str], set[str]]:
    """A function that gives the bridges joined with one, by way of Local channels."""
    ends: dict[str, list[str]] = {}
    for leg in legs:
        if (local := leg.local) and leg.bridge:
            ends.setdefault(local["pair"] + local["exten"], []).append(leg.bridge)

    def reach(bridge: str) -> set[str]:
        found = {bridge} - {""}
        while True:
            more = {other for pair in ends.values() if found & set(pair) for other in pair}
            if more <= found:
                return found
            found |= more

    return reach


def _consult(
    legs: list[Leg], phones: tuple[Leg, ...], talkers: tuple[Leg, ...], joined: Callable[[str], set[str]]
) -> Consult | None:
    """The enquiry under way, or the three-way talk that came of one."""
    for leg in phones:
        if leg.agent is None or not leg.bridge or leg in talkers:
            continue
        asked = joined(leg.bridge)
        for local in legs:
            name = local.local
            if name is not None and name["end"] == "1" and local.bridge == leg.bridge:
                answered = any(other.bridge in asked for other in phones if other is not leg)
                state = ConsultState.TALKING if answered else ConsultState.RINGING
                return Consult(leg, name["exten"], state)
    if len(talkers) > 1 and talkers[0].agent is not None:
        return Consult(talkers[0], talkers[-1].party, ConsultState.THREE_WAY)
    return None
