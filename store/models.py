"""What is kept, as SQLAlchemy models. Moments are UTC and read back aware; durations are milliseconds.

calls            one row a call, by Asterisk's Linkedid
queue_entries    the ledger: one row per wait in a queue, closed exactly once
talks            who spoke with a caller, from when to when
surveys          what callers said after the talk, asked how satisfied they are
agent_intervals  who was in which state from when to when
segments         final texts of both sides
unindexed_texts  those that the search does not know yet; search_progress: how far older ones are indexed
second_passes    what became of decoding a recording anew, and second_segments: its texts
callbacks        who took a caller's request to be called back (an entry of that class), and how it ended
test_calls       calls that our own phone made to try a service (拨测), and a listener's marks
notes            what people wrote on calls
order_drafts     the draft of each call's work order
call_points      what each call was about; points: each finding with the utterances it rests on
nuisance_marks   callers marked as a nuisance; the newest mark of a number holds
users, sessions  accounts and cookie sessions
recordings       kept sound of calls; recording_pauses: what was left out of it on purpose
imported_figures counts of other systems (work orders), by period; imported_sections: all that they gave
audit            who looked at or did what
refused_rows     what the ledger should hold and the database did not take
tail_positions   how far queue_log has been read, and each file imported
import_standings how agents stood where the import of a queue_log ended
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SEARCH_INDEX = "segment_words"
"""The full-text index of ``segments``: FTS5 or a table with a tsvector, which no model describes.
Migrations and comparisons leave alone every table whose name begins so: SQLite keeps some of its own."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment in UTC, also on databases that forget zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times; they would mean another moment on another machine."""
        if value is None or value.tzinfo is UTC:
            return value
        if value.tzinfo is None:
            raise ValueError("a stored moment must be aware")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back where the database dropped it."""
        if value is not None and value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        return value


class Base(DeclarativeBase):
    """Common ground of the models."""

    type_annotation_map: ClassVar[dict[type, Any]] = {datetime: UtcDateTime, str: String(120)}


class Call(Base):
    """A caller's visit, or a call by which an agent called a citizen back.

    ``menu_path`` holds the titles of the choices, joined with ' > '. ``language`` is BCP 47's name of what
    the caller speaks; empty where nobody said, as in earlier rows. The ``callback_`` columns are those of a
    callback: the earlier call, who called, and what came of it (``CallbackOutcome``; None while it goes on).
    A callback has no queue entry, so that it is never counted as offered; its talks are in ``talks``.
    ``caller_lists``: the lists that the number was on when the call came (``core.names``): one that changes
    later changes no figure of the past.
    """

    __tablename__ = "calls"

    call_id: Mapped[str] = mapped_column(primary_key=True)
    node: Mapped[str]
    line: Mapped[str]
    did: Mapped[str]
    caller_number: Mapped[str] = mapped_column(index=True)
    caller_name: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    menu_path: Mapped[str] = mapped_column(String(500), default="")
    menu_outcome: Mapped[str | None]
    menu_ms: Mapped[int] = mapped_column(default=0)
    fallback_used: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str] = mapped_column(String(35), default="")
    callback_of: Mapped[str | None] = mapped_column(index=True)
    callback_agent: Mapped[str | None] = mapped_column(index=True)
    callback_outcome: Mapped[str | None]
    caller_lists: Mapped[str] = mapped_column(String(420), default="", server_default="")


class QueueEntry(Base):
    """One wait in one queue. ``entry_id`` is ``uniqueid:queue:visit``, the same from every source.

    ``outcome`` is None while the caller waits. A row answered by a person gets ``answered`` when the talk
    begins; ``closed_at`` follows when it ends. ``talk_ms`` is the answering agent's own whole talk, of which
    the caller spent ``hold_ms`` on hold; ``wrap_up_ms`` is that agent's work after it. ``enquiry``: not the
    caller waits but an agent who asks this queue about the call; no figure counts it, unless the caller is
    put through, which ends the enquiry. ``ring_ends``: JSON, agent to when their phone last stopped ringing
    in vain and which source told of it; empty once the row is closed.
    """

    __tablename__ = "queue_entries"
    __table_args__ = (
        UniqueConstraint("node", "uniqueid", "queue", "visit"),
        Index("ix_queue_entries_line_joined", "line", "joined_at"),
        Index("ix_queue_entries_outcome_joined", "outcome", "joined_at"),  # pages ask for callbacks often
    )

    entry_id: Mapped[str] = mapped_column(primary_key=True)
    node: Mapped[str]
    uniqueid: Mapped[str]
    queue: Mapped[str]
    visit: Mapped[int]
    call_id: Mapped[str] = mapped_column(index=True)
    line: Mapped[str]
    source: Mapped[str]
    joined_at: Mapped[datetime] = mapped_column(index=True)
    position: Mapped[int] = mapped_column(default=0)
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    agent: Mapped[str | None] = mapped_column(index=True)
    wait_ms: Mapped[int] = mapped_column(default=0)
    ring_ms: Mapped[int] = mapped_column(default=0)
    talk_ms: Mapped[int] = mapped_column(default=0)
    hold_ms: Mapped[int] = mapped_column(default=0)
    wrap_up_ms: Mapped[int] = mapped_column(default=0)
    enquiry: Mapped[bool] = mapped_column(default=False)
    unanswered_rings: Mapped[int] = mapped_column(default=0)
    ring_ends: Mapped[str] = mapped_column(Text, default="", server_default="")
    ended_by: Mapped[str | None]
    language: Mapped[str] = mapped_column(String(35), default="")


class TalkRow(Base):
    """One connection of a caller with one party, or of an agent with whom they consult about the caller.

    ``kind`` is queue, transfer, consult, three_way or callback; ``talk_id`` the party's channel and a number.
    Consults are not the caller's time: their rows overlap with the hold of the agent who consults.
    ``hold_ms`` counts the holds that are over; ``held_since`` is when one that goes on began.
    """

    __tablename__ = "talks"

    talk_id: Mapped[str] = mapped_column(primary_key=True)
    node: Mapped[str]
    call_id: Mapped[str] = mapped_column(index=True)
    entry_id: Mapped[str | None]
    kind: Mapped[str]
    agent: Mapped[str | None] = mapped_column(index=True)
    party: Mapped[str]
    source: Mapped[str]
    answered_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    talk_ms: Mapped[int] = mapped_column(default=0)
    hold_ms: Mapped[int] = mapped_column(default=0)
    ended_by: Mapped[str | None]
    held_since: Mapped[datetime | None]


class SurveyRow(Base):
    """The survey after a call's talk, which the dialplan asks once a call.

    ``queue`` and ``agent`` are those of the last talk, ``line``, ``language`` and ``caller_lists`` the
    call's. ``outcome`` is a ``SurveyOutcome``; ``answer`` the key, 5 to 1, where the caller gave one.
    """

    __tablename__ = "surveys"

    call_id: Mapped[str] = mapped_column(primary_key=True)
    node: Mapped[str]
    line: Mapped[str]
    queue: Mapped[str]
    language: Mapped[str] = mapped_column(String(35))
    caller_lists: Mapped[str] = mapped_column(String(420))
    agent: Mapped[str | None] = mapped_column(index=True)
    asked_at: Mapped[datetime] = mapped_column(index=True)
    outcome: Mapped[str] = mapped_column(String(20))
    answer: Mapped[int | None]
    source: Mapped[str]


class AgentInterval(Base):
    """An agent in one state. ``until`` is None for the present one.

    ``source`` is live where both ends are, else queue_log (whole seconds). ``wrap_up`` says of a wrap-up that
    goes on all there is to know of it (``queue.agents.wrap_up``), for a server that starts in it.
    """

    __tablename__ = "agent_intervals"
    __table_args__ = (UniqueConstraint("agent", "since"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    agent: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str]
    since: Mapped[datetime] = mapped_column(index=True)
    until: Mapped[datetime | None]
    source: Mapped[str] = mapped_column(server_default="live")
    wrap_up: Mapped[str] = mapped_column(server_default="")


class TranscriptRow(Base):
    """A final text. Times are milliseconds from the call's answer.

    ``party`` is who of the agent's side said it: an agent's id or a number outside; empty for the caller, and
    in rows older than the column. ``written`` is the text as people write it; empty in rows older than the
    column, which are read as heard.
    """

    __tablename__ = "segments"
    __table_args__ = (UniqueConstraint("call_id", "side", "utterance"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    call_id: Mapped[str] = mapped_column(index=True)
    side: Mapped[str]
    utterance: Mapped[int]
    revision: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    start_ms: Mapped[int]
    end_ms: Mapped[int]
    confidence: Mapped[float | None]
    at: Mapped[datetime]
    party: Mapped[str] = mapped_column(default="", server_default="")
    written: Mapped[str] = mapped_column(Text, default="", server_default="")


class UnindexedText(Base):
    """A text that was written since the search last looked; saved with it. ``token`` tells writings apart."""

    __tablename__ = "unindexed_texts"

    call_id: Mapped[str] = mapped_column(primary_key=True)
    side: Mapped[str] = mapped_column(primary_key=True)
    utterance: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[int] = mapped_column(BigInteger)


class SearchProgress(Base):
    """How far the index of texts has come: one row.

    ``edition``: of the words that it is made with. Of ``segments``, those with ids below ``below`` are not in
    it yet, or with the words of an earlier edition.
    """

    __tablename__ = "search_progress"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    below: Mapped[int] = mapped_column(BigInteger)
    edition: Mapped[str]


class SecondPass(Base):
    """What became of decoding a call's recording anew; see ``store.second_texts`` for the states."""

    __tablename__ = "second_passes"

    call_id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(20))
    attempts: Mapped[int]
    model: Mapped[str]
    at: Mapped[datetime]


