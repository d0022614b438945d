"""The call table: every call on the exchange, and every ledger row, from facts.

Pure: facts in; events to publish and rows to save out. It reads no clock, so live events, queue_log after an
outage and tests drive the same table. Telling it a fact twice, or from both sources, changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hotline.core.events import (
    AgentNoAnswer,
    AgentRinging,
    CallEnded,
    CallerQueued,
    CallStarted,
    Event,
    FallbackUsed,
    MenuFinished,
    Source,
)
from hotline.core.views import CallView, WaitingCaller
from hotline.queue.entry import Entry, EntryState
from hotline.queue.facts import (
    Announced,
    Completed,
    Connected,
    Fact,
    FellBack,
    HungUp,
    Joined,
    Left,
    QueueFact,
    Rang,
    RingEnded,
    Routed,
)
from hotline.queue.live_call import LiveCall
from hotline.queue.routing import Routing
from hotline.store.ledger import CallRecord, EntryRecord


@dataclass(slots=True)
class Outbox:
    """What came of a fact: events in order, and the rows that changed."""

    events: list[Event] = field(default_factory=list)
    calls: dict[str, CallRecord] = field(default_factory=dict)
    entries: dict[str, EntryRecord] = field(default_factory=dict)


class CallTable:
    """All calls of one Asterisk node.

    Args:
        node: the node's name, part of each row's key.
        routing: which line a queue or number belongs to.
        short_abandon_seconds: a caller who leaves sooner is a short abandon.
    """

    KEEP = timedelta(minutes=10)  # how long an ended call is remembered, to know a replay again
    GRACE = timedelta(seconds=5)  # how long after the hang-up the queue's own last word may come

    def __init__(self, node: str, routing: Routing, short_abandon_seconds: float) -> None:
        self.node = node
        self.illegal: Counter[str] = Counter()  # "state fact" -> how often; shown as a metric
        self._routing = routing
        self._short_abandon = timedelta(seconds=short_abandon_seconds)
        self._calls: dict[str, LiveCall] = {}
        self._by_channel: dict[str, LiveCall] = {}
        self._out = Outbox()

    def apply(self, fact: Fact, source: Source = Source.LIVE) -> Outbox:
        """Let one fact happen and return what came of it."""
        self._out = Outbox()
        match fact:
            case Announced():
                self._announce(fact)
            case Routed():
                self._route(fact)
            case FellBack():
                self._fall_back(fact)
            case HungUp():
                self._hang_up(fact)
            case _:
                self._queue_fact(fact, source)
        return self._out

    def menu_finished(self, event: MenuFinished) -> Outbox:
        """Note on the call what its menu visit came to."""
        self._out = Outbox()
        call = self._calls.get(event.call_id)
        if call is not None:
            call.menu_path, call.menu_outcome = event.path, event.outcome.value
            call.menu_ms = round(event.menu_seconds * 1000)
            self._save_call(call)
        return self._out

    def tick(self, now: datetime) -> Outbox:
        """Close what hung up without a last word from the queue, and forget what ended long ago."""
        self._out = Outbox()
        for call in list(self._calls.values()):
            if call.hungup_at is None:
                continue
            if now - call.hungup_at > self.GRACE and (entry := call.open_entry()):
                self._close_silently(call, entry, call.hungup_at)
            if now - call.hungup_at > self.KEEP:
                del self._calls[call.call_id]
                self._by_channel.pop(call.uniqueid, None)
        return self._out

    def restore(self, calls: Iterable[CallRecord], entries: Iterable[EntryRecord]) -> None:
        """Take over the rows of an earlier run, before any fact."""
        for row in calls:
            call = LiveCall.restored(row)
            self._calls[call.call_id] = self._by_channel[call.uniqueid] = call
        for entry_row in sorted(entries, key=lambda row: row.joined_at):
            entry = Entry.restored(entry_row)
            owner = self._calls.get(entry.call_id)
            if owner is not None:
                owner.entries.append(entry)
                self._by_channel[entry.uniqueid] = owner

    def reconcile(self, now: datetime, alive: dict[str, str]) -> Outbox:
        """Compare with the exchange after a break; ``alive``: uniqueid of each channel -> its linkedid.

        Calls that are gone end now (a lower bound of the truth that queue_log did not tell); those that are
        alive and being talked on are announced anew, so that whoever hears them can begin again.
        """
        self._out = Outbox()
        for call in list(self._calls.values()):
            if call.hungup_at is not None:
                continue
            if call.uniqueid not in alive:
                if entry := call.open_entry():
                    self._close_silently(call, entry, now)
                self._end(call, now)
            elif (entry := call.open_entry()) and entry.state is EntryState.TALKING:
                others = (
                    uid for uid, linked in alive.items() if linked == call.call_id and uid != call.uniqueid
                )
                entry.agent_uniqueid = entry.agent_uniqueid or next(others, "")
                if entry.agent_uniqueid:
                    self._out.events.append(entry.as_answered(call.uniqueid))
        return self._out

    def live_calls(self) -> tuple[CallView, ...]:
        """Calls whose caller is still there."""
        return tuple(call.view() for call in self._calls.values() if call.hungup_at is None)

    def call_of_channel(self, uniqueid: str) -> str | None:
        """The call that a caller's channel belongs to."""
        call = self._by_channel.get(uniqueid)
        return call.call_id if call else None

    def queue_of(self, call_id: str) -> str:
        """The queue that a call waited in last; empty when it is no caller's call, or waited in none."""
        call = self._calls.get(call_id)
        return call.entries[-1].queue if call and call.entries else ""

    def is_waiting(self, uniqueid: str, queue: str) -> bool:
        """Whether the caller is known to wait in ``queue``."""
        call = self._by_channel.get(uniqueid)
        entry = call.open_entry() if call else None
        return entry is not None and entry.queue == queue and entry.state is not EntryState.TALKING

    def talking(self) -> dict[str, str]:
        """Agent to call id, of the calls being talked on."""
        return {
            entry.agent: call.call_id
            for call in self._calls.values()
            if call.hungup_at is None
            and (entry := call.open_entry())
            and entry.state is EntryState.TALKING
            and entry.agent
        }

    def waiting(self) -> tuple[WaitingCaller, ...]:
        """Callers in a queue now, the longest wait first."""
        rows = [
            WaitingCaller(
                call.call_id, entry.entry_id, entry.line, entry.queue, entry.joined_at, entry.position
            )
            for call in self._calls.values()
            if call.hungup_at is None
            and (entry := call.open_entry())
            and entry.state in (EntryState.WAITING, EntryState.RINGING)
        ]
        return tuple(sorted(rows, key=lambda row: row.since))

    def _call(
        self, fact: Announced | Routed | FellBack | Joined | QueueFact, call_id: str, line: str, did: str
    ) -> LiveCall:
        """The call of a fact's channel, made now if the fact is the first heard of it."""
        call = self._by_channel.get(fact.uniqueid)
        if call is None:
            number = getattr(fact, "caller_number", "")
            call = LiveCall(call_id, fact.uniqueid, line, did, number, "", fact.at)
            self._calls[call_id] = self._by_channel[fact.uniqueid] = call
        return call

    def _begin(self, call: LiveCall) -> None:
        """Announce a call once, with what is known of it."""
        if not call.announced:
            call.announced = True
            self._out.events.append(
                CallStarted(
                    call.call_id, call.started_at, call.line, call.did, call.caller_number, call.caller_name
                )
            )
        self._save_call(call)

    def _announce(self, fact: Announced) -> None:
        call = self._call(fact, fact.call_id, fact.line, fact.did)
        if call.announced:
            return
        call.line, call.did = fact.line, fact.did
        call.caller_number, call.caller_name = fact.caller_number, fact.caller_name
        self._begin(call)

    def _route(self, fact: Routed) -> None:
        call = self._call(fact, fact.call_id, fact.line, fact.did)
        call.line = fact.line
        if fact.path_token and not call.menu_path:
            call.menu_path = self._routing.menu_titles(fact.path_token)
        self._begin(call)

    def _fall_back(self, fact: FellBack) -> None:
        call = self._call(fact, fact.call_id, fact.line, "")
        if not call.fallback_used:
            call.fallback_used = True
            self._begin(call)
            self._out.events.append(FallbackUsed(call.call_id, fact.at, fact.line))

    def _hang_up(self, fact: HungUp) -> None:
        call = self._by_channel.get(fact.uniqueid)
        if call is not None and call.uniqueid == fact.uniqueid and call.hungup_at is None:
            self._end(call, fact.at)

    def _end(self, call: LiveCall, at: datetime) -> None:
        call.hungup_at = at
        self._save_call(call)
        self._out.events.append(CallEnded(call.call_id, at))

    def _queue_fact(self, fact: QueueFact, source: Source) -> None:
        if isinstance(fact, Completed) and not fact.uniqueid:
            fact = self._completed_by_agent(fact)
        call = self._by_channel.get(fact.uniqueid)
        entry = call.entry_of(fact) if call else None
        if isinstance(fact, Joined):
            if entry is None or not entry.is_echo(fact):
                self._join(fact, source)
            elif not call.caller_number and fact.caller_number:  # type: ignore[union-attr]
                call.caller_number = fact.caller_number  # type: ignore[union-attr]
            return
        if isinstance(fact, Left) and (entry is None or entry.state is EntryState.CLOSED):
            if entry is None or not entry.is_echo(fact):
                self._refused(fact, source)
            return
        if call is None or entry is None:
            self.illegal[f"unknown {type(fact).__name__}"] += 1
        elif entry.is_echo(fact):
            pass
        elif not entry.apply(fact, source, self._short_abandon):
            self.illegal[f"{entry.state} {type(fact).__name__}"] += 1
        else:
            self._report(call, entry, fact)

    def _completed_by_agent(self, fact: Completed) -> Completed:
        """The end of a talk whose channels the exchange had forgotten: the agent's own talk in that queue."""
        for call in self._calls.values():
            entry = call.open_entry()
            if entry and (entry.agent, entry.queue, entry.state) == (
                fact.agent,
                fact.queue,
                EntryState.TALKING,
            ):
                return replace(fact, uniqueid=entry.uniqueid)
        return fact

    def _join(self, fact: Joined, source: Source) -> Entry:
        line = self._routing.line_of_queue(fact.queue)
        call = self._call(fact, fact.uniqueid, line, "")
        call.caller_number = call.caller_number or fact.caller_number
        self._begin(call)
        if stale := call.open_entry():  # the exchange lets a channel wait in one queue at a time
            self._close_silently(call, stale, fact.at)
        visit = 1 + sum(entry.queue == fact.queue for entry in call.entries)
        entry = Entry(
            f"{fact.uniqueid}:{fact.queue}:{visit}",
            self.node,
            fact.uniqueid,
            fact.queue,
            visit,
            call.call_id,
            call.line,
            source,
            fact.at,
            fact.position,
        )
        call.entries.append(entry)
        self._save_entry(entry)
        self._out.events.append(
            CallerQueued(
                call.call_id,
                fact.at,
                entry.entry_id,
                entry.line,
                entry.queue,
                entry.position,
                call.caller_number,
                call.menu_path,
            )
        )
        return entry

    def _refused(self, fact: Left, source: Source) -> None:
        """A caller the queue did not let in (full, empty): offered all the same."""
        entry = self._join(Joined(fact.uniqueid, fact.at, fact.queue, 0, ""), source)
        entry.apply(fact, source, self._short_abandon)
        self._report(self._by_channel[fact.uniqueid], entry, fact)

    def _report(self, call: LiveCall, entry: Entry, fact: QueueFact) -> None:
        self._save_entry(entry)
        match fact:
            case Rang():
                self._out.events.append(AgentRinging(call.call_id, fact.at, entry.entry_id, fact.agent))
            case RingEnded():
                seconds = fact.ring_ms / 1000
                self._out.events.append(
                    AgentNoAnswer(call.call_id, fact.at, entry.entry_id, fact.agent, seconds)
                )
            case Connected():
                self._out.events.append(entry.as_answered(call.uniqueid))
            case _:
                self._out.events.append(entry.as_closed(fact.at))

    def _close_silently(self, call: LiveCall, entry: Entry, at: datetime) -> None:
        """Close an entry whose end nobody reported, at the moment its caller was known to be gone."""
        fact = entry.unheard_end(at)
        entry.apply(fact, entry.source, self._short_abandon)
        self._report(call, entry, fact)

    def _save_call(self, call: LiveCall) -> None:
        self._out.calls[call.call_id] = call.record(self.node)

    def _save_entry(self, entry: Entry) -> None:
        self._out.entries[entry.entry_id] = entry.record()
