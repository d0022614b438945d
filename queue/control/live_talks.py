"""Follows who is on each call, tells of it on the bus, and completes the picture of the present with it.

Changes come in bursts (an attended transfer is a dozen events within milliseconds), so a call is looked at
when a burst is over, and what is told is the difference to what was told last.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Protocol

from hotline.config.schema import Site
from hotline.core.clock import Clock
from hotline.core.events import (
    CallChanged,
    CallerToFront,
    ConsultState,
    EmergencyNotJoined,
    PartyJoined,
    PartyLeft,
    PartyRinging,
    SupervisionChanged,
)
from hotline.core.ports import Bus, CallMarks, LivePicture
from hotline.core.views import CallView, ConsultView, LiveView, SupervisionView, WaitingCaller
from hotline.queue.control.legs import Leg, LegBook, Talk
from hotline.queue.control.spies import SpyBook, is_spy
from hotline.queue.waiting import Waiters
from hotline.telephony.ami import events as ami
from hotline.telephony.ami.answers import AmiResponse
from hotline.telephony.ami.errors import AmiError, AmiRefused
from hotline.telephony.ami.feed import AmiFeed
from hotline.telephony.ami.wire import FieldValue
from hotline.telephony.asterisk_config import supervision
from hotline.telephony.asterisk_config.supervision import SpyState

log = logging.getLogger(__name__)

BURST_SECONDS: Final = 0.03
MUTED = "HOTLINE_MUTED"
"""A variable on an agent's channel: the exchange does not say who is muted, and a new server must know."""


class Channels(Protocol):
    """The part of the AMI client that following needs."""

    def feed(self, limit: int = ...) -> AmiFeed: ...
    def reconnect(self, reason: str) -> None: ...
    async def action(self, name: str, fields: Mapping[str, FieldValue]) -> AmiResponse: ...
    async def core_show_channels(self) -> tuple[ami.CoreShowChannel, ...]: ...


@dataclass(slots=True)
class _Told:
    """What was told of a call: its phones (and whether as joined), and how the talk stands."""

    phones: dict[str, tuple[Leg, bool]] = field(default_factory=dict)
    standing: tuple[bool, tuple[str, ...], str | None, ConsultState | None] = (False, (), None, None)


