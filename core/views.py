"""What rooms show each other of the present: frozen pictures, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from hotline.core.control import SuperviseVerb
from hotline.core.events import (
    AgentState,
    CallbackOutcome,
    ConsultState,
    Outcome,
    RecordingState,
    Side,
    SurveyOutcome,
)


@dataclass(frozen=True, slots=True)
class WaitingCaller:
    """A caller in a queue now."""

    call_id: str
    entry_id: str
    line: str
    queue: str
    since: datetime
    position: int


@dataclass(frozen=True, slots=True)
class AgentView:
    """An agent now.

    Attributes:
        call_id: the call that rings, is being talked on, or was and is now being wrapped up.
        wrap_up_until: when the wrap-up ends by itself; None when there is none.
        pending_reason: a break asked for while busy; it begins afterwards.
    """

    agent: str
    name: str
    extension: str
    state: AgentState
    reason: str
    since: datetime
    queues: tuple[str, ...]
    call_id: str | None
    wrap_up_until: datetime | None = None
    pending_reason: str | None = None


@dataclass(frozen=True, slots=True)
class ConsultView:
    """An enquiry with a third party: the number asked, and how far it has come."""

    target: str
    state: ConsultState


@dataclass(frozen=True, slots=True)
class CallView:
    """A call that is alive now, as an agent sees it pop up.

    ``agent`` is who talks with the caller or is rung for the caller; ``parties`` are further seats whose
    business the call is (asked, joined, rung by a transfer). ``muted_agents``: whose own phone is muted, so
    that nobody on the call hears them. ``nuisance``: the caller was marked as one.
    ``language``: what the caller speaks (BCP 47), by line or menu; empty where it is not known.
    ``recording_paused_until``: when a pause of the recording ends by itself.
    ``callback_of``: the earlier call whose caller an agent calls back with this one.
    ``caller_lists``: names of the lists (名单) that the caller's number is on.
    ``surveyed``: the talk is over, and the caller is asked how satisfied they are.
    """

    call_id: str
    line: str
    did: str
    caller_number: str
    caller_name: str
    menu_path: tuple[str, ...]
    started_at: datetime
    queued_at: datetime | None
    answered_at: datetime | None
    agent: str | None
    wait_seconds: float | None
    held: bool = False
    muted_agents: tuple[str, ...] = ()
    consult: ConsultView | None = None
    recording: RecordingState = RecordingState.OFF
    nuisance: bool = False
    parties: tuple[str, ...] = ()
    language: str = ""
    callback_of: str | None = None
    recording_paused_until: datetime | None = None
    caller_lists: tuple[str, ...] = ()
    surveyed: bool = False


@dataclass(frozen=True, slots=True)
class SupervisionView:
    """What a supervisor's own phone does on somebody's call, or rings for, from ``since`` on."""

    call_id: str
    verb: SuperviseVerb
    since: datetime


@dataclass(frozen=True, slots=True)
class LiveView:
    """The whole present of the exchange."""

    at: datetime
    link_up: bool
    calls: tuple[CallView, ...]
    waiting: tuple[WaitingCaller, ...]
    agents: tuple[AgentView, ...]


@dataclass(frozen=True, slots=True)
class PlannedShift:
    """A time at which an agent is expected: from ``starts`` up to ``ends``."""

    starts: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class ShiftRow:
    """One agent's day: who should be here, who is.

    Attributes:
        due: expected now.
        present: signed in with a reachable phone, on a break too.
        adherence: time present in the shifts over time of the shifts so far, 0 to 1; None before the first.
        late_seconds: from the beginning of the newest shift to the first presence in it, or so far.
    """

    agent: str
    name: str
    planned: tuple[PlannedShift, ...]
    due: bool
    present: bool
    state: AgentState
    adherence: float | None
    late_seconds: float


@dataclass(frozen=True, slots=True)
class ShiftView:
    """Everybody who is expected or here at a moment. ``problems``: roster rows that were passed over."""

    at: datetime
    rows: tuple[ShiftRow, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LineFigures:
    """Ledger counts of one line over a period. ``offered`` equals the sum of ``outcomes`` and ``still_open``.

    ``answered`` counts rows answered by a person, those whose talk still goes on included; ``still_open`` are
    callers who wait now and so have no class yet; rates are over ``closed`` = offered - still_open.
    """

    line: str
    name: str
    parent: str | None
    offered: int
    answered: int
    answered_within: int
    still_open: int
    outcomes: dict[Outcome, int] = field(default_factory=dict)
    wait_seconds_total: float = 0.0  # of answered calls
    talk_seconds_total: float = 0.0
    answer_rate: float | None = None  # 0..1; None when nothing was offered
    within_rate: float | None = None
    asa_seconds: float | None = None
    ring_seconds_total: float = 0.0  # of the phones that answered
    hold_seconds_total: float = 0.0  # part of the talk
    wrap_up_seconds_total: float = 0.0
    aht_seconds: float | None = None
    menu_seconds_total: float = 0.0  # before the first queue, of all callers; only where it was asked for


@dataclass(frozen=True, slots=True)
class DayFigures:
    """Today's figures: the whole hotline, and each line (a parent's row includes its children's calls)."""

    day: date
    within_seconds: int
    total: LineFigures
    lines: tuple[LineFigures, ...]


