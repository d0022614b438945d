"""What happens, in the product's own words: the closed union of events that travel on the bus.

Every event is frozen and carries ``at`` (aware UTC); those of one call carry ``call_id`` (Asterisk's
Linkedid: unique across nodes because each node has its own ``systemname``). The bus adds the sequence number.

    queue    -> CallStarted, CallerQueued, AgentRinging, AgentNoAnswer, CallAnswered, EntryClosed,
                TalkStarted, TalkEnded, PartyRinging, PartyJoined, PartyLeft, CallChanged, CallerToFront,
                EmergencyNotJoined, SurveyBegan, CallSurveyed, CallEnded, AgentStateChanged,
                WrapUpEnded, AgentAutoPaused, AgentForced, SupervisionChanged, RecordingChanged
    ivr      -> MenuEntered, MenuFinished
    asr      -> LegTapped, LegLost, EngineChanged, TranscriptSegment, WordsHeard, CallUnderstood
    dialplan -> FallbackUsed (through queue)
    telephony-> LinkChanged (through server)
    console  -> CallFlagged, DraftChanged
    metrics  -> AlertRaised, AlertCleared
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hotline.core.alerts import Alert, AlertKind
from hotline.core.control import SuperviseVerb
from hotline.core.drafts import RequestType


class Side(StrEnum):
    """Whose voice a leg carries."""

    CALLER = "caller"
    AGENT = "agent"


class NuisanceKind(StrEnum):
    """What a caller is marked for. At the first two somebody is being hurt."""

    ABUSE = "abuse"
    HARASSMENT = "harassment"
    SILENT = "silent"  # nobody speaks
    REPEAT = "repeat"  # rings again and again
    OTHER = "other"


class AlarmKind(StrEnum):
    """Why words of a caller are told to supervisors."""

    URGENT = "urgent"  # somebody is in danger
    ABUSIVE = "abusive"  # the agent is being abused


class Outcome(StrEnum):
    """How a queue entry was closed. Every entry closes as exactly one of these."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    SHORT_ABANDON = "short_abandon"
    TIMEOUT = "timeout"
    FULL = "full"
    EMPTY = "empty"
    KEY_EXIT = "key_exit"
    CALLBACK = "callback"
    TRANSFERRED = "transferred"


class Source(StrEnum):
    """Where a ledger row's times come from: live events (milliseconds) or a queue_log (whole seconds)."""

    LIVE = "live"
    QUEUE_LOG = "queue_log"  # our own exchange's, for what happened while nobody listened
    IMPORT = "import"  # history brought along from another system's queue_log


class TalkKind(StrEnum):
    """How a party came to talk on a call."""

    QUEUE = "queue"  # the queue found this agent
    TRANSFER = "transfer"  # the caller was handed on
    CONSULT = "consult"  # asked by an agent while the caller was on hold
    THREE_WAY = "three_way"  # joined a talk that went on
    CALLBACK = "callback"  # the hotline called the citizen


class CallbackResult(StrEnum):
    """How a request to be called back ended without a talk."""

    NOT_REACHED = "not_reached"  # tried as often as is sensible
    NOT_NEEDED = "not_needed"  # settled meanwhile