class LiveTalks:
    """The present of every talk. ``run`` it; it is also the LivePicture that pages see.

    Args:
        site: whose extensions and listed numbers are known.
        manager: the AMI client.
        picture: the exchange's own picture: calls, waits, agents.
        bus: where PartyRinging, PartyJoined, PartyLeft, CallChanged and SupervisionChanged are told.
        marks: which callers are a nuisance.
        clock: the present.
    """

    def __init__(
        self,
        site: Site,
        manager: Channels,
        picture: LivePicture,
        bus: Bus,
        marks: CallMarks,
        clock: Clock,
    ) -> None:
        agents = {agent.extension: agent.id for agent in site.agents}
        trunk = site.transfer.trunk or ""
        dialled = {
            trunk.replace("{number}", one.number).removeprefix("PJSIP/"): one.number
            for one in site.transfer.numbers
        }
        self.book = LegBook(
            lambda channel: agents.get(_extension(channel)),
            lambda dial: dialled.get(dial.removeprefix("PJSIP/").partition(",")[0], ""),
        )
        self.spies = SpyBook(self.book.agent_of)
        self._manager, self._picture, self._bus = manager, picture, bus
        self._marks, self._clock = marks, clock
        self._told: dict[str, _Told] = {}
        self._told_spies: dict[str, SupervisionView] = {}  # by the supervisor's seat
        self._to_front: list[str] = []  # calls, the newest last; those that still wait
        self._dirty: set[str] = set()
        self._wake = asyncio.Event()
        self._waiters = Waiters()

    async def run(self) -> None:
        """Follow until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(), name="talks-listen")
            tasks.create_task(self._tell(), name="talks-tell")

    def talk(self, call_id: str) -> Talk:
        """How a call stands, as far as the exchange has told."""
        return self.book.talk(call_id)

    async def until(self, reached: Callable[[], bool], within_seconds: float) -> bool:
        """Whether ``reached`` came to hold in time; it is asked whenever something changed."""
        return await self._waiters.until(reached, within_seconds)

    def set_muted(self, leg: Leg, muted: bool) -> None:
        """The exchange was made to mute this phone, or not to."""
        leg.muted = muted
        self._touch({leg.call_id})

    def live(self) -> LiveView:
        """The present of the exchange, with who is on each call."""
        live = self._picture.live()
        waiting = {one.call_id for one in live.waiting}
        self._to_front = [call_id for call_id in self._to_front if call_id in waiting]
        rank = {call_id: -place for place, call_id in enumerate(self._to_front, 1)}
        return replace(
            live,
            calls=tuple(self.completed(call) for call in live.calls),
            waiting=tuple(sorted(live.waiting, key=lambda one: rank.get(one.call_id, 0))),
        )

    def not_joined(self, call_id: str, agent: str, service: str) -> None:
        """An emergency service has answered this agent, and the exchange does not join it."""
        self._bus.publish(EmergencyNotJoined(call_id, self._clock.now(), agent, service))

    def moved_to_front(self, waiting: WaitingCaller) -> None:
        """The exchange was made to put this caller before all others of the queue."""
        self._to_front = [one for one in self._to_front if one != waiting.call_id] + [waiting.call_id]
        self._bus.publish(CallerToFront(waiting.call_id, self._clock.now(), waiting.queue))

    def rings_for(self, uniqueid: str, seat: str, state: SpyState) -> None:
        """The exchange was made to ring a supervisor's phone for somebody's call."""
        self.spies.rings(uniqueid, seat, state)
        self._tell_spy(seat)

    def supervision(self, seat: str) -> SupervisionView | None:
        """What a supervisor's phone does on somebody's call."""
        spy = self.spies.of(seat)
        leg = self.book.leg(spy.state.on) if spy else None
        return SupervisionView(leg.call_id, spy.state.verb, spy.state.since) if spy and leg else None

    def view(self, call_id: str) -> CallView | None:
        """One live call; None if there is no such."""
        call = next((one for one in self._picture.live().calls if one.call_id == call_id), None)
        return self.completed(call) if call is not None else None

    def completed(self, call: CallView) -> CallView:
        """The queue's view of a call with what only its channels tell."""
        nuisance = self._marks.is_nuisance(call.caller_number)
        talk = self.book.talk(call.call_id)
        if talk.caller is None:
            return replace(call, nuisance=nuisance)
        agents = [leg.agent for leg in talk.phones if leg.agent is not None]
        agent, answered_at = call.agent, call.answered_at
        if agent is not None and agent not in agents:  # handed on: whoever has the call now
            agent = next((leg.agent for leg in talk.talkers if leg.agent), None) or next(iter(agents), None)
        if talk.talkers and answered_at is None:
            answered_at = talk.talkers[0].at
        consult = talk.consult
        return replace(
            call,
            agent=agent,
            answered_at=answered_at,
            held=talk.held,
            muted_agents=talk.muted_agents,
            consult=ConsultView(consult.target, consult.state) if consult else None,
            nuisance=nuisance,
            parties=tuple(dict.fromkeys(one for one in agents if one != agent)),
        )

    async def _listen(self) -> None:
        with self._manager.feed() as feed:
            async for news in feed:
                match news:
                    case ami.AmiConnected():
                        await self._adopt()
                    case ami.AmiLost():
                        pass
                    case _:
                        call_id = self.book.apply(news)
                        if (seat := self.spies.apply(news)) is not None:
                            self._tell_spy(seat)
                            self._touch(set())
                        if call_id is not None:
                            self._touch({call_id})

    async def _adopt(self) -> None:
        """Compare with the exchange after a break."""
        try:
            channels = await self._manager.core_show_channels()
            self._touch(self.book.adopt(channels))
            for call_id in self.book.calls():
                for leg in self.book.talk(call_id).phones:
                    if leg.agent is not None:
                        leg.muted = await self._variable(leg.uniqueid, MUTED) == "1"
            spies = [one for one in channels if is_spy(one.uniqueid)]
            before = self.spies.seats()
            self.spies.adopt({one: await self._variable(one.uniqueid, supervision.STATE) for one in spies})
            for seat in before | self.spies.seats():
                self._tell_spy(seat)
        except AmiError as error:
            log.warning("the exchange could not be asked who talks: %s", error)
            self._manager.reconnect("who talks could not be read")

    async def _variable(self, uniqueid: str, name: str) -> str:
        """A variable of a channel; empty also when the channel has gone meanwhile."""
        try:
            said = await self._manager.action("Getvar", {"Channel": uniqueid, "Variable": name})
        except AmiRefused:
            return ""
        return said.headers.get("Value", "")

    def _tell_spy(self, seat: str) -> None:
        """Publish what a supervisor's phone does, if it is something new."""
        told, view = self._told_spies.pop(seat, None), self.supervision(seat)
        if view is not None:
            self._told_spies[seat] = view
        if view is not None and (told is None or (told.call_id, told.verb) != (view.call_id, view.verb)):
            self._bus.publish(SupervisionChanged(seat, self._clock.now(), view.call_id, view.verb))
        elif view is None and told is not None:
            self._bus.publish(SupervisionChanged(seat, self._clock.now(), told.call_id, None))

    def _touch(self, calls: set[str]) -> None:
        self._dirty |= calls
        self._wake.set()
        self._waiters.wake()

    async def _tell(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(BURST_SECONDS)  # the burst ends
            self._wake.clear()
            dirty, self._dirty = self._dirty, set()
            for call_id in dirty:
                self._tell_one(call_id)

    def _tell_one(self, call_id: str) -> None:
        """Publish what changed on a call since it was last told of."""
        talk = self.book.talk(call_id)
        told = self._told.get(call_id)
        if talk.caller is None:
            self._told.pop(call_id, None)
            return
        if self.view(call_id) is None:  # two phones of ours, a spy, a tap: no caller's call
            return
        if told is None:
            told = self._told[call_id] = _Told()
        now = self._clock.now()
        here = {leg.uniqueid: leg for leg in talk.phones}
        for uniqueid in [uid for uid in told.phones if uid not in here]:
            leg, _ = told.phones.pop(uniqueid)
            self._bus.publish(PartyLeft(call_id, now, leg.agent, leg.party, uniqueid))
        for leg in talk.phones:
            self._tell_leg(told, leg, talk, now)
        consult = talk.consult
        standing = (
            talk.held,
            talk.muted_agents,
            consult.target if consult else None,
            consult.state if consult else None,
        )
        if standing != told.standing:
            told.standing = standing
            self._bus.publish(CallChanged(call_id, now, *standing))

    def _tell_leg(self, told: _Told, leg: Leg, talk: Talk, now: datetime) -> None:
        known, joined = told.phones.get(leg.uniqueid), leg in talk.talkers
        if leg.queued:  # the queue tells of it; here only that it left after it had talked
            if joined:
                told.phones[leg.uniqueid] = (leg, True)
            return
        calls_back = leg.uniqueid == leg.call_id  # it rang before there was anybody to talk with
        if known is None and not joined and not calls_back:
            self._bus.publish(PartyRinging(leg.call_id, now, leg.agent, leg.party, leg.uniqueid))
        elif joined and (known is None or not known[1]):
            caller = talk.caller.uniqueid if talk.caller else leg.call_id
            self._bus.publish(PartyJoined(leg.call_id, leg.at, leg.agent, leg.party, leg.uniqueid, caller))
        told.phones[leg.uniqueid] = (leg, joined or (known is not None and known[1]))


def _extension(channel: str) -> str:
    """``1001`` of ``PJSIP/1001-0000002a``."""
    return channel.partition("/")[2].rpartition("-")[0]