class SecondSegment(Base):
    """A text of the second pass. Times, and ``written``, as in ``segments``."""

    __tablename__ = "second_segments"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    call_id: Mapped[str] = mapped_column(index=True)
    side: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
    start_ms: Mapped[int]
    end_ms: Mapped[int]
    confidence: Mapped[float | None]
    written: Mapped[str] = mapped_column(Text, default="", server_default="")


class CallbackRow(Base):
    """A request to be called back that ``user`` took at ``at``, or ended then with a ``result``."""

    __tablename__ = "callbacks"

    entry_id: Mapped[str] = mapped_column(primary_key=True)
    user: Mapped[str]
    at: Mapped[datetime]
    result: Mapped[str | None]


class TrialRow(Base):
    """A test call; see ``core.trials`` for the columns. ``unit`` and ``line``: as ordered."""

    __tablename__ = "test_calls"

    trial_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    number: Mapped[str]
    unit: Mapped[str]
    line: Mapped[str]
    via: Mapped[str]
    began_at: Mapped[datetime] = mapped_column(index=True)
    result: Mapped[str]
    status: Mapped[int]
    answer_ms: Mapped[int | None]
    sound_ms: Mapped[int | None]
    spoken_ms: Mapped[int]
    level_dbfs: Mapped[float | None]
    silent_share: Mapped[float | None]
    keys: Mapped[str]
    call_id: Mapped[str | None]
    person_ms: Mapped[int | None]
    agent: Mapped[str | None]
    reached_line: Mapped[str | None]
    text: Mapped[str | None] = mapped_column(Text)
    has_sound: Mapped[bool]
    menu: Mapped[float | None]
    answering: Mapped[float | None]
    manner: Mapped[float | None]
    knowledge: Mapped[float | None]
    call_back: Mapped[float | None]
    note: Mapped[str] = mapped_column(Text)
    heard_person_ms: Mapped[int | None]
    marked_by: Mapped[str]


