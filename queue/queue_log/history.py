"""Calls of the past, put together from the lines of a queue_log. Pure: facts in, finished calls out.

It differs from the live call table (``calls/table.py``) in what it may rely on: one source and so no
echoes, whole seconds within which lines stand in any order, ends that nobody will tell any more. The life of
a wait is the same table (``calls/entry.py``). A call comes out whole, with all its waits, once nothing more
can follow it; so whoever saves it saves all of it or nothing.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hotline.core.events import Outcome, Source, TalkKind
from hotline.queue.calls.entry import TRANSITIONS, Entry
from hotline.queue.calls.live_call import LiveCall
from hotline.queue.facts import Joined, Left, QueueFact, RingEnded, Routed
from hotline.queue.queue_log.line import LONGEST_NAME
from hotline.queue.queue_log.reader import LogFact
from hotline.queue.routing import HistoryNames
from hotline.store.ledger import TalkRecord

Place = tuple[int, int]
"""Where a line stands: number of the file, offset in it."""

FOLLOWS_WITHIN = timedelta(hours=2)  # a caller who left a queue this long ago comes into no other any more
LOST_AFTER = timedelta(hours=24)  # a call of which nothing is heard for so long has ended unheard
PASSING = timedelta(minutes=1)  # how often it is looked what is over by now
GROUP_LIMIT = 1_000  # lines of one second put in order together; a log of more is taken as it stands


@dataclass(slots=True)
class PastCall:
    """A call being put together, or finished: with its waits, and the ``talks`` that came of them."""

    channel: str  # as the log names it
    call: LiveCall
    place: Place
    heard_at: datetime
    line: str = ""  # as dialled, where the log says; else each wait counts to its queue's line
    talks: list[TalkRecord] = field(default_factory=list)
    let_in: set[str] = field(default_factory=set)  # queues the dialplan sent it to, not entered yet


class History:
    """Facts of one exchange's log, in the order of their seconds, to calls.

    Args:
        node: the exchange's name: part of every key, so that two systems' numbers cannot meet.
        names: what the site calls queues, numbers and agents.
        short_abandon_seconds: a caller who leaves sooner is a short abandon.

    Attributes:
        outcomes: ledger rows of finished calls, by class.
        strays: facts about calls whose beginning is not in the log.
        unknown_queues: queues the site has not, in order of appearance.
    """

    def __init__(self, node: str, names: HistoryNames, short_abandon_seconds: float) -> None:
        self.outcomes: Counter[Outcome] = Counter()
        self.strays = 0
        self.unknown_queues: dict[str, None] = {}
        self._node, self._names = node, names
        self._short_abandon = timedelta(seconds=short_abandon_seconds)
        self._calls: dict[str, PastCall] = {}  # by channel, in the order of their first lines
        self._quiet: deque[tuple[datetime, str]] = deque()  # calls that wait in no queue, since when
        self._second: list[tuple[LogFact, Place]] = []
        self._finished: list[PastCall] = []
        self._previous: datetime | None = None
        self._passed_to = datetime.min.replace(tzinfo=UTC)

    def take(self, fact: LogFact, place: Place) -> None:
        """Let one line happen."""
        if self._second and (fact.at != self._second[0][0].at or len(self._second) >= GROUP_LIMIT):
            self._end_second(fact.at)
        self._second.append((fact, place))

    def restarted(self, at: datetime) -> None:
        """The exchange was started anew at ``at``: what was alive in it had ended by then."""
        until = self._second[-1][0].at if self._second else self._previous
        self._end_second(at)
        for past in list(self._calls.values()):
            if past.heard_at < at and past.call.open_entry() is not None:
                self._end_unheard(past, max(past.heard_at, until or past.heard_at))

    def end(self, now: datetime) -> Place | None:
        """The log ends here, and it is ``now`` by the clock: finish all but the calls that still go on.

        Returns:
            From where a longer log has to be read to add to what may not be over yet; None: from its end.
        """
        self._end_second(now)
        for past in list(self._calls.values()):
            if past.call.open_entry() is not None and now - past.heard_at > LOST_AFTER:
                self._end_unheard(past, past.heard_at)
        self._let_pass(now)
        again = self.unfinished
        for past in list(self._calls.values()):
            if past.call.open_entry() is None:
                self._finish(past)
        return again

    def finished(self) -> list[PastCall]:
        """The calls finished since this was asked last."""
        finished, self._finished = self._finished, []
        return finished

    @property
    def unfinished(self) -> Place | None:
        """Where the first line stands of what is not finished; whoever begins again there loses nothing."""
        if self._calls:
            return self._oldest().place
        return self._second[0][1] if self._second else None

    @property
    def open_calls(self) -> int:
        """Calls that are not finished."""
        return len(self._calls)

    def _end_second(self, now: datetime) -> None:
        second, self._second = self._second, []
        if len(second) == 1:
            self._apply(*second[0])
        else:
            by_channel: dict[str, list[tuple[LogFact, Place]]] = {}
            for one in second:
                by_channel.setdefault(one[0].uniqueid, []).append(one)
            for facts in by_channel.values():
                while facts:  # min takes the first of several: the file's own order, where that makes sense
                    self._apply(*facts.pop(min(range(len(facts)), key=lambda n: self._rank(facts[n][0]))))
        # one line with a wrong time must not end every call: time passes when two seconds agree on it
        passed_to = min(now, self._previous or now)
        if self._previous is not None and abs(passed_to - self._passed_to) >= PASSING:
            self._let_pass(passed_to)
        self._previous = now

    def _rank(self, fact: LogFact) -> int:
        """What may happen next to a call among the lines of one second: the lowest goes first."""
        past = self._calls.get(fact.uniqueid)
        entry = past.call.open_entry() if past else None
        match fact:
            case Routed() if entry is None:
                return 2
            case Joined() if entry is None:
                return 3
            case Left() if entry is None:
                return 4
            case Routed() | Joined():
                return 9
            case _ if entry and entry.queue == fact.queue and type(fact) in TRANSITIONS[entry.state]:
                return 0 if isinstance(fact, RingEnded) else 1
        return 9

    def _let_pass(self, now: datetime) -> None:
        self._passed_to = now
        while self._quiet and now - self._quiet[0][0] > FOLLOWS_WITHIN:
            since, channel = self._quiet.popleft()
            past = self._calls.get(channel)
            if past is not None and past.heard_at == since and past.call.open_entry() is None:
                self._finish(past)
        while self._calls and now - (oldest := self._oldest()).heard_at > LOST_AFTER:
            if oldest.call.open_entry() is not None:
                self._end_unheard(oldest, oldest.heard_at)
            self._finish(oldest)

    def _oldest(self) -> PastCall:
        return next(iter(self._calls.values()))

    def _apply(self, fact: LogFact, place: Place) -> None:
        past = self._calls.get(fact.uniqueid)
        match fact:
            case Routed():
                self._route(past or self._begin(fact, place), fact)
            case Joined():
                self._join(past or self._begin(fact, place), fact)
            case Left() if past is not None and fact.queue in past.let_in:
                self._turn_away(past, fact)
            case _ if past is not None:
                self._happen(past, fact)
            case _:
                self.strays += 1

    def _begin(self, fact: LogFact, place: Place) -> PastCall:
        uniqueid = self._key(fact.uniqueid)
        past = PastCall(fact.uniqueid, LiveCall(uniqueid, uniqueid, "", "", "", "", fact.at), place, fact.at)
        self._calls[fact.uniqueid] = past
        self._now_quiet(past)
        return past

    def _key(self, uniqueid: str) -> str:
        """Our own exchange's numbers bear its name before a dash; no exchange makes one with a tilde."""
        own = uniqueid.startswith(f"{self._node}-")
        return uniqueid if own else f"{self._node}~{uniqueid}"

    def _route(self, past: PastCall, fact: Routed) -> None:
        past.line = self._names.line_of(fact.line, fact.did) or past.line
        call = past.call
        call.did = call.did or fact.did
        if fact.call_id != fact.uniqueid:
            call.call_id = self._key(fact.call_id)
        if fact.path_token and not call.menu_path:
            call.menu_path = self._names.menu_titles(fact.path_token)
        call.language = call.language or fact.language
        if fact.line:
            past.let_in.add(fact.queue)

    def _join(self, past: PastCall, fact: Joined) -> None:
        if past.call.open_entry() is not None:  # a channel waits in one queue at a time
            self._end_unheard(past, fact.at)
        past.let_in.discard(fact.queue)
        past.heard_at = fact.at
        past.call.caller_number = past.call.caller_number or fact.caller_number[:120]
        self._add_entry(past, fact.queue, fact.at, fact.position)

    def _add_entry(self, past: PastCall, queue: str, at: datetime, position: int) -> Entry:
        call = past.call
        line = past.line or self._names.line_of_queue(queue)
        call.line = call.line or line
        if queue not in self._names.queues:
            self.unknown_queues[queue] = None
        visit = 1 + sum(entry.queue == queue for entry in call.entries)
        entry = Entry(
            entry_id=f"{call.uniqueid}:{queue}:{visit}",
            node=self._node,
            uniqueid=call.uniqueid,
            queue=queue,
            visit=visit,
            call_id=call.call_id,
            line=line,
            source=Source.IMPORT,
            joined_at=at,
            position=position,
            language=call.language,
        )
        call.entries.append(entry)
        return entry

    def _turn_away(self, past: PastCall, fact: Left) -> None:
        """The queue did not let the caller in (full, empty): offered all the same."""
        past.let_in.discard(fact.queue)
        past.heard_at = max(past.heard_at, fact.at)
        self._add_entry(past, fact.queue, fact.at, 0).apply(fact, Source.IMPORT, self._short_abandon)
        self._now_quiet(past)

    def _happen(self, past: PastCall, fact: QueueFact) -> None:
        entry = past.call.open_entry()
        if entry is None or entry.queue != fact.queue:
            if entry is None and isinstance(fact, Left):  # the dialplan's last word on a wait that is over
                past.call.entries[-1].asked_for_callback(fact, Source.IMPORT)
            return
        if entry.apply(fact, Source.IMPORT, self._short_abandon):
            past.heard_at = fact.at
            self._now_quiet(past)

    def _end_unheard(self, past: PastCall, at: datetime) -> None:
        entry = past.call.open_entry()
        assert entry is not None  # noqa: S101 - the callers looked
        entry.apply(entry.unheard_end(at), Source.IMPORT, self._short_abandon)
        past.heard_at = at
        self._now_quiet(past)

    def _now_quiet(self, past: PastCall) -> None:
        if past.call.open_entry() is None:
            self._quiet.append((past.heard_at, past.channel))

    def _finish(self, past: PastCall) -> None:
        del self._calls[past.channel]
        if not past.call.entries:
            return  # sent on by the dialplan, but into no queue
        past.call.hungup_at = past.heard_at
        for entry in past.call.entries:
            entry.call_id = past.call.call_id
            assert entry.outcome is not None  # noqa: S101 - finished calls have closed entries
            self.outcomes[entry.outcome] += 1
            if entry.agent and entry.answered_at:
                entry.agent = self._names.agent_of(entry.agent)
                past.talks.append(self._talk(entry, entry.agent, entry.answered_at))
        self._finished.append(past)

    def _talk(self, entry: Entry, agent: str, answered_at: datetime) -> TalkRecord:
        """What the wait came to. Its key is the live row's, where the agent's channel is our exchange's."""
        own = entry.agent_uniqueid.startswith(f"{self._node}-") and len(entry.agent_uniqueid) <= LONGEST_NAME
        return TalkRecord(
            talk_id=f"{entry.agent_uniqueid if own else entry.entry_id}:1",
            node=self._node,
            call_id=entry.call_id,
            entry_id=entry.entry_id,
            kind=TalkKind.QUEUE.value,
            agent=agent,
            party=self._names.extension_of(agent),
            source=Source.IMPORT.value,
            answered_at=answered_at,
            ended_at=entry.closed_at,
            talk_ms=entry.talk_ms,
            ended_by=entry.ended_by,
        )
