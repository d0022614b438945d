"""The agents at work: live events to the agent table, what comes of them to bus, database and exchange."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Final, Protocol

from hotline.config.schema import Site
from hotline.core.clock import Clock
from hotline.core.events import AgentEvent, AgentNoAnswer, CallAnswered, EntryClosed
from hotline.core.ports import Bus
from hotline.core.views import AgentView
from hotline.queue.agents.changes import AgentOutbox, Leg, Membership, PauseOrder
from hotline.queue.agents.table import AgentTable
from hotline.queue.agents.wrap_up import read_reason
from hotline.queue.calls.outbox import Outbox
from hotline.queue.calls.table import CallTable
from hotline.queue.facts import AgentFact, Restarted
from hotline.queue.queue_log.reader import AnyFact
from hotline.queue.waiting import Waiters
from hotline.queue.writer import LedgerWriter
from hotline.store.ledger import IntervalRecord
from hotline.telephony.ami import events as ami
from hotline.telephony.ami.answers import AmiResponse
from hotline.telephony.ami.errors import AmiError
from hotline.telephony.asterisk_config.wrap_up import DUE, GRACE_SECONDS, until_variable

log = logging.getLogger(__name__)

UNREACHABLE = (ami.DeviceState.UNAVAILABLE, ami.DeviceState.INVALID)
RINGING, UP = "Ringing", "Up"
NOTICED_WITHIN: Final = timedelta(seconds=60)  # a link is known to be gone at the latest so long after it is


class Actions(Protocol):
    """The part of the AMI client that this needs."""

    async def action(self, name: str, fields: Mapping[str, str | Sequence[str]]) -> AmiResponse: ...


class Seats:
    """Keeps the agent table in step with the exchange and carries out its orders.

    Of the orders the newest of each agent waits, one slot an agent: an order that fails is asked for again by
    the table itself, at its next tick or when the exchange has been compared. So with phones to look for.
    """

    def __init__(
        self, site: Site, actions: Actions, bus: Bus, writer: LedgerWriter, clock: Clock, calls: CallTable
    ) -> None:
        self.table = AgentTable(site.agents, site.queues, clock.now())
        self.failed_orders = 0
        self._extensions = {agent.id: agent.extension for agent in site.agents}
        self._noted = set(self._extensions)  # an earlier run may have noted anybody
        self._due = 0
        self._actions, self._bus, self._writer, self._clock, self._calls = actions, bus, writer, clock, calls
        self._turns = {agent.id: asyncio.Lock() for agent in site.agents}
        self._orders: dict[str, PauseOrder] = {}
        self._lost_phones: set[str] = set()
        self._ordered = asyncio.Event()
        self._waiters = Waiters()
        self._away = True  # nobody hears the exchange: what agents do is known from queue_log
        self._heard_at: datetime | None = None
        self._lately: deque[AgentFact] = deque(maxlen=2_000)  # queue_log's; the oldest go

    def restore(self, intervals: list[IntervalRecord]) -> None:
        """Take over the intervals that an earlier run left open."""
        self.tell(self.table.restore(intervals, self._clock.now()))

    def link_lost(self, at: datetime) -> None:
        """Live events came up to ``at``, or a little less: what the log told lately may be news."""
        self._away, self._heard_at = True, at
        for fact in self._lately:
            if fact.at > at - NOTICED_WITHIN:
                self.tell(self.table.logged(fact))

    def logged(self, fact: AnyFact) -> None:
        """A line of queue_log was read: it counts while there is no link."""
        if isinstance(fact, AgentFact):
            self._lately.append(fact)
            if self._away:
                self.tell(self.table.logged(fact))
        elif isinstance(fact, Restarted) and self._away:
            self.tell(self.table.exchange_died(self._heard_at or fact.at))
        if self._away:
            self._heard_at = fact.at

    def expect(self, queues: Iterable[ami.QueueSnapshot]) -> None:
        """What the exchange says of its queues, before the log is read up to now."""
        self.table.expect(_members(queues))

    def tick(self, now: datetime) -> None:
        """Let time pass."""
        self.tell(self.table.tick(now))

    async def until(self, agent: str, reached: Callable[[], bool], within_seconds: float) -> AgentView:
        """The agent's view once ``reached`` holds, or as it is after ``within_seconds``."""
        await self._waiters.until(reached, within_seconds)
        return self.table.view(agent)

    def publish(self, event: AgentEvent) -> None:
        """Tell everybody."""
        self._bus.publish(event)

    def tell(self, out: AgentOutbox) -> None:
        """Rows first: whoever hears an event may look at the row soon after."""
        if out.intervals:
            self._writer.put(intervals=out.intervals)
        for event in out.events:
            self._bus.publish(event)
        for order in out.orders:
            self._orders[order.agent] = order
            self._ordered.set()
        self._waiters.wake()

    async def run(self) -> None:
        """Carry out what the table orders, until cancelled."""
        while True:
            await self._ordered.wait()
            self._ordered.clear()
            while self._orders:
                await self._carry_out(self._orders.pop(next(iter(self._orders))))
            while self._lost_phones:
                await self._look_for(self._lost_phones.pop())

    async def _carry_out(self, order: PauseOrder) -> None:
        """One order; a failure is told and counted. What an agent has asked for meanwhile comes first."""
        async with self.turn(order.agent):
            if self.table.seat(order.agent).break_reason is not None:
                return
            try:
                await self.pause(order.agent, order.reason)
            except AmiError as error:
                self.failed_orders += 1
                log.warning("an agent's pause could not be changed: %s", error)

    async def _look_for(self, agent: str) -> None:
        """Have the exchange ask the agent's phone whether it is there.

        One that was killed and came back takes registered phones for gone until it asks them of itself, in
        half a minute.
        """
        try:
            await self._actions.action("PJSIPQualify", {"Endpoint": self._extensions[agent]})
        except AmiError as error:
            log.info("a phone could not be looked for: %s", error)

    def turn(self, agent: str) -> asyncio.Lock:
        """Held by whoever changes the agent's pause, until the change is seen: so no two cross."""
        return self._turns[agent]

    async def pause(self, agent: str, reason: str | None) -> None:
        """Ask the exchange to pause an agent for ``reason``; None: to give calls again.

        Until when a wrap-up is meant to last is noted first, for a caller to end it if we are gone by then.

        Raises:
            AmiError: it did not do so.
        """
        extension = self._extensions[agent]
        wrap = read_reason(reason or "")
        if wrap is not None:
            self._noted.add(agent)
            until = ceil(wrap.until.timestamp())
            self._due = max(self._due, until + GRACE_SECONDS)
            await self._note(until_variable(extension), str(until))
            await self._note(DUE, str(self._due))
        paused = {"Paused": "false"} if reason is None else {"Paused": "true", "Reason": reason}
        await self._actions.action("QueuePause", {"Interface": f"PJSIP/{extension}", **paused})
        if wrap is None and agent in self._noted:
            self._noted.discard(agent)
            await self._note(until_variable(extension), "")

    async def _note(self, variable: str, value: str) -> None:
        await self._actions.action("Setvar", {"Variable": variable, "Value": value})

    def follow(self, event: ami.AmiEvent, came: Outbox) -> None:
        """One live event; ``came``: what the call table made of it."""
        match event:
            case ami.QueueMemberAdded() | ami.QueueMemberPause() | ami.QueueMemberStatus():
                out = self.table.member(event.member_name, event.at, _membership(event))
            case ami.QueueMemberRemoved():
                out = self.table.removed(event.member_name, event.queue, event.at)
            case ami.DialBegin() if agent := self.table.agent_of_interface(event.dest_channel):
                out = self.table.leg_called(agent, event.at, event.dest_uniqueid, event.linkedid)
            case ami.Newstate():
                out = self._state_of_leg(event)
            case ami.Hangup() if agent := self.table.agent_of_interface(event.channel):
                queue = self._calls.queue_of(event.linkedid)
                out = self.table.leg_gone(agent, event.at, event.uniqueid, queue)
            case ami.Hold() | ami.UserEvent(name="HotlineHold"):
                out = self.table.hold(self._calls.named_by(event.uniqueid), event.at)
            case ami.Unhold() | ami.UserEvent(name="HotlineUnhold"):
                out = self.table.unhold(self._calls.named_by(event.uniqueid), event.at)
            case ami.AttendedTransfer():  # of a three-way talk Asterisk does not say that the hold is over
                out = AgentOutbox()
                for channel in event.transferer_uniqueids:
                    out.add(self.table.unhold(channel, event.at))
            case ami.QueueCallerAbandon() | ami.UserEvent(name="HotlineExit"):
                call_id = self._calls.call_of_channel(event.uniqueid)
                out = self.table.call_taken(call_id, event.at) if call_id else AgentOutbox()
            case _:
                out = self._of_queue(event, came)
        self.tell(out)

    def _of_queue(self, event: ami.AmiEvent, came: Outbox) -> AgentOutbox:
        """What the queue says of its own calls."""
        match event:
            case ami.AgentCalled():
                return self.table.chosen(
                    event.member_name,
                    event.at,
                    call_id=self._calls.call_of_channel(event.uniqueid),
                    queue=event.queue,
                    leg=event.agent_uniqueid,
                )
            # else queue_log has told of it already: nobody is paused for one ring that counts twice
            case ami.AgentRingNoAnswer() if any(isinstance(one, AgentNoAnswer) for one in came.events):
                return self.table.unanswered(event.member_name, event.at, event.queue)
            case ami.AgentConnect():
                call_id = self._calls.call_of_channel(event.uniqueid)
                entry = next((one.entry_id for one in came.events if isinstance(one, CallAnswered)), None)
                out = self.table.answered(
                    event.member_name,
                    event.at,
                    call_id=call_id,
                    leg=event.agent_uniqueid,
                    queue=event.queue,
                    entry_id=entry,
                )
                if call_id:
                    out.add(self.table.call_taken(call_id, event.at, by=event.member_name))
                return out
            case ami.AgentComplete():
                closed = next((one.entry_id for one in came.events if isinstance(one, EntryClosed)), None)
                return self.table.completed(event.member_name, event.at, event.queue, closed)
            case _:
                return AgentOutbox()

    def _state_of_leg(self, event: ami.Newstate) -> AgentOutbox:
        """A channel of an agent's phone rings or was answered."""
        agent = self.table.agent_of_interface(event.channel)
        if agent is None:
            return AgentOutbox()
        if event.state == RINGING:
            return self.table.leg_rings(agent, event.at, event.uniqueid, event.linkedid)
        if event.state == UP:
            queue = self._calls.queue_of(event.linkedid)
            return self.table.leg_up(agent, event.at, event.uniqueid, event.linkedid, queue)
        return AgentOutbox()

    def resync(
        self, queues: Iterable[ami.QueueSnapshot], channels: Iterable[ami.CoreShowChannel], at: datetime
    ) -> None:
        """Believe what the exchange told of itself."""
        self._away = False
        waits = {caller.call_id: caller.queue for caller in self._calls.waiting()}
        legs: dict[str, Leg] = {}
        for channel in channels:
            agent = self.table.agent_of_interface(channel.channel)
            if (
                agent is not None
                and channel.state in (RINGING, UP)
                and not (agent in legs and legs[agent].up)
            ):
                queue = waits.get(channel.linkedid, "")
                legs[agent] = Leg(channel.uniqueid, channel.linkedid, channel.state == UP, queue)
        members = _members(queues)
        gone = {agent for agent, told in members.items() if not all(one.reachable for one in told)}
        self._lost_phones |= gone & self._extensions.keys()
        self._ordered.set()
        self.tell(self.table.resync(members, self._calls.talking(), legs, at))


def _members(queues: Iterable[ami.QueueSnapshot]) -> dict[str, list[Membership]]:
    """What each queue says of each agent."""
    members: dict[str, list[Membership]] = {}
    for queue in queues:
        for member in queue.members:
            members.setdefault(member.member_name, []).append(_membership(member))
    return members


def _membership(
    event: ami.QueueMember | ami.QueueMemberAdded | ami.QueueMemberPause | ami.QueueMemberStatus,
) -> Membership:
    reason = event.paused_reason if event.paused else None
    return Membership(event.queue, reason, event.device_state not in UNREACHABLE)