class CallbackOutcome(StrEnum):
    """What came of calling a citizen back. It is no class of the ledger: nobody waited in a queue."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    CANCELLED = "cancelled"  # the agent hung up before the citizen answered
    FAILED = "failed"  # the number cannot be reached
    UNKNOWN = "unknown"  # nobody told


class SurveyOutcome(StrEnum):
    """What came of asking a caller after the talk how satisfied they are."""

    ANSWERED = "answered"  # by a key from 5, very satisfied, to 1, very dissatisfied
    NO_ANSWER = "no_answer"
    WRONG_KEY = "wrong_key"
    HUNG_UP = "hung_up"


class AgentState(StrEnum):
    """What an agent is doing."""

    SIGNED_OUT = "signed_out"
    READY = "ready"
    RESERVED = "reserved"  # the queue chose the agent; the phone does not ring yet
    RINGING = "ringing"
    TALKING = "talking"
    HELD = "held"  # talking, and one of the two is on hold
    WRAP_UP = "wrap_up"
    PAUSED = "paused"
    UNREACHABLE = "unreachable"


class ConsultState(StrEnum):
    """How far an enquiry with a third party has come."""

    RINGING = "ringing"
    TALKING = "talking"  # the agent with the third party; the caller hears music
    THREE_WAY = "three_way"  # all three


class RecordingState(StrEnum):
    """Whether a call that is alive is being recorded."""

    OFF = "off"
    ON = "on"
    PAUSED = "paused"  # by the agent, for a moment


class MenuOutcome(StrEnum):
    """Why a menu visit ended."""

    QUEUE = "queue"  # the menu chose a line
    OPERATOR = "operator"  # 0, silence or wrong keys: a person
    SELF_SERVICE = "self_service"  # served by an announcement, the caller hung up content
    HANGUP = "hangup"  # the caller left inside the menu
    FAULT = "fault"  # our side failed: the dialplan's fallback took over


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A caller reached the hotline; or (``callback_of``, the earlier call) an agent calls one back."""

    call_id: str
    at: datetime
    line: str
    did: str
    caller_number: str
    caller_name: str
    language: str = ""
    callback_of: str | None = None


@dataclass(frozen=True, slots=True)
class MenuEntered:
    """A caller is in a menu."""

    call_id: str
    at: datetime
    menu: str


@dataclass(frozen=True, slots=True)
class MenuFinished:
    """A caller left the menu. ``path`` holds the titles of the choices made, outermost first.

    ``language``: what the caller speaks, as chosen; here and elsewhere empty where nobody said.
    """

    call_id: str
    at: datetime
    menu: str
    path: tuple[str, ...]
    outcome: MenuOutcome
    line: str | None
    queue: str | None
    menu_seconds: float
    language: str = ""


@dataclass(frozen=True, slots=True)
class CallerQueued:
    """A caller began to wait: the ledger row is open. ``enquiry``: an agent did, to ask about the call."""

    call_id: str
    at: datetime
    entry_id: str
    line: str
    queue: str
    position: int
    caller_number: str
    menu_path: tuple[str, ...]
    language: str = ""
    enquiry: bool = False


@dataclass(frozen=True, slots=True)
class AgentRinging:
    """An agent's phone rings for a waiting caller."""

    call_id: str
    at: datetime
    entry_id: str
    agent: str


@dataclass(frozen=True, slots=True)
class AgentNoAnswer:
    """An agent's phone rang in vain; the caller goes on waiting."""

    call_id: str
    at: datetime
    entry_id: str
    agent: str
    ring_seconds: float


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """A person answered. The two channels are what to tap to hear both sides."""

    call_id: str
    at: datetime
    entry_id: str
    line: str
    queue: str
    agent: str
    wait_seconds: float
    caller_uniqueid: str
    agent_uniqueid: str


@dataclass(frozen=True, slots=True)
class EntryClosed:
    """A ledger row reached its class; an answered one when its talk ended."""

    call_id: str
    at: datetime
    entry_id: str
    line: str
    queue: str
    outcome: Outcome
    agent: str | None
    wait_seconds: float
    talk_seconds: float
    enquiry: bool = False


@dataclass(frozen=True, slots=True)
class TalkStarted:
    """Somebody talks with the caller, or with an agent about the caller (a consult).

    Attributes:
        talk_id: the row in ``talks``.
        agent: whose phone it is; None for somebody outside.
        party: the extension or number.
    """

    call_id: str
    at: datetime
    talk_id: str
    kind: TalkKind
    agent: str | None
    party: str


@dataclass(frozen=True, slots=True)
class TalkEnded:
    """They do no longer. ``ended_by``: caller, agent, party (outside), transfer, queue or unknown."""

    call_id: str
    at: datetime
    talk_id: str
    kind: TalkKind
    agent: str | None
    party: str
    talk_seconds: float
    hold_seconds: float
    ended_by: str


@dataclass(frozen=True, slots=True)
class PartyRinging:
    """Another phone rings for a call that was answered: a transfer, an enquiry.

    ``party`` is the number called; ``agent`` the seat behind it, None for anybody else.
    """

    call_id: str
    at: datetime
    agent: str | None
    party: str
    uniqueid: str