class NoteRow(Base):
    """What somebody wrote on a call."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    call_id: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime]
    user: Mapped[str]
    text: Mapped[str] = mapped_column(Text)


class OrderDraft(Base):
    """The draft of a call's work order. ``fields`` is the JSON of `core.drafts.DraftFields`."""

    __tablename__ = "order_drafts"

    call_id: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int]
    fields: Mapped[str] = mapped_column(Text)
    updated_by: Mapped[str]
    updated_at: Mapped[datetime]


class CallPointsRow(Base):
    """What a call was about. ``source``, ``dropped``: see `core.understanding.CallPoints`."""

    __tablename__ = "call_points"

    call_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    request_type: Mapped[str | None] = mapped_column(String(20))
    topic: Mapped[str | None] = mapped_column(index=True)
    summary: Mapped[str] = mapped_column(Text)
    source: Mapped[str]
    dropped: Mapped[int]


class PointRow(Base):
    """One finding of a call, its type, topic and summary among them.

    ``rules``: JSON, a list of names; ``cites``: JSON, a list of ``[side, utterance]``.
    """

    __tablename__ = "points"

    call_id: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(20))
    value: Mapped[str] = mapped_column(Text)
    score: Mapped[float]
    rules: Mapped[str] = mapped_column(Text)
    cites: Mapped[str] = mapped_column(Text)