@dataclass(frozen=True, slots=True)
class AgentDay:
    """An agent's calls of today: those that began to wait today and that the agent answered.

    Attributes:
        talk_seconds_total: of the talks that are over.
        talk_seconds_average: of the same; None before the first.
    """

    agent: str
    answered: int
    talk_seconds_total: float
    talk_seconds_average: float | None


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of transcript for display; see ``TranscriptSegment`` for the meaning of the fields."""

    call_id: str
    side: Side
    utterance: int
    revision: int
    text: str
    final: bool
    start_seconds: float
    end_seconds: float
    confidence: float | None
    at: datetime
    party: str = ""
    written: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "written", self.written or self.text)


@dataclass(frozen=True, slots=True)
class CallSummary:
    """One call of the past, for a history list.

    ``callback_of`` and ``callback_outcome`` are those of a call by which an agent called a citizen back;
    such a call has no ``outcome`` and no wait. ``survey`` and ``answer`` (5 to 1): what the caller said when
    asked after the talk.
    """

    call_id: str
    line: str
    did: str
    caller_number: str
    menu_path: tuple[str, ...]
    started_at: datetime
    outcome: Outcome | None
    agent: str | None
    wait_seconds: float | None
    talk_seconds: float | None
    has_recording: bool = False
    language: str = ""
    callback_of: str | None = None
    callback_outcome: CallbackOutcome | None = None
    survey: SurveyOutcome | None = None
    answer: int | None = None


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which past calls are wanted; None leaves a thing open.

    Attributes:
        agent: a seat that talked with the caller, or was asked about the call.
        line: of the call, or of a queue that it waited for.
        outcome: how one of its waits ended.
        since: begun then or later.
        until: begun before.
    """

    agent: str | None = None
    line: str | None = None
    caller_number: str | None = None
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class OwnPart:
    """The part of a past call that a seat took part in: from the beginning to the end of its last talk.

    Attributes:
        until: the end of that talk.
        seconds: the same on the transcript's clock.
        others_after: somebody else talked with the caller later.
    """

    until: datetime
    seconds: float
    others_after: bool


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote down about a call. ``name``: the user's, as people know it."""

    call_id: str
    at: datetime
    user: str
    text: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """A caller who left the queue to be called back. ``taken_by``: the account that last set out to do it."""

    entry_id: str
    call_id: str
    line: str
    queue: str
    caller_number: str
    asked_at: datetime
    wait_seconds: float
    taken_by: str | None = None
    taken_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NuisanceMark:
    """Somebody called a call's caller a nuisance, or took that back (``nuisance`` false)."""

    call_id: str
    at: datetime
    user: str
    nuisance: bool
    reason: str


@dataclass(frozen=True, slots=True)
class AgentTarget:
    """A colleague a call may be handed to."""

    agent: str
    name: str
    extension: str
    state: AgentState


@dataclass(frozen=True, slots=True)
class QueueTarget:
    """A queue a call may be handed to: who waits in it, and how many agents are ready for it."""

    queue: str
    title: str
    waiting: int
    ready: int


@dataclass(frozen=True, slots=True)
class OutsideTarget:
    """A number outside that the site lets calls be handed to."""

    name: str
    number: str


@dataclass(frozen=True, slots=True)
class EmergencyTarget:
    """An emergency service, reached with one key."""

    service: str
    name: str
    number: str


@dataclass(frozen=True, slots=True)
class Targets:
    """Everything a call may be handed to."""

    agents: tuple[AgentTarget, ...]
    queues: tuple[QueueTarget, ...]
    outside: tuple[OutsideTarget, ...]
    emergency: tuple[EmergencyTarget, ...]


class SecondState(StrEnum):
    """What became of decoding a recording anew."""

    BEGUN = "begun"  # under way, or broken off when the server ended
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SecondVersion:
    """A call's text as a larger model heard it in the recording; ``segments`` once it is done."""

    state: SecondState
    model: str
    at: datetime
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundUtterance:
    """An utterance that was searched for. ``marks``: the words in it, from and up to, in code points."""

    side: Side
    party: str
    utterance: int
    start_seconds: float
    end_seconds: float
    text: str
    marks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class FoundCall:
    """A call in which the words were said: its first such utterances, and how many there are."""

    call: CallSummary
    utterances: tuple[FoundUtterance, ...]
    count: int


@dataclass(frozen=True, slots=True)
class FoundCalls:
    """A page of calls, the newest words first.

    Attributes:
        before: where the next page goes on; None when there is none.
        complete: everything up to ``before`` was looked through; False when the time was over first.
        catching_up: older texts are still being indexed and may not be found yet.
    """

    calls: tuple[FoundCall, ...]
    before: int | None
    complete: bool
    catching_up: bool
