"""Who says what of each call: the phones, Asterisk (its events and its queue_log), and the server's rows.

Asterisk's events say when to the microsecond, but where it is short of processor time they say it late, by
seconds; queue_log says it at once, in whole seconds. So each moment of a row must be that of the event, or
that of queue_log. What happened to whom, and in which order, must be the same whoever tells of it. A talk
that no queue made is not in queue_log: where the server was dead for a part of it, its row may be shorter, or
missing.

Who was asked by an agent may have answered in time by the own phone, and Asterisk takes that up only when the
asker has hung up already (it was 0.9 s late while the server started anew): for Asterisk the two never were
together, and who was asked has the caller at once. What it tells of bridges shows whether it was so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bench.callers import CallerRecord
from bench.staff import Note
from bench.witness import Stay
from hotline.core.events import Outcome, TalkKind
from hotline.store.ledger import EntryRecord, TalkRecord

PHONES_SLACK_SECONDS = 1.0  # between a phone's note and queue_log, whose seconds are cut off
EXACT = timedelta(milliseconds=2)
WHOLE_SECONDS = timedelta(milliseconds=1050)
AROUND = timedelta(seconds=2)  # from a kill back to the last row saved, from a start to the first event heard
ANSWERING_SECONDS = 0.5
"""Asterisk's Answer() waits so long for the caller's first sound, which SIPp never sends."""
MOMENTS = ("joined_at", "answered_at", "closed_at")
UNANSWERED = {Outcome.ABANDONED, Outcome.SHORT_ABANDON}


@dataclass(slots=True)
class Rows:
    """The rows of one caller, in order."""

    entries: list[EntryRecord] = field(default_factory=list)
    talks: list[TalkRecord] = field(default_factory=list)

    def sort(self) -> Rows:
        self.entries.sort(key=lambda row: (row.joined_at, row.visit))
        self.talks.sort(key=lambda row: (row.answered_at, row.talk_id))
        return self


@dataclass(slots=True)
class Said:
    """What Asterisk says of one caller: by its events, and by queue_log.

    ``stays``: of channels (by unique id) in bridges, as Asterisk told of them, whatever rows say.
    """

    events: Rows = field(default_factory=Rows)
    log: Rows = field(default_factory=Rows)
    stays: Mapping[str, Stay] = field(default_factory=dict)

    def late(self) -> timedelta:
        """How late the events were at least."""
        logged = {row.entry_id: row for row in self.log.entries}
        worst = timedelta()
        for row in self.events.entries:
            for name in MOMENTS:
                told, other = getattr(row, name), getattr(logged.get(row.entry_id), name, None)
                if told is not None and other is not None:
                    worst = max(worst, told - other - WHOLE_SECONDS)
        return worst


@dataclass(frozen=True, slots=True)
class Deaths:
    """When the server was not there: from each kill to its next start."""

    spans: Sequence[tuple[datetime, datetime]] = ()

    def touch(self, talk: TalkRecord) -> bool:
        """Whether the server may have missed a part of the talk."""
        end = talk.ended_at or talk.answered_at
        return any(
            since - AROUND <= end and talk.answered_at <= until + AROUND for since, until in self.spans
        )


def asterisk_and_phones(
    said: Said, caller: CallerRecord, notes: Sequence[Note], late_seconds: float
) -> Iterator[str]:
    """Where Asterisk's record of a call is not what its phones noted.

    ``late_seconds``: how late phones and events were at most.
    """
    slack = PHONES_SLACK_SECONDS + late_seconds
    entries, talks = said.events.entries, said.events.talks
    unanswered = [row for row in entries if row.agent is None]
    if any(row.closed_at is None for row in entries):
        yield "a wait has no end"
    if unanswered and not (caller.left and unanswered == entries[-1:]):
        yield f"{len(unanswered)} of {len(entries)} waits have no answer, though the caller stayed"
    if any(row.outcome not in UNANSWERED for row in unanswered):
        yield f"unanswered, but {[row.outcome for row in unanswered]}"
    legs = _by_leg(talks)
    met = [note for note in sorted(notes, key=lambda one: one.began_at) if not _too_late(note, legs, slack)]
    if [note.agent for note in met] != [of_leg[0].agent for of_leg in legs]:
        spoken = [f"{row.kind} {row.agent} {row.talk_ms / 1000:.1f} s" for row in talks]
        noted = [f"{note.kind} {note.agent} {note.seconds:.1f} s{' dropped' * note.dropped}" for note in met]
        yield f"talks {spoken}, the phones say {noted}"
        return
    for note, of_leg in zip(met, legs, strict=True):
        if of_leg[0].kind != note.kind and not _never_asked(said, note, of_leg[0]):
            yield f"{note.agent} had a {of_leg[0].kind}, the phones say {note.kind}"
        if of_leg[-1].ended_at is None:
            yield f"the talk of {note.agent} has no end"


def times_of_phones(
    said: Said, caller: CallerRecord, notes: Sequence[Note], late_seconds: float
) -> Iterator[str]:
    """Where the phones noted other times than Asterisk.

    Asterisk, kept from the processors, may take up an answer or a hang-up seconds after the phone's word, and
    both its records then say so: this finds a machine too busy to measure by, or a wrong clock in a row.
    """
    slack = PHONES_SLACK_SECONDS + late_seconds
    entries, legs = said.events.entries, _by_leg(said.events.talks)
    met = [note for note in sorted(notes, key=lambda one: one.began_at) if not _too_late(note, legs, slack)]
    for note, of_leg in zip(met, legs, strict=False):
        yield from _note_and_talks(note, of_leg, slack)
        if _never_asked(said, note, of_leg[0]):
            yield f"{note.agent} answered, says Asterisk, when {note.asked_by}, who asked, had gone"
    if len(entries) == 1 and not any(note.blurred or note.then for note in met):
        waited = (caller.seconds or 0.0) - ANSWERING_SECONDS - sum(note.seconds for note in met)
        if abs(entries[0].wait_ms / 1000 - waited) > slack:
            yield f"waited {entries[0].wait_ms / 1000:.2f} s, the phones say {waited:.2f}"


def _by_leg(talks: Iterable[TalkRecord]) -> list[list[TalkRecord]]:
    """The talks of each connection: an enquiry that became a transfer is one."""
    found: dict[str, list[TalkRecord]] = {}
    for row in talks:
        found.setdefault(row.talk_id.rpartition(":")[0], []).append(row)
    return list(found.values())


def _too_late(note: Note, legs: Sequence[Sequence[TalkRecord]], slack: float) -> bool:
    """Whether the phone answered in the moment in which nobody was there any more."""
    known = any(rows[0].agent == note.agent and _near(rows[0].answered_at, note, slack) for rows in legs)
    return not known and note.dropped and note.seconds <= slack


def _never_asked(said: Said, note: Note, row: TalkRecord) -> bool:
    """Whether Asterisk took up the answer of who was asked only when the asker was with nobody any more."""
    asked = [
        talk for talk in said.events.talks
        if talk.agent == note.asked_by and talk.ended_by == "transfer" and talk.answered_at < row.answered_at
    ]  # fmt: skip
    if (note.kind, row.kind) != (TalkKind.CONSULT, TalkKind.TRANSFER) or not asked:
        return False
    asker, answerer = said.stays.get(_leg(asked[-1])), said.stays.get(_leg(row))
    gone_at = asker.left_at if asker else None
    return gone_at is not None and answerer is not None and gone_at <= answerer.entered_at


def _near(moment: datetime, note: Note, slack: float) -> bool:
    return abs(moment.timestamp() - note.began_at) <= slack


def _note_and_talks(note: Note, rows: Sequence[TalkRecord], slack: float) -> Iterator[str]:
    ended = rows[-1].ended_at
    if not _near(rows[0].answered_at, note, slack):
        away = rows[0].answered_at.timestamp() - note.began_at
        yield f"{note.agent} answered, says Asterisk, {away:+.2f} s after the phone"
    if ended is not None and not note.blurred and abs(ended.timestamp() - note.ended_at) > slack:
        away = ended.timestamp() - note.ended_at
        yield f"the talk of {note.agent} ended, says Asterisk, {away:+.2f} s after the phone"


def server_and_asterisk(
    server: Rows, said: Said, deaths: Deaths, late: timedelta = timedelta()
) -> Iterator[str]:
    """Where the server's rows of a call are neither what the events nor what queue_log says.

    ``late``: by so much events were late; rows that begin with an event and end with queue_log mix the two.
    """
    near = WHOLE_SECONDS + late
    rows = {row.entry_id: row for row in server.entries}
    events = {row.entry_id: row for row in said.events.entries}
    log = {row.entry_id: row for row in said.log.entries}
    for key in events.keys() ^ log.keys():
        yield f"{key}: Asterisk's events and queue_log do not agree that there was this wait"
    for key in rows.keys() ^ events.keys():
        yield f"{key}: {'one wait too many' if key in rows else 'the wait is missing'}"
    for key in rows.keys() & events.keys() & log.keys():
        yield from (
            f"{key} ({rows[key].source}): {what}" for what in _entry(rows[key], events[key], log[key], near)
        )
    logged = {row.entry_id: row for row in said.log.talks}
    talks, meant = {row.talk_id: row for row in server.talks}, {row.talk_id: row for row in said.events.talks}
    unheard = {_leg(row) for row in meant.values() if row.kind != TalkKind.QUEUE and deaths.touch(row)}
    for talk_id in talks.keys() | meant.keys():
        row, other = talks.get(talk_id), meant.get(talk_id)
        if _leg(row or other) in unheard:
            continue
        if row is None or other is None:
            yield f"talk {talk_id}: {'is missing' if row is None else 'one too many'}"
        else:
            by_log = logged.get(row.entry_id or "")
            yield from (f"talk {talk_id} ({row.source}): {what}" for what in _talk(row, other, by_log, near))


def _leg(row: TalkRecord | None) -> str:
    return row.talk_id.rpartition(":")[0] if row else ""


def _entry(row: EntryRecord, event: EntryRecord, log: EntryRecord, near: timedelta) -> Iterator[str]:
    for name in ("queue", "visit", "call_id", "line", "agent", "unanswered_rings"):
        if getattr(row, name) != getattr(event, name):
            yield f"{name} {getattr(row, name)}, Asterisk says {getattr(event, name)}"
    if row.outcome not in (event.outcome, log.outcome):
        yield f"is {row.outcome}, Asterisk says {event.outcome} after {event.wait_ms} ms"
    for name in MOMENTS:
        yield from _moment(name, getattr(row, name), getattr(event, name), getattr(log, name), near)
    waited_ms = (row.answered_at or row.closed_at or row.joined_at) - row.joined_at
    if abs(waited_ms - timedelta(milliseconds=row.wait_ms)) > near:
        yield f"wait_ms {row.wait_ms} is not from joining to the answer or the end"
    if row.answered_at is not None and row.closed_at is not None:
        if abs(row.closed_at - row.answered_at - timedelta(milliseconds=row.talk_ms)) > near:
            yield f"talk_ms {row.talk_ms} is not from the answer to the end"


def _talk(row: TalkRecord, event: TalkRecord, log: TalkRecord | None, near: timedelta) -> Iterator[str]:
    for name in ("kind", "agent", "party", "entry_id"):
        if getattr(row, name) != getattr(event, name):
            yield f"{name} {getattr(row, name)}, Asterisk says {getattr(event, name)}"
    for name in ("answered_at", "ended_at"):
        yield from _moment(name, getattr(row, name), getattr(event, name), getattr(log, name, None), near)


def _moment(
    name: str, row: datetime | None, event: datetime | None, log: datetime | None, near: timedelta
) -> Iterator[str]:
    if row is None or event is None:
        if row is not event:
            yield f"{name} {row}, Asterisk says {event}"
    elif abs(row - event) > EXACT and (log is None or abs(row - log) > near):
        away = f", {(row - log).total_seconds():+.3f} s from queue_log" if log else ""
        yield f"{name} is {(row - event).total_seconds():+.3f} s from the event{away}"