class NuisanceRow(Base):
    """A caller marked as a nuisance on a call, or (``nuisance`` false) that mark taken back."""

    __tablename__ = "nuisance_marks"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    caller_number: Mapped[str] = mapped_column(index=True)
    call_id: Mapped[str]
    at: Mapped[datetime]
    user: Mapped[str]
    nuisance: Mapped[bool]
    reason: Mapped[str] = mapped_column(String(200))


class Recording(Base):
    """The sound of a call, in a file below ``data_dir``; see ``store.recordings`` for the columns."""

    __tablename__ = "recordings"
    __table_args__ = (
        Index("ix_recordings_line_started", "line", "started_at"),
        Index("ix_recordings_sealed", "encrypted", "key_id"),  # counted by key at every start
    )

    call_id: Mapped[str] = mapped_column(primary_key=True)
    line: Mapped[str]
    started_at: Mapped[datetime]
    duration_ms: Mapped[int]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    encrypted: Mapped[bool]
    path: Mapped[str] = mapped_column(String(300))
    levels: Mapped[bytes] = mapped_column(LargeBinary)
    held: Mapped[bool] = mapped_column(default=False)
    key_id: Mapped[str] = mapped_column(String(16), default="", server_default="")


class RecordingPause(Base):
    """A time in which a call was not recorded because somebody paused it. ``until`` None: it goes on."""

    __tablename__ = "recording_pauses"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    call_id: Mapped[str] = mapped_column(index=True)
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    user: Mapped[str]


class User(Base):
    """An account. ``agent`` names the seat of the site file it may take, if any."""

    __tablename__ = "users"

    name: Mapped[str] = mapped_column(primary_key=True)
    display_name: Mapped[str]
    role: Mapped[str]
    agent: Mapped[str | None]
    password_hash: Mapped[str] = mapped_column(String(200))
    disabled: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class Session(Base):
    """A signed-in browser. Only a hash of its cookie is kept."""

    __tablename__ = "sessions"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    user: Mapped[str] = mapped_column(ForeignKey("users.name", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class FigureView(Base):
    """What a user looks at on the history page, under a name: the page's address."""

    __tablename__ = "figure_views"

    user: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    query: Mapped[str] = mapped_column(Text)
    saved_at: Mapped[datetime]


class ImportedFigure(Base):
    """A count of another system for a period [start, until). ``figure``: the count's id in ``store.counts``.

    ``channel`` and ``unit``: empty for the whole. ``source`` is the file that it came in, without its folder.
    """

    __tablename__ = "imported_figures"

    figure: Mapped[str] = mapped_column(primary_key=True)
    start: Mapped[datetime] = mapped_column(primary_key=True)
    until: Mapped[datetime] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    unit: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(String(200))
    imported_at: Mapped[datetime]


class ImportedSection(Base):
    """A section of a report as another system gave it for a period [start, until), as JSON in ``content``.

    `ImportedFigure` holds those counts of it that have measures.
    """

    __tablename__ = "imported_sections"

    start: Mapped[datetime] = mapped_column(primary_key=True)
    until: Mapped[datetime] = mapped_column(primary_key=True)
    section: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(200))
    imported_at: Mapped[datetime]


class Audit(Base):
    """Who did or saw what, for ever."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[datetime]
    user: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[str] = mapped_column(Text, default="")


class RefusedRow(Base):
    """A row of the ledger that the database did not take; see ``store.refusals`` for the columns."""

    __tablename__ = "refused_rows"

    digest: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    row: Mapped[str] = mapped_column(Text)
    error: Mapped[str]


class TailPosition(Base):
    """How far a file has been read; see ``store.ledger.TailRecord`` for the columns."""

    __tablename__ = "tail_positions"

    path: Mapped[str] = mapped_column(String(500), primary_key=True)
    inode: Mapped[int] = mapped_column(BigInteger)
    offset: Mapped[int] = mapped_column(BigInteger)
    beginning: Mapped[str] = mapped_column(default="", server_default="")
    heard_at: Mapped[datetime | None]
    read_to: Mapped[datetime | None]


class ImportStanding(Base):
    """An agent of another system where the import of its queue_log ended, for the import that goes on.

    ``shown``: the state counts (else nothing is known of the agent); ``known``: being in no queue means being
    signed out; ``queues``: JSON, queue to the reason of the pause there or null.
    """

    __tablename__ = "import_standings"

    node: Mapped[str] = mapped_column(primary_key=True)
    agent: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    since: Mapped[datetime]
    heard_at: Mapped[datetime]
    shown: Mapped[bool]
    known: Mapped[bool]
    queues: Mapped[str] = mapped_column(Text)