@dataclass(frozen=True, slots=True)
class PartyJoined:
    """Somebody other than whom the queue chose now talks with the caller.

    The channels of the two, ``uniqueid`` and ``caller_uniqueid``, are what to tap.
    """

    call_id: str
    at: datetime
    agent: str | None
    party: str
    uniqueid: str
    caller_uniqueid: str


@dataclass(frozen=True, slots=True)
class PartyLeft:
    """Somebody, the agent whom the queue chose included, is no longer on the call or rings no longer."""

    call_id: str
    at: datetime
    agent: str | None
    party: str
    uniqueid: str


@dataclass(frozen=True, slots=True)
class CallChanged:
    """How a talk stands: on hold, who is muted, an enquiry. ``consult_target`` is the number asked."""

    call_id: str
    at: datetime
    held: bool
    muted_agents: tuple[str, ...]
    consult_target: str | None
    consult_state: ConsultState | None


@dataclass(frozen=True, slots=True)
class EmergencyNotJoined:
    """An emergency service answered ``agent``, but could not be joined with the caller by itself."""

    call_id: str
    at: datetime
    agent: str
    service: str


@dataclass(frozen=True, slots=True)
class CallerToFront:
    """A supervisor made a waiting caller the next one of the queue."""

    call_id: str
    at: datetime
    queue: str


@dataclass(frozen=True, slots=True)
class SurveyBegan:
    """The talk is over for good: the caller alone hears the survey."""

    call_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CallSurveyed:
    """The survey of a call is over; ``answer`` is 5 to 1 where there is one. Supervisors alone are told."""

    call_id: str
    at: datetime
    line: str
    queue: str
    agent: str | None
    outcome: SurveyOutcome
    answer: int | None


@dataclass(frozen=True, slots=True)
class CallEnded:
    """Nothing of the call is left on the exchange."""

    call_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AgentStateChanged:
    """An agent went from one state to another.

    Attributes:
        pending_reason: the break that begins when what the agent is busy with is over.
        wrap_up_until: when the wrap-up ends by itself.
    """

    agent: str
    at: datetime
    state: AgentState
    reason: str
    call_id: str | None
    pending_reason: str | None = None
    wrap_up_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AgentAutoPaused:
    """An agent was paused by us because the phone rang in vain ``rings`` times in a row."""

    agent: str
    at: datetime
    rings: int


@dataclass(frozen=True, slots=True)
class WrapUpEnded:
    """An agent finished the work after a talk. ``entry_id`` is None when no queue brought that talk."""

    agent: str
    at: datetime
    entry_id: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class AgentForced:
    """A supervisor (``by``, a user) put an agent into a state. The change itself follows as its own event."""

    agent: str
    at: datetime
    state: AgentState
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class SupervisionChanged:
    """A supervisor's phone (the seat ``agent``) listens to a call, whispers, barges in; None: no longer."""

    agent: str
    at: datetime
    call_id: str
    verb: SuperviseVerb | None


@dataclass(frozen=True, slots=True)
class CallFlagged:
    """An agent marked the caller as a nuisance, in the agent's words (``reason``) and in ours (``kind``)."""

    call_id: str
    at: datetime
    agent: str
    reason: str
    kind: NuisanceKind


@dataclass(frozen=True, slots=True)
class DraftChanged:
    """Somebody (``by``, a user) saved the draft of a call's work order; who may, fetches what it says."""

    call_id: str
    at: datetime
    revision: int
    by: str


@dataclass(frozen=True, slots=True)
class FallbackUsed:
    """The dialplan went on without the menu server and still brought the caller to the queue."""

    call_id: str
    at: datetime
    line: str


@dataclass(frozen=True, slots=True)
class RecordingChanged:
    """A call's recording began, was paused or goes on, from ``at`` on."""

    call_id: str
    at: datetime
    state: RecordingState


@dataclass(frozen=True, slots=True)
class LegTapped:
    """A voice of a call is being heard, from ``at`` on. ``party``: see ``TranscriptSegment``."""

    call_id: str
    at: datetime
    side: Side
    engine: str
    party: str = ""


@dataclass(frozen=True, slots=True)
class LegLost:
    """A voice of a live call is no longer heard; the transcript has a gap from ``at``."""

    call_id: str
    at: datetime
    side: Side
    reason: str
    party: str = ""


