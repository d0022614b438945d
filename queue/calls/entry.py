"""The life of one wait in one queue, as a table.

    WAITING  the caller hears music          RINGING  one or more agents' phones ring
    TALKING  an agent answered               CLOSED   the row has its class and its end

``TRANSITIONS`` is the whole truth: a fact that is not in the row of the present state changes nothing and is
counted by the caller (the outside world's events come doubled, late and out of order).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from hotline.core.events import CallAnswered, EntryClosed, Outcome, Source
from hotline.queue.facts import Abandoned, Completed, Connected, Left, QueueFact, Rang, RingEnded
from hotline.store.ledger import EntryRecord, RowMoment


class EntryState(StrEnum):
    """Where a queue entry stands."""

    WAITING = "waiting"
    RINGING = "ringing"
    TALKING = "talking"
    CLOSED = "closed"


TRANSITIONS: dict[EntryState, dict[type[QueueFact], EntryState]] = {
    EntryState.WAITING: {
        Rang: EntryState.RINGING,
        RingEnded: EntryState.WAITING,
        Connected: EntryState.TALKING,
        Abandoned: EntryState.CLOSED,
        Left: EntryState.CLOSED,
    },
    EntryState.RINGING: {
        Rang: EntryState.RINGING,
        RingEnded: EntryState.WAITING,  # RINGING while other phones still ring: see ``apply``
        Connected: EntryState.TALKING,
        Abandoned: EntryState.CLOSED,
        Left: EntryState.CLOSED,
    },
    EntryState.TALKING: {Completed: EntryState.CLOSED},
    EntryState.CLOSED: {},
}

SAME_MOMENT = timedelta(seconds=2)
"""queue_log has whole seconds and is written a little apart from the event: so near is the same."""

TOLD_LATE = timedelta(seconds=9)
"""So much later than queue_log an event may say that it happened: Asterisk writes the line at once, but its
events wait for a processor (4.8 s were seen with eight busy programs on each)."""


WRITTEN_AFTER = timedelta(milliseconds=50)
"""So much before the line in queue_log the event of a ring in vain may be."""


@dataclass(frozen=True, slots=True)
class RingEnd:
    """When a phone stopped ringing in vain, and who told of it first."""

    at: datetime
    source: Source


@dataclass(slots=True)
class Entry:
    """One wait in one queue: the present of a ledger row."""

    entry_id: str
    node: str
    uniqueid: str
    queue: str
    visit: int
    call_id: str
    line: str
    source: Source
    joined_at: datetime
    position: int
    state: EntryState = EntryState.WAITING
    ringing: dict[str, datetime] = field(default_factory=dict)  # agent -> since
    ring_ends: dict[str, RingEnd] = field(default_factory=dict)  # agent -> the last ring in vain
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: Outcome | None = None
    agent: str | None = None
    agent_uniqueid: str = ""
    wait_ms: int = 0
    ring_ms: int = 0
    talk_ms: int = 0
    hold_ms: int = 0
    wrap_up_ms: int = 0
    unanswered_rings: int = 0
    ended_by: str | None = None
    agent_left_first: bool = False  # the agent's channel left its bridge while the caller's was in one
    refused: bool = False  # the queue did not let the caller in
    enquiry: bool = False  # an agent waits here, to ask about the call
    language: str = ""
    told: dict[Source, datetime] = field(default_factory=dict)  # when each source says that it began

    def is_closed_before(self, at: datetime) -> bool:
        """Whether it was closed by then; queue_log's seconds are cut off."""
        exact = timedelta(seconds=self.source is Source.QUEUE_LOG)
        return self.closed_at is not None and self.closed_at + exact < at

    def was_told(self, source: Source, at: datetime) -> bool:
        """Whether ``source`` has told by then that it began."""
        told_at = self.told.get(source)
        return told_at is not None and told_at <= at

    def is_over(self, at: datetime) -> bool:
        """Whether an event of that moment is of a later wait; who was answered may be back at once.

        The end of a talk may be told after the caller waits again: app_queue hears of transfers late.
        """
        if self.closed_at is not None:
            return at > self.closed_at + (SAME_MOMENT if self.answered_at is None else timedelta())
        return self.answered_at is not None and at > self.answered_at + SAME_MOMENT

    def is_echo(self, fact: QueueFact, source: Source) -> bool:
        """Whether ``fact`` tells again what this entry knows: the other source's copy, or a replay."""
        after_queue_log = source is Source.LIVE and self.source is Source.QUEUE_LOG
        near = TOLD_LATE if after_queue_log else SAME_MOMENT
        match fact:
            case Rang() | RingEnded() if self._is_past_ring(fact, source):
                return True
            case Rang() | RingEnded() | Connected() if self.answered_at is not None:
                return fact.at <= self.answered_at + near
            case _:
                return self.closed_at is not None and fact.at <= self.closed_at + near

    def _is_past_ring(self, fact: Rang | RingEnded, source: Source) -> bool:
        """Whether the end of this ring of the agent's phone is known; the next one is ``retry`` (1 s) away.

        A line of queue_log may be read before the events of that ring come, and those may be late: a phone
        that the exchange called up to the second of the line rang then, and not again.
        """
        last = self.ring_ends.get(fact.agent)
        if last is None:
            return False
        if source is not Source.LIVE:
            return fact.at <= last.at + WRITTEN_AFTER
        return (fact.at if last.source is Source.LIVE else fact.called_at) <= last.at

    def apply(self, fact: QueueFact, source: Source, short_abandon: timedelta) -> bool:
        """Let ``fact`` happen; False (and nothing changed) when it is illegal in the present state."""
        target = TRANSITIONS[self.state].get(type(fact))
        if target is None:
            return False
        match fact:
            case Rang():
                self.ringing[fact.agent] = fact.at
            case RingEnded():
                self.ringing.pop(fact.agent, None)
                self.unanswered_rings += 1
                self.ring_ends[fact.agent] = RingEnd(fact.at, source)
                if self.ringing:
                    target = EntryState.RINGING
            case Connected():
                self._answer(fact, source)
            case Completed():
                measured = span_ms(self.answered_at, fact.at)  # 0 where the clock was set back in the wait
                self.talk_ms = measured or fact.talk_ms if source is Source.LIVE else fact.talk_ms
                self._close(fact.at, Outcome.ANSWERED, fact.ended_by)
            case Abandoned():
                self.wait_ms = self._waited(fact.at, fact.hold_ms, source)
                short = timedelta(milliseconds=self.wait_ms) < short_abandon
                self._close(fact.at, Outcome.SHORT_ABANDON if short else Outcome.ABANDONED, "caller")
            case Left():
                self.wait_ms = span_ms(self.joined_at, fact.at)
                self._close(fact.at, fact.outcome, "queue")
        if source is Source.QUEUE_LOG:
            self.source = Source.QUEUE_LOG
        self.state = target
        return True

    def _answer(self, fact: Connected, source: Source) -> None:
        rang_at = self.ringing.get(fact.agent)
        self.ring_ms = span_ms(rang_at, fact.at) if rang_at else fact.ring_ms
        self.wait_ms = self._waited(fact.at, fact.hold_ms, source)
        self.ringing.clear()
        self.answered_at = not_before(self.joined_at, fact.at)
        self.agent, self.agent_uniqueid = fact.agent, fact.agent_uniqueid
        self.outcome = Outcome.ANSWERED

    def _waited(self, until: datetime, hold_ms: int, source: Source) -> int:
        """Milliseconds waited: measured where both ends were live, else what the exchange counted."""
        measured = span_ms(self.joined_at, until)
        return (
            measured if source is Source.LIVE and self.source is Source.LIVE else max(hold_ms, 0) or measured
        )

    def _close(self, at: datetime, outcome: Outcome, ended_by: str) -> None:
        self.ringing.clear()
        self.closed_at = not_before(self.answered_at or self.joined_at, at)
        self.outcome, self.ended_by = outcome, ended_by

    def asked_for_callback(self, fact: Left, source: Source) -> bool:
        """Whether the caller left by a key that asks for a callback: app_queue's log only says a key."""
        by_key = fact.outcome is Outcome.CALLBACK and self.outcome is Outcome.KEY_EXIT
        asked = by_key and self.is_echo(fact, source)
        if asked:
            self.outcome = Outcome.CALLBACK
        return asked

    def moved_on(self, at: datetime, source: Source) -> bool:
        """The caller went on at ``at`` after this wait, as ``source`` tells: then it was not given up.

        What a source tells of the second in which the wait began may be how the caller came into it.
        """
        gave_up = self.outcome in (Outcome.ABANDONED, Outcome.SHORT_ABANDON)
        began_at = self.told.get(source)
        if not gave_up or began_at is None or self.closed_at is None or not began_at < at >= self.closed_at:
            return False
        self.outcome, self.ended_by = Outcome.TRANSFERRED, "queue"
        return True

    def unheard_end(self, at: datetime, ended_by: str = "unknown") -> Completed | Abandoned:
        """The end that nobody reported, of an entry whose caller was known to be gone at ``at``."""
        if self.state is EntryState.TALKING:
            talk_ms = span_ms(self.answered_at, at)
            return Completed(self.uniqueid, at, self.queue, self.agent or "", talk_ms, ended_by)
        return Abandoned(self.uniqueid, at, self.queue, span_ms(self.joined_at, at))

    def moments(self) -> list[RowMoment]:
        """What is known of it by now."""
        if self.closed_at is not None:
            return [RowMoment.OFFERED, RowMoment.DECIDED, RowMoment.CLOSED]
        return [RowMoment.OFFERED] + [RowMoment.DECIDED] * (self.answered_at is not None)

    def record(self) -> EntryRecord:
        """The row as it stands."""
        return EntryRecord(
            entry_id=self.entry_id,
            node=self.node,
            uniqueid=self.uniqueid,
            queue=self.queue,
            visit=self.visit,
            call_id=self.call_id,
            line=self.line,
            source=self.source.value,
            joined_at=self.joined_at,
            position=self.position,
            answered_at=self.answered_at,
            closed_at=self.closed_at,
            outcome=self.outcome.value if self.outcome else None,
            agent=self.agent,
            wait_ms=self.wait_ms,
            ring_ms=self.ring_ms,
            talk_ms=self.talk_ms,
            hold_ms=self.hold_ms,
            wrap_up_ms=self.wrap_up_ms,
            unanswered_rings=self.unanswered_rings,
            ring_ends="" if self.closed_at else _as_text(self.ring_ends),
            ended_by=self.ended_by,
            language=self.language,
            enquiry=self.enquiry,
        )

    def as_answered(self, caller_uniqueid: str) -> CallAnswered:
        """The event of its answer; only once an agent answered."""
        assert self.answered_at is not None and self.agent is not None  # noqa: S101 - TALKING implies both
        return CallAnswered(
            call_id=self.call_id,
            at=self.answered_at,
            entry_id=self.entry_id,
            line=self.line,
            queue=self.queue,
            agent=self.agent,
            wait_seconds=self.wait_ms / 1000,
            caller_uniqueid=caller_uniqueid,
            agent_uniqueid=self.agent_uniqueid,
        )

    def as_closed(self, at: datetime) -> EntryClosed:
        """The event of its end; only once it has one."""
        assert self.outcome is not None  # noqa: S101 - CLOSED implies it
        return EntryClosed(
            call_id=self.call_id,
            at=at,
            entry_id=self.entry_id,
            line=self.line,
            queue=self.queue,
            outcome=self.outcome,
            agent=self.agent,
            wait_seconds=self.wait_ms / 1000,
            talk_seconds=self.talk_ms / 1000,
            enquiry=self.enquiry,
        )

    @classmethod
    def restored(cls, row: EntryRecord, logged_to: datetime | None = None) -> Entry:
        """The entry a row of an earlier run stands for, to which queue_log had told of ``logged_to``.

        The line of a wait bears the second in which it began.
        """
        logged_at = row.joined_at.replace(microsecond=0)
        state = (
            EntryState.CLOSED
            if row.closed_at
            else EntryState.TALKING
            if row.answered_at
            else EntryState.WAITING
        )
        return cls(
            entry_id=row.entry_id,
            node=row.node,
            uniqueid=row.uniqueid,
            queue=row.queue,
            visit=row.visit,
            call_id=row.call_id,
            line=row.line,
            source=Source(row.source),
            joined_at=row.joined_at,
            position=row.position,
            state=state,
            answered_at=row.answered_at,
            closed_at=row.closed_at,
            outcome=Outcome(row.outcome) if row.outcome else None,
            agent=row.agent,
            wait_ms=row.wait_ms,
            ring_ms=row.ring_ms,
            talk_ms=row.talk_ms,
            hold_ms=row.hold_ms,
            wrap_up_ms=row.wrap_up_ms,
            unanswered_rings=row.unanswered_rings,
            ring_ends=_from_text(row.ring_ends),
            told={Source.QUEUE_LOG: logged_at} if logged_to and logged_at <= logged_to else {},
            ended_by=row.ended_by,
            language=row.language,
            enquiry=row.enquiry,
        )


def span_ms(start: datetime | None, end: datetime) -> int:
    """Milliseconds from ``start`` to ``end``; 0 when the start is unknown or the clock was set back."""
    return max(0, round((end - start).total_seconds() * 1000)) if start else 0


def not_before(began_at: datetime, moment: datetime) -> datetime:
    """The moment; where queue_log puts it a little before what it follows, the latter.

    queue_log's seconds are cut off, and what was told live before may be late. A moment further back is of a
    clock that was set back, and stays as it was told.
    """
    return began_at if timedelta() < began_at - moment <= TOLD_LATE else moment


def _as_text(ends: dict[str, RingEnd]) -> str:
    """As a row keeps them; only of a wait that goes on is it asked whose phone rang in vain."""
    return (
        json.dumps({who: [end.at.isoformat(), end.source.value] for who, end in ends.items()}) if ends else ""
    )


def _from_text(text: str) -> dict[str, RingEnd]:
    ends = json.loads(text or "{}").items()
    return {who: RingEnd(datetime.fromisoformat(at), Source(source)) for who, (at, source) in ends}
