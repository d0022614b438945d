"""One call as the call table holds it, and what it looks like from outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hotline.core.events import CallbackOutcome, CallStarted, Source
from hotline.core.names import joined, parted
from hotline.core.views import CallView
from hotline.queue.calls.entry import SAME_MOMENT, TOLD_LATE, Entry, EntryState
from hotline.queue.calls.talks import CallTalks
from hotline.queue.facts import (
    CallbackFact,
    CallbackOver,
    CalledBack,
    Completed,
    Joined,
    QueueFact,
    Reached,
)
from hotline.store.ledger import CallRecord, SurveyRecord

MENU_SEPARATOR = " > "


@dataclass(slots=True)
class Callback:
    """What a call by which an agent calls a citizen back has besides: the earlier call, and who calls.

    ``over_at``: when that agent hung up.
    """

    of: str
    agent: str
    outcome: CallbackOutcome | None = None
    over_at: datetime | None = None


@dataclass(slots=True)
class LiveCall:
    """A call from its arrival until some minutes after its end.

    ``uniqueid`` is the caller's channel. It names the call, but for a callback: that is named after the
    agent's channel, which holds the place of the citizen's until the citizen answers.
    """

    call_id: str
    uniqueid: str
    line: str
    did: str
    caller_number: str
    caller_name: str
    started_at: datetime
    talks: CallTalks = field(default_factory=CallTalks.untold)
    menu_path: tuple[str, ...] = ()
    menu_outcome: str | None = None
    menu_ms: int = 0
    fallback_used: bool = False
    language: str = ""
    hungup_at: datetime | None = None
    announced: bool = False
    told_by: Source = Source.LIVE  # who told of it first
    entries: list[Entry] = field(default_factory=list)
    callback: Callback | None = None
    asked: bool = False  # the talk is over, and the caller hears the survey
    survey: SurveyRecord | None = None
    caller_lists: tuple[str, ...] = ()  # that the caller's number was on when the call came

    @classmethod
    def calling_back(cls, fact: CalledBack, talks: CallTalks) -> LiveCall:
        """The call by which an agent calls a citizen back."""
        call = cls(fact.call_id, fact.call_id, fact.line, "", fact.number, "", fact.at, talks)
        call.callback = Callback(fact.of, fact.agent)
        return call

    def follow_callback(self, fact: CallbackFact, source: Source) -> bool:
        """Let a fact about a callback happen; False if this call is none."""
        callback = self.callback
        match fact:
            case _ if callback is None:
                return False
            case Reached():
                self.is_caller(fact.uniqueid)
                if source is not Source.LIVE:
                    self.talks.reached(callback.agent, fact.at, source)
            case CallbackOver():
                callback.outcome, callback.over_at = callback.outcome or fact.outcome, fact.at
                if source is not Source.LIVE:
                    self.talks.callback_over(fact.at, fact.ended_by, source)
        return True

    def is_caller(self, uniqueid: str) -> None:
        """Who is served has this channel: it is not the one that gave the call its id."""
        self.uniqueid = self.talks.caller = uniqueid

    def is_alive(self, channels: Mapping[str, str]) -> bool:
        """Whether the caller is still there; ``channels``: uniqueid -> linkedid of all there are.

        After a restart it may not be known yet which channel is that of a citizen called back.
        """
        alone = self.callback is not None and self.call_id in channels.values()
        return alone or self.uniqueid in channels

    def as_started(self) -> CallStarted:
        """The event of its beginning, with what is known of it."""
        return CallStarted(
            self.call_id,
            self.started_at,
            self.line,
            self.did,
            self.caller_number,
            self.caller_name,
            self.language,
            self.callback.of if self.callback else None,
        )

    def open_entry(self) -> Entry | None:
        """The newest wait or talk that goes on now."""
        for entry in reversed(self.entries):
            if entry.state is not EntryState.CLOSED:
                return entry
        return None

    def open_entries(self) -> list[Entry]:
        """The waits and talks that go on now: more than one while an agent consults a queue."""
        return [entry for entry in self.entries if entry.state is not EntryState.CLOSED]

    def goes_on(self) -> bool:
        """Whether somebody waits or talks on it, as far as is known; or nothing is known but that it came."""
        talks = any(talk.ended_at is None for talk in self.talks.rows)
        if self.callback is not None and self.callback.over_at is not None:
            return talks
        return talks or not self.entries or self.open_entry() is not None

    def newest(self) -> datetime:
        """The latest moment that its rows tell of."""
        moments: list[datetime | None] = [self.started_at, self.callback.over_at if self.callback else None]
        moments.append(self.survey.asked_at if self.survey else None)
        for entry in self.entries:
            moments += [entry.joined_at, entry.answered_at, entry.closed_at]
        for talk in self.talks.rows:
            moments += [talk.answered_at, talk.ended_at]
        return max(moment for moment in moments if moment is not None)

    def visits(self, uniqueid: str, queue: str) -> list[Entry]:
        """The waits of a channel in a queue, in order."""
        return [entry for entry in self.entries if (entry.uniqueid, entry.queue) == (uniqueid, queue)]

    def joined_as(self, fact: Joined, source: Source) -> Entry | None:
        """The wait that ``fact`` tells of again: an earlier word of the same source, or the other's first.

        A caller may come back into the same queue within a moment (handed on to nobody), so each source's
        words are matched with the visits one by one and in order.
        """
        return told_again(self.visits(fact.uniqueid, fact.queue), fact.at, source)

    def entry_of(self, fact: QueueFact, source: Source) -> Entry | None:
        """The entry a fact speaks of: the newest visit that had begun by then.

        queue_log is read behind the present: its words are for the visit that it told of last, or for one
        before (of which it told an earlier run). The end of a talk may be told after the caller has come back
        into the same queue: it is the agent's, and of an agent's two talks it is the one that goes on or has
        just ended, and that began when this one did.
        """
        visits = self.visits(fact.uniqueid, fact.queue)
        begun = [entry for entry in visits if entry.joined_at <= fact.at + SAME_MOMENT]
        if source is not Source.LIVE:
            told = [number for number, one in enumerate(visits, 1) if one.was_told(source, fact.at)]
            begun = visits[: told[-1]] if told else begun
        elif not begun:  # the clock was set back during the wait
            begun = [entry for entry in visits if entry.state is not EntryState.CLOSED]
        if isinstance(fact, Completed):
            begun = [entry for entry in begun if entry.agent == fact.agent] or begun
            begun = [entry for entry in begun if not entry.closed_at or entry.is_echo(fact, source)] or begun
            began_at = fact.at - timedelta(milliseconds=fact.talk_ms)
            begun.sort(key=lambda entry: abs((entry.answered_at or fact.at) - began_at), reverse=True)
        return begun[-1] if begun else None

    def view(self) -> CallView:
        """The call as others see it."""
        entry = self._shown_entry()
        talking = entry is not None and entry.state is EntryState.TALKING
        return CallView(
            call_id=self.call_id,
            line=self.line,
            did=self.did,
            caller_number=self.caller_number,
            caller_name=self.caller_name,
            menu_path=self.menu_path,
            started_at=self.started_at,
            queued_at=entry.joined_at if entry and not self.asked else None,
            answered_at=entry.answered_at if entry and talking else None,
            callback_of=self.callback.of if self.callback else None,
            agent=None if self.asked else self._agent_shown(entry),
            wait_seconds=entry.wait_ms / 1000 if entry and talking else None,
            language=self.language,
            caller_lists=self.caller_lists,
            surveyed=self.asked,
        )

    def _shown_entry(self) -> Entry | None:
        """The caller's own newest wait; not that of an agent who consults a queue."""
        own = [entry for entry in self.entries if entry.uniqueid == self.uniqueid]
        return own[-1] if own else None

    def _agent_shown(self, entry: Entry | None) -> str | None:
        """Who has the caller, for whom it rings, or who had it last."""
        if entry is None:
            return self.talks.agent_now() or (self.callback.agent if self.callback else None)
        if entry.state is EntryState.CLOSED:
            return self.talks.agent_now() or entry.agent
        return entry.agent or next(iter(entry.ringing), None)

    def record(self, node: str) -> CallRecord:
        """The row as it stands."""
        return CallRecord(
            call_id=self.call_id,
            node=node,
            line=self.line,
            did=self.did,
            caller_number=self.caller_number,
            caller_name=self.caller_name,
            started_at=self.started_at,
            ended_at=self.hungup_at,
            menu_path=MENU_SEPARATOR.join(self.menu_path),
            menu_outcome=self.menu_outcome,
            menu_ms=self.menu_ms,
            fallback_used=self.fallback_used,
            language=self.language,
            callback_of=self.callback.of if self.callback else None,
            callback_agent=self.callback.agent if self.callback else None,
            callback_outcome=self.callback.outcome.value if self.callback and self.callback.outcome else None,
            caller_lists=joined(self.caller_lists),
        )

    @classmethod
    def restored(cls, row: CallRecord, talks: CallTalks) -> LiveCall:
        """The call a row of an earlier run stands for. The first channel gave the call its id."""
        callback = None
        if row.callback_of is not None:
            outcome = CallbackOutcome(row.callback_outcome) if row.callback_outcome else None
            callback = Callback(row.callback_of, row.callback_agent or "", outcome)
        return cls(
            call_id=row.call_id,
            uniqueid=row.call_id,
            line=row.line,
            did=row.did,
            caller_number=row.caller_number,
            caller_name=row.caller_name,
            started_at=row.started_at,
            talks=talks,
            menu_path=tuple(part for part in row.menu_path.split(MENU_SEPARATOR) if part),
            menu_outcome=row.menu_outcome,
            menu_ms=row.menu_ms,
            fallback_used=row.fallback_used,
            language=row.language,
            hungup_at=row.ended_at,
            announced=True,
            callback=callback,
            caller_lists=parted(row.caller_lists),
        )


def told_again(visits: Iterable[Entry], at: datetime, source: Source) -> Entry | None:
    """Which visit a source tells of: the one it told of at this moment, or the first it never told of."""
    visits = list(visits)
    for entry in visits:
        if entry.told.get(source) == at:
            return entry
    for entry in visits:
        behind = at - entry.joined_at if source is Source.LIVE else entry.joined_at - at
        over = source is Source.LIVE and entry.is_over(at)
        if source not in entry.told and not over and -SAME_MOMENT <= behind <= TOLD_LATE:
            return entry
        # nobody joins a queue they wait in: the exchange's list and its event differ by the rounding
        if entry.state in (EntryState.WAITING, EntryState.RINGING) and abs(behind) <= SAME_MOMENT:
            return entry
    return None
