"""The call table: every call on the exchange, and every ledger row, from facts.

Pure: facts in; events to publish and rows to save out. It reads no clock, so live events, queue_log after an
outage and tests drive the same table. Telling it a fact twice, or from both sources, changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Set
from dataclasses import replace
from datetime import datetime, timedelta

from hotline.core.events import (
    AgentNoAnswer,
    AgentRinging,
    CallbackOutcome,
    CallEnded,
    CallerQueued,
    FallbackUsed,
    MenuFinished,
    Source,
)
from hotline.queue.calls.entry import Entry, EntryState
from hotline.queue.calls.live_call import LiveCall, told_again
from hotline.queue.calls.outbox import Outbox
from hotline.queue.calls.surveys import Surveying
from hotline.queue.facts import (
    Announced,
    Asked,
    Bridged,
    CallbackFact,
    CallbackOver,
    CalledBack,
    Completed,
    Connected,
    Fact,
    FellBack,
    HandedOn,
    Held,
    HungUp,
    Joined,
    Left,
    Moved,
    QueueFact,
    Rang,
    Reached,
    Restarted,
    RingEnded,
    Routed,
    Surveyed,
    Unbridged,
    Unheld,
)
from hotline.queue.routing import Routing
from hotline.store.ledger import CallRecord, EntryRecord, RowMoment, SurveyRecord, TalkRecord


class CallTable(Surveying):
    """All calls of one Asterisk node.

    Args:
        node: the node's name, part of each row's key.
        routing: which line a queue or number belongs to.
        short_abandon_seconds: a caller who leaves sooner is a short abandon.
    """

    KEEP = timedelta(minutes=10)  # how long an ended call is remembered, to know a replay again
    FOLLOWS_WITHIN = timedelta(hours=2)  # a caller who left a queue comes into the next one sooner
    GRACE = timedelta(seconds=5)  # how long after the hang-up the queue's own last word may come

    def __init__(self, node: str, routing: Routing, short_abandon_seconds: float) -> None:
        super().__init__(node, routing)
        self.illegal: Counter[str] = Counter()  # "state fact" -> how often; shown as a metric
        self._short_abandon = timedelta(seconds=short_abandon_seconds)
        self._lost_at: datetime | None = None  # when the exchange fell silent
        self._logged_at: datetime | None = None  # of queue_log's newest line
        self._source = Source.LIVE  # of the fact that is being told
        self._out = Outbox()

    def apply(self, fact: Fact, source: Source = Source.LIVE) -> Outbox:
        """Let one fact happen and return what came of it."""
        self._out, self._source = Outbox(), source
        if source is not Source.LIVE and not isinstance(fact, Restarted):
            self._logged_at = fact.at
        match fact:
            case Announced():
                self._announce(fact)
            case Routed():
                self._moved(fact, source)
                self._route(fact)
            case FellBack():
                self._fall_back(fact)
            case HungUp():
                self._hang_up(fact)
            case Bridged() | Unbridged() | Held() | Unheld() | HandedOn():
                self._join_or_part(fact)
            case CalledBack() | Reached() | CallbackOver():
                self._of_callback(fact, source)
            case Restarted():
                self._restarted(fact)
            case Moved():
                self._moved(fact, source)
            case Asked() | Surveyed():
                if not self._ask(fact, source):
                    self.illegal[f"unknown {type(fact).__name__}"] += 1
            case _:
                self._queue_fact(fact, source)
        return self._out

    def link_lost(self, at: datetime) -> None:
        """Nothing has been heard from the exchange since: if it has died, its calls ended then."""
        self._lost_at = at

    def wrapped_up(self, agent: str, entry_id: str, seconds: float) -> Outbox:
        """The agent's work after the talk of an entry is over."""
        self._out = Outbox()
        uniqueid = entry_id.rsplit(":", 2)[0]
        call = self._by_channel.get(uniqueid)
        for entry in call.entries if call else ():
            if (entry.entry_id, entry.agent) == (entry_id, agent):
                if not entry.wrap_up_ms:
                    self._note(RowMoment.WRAPPED_UP, entry)
                entry.wrap_up_ms = round(seconds * 1000)
                self._save_entry(entry)
        return self._out

    def menu_finished(self, event: MenuFinished) -> Outbox:
        """Note on the call what its menu visit came to."""
        self._out = Outbox()
        call = self._calls.get(event.call_id)
        if call is not None:
            call.menu_path, call.menu_outcome = event.path, event.outcome.value
            call.menu_ms = round(event.menu_seconds * 1000)
            call.language = event.language or call.language
            self._save_call(call)
        return self._out

    def tick(self, now: datetime) -> Outbox:
        """Close what hung up without a last word from the queue, and forget what ended long ago."""
        self._out = Outbox()
        for call in list(self._calls.values()):
            if call.hungup_at is None:
                continue
            if now - call.hungup_at > self.GRACE:
                self._close_all(call, call.hungup_at)
            if now - call.hungup_at > self.KEEP:
                del self._calls[call.call_id]
                for uniqueid in {call.call_id, call.uniqueid, *(entry.uniqueid for entry in call.entries)}:
                    self._by_channel.pop(uniqueid, None)
        return self._out

    def restore(
        self,
        calls: Iterable[CallRecord],
        entries: Iterable[EntryRecord],
        talks: Iterable[TalkRecord] = (),
        logged_to: datetime | None = None,
        surveys: Iterable[SurveyRecord] = (),
    ) -> None:
        """Take over the rows of calls that are not known: of an earlier run, or forgotten since.

        ``logged_to``: the time of the last line of queue_log that they were told.
        """
        restored: dict[str, LiveCall] = {}
        for row in calls:
            if row.call_id not in self._calls:
                call = LiveCall.restored(row, self._talks_of(row.call_id, row.call_id))
                restored[call.call_id] = self._calls[call.call_id] = self._by_channel[call.uniqueid] = call
        for entry_row in sorted(entries, key=lambda row: row.joined_at):
            owner = restored.get(entry_row.call_id)
            if owner is not None:
                if not (owner.entries or entry_row.enquiry):
                    owner.is_caller(entry_row.uniqueid)  # where it is a Local channel the call bears another
                owner.entries.append(Entry.restored(entry_row, logged_to))
                self._by_channel[entry_row.uniqueid] = owner
        for talk_row in talks:
            owner = restored.get(talk_row.call_id)
            if owner is not None:
                owner.talks.restore(talk_row, owner.entries)
        for survey in surveys:
            if survey.call_id in restored:
                restored[survey.call_id].survey = survey

    def heard_of(self) -> set[str]:
        """The calls that are believed to be alive."""
        return {call.call_id for call in self._calls.values() if call.hungup_at is None}

    def end_past(self, passed_to: datetime, alive: Set[str]) -> Outbox:
        """queue_log is read up to ``passed_to``: end the calls that were over long before.

        So a long past is not in memory all at once. ``alive``: calls that channels carry.
        """
        self._out = Outbox()
        for call in list(self._calls.values()):
            over = call.hungup_at is None and call.call_id not in alive and not call.goes_on()
            if over and passed_to - call.newest() > self.FOLLOWS_WITHIN:
                self._end_unheard(call, call.newest())
        return self._out

    def reconcile(self, now: datetime, alive: dict[str, str], known: Set[str] | None = None) -> Outbox:
        """Compare with the exchange after a break.

        Calls that are gone end when they were last heard of (a lower bound of the truth that queue_log did
        not tell); those that are alive and being talked on are announced anew, so that whoever hears them can
        begin again.

        Args:
            now: when the comparison is made.
            alive: uniqueid of each channel -> its linkedid.
            known: the calls that had been heard of before ``alive`` was asked for; others may be younger and
                are left alone. None: all.
        """
        self._out = Outbox()
        heard_at = min(now, self._lost_at or now)
        for uniqueid in [one for one in self._connections.known() if one not in alive]:
            self._leg_gone(HungUp(uniqueid, heard_at))
        for call in list(self._calls.values()):
            if call.hungup_at is not None:
                continue
            if not call.is_alive(alive):
                if known is None or call.call_id in known:
                    self._end_unheard(call, heard_at)
                continue
            for entry in call.open_entries():
                if entry.state is not EntryState.TALKING:
                    continue
                others = (
                    uid for uid, linked in alive.items() if linked == call.call_id and uid != call.uniqueid
                )
                entry.agent_uniqueid = entry.agent_uniqueid or next(others, "")
                if entry.agent_uniqueid:
                    self._out.events.append(entry.as_answered(call.uniqueid))
        self._lost_at = None
        return self._out

    def _call(
        self, fact: Announced | Routed | FellBack | Joined | QueueFact, call_id: str, line: str, did: str
    ) -> LiveCall:
        """The call of a fact's channel, made now if the fact is the first heard of it."""
        call = self._by_channel.get(fact.uniqueid) or self._calls.get(call_id)
        if call is None:
            number = getattr(fact, "caller_number", "")
            talks = self._talks_of(call_id, fact.uniqueid)
            call = LiveCall(call_id, fact.uniqueid, line, did, number, "", fact.at, talks)
            call.told_by = self._source
            self._calls[call_id] = call
        self._by_channel[fact.uniqueid] = call
        return call

    def _begin(self, call: LiveCall) -> None:
        """Announce a call once, with what is known of it."""
        if not call.announced:
            call.announced = True
            self._out.events.append(call.as_started())
        self._save_call(call)

    def _announce(self, fact: Announced) -> None:
        call = self._call(fact, fact.call_id, fact.line, fact.did)
        if call.announced:
            return
        call.line, call.did, call.language = fact.line, fact.did, fact.language
        call.caller_number, call.caller_name = fact.caller_number, fact.caller_name
        self._begin(call)

    def _route(self, fact: Routed) -> None:
        call = self._call(fact, fact.call_id, fact.line, fact.did)
        if fact.uniqueid == call.uniqueid:
            call.line = fact.line or call.line or self._routing.line_of_queue(fact.queue)
            call.language = fact.language or call.language
        if fact.path_token and not call.menu_path:
            call.menu_path = self._routing.menu_titles(fact.path_token)
        self._begin(call)

    def _moved(self, fact: Moved | Routed, source: Source) -> None:
        """Whoever goes on in the dialplan did not give up: queue_log says ABANDON of them too."""
        call = self._by_channel.get(fact.uniqueid)
        own = [one for one in call.entries if one.uniqueid == fact.uniqueid] if call else []
        if own and own[-1].moved_on(fact.at, source):
            self._save_entry(own[-1])

    def _of_callback(self, fact: CallbackFact, source: Source) -> None:
        """A call that the hotline makes. Live, its talk begins and ends with the bridges, as any other."""
        call = self._calls.get(fact.call_id)
        if call is None and isinstance(fact, CalledBack):
            call = LiveCall.calling_back(fact, self._talks_of(fact.call_id, fact.call_id))
            self._calls[call.call_id] = self._by_channel[call.call_id] = call
            self._begin(call)
        if call is None or not call.follow_callback(fact, source):
            self.illegal[f"unknown {type(fact).__name__}"] += 1
            return
        self._by_channel[call.uniqueid] = call
        self._save_call(call)
        self._tell_talks(call)

    def _fall_back(self, fact: FellBack) -> None:
        call = self._call(fact, fact.call_id, fact.line, "")
        if not call.fallback_used:
            call.fallback_used = True
            self._begin(call)
            self._out.events.append(FallbackUsed(call.call_id, fact.at, fact.line))

    def _hang_up(self, fact: HungUp) -> None:
        self._leg_gone(fact)
        owner = self._by_channel.get(fact.uniqueid)
        if owner is not None and owner.uniqueid == fact.uniqueid and owner.hungup_at is None:
            self._end(owner, fact.at)

    def _restarted(self, fact: Restarted) -> None:
        """Close what an exchange that died left open, when we or its queue_log last heard of it."""
        heard_at = max((one for one in (self._lost_at, self._logged_at) if one is not None), default=fact.at)
        for call in list(self._calls.values()):
            before = call.started_at < fact.at or any(Source.QUEUE_LOG in one.told for one in call.entries)
            if call.hungup_at is None and before:
                self._end_unheard(call, heard_at)

    def _end_unheard(self, call: LiveCall, heard_at: datetime) -> None:
        """End a call of whose end nobody told: with its rows; what goes on, when the exchange was heard last.

        A call that was heard of before the link was lost did not end before that.
        """
        at = max(call.newest(), heard_at) if call.goes_on() else call.newest()
        if self._lost_at is not None and call.told_by is Source.LIVE:
            at = max(at, self._lost_at)
        self._close_all(call, at)
        self._end(call, at)

    def _end(self, call: LiveCall, at: datetime) -> None:
        call.hungup_at = at
        if call.callback is not None:
            call.callback.outcome = call.callback.outcome or CallbackOutcome.UNKNOWN
        self._save_call(call)
        self._out.events.append(CallEnded(call.call_id, at))

    def _queue_fact(self, fact: QueueFact, source: Source) -> None:
        if isinstance(fact, Completed) and not (
            (known := self._by_channel.get(fact.uniqueid)) and known.visits(fact.uniqueid, fact.queue)
        ):
            fact = self._completed_by_agent(fact)
        call = self._by_channel.get(fact.uniqueid)
        if isinstance(fact, Completed) and source is Source.LIVE:
            fact = self._by_whom(fact, call)
        if isinstance(fact, Joined):
            self._joined(fact, call, source)
            return
        entry = call.entry_of(fact, source) if call else None
        if isinstance(fact, Left) and (entry is None or entry.state is EntryState.CLOSED):
            self._left_closed(fact, call, entry, source)
        elif call is None or entry is None:
            self.illegal[f"unknown {type(fact).__name__}"] += 1
        elif entry.is_echo(fact, source):
            pass
        elif not entry.apply(fact, source, self._short_abandon):
            self.illegal[f"{entry.state} {type(fact).__name__}"] += 1
        else:
            if source is Source.LIVE:
                entry.told.setdefault(source, entry.joined_at)  # who tells more of it knows that it began
            self._report(call, entry, fact, source)

    def _joined(self, fact: Joined, call: LiveCall | None, source: Source) -> None:
        """A caller waits: a new visit, unless this was told before."""
        known = call.joined_as(fact, source) if call else None
        if call is None or known is None:
            self._join(fact, source)
            return
        known.told[source] = fact.at
        if not call.caller_number and fact.caller_number and fact.uniqueid == call.uniqueid:
            call.caller_number = fact.caller_number

    def _left_closed(self, fact: Left, call: LiveCall | None, entry: Entry | None, source: Source) -> None:
        """No open wait was left: the reason is told again, or the queue did not let the caller in."""
        if entry is not None and entry.asked_for_callback(fact, source):
            self._save_entry(entry)
            return
        refused = [one for one in call.visits(fact.uniqueid, fact.queue) if one.refused] if call else []
        if (known := told_again(refused, fact.at, source)) is not None:
            known.told[source] = fact.at
        elif entry is None or entry.refused or not entry.is_echo(fact, source):
            self._refused(fact, source)

    def _completed_by_agent(self, fact: Completed) -> Completed:
        """The end of a talk whose channels the exchange had forgotten: the agent's own talk in that queue."""
        for call in self._calls.values():
            for entry in call.open_entries():
                talk = (entry.agent, entry.queue, entry.state)
                if talk == (fact.agent, fact.queue, EntryState.TALKING):
                    return replace(fact, uniqueid=entry.uniqueid)
        return fact

    def _join(self, fact: Joined, source: Source) -> Entry:
        line = self._routing.line_of_queue(fact.queue)
        call = self._call(fact, fact.uniqueid, line, "")
        if fact.uniqueid == call.uniqueid:
            call.caller_number = call.caller_number or fact.caller_number
        self._begin(call)
        if call.hungup_at is not None and fact.at > call.hungup_at:
            call.hungup_at = None  # thought to be over: nobody had told
        for stale in call.open_entries():  # the exchange lets a channel wait in one queue at a time
            if stale.uniqueid == fact.uniqueid:
                self._close_silently(call, stale, fact.at, "transfer", source)
        visit = 1 + len(call.visits(fact.uniqueid, fact.queue))
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
            told={source: fact.at},
            language=call.language,
            enquiry=fact.uniqueid != call.uniqueid,
        )
        call.entries.append(entry)
        self._save_entry(entry)
        self._note(RowMoment.OFFERED, entry)
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
                call.language,
                entry.enquiry,
            )
        )
        return entry

    def _refused(self, fact: Left, source: Source) -> None:
        """A caller the queue did not let in (full, empty): offered all the same."""
        entry = self._join(Joined(fact.uniqueid, fact.at, fact.queue, 0, ""), source)
        entry.apply(fact, source, self._short_abandon)
        entry.refused = True
        self._report(self._by_channel[fact.uniqueid], entry, fact, source)

    def _report(self, call: LiveCall, entry: Entry, fact: QueueFact, source: Source) -> None:
        if isinstance(fact, Connected):
            call.talks.answered(entry, source)
        elif isinstance(fact, Completed):
            entry.hold_ms = call.talks.completed(entry, source)
            if fact.ended_by in ("agent", "transfer"):  # they leave the caller to whom they asked
                self._put_through(call.open_entries())
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
                self._note(RowMoment.DECIDED, entry)
                self._out.events.append(entry.as_answered(call.uniqueid))
            case _:
                if entry.answered_at is None:
                    self._note(RowMoment.DECIDED, entry)
                self._note(RowMoment.CLOSED, entry)
                self._out.events.append(entry.as_closed(fact.at))
        self._tell_talks(call)

    def _close_all(self, call: LiveCall, at: datetime) -> None:
        """Close whatever of a call is open, though nobody said how it ended."""
        for entry in call.open_entries():
            self._close_silently(call, entry, at, "unknown", entry.source)
        call.talks.end_all(at)
        self._tell_talks(call)

    def _close_silently(
        self, call: LiveCall, entry: Entry, at: datetime, ended_by: str, source: Source
    ) -> None:
        """Close an entry whose end nobody reported, when ``source`` shows that it must have been over."""
        fact = entry.unheard_end(at, ended_by)
        entry.apply(fact, source, self._short_abandon)
        self._report(call, entry, fact, source)
