"""What a supervisor does with other people's calls: ChanSpy by the own phone, and app_queue's own actions."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, Protocol
from weakref import WeakValueDictionary

from sqlalchemy.exc import SQLAlchemyError

from hotline.core.bus import follow
from hotline.core.control import Asker, SuperviseVerb
from hotline.core.errors import ExchangeUnreachable, IllegalState, UnknownName
from hotline.core.events import SupervisionChanged
from hotline.core.ports import Bus
from hotline.core.views import CallView, SupervisionView, WaitingCaller
from hotline.queue.control.acting import SETTLE_SECONDS, Acting
from hotline.queue.control.legs import Leg
from hotline.queue.control.spies import PURPOSE, is_spy
from hotline.telephony.ami import events as ami
from hotline.telephony.ami.errors import AmiError
from hotline.telephony.ami.wire import escape_variable
from hotline.telephony.asterisk_config import supervision
from hotline.telephony.asterisk_config.supervision import SpyState

log = logging.getLogger(__name__)

FEED_LIMIT: Final = 20_000


class Queues(Protocol):
    """The part of the AMI client that moving callers needs."""

    async def queue_status(self, queue: str = "") -> tuple[ami.QueueSnapshot, ...]: ...


class Audit(Protocol):
    """Where it is written down who did what."""

    async def record(self, user: str, action: str, subject: str, detail: str = "") -> None: ...


class Supervisor:
    """The Supervision port. What a supervisor's phone does is the exchange's to say (``spies.py``)."""

    def __init__(self, acting: Acting, queues: Queues, bus: Bus, audit: Audit) -> None:
        self._acting, self._queues, self._bus, self._audit = acting, queues, bus, audit
        self._asked: dict[str, SuperviseVerb] = {}  # by the supervisor's seat: what the page asked for last
        self._phones: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # while one is in hand

    async def run(self) -> None:
        """Write down what supervisors do by their phones' own keys, until cancelled.

        What the page asks for is in the audit log before it is done; a key is seen when it has been pressed.
        """
        started = self._acting.now()
        feed = self._bus.subscribe("supervision", limit=FEED_LIMIT)
        async for envelope in follow(self._bus, feed, "supervision", limit=FEED_LIMIT):
            match envelope.event:
                case SupervisionChanged(agent=seat, call_id=call_id, verb=SuperviseVerb() as verb):
                    view = self._acting.talks.supervision(seat)
                    if self._asked.get(seat) is verb or view is None or view.since < started:
                        continue
                    self._asked[seat] = verb
                    await self._write_down(seat, verb, call_id)

    async def _write_down(self, seat: str, verb: SuperviseVerb, call_id: str) -> None:
        try:
            await self._audit.record(f"seat {seat}", f"supervise_{verb}", call_id, "by the phone's key")
        except (SQLAlchemyError, OSError) as error:
            log.error(
                "seat %s: %s on call %s by key is not recorded: %s", seat, verb, call_id, type(error).__name__
            )

    async def do(self, who: Asker, call_id: str, verb: SuperviseVerb) -> CallView:
        """One of the verbs."""

        async def act() -> CallView:
            if verb is SuperviseVerb.RELEASE:
                return await self._release(call_id)
            async with self._phone(who):
                return await self._take_over(who, call_id)

        if verb in (SuperviseVerb.RELEASE, SuperviseVerb.TAKE_OVER):
            return await self._acting.once(who, call_id, verb, act)
        async with self._phone(who):  # what the phone does already is not done again
            return await self._spy(who, call_id, verb)

    async def stop(self, who: Asker) -> None:
        """Hang up the supervisor's own phone if it listens, whispers or barges."""
        async with self._phone(who):
            await self._stop(who)

    def present(self, who: Asker) -> SupervisionView | None:
        """What the supervisor's phone does on somebody's call."""
        return self._acting.talks.supervision(who.agent or "")

    async def to_front(self, call_id: str) -> None:
        """Give a waiting caller a priority above everybody else's in the queue."""
        waiting = self._waiting(call_id)
        others, own = await self._positions(waiting)
        first = max((one.priority for one in others), default=own.priority - 1)
        if own.position == 1 and own.priority > first:
            return
        await self._acting.ask(
            "QueueChangePriorityCaller",
            {
                "Queue": waiting.queue,
                "Caller": own.channel,
                "Priority": str(max(first + 1, own.priority)),
                "Immediate": "yes",
            },
        )
        self._acting.talks.moved_to_front(waiting)

    async def to_queue(self, call_id: str, queue: str) -> None:
        """Withdraw a waiting caller; the dialplan leads on to the queue that is named."""
        if queue not in {one.name for one in self._acting.site.queues}:
            raise UnknownName(f"there is no queue {queue}", hint="queues are listed in the site file")
        waiting = self._waiting(call_id)
        if waiting.queue == queue:
            return
        _, own = await self._positions(waiting)
        await self._acting.ask(
            "QueueWithdrawCaller", {"Queue": waiting.queue, "Caller": own.channel, "WithdrawInfo": queue}
        )

    async def _release(self, call_id: str) -> CallView:
        view = self._acting.live_call(call_id)
        await self._acting.ask("Hangup", {"Channel": call_id})
        await self._acting.settle(call_id, lambda talk: talk.caller is None, "the hang-up")
        return view

    async def _take_over(self, who: Asker, call_id: str) -> CallView:
        """The caller goes to the supervisor's phone, which rings; the agent is free."""
        own = self._acting.agents.get(who.agent or "")
        if own is None:
            raise IllegalState(
                "a call is taken over by phone", hint="this account has no seat", code="no_phone"
            )
        on = self._acting.on_call(Asker(who.user, None, True), call_id)
        if on.agent == own.id:
            return on.view
        if on.talk.consult is not None:
            raise IllegalState(
                "the agent is asking somebody", hint="wait until that is over", code="agent_asks"
            )
        spying = self._own(own.id)
        await self._acting.free_phone(own.id, but_for=spying.uniqueid if spying else "")
        await self._stop(who)
        await self._acting.blind(on, own.extension)
        return on.view

    async def _spy(self, who: Asker, call_id: str, verb: SuperviseVerb) -> CallView:
        on = self._acting.on_call(Asker(who.user, None, True), call_id)
        if on.agent == who.agent:
            raise IllegalState("that is your own call", hint="others may listen to it", code="own_call")
        seat = who.agent or ""
        spy, own = self._acting.talks.spies.of(seat), self._own(seat)
        if spy is None or own is None or spy.state.on != on.leg.uniqueid:
            await self._ring(who, seat, on.leg, verb)
        elif spy.state.verb is not verb and not spy.up:
            await self._ring(who, seat, on.leg, verb)
        elif spy.state.verb is not verb:
            self._asked[seat] = verb
            await self._acting.key(own, supervision.KEYS[verb])
            await self._acting.settle(call_id, lambda _: self._does(seat, verb), "the change")
        return on.view

    def _phone(self, who: Asker) -> asyncio.Lock:
        return self._phones.setdefault(who.agent or "", asyncio.Lock())

    async def _stop(self, who: Asker) -> None:
        book = self._acting.talks.book
        leg = self._own(who.agent or "")
        if leg is not None:
            await self._acting.ask("Hangup", {"Channel": leg.uniqueid})
            await self._acting.talks.until(lambda: book.leg(leg.uniqueid) is None, SETTLE_SECONDS)

    def _does(self, seat: str, verb: SuperviseVerb) -> bool:
        spy = self._acting.talks.spies.of(seat)
        return spy is not None and spy.state.verb is verb

    def _own(self, seat: str) -> Leg | None:
        """The phone of a supervisor on somebody's call; also one that an earlier run of this server rang."""
        legs = self._acting.talks.book.of_agent(seat)
        return next((leg for leg in legs if is_spy(leg.uniqueid)), None)

    async def _ring(self, who: Asker, seat: str, on: Leg, verb: SuperviseVerb) -> None:
        """Ring the supervisor's phone, whatever it was on before; picked up, it hears the agent's call."""
        await self._stop(who)
        agent = await self._acting.free_phone(seat)
        state = SpyState(on.uniqueid, verb, self._acting.now())
        variables = {
            supervision.ON: on.uniqueid,
            supervision.ON_CHANNEL: on.channel,
            supervision.STATE: str(state),
        }
        fields = {
            "Context": supervision.NAME,
            "Exten": supervision.KEYS[verb],
            "Priority": "1",
            "CallerID": f"<{agent.extension}>",
            "Variable": [f"{name}={escape_variable(text)}" for name, text in variables.items()],
        }
        self._asked[seat] = verb
        uniqueid = await self._acting.ring(agent, PURPOSE, fields)
        self._acting.talks.rings_for(uniqueid, seat, state)

    def _waiting(self, call_id: str) -> WaitingCaller:
        live = self._acting.talks.live()
        found = next((one for one in live.waiting if one.call_id == call_id), None)
        if found is None:
            raise UnknownName("nobody of that call waits now", hint="the caller was answered or is gone")
        return found

    async def _positions(self, waiting: WaitingCaller) -> tuple[list[ami.QueueEntry], ami.QueueEntry]:
        """The others who wait in the same queue, and the caller."""
        try:
            snapshots = await self._queues.queue_status(waiting.queue)
        except AmiError as error:
            raise ExchangeUnreachable(
                "the exchange cannot be reached", hint="the calls go on; try again in a moment"
            ) from error
        entries = [entry for snapshot in snapshots for entry in snapshot.entries]
        own = next((entry for entry in entries if entry.uniqueid == waiting.call_id), None)
        if own is None:
            raise IllegalState("the caller no longer waits in that queue", code="no_longer_waits")
        return [entry for entry in entries if entry is not own], own