@dataclass(frozen=True, slots=True)
class EngineChanged:
    """Another engine than told so far hears this voice from ``at`` on. The text goes on without a gap.

    Attributes:
        engine: its name, as in LegTapped.
        reason: why not the one before: failed, slow, full or resting (it failed a moment ago).
        party: see ``TranscriptSegment``.
    """

    call_id: str
    at: datetime
    side: Side
    engine: str
    reason: str
    party: str = ""


@dataclass(frozen=True, slots=True)
class TranscriptSegment:
    """One utterance, as heard so far (``final`` false: it will be replaced) or for good.

    Attributes:
        text: empty and final takes back a partial that turned out to be nothing.
        utterance: counts the utterances of this side of this call from 1, whoever speaks; a final text
            replaces the partial texts that bore the same number.
        revision: counts the texts of this utterance from 1.
        start_seconds: from the answering of the call to the start of the utterance.
        end_seconds: likewise to its end as known now.
        confidence: 0 to 1; None for partial texts, whose engines do not say.
        audio_at: when the newest audio that this text rests on reached the server; latency counts from it.
        party: who of the agent's side speaks: an agent's id, or the number of somebody outside; empty for
            the caller.
        written: ``text``, which is as heard, the way people write it: numbers in digits, corrected by the
            site's lists, with punctuation. The same as ``text`` for partial texts, and where none is given.
    """

    call_id: str
    at: datetime
    side: Side
    utterance: int
    revision: int
    text: str
    final: bool
    start_seconds: float
    end_seconds: float
    confidence: float | None
    audio_at: datetime
    party: str = ""
    written: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "written", self.written or self.text)


@dataclass(frozen=True, slots=True)
class WordsHeard:
    """The caller said something urgent or abusive; told once a call and kind.

    Attributes:
        words: the phrase of the rules that was heard, not what was said around it.
        agent: who talks with the caller; empty where nobody is known to.
        utterance: of the caller's side.
    """

    call_id: str
    at: datetime
    kind: AlarmKind
    words: str
    line: str
    agent: str
    utterance: int


@dataclass(frozen=True, slots=True)
class CallUnderstood:
    """More, or something else, is known of what a call is about; who may, fetches what.

    Attributes:
        ended: the call is over and there is a summary.
        settled: nothing more comes; told once a call of which anything is known.
    """

    call_id: str
    at: datetime
    revision: int
    ended: bool
    settled: bool
    request_type: RequestType | None
    topic: str


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The link to Asterisk's manager interface came up or went down."""

    at: datetime
    up: bool
    detail: str


@dataclass(frozen=True, slots=True)
class AlertRaised:
    """Something is wrong that a supervisor must know of."""

    at: datetime
    alert: Alert


@dataclass(frozen=True, slots=True)
class AlertCleared:
    """What was raised as ``alert_id`` is well again."""

    at: datetime
    alert_id: str
    kind: AlertKind
    subject: str


CallEvent = (
    CallStarted
    | MenuEntered
    | MenuFinished
    | CallerQueued
    | AgentRinging
    | AgentNoAnswer
    | CallAnswered
    | EntryClosed
    | TalkStarted
    | TalkEnded
    | PartyRinging
    | PartyJoined
    | PartyLeft
    | CallChanged
    | EmergencyNotJoined
    | CallerToFront
    | SurveyBegan
    | CallSurveyed
    | CallEnded
    | CallFlagged
    | DraftChanged
    | FallbackUsed
    | RecordingChanged
    | LegTapped
    | LegLost
    | EngineChanged
    | TranscriptSegment
    | WordsHeard
    | CallUnderstood
)
"""Events that belong to one call: they have ``call_id``."""

AgentEvent = AgentStateChanged | AgentAutoPaused | WrapUpEnded | AgentForced | SupervisionChanged
"""Events that belong to one agent: they have ``agent``."""

AlertEvent = AlertRaised | AlertCleared
"""Events for whoever runs the shift."""

Event = CallEvent | AgentEvent | AlertEvent | LinkChanged
"""Everything that may travel on the bus."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event with the number the bus gave it: increasing by one, from 1 at each server start."""

    seq: int
    event: Event
