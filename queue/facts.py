"""What the exchange says happened, in one form whichever way it was learnt.

Live AMI events and lines of queue_log both become these, so one call table serves both. A fact names the
caller's channel (``uniqueid``); ``at`` has microseconds when live, whole seconds from queue_log.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hotline.core.events import CallbackOutcome, Outcome, SurveyOutcome


@dataclass(frozen=True, slots=True)
class Announced:
    """A caller came in on a line."""

    uniqueid: str
    at: datetime
    call_id: str
    line: str
    did: str
    caller_number: str
    caller_name: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Routed:
    """The dialplan is about to put the caller into a queue, having come by this menu path (a token)."""

    uniqueid: str
    at: datetime
    call_id: str
    line: str
    did: str
    queue: str
    path_token: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class FellBack:
    """The menu server failed this caller; the dialplan goes on alone."""

    uniqueid: str
    at: datetime
    call_id: str
    line: str


@dataclass(frozen=True, slots=True)
class Joined:
    """The caller waits in a queue."""

    uniqueid: str
    at: datetime
    queue: str
    position: int
    caller_number: str


@dataclass(frozen=True, slots=True)
class Rang:
    """An agent's phone began to ring for the caller.

    ``called_at``: when the exchange called the phone, in whole seconds; no later where the event is late.
    """

    uniqueid: str
    at: datetime
    queue: str
    agent: str
    called_at: datetime


@dataclass(frozen=True, slots=True)
class RingEnded:
    """An agent's phone stopped ringing unanswered. ``called_at``: see ``Rang``; queue_log does not say."""

    uniqueid: str
    at: datetime
    queue: str
    agent: str
    ring_ms: int
    called_at: datetime


@dataclass(frozen=True, slots=True)
class Connected:
    """An agent answered. ``agent_uniqueid`` is empty where queue_log cannot say."""

    uniqueid: str
    at: datetime
    queue: str
    agent: str
    agent_uniqueid: str
    hold_ms: int
    ring_ms: int


@dataclass(frozen=True, slots=True)
class Completed:
    """The talk ended. ``ended_by``: caller, agent or transfer."""

    uniqueid: str
    at: datetime
    queue: str
    agent: str
    talk_ms: int
    ended_by: str


@dataclass(frozen=True, slots=True)
class Abandoned:
    """The caller left the wait. ``hold_ms`` is how long the exchange says it waited.

    queue_log says so only of callers who hung up or were moved elsewhere; a live event says it of a wait that
    timed out too, and what follows tells which it was.
    """

    uniqueid: str
    at: datetime
    queue: str
    hold_ms: int


@dataclass(frozen=True, slots=True)
class Left:
    """The caller was taken out of the queue, or not let in, for a reason of the queue's own."""

    uniqueid: str
    at: datetime
    queue: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Moved:
    """The caller goes on in the dialplan: to an agent, a queue or somebody outside."""

    uniqueid: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HungUp:
    """The caller's channel is gone."""

    uniqueid: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Bridged:
    """A channel joined those who hear one another in a bridge. ``number``: the party's, perhaps empty."""

    uniqueid: str
    at: datetime
    call_id: str
    channel: str
    number: str
    bridge: str


@dataclass(frozen=True, slots=True)
class Unbridged:
    """A channel left its bridge."""

    uniqueid: str
    at: datetime
    bridge: str


@dataclass(frozen=True, slots=True)
class Held:
    """A party put whom they talk with on hold; ``by_exchange``: the exchange plays music to this party."""

    uniqueid: str
    at: datetime
    by_exchange: bool = False


@dataclass(frozen=True, slots=True)
class Unheld:
    """A party took them off hold, or the exchange's music for this party is over."""

    uniqueid: str
    at: datetime
    by_exchange: bool = False


@dataclass(frozen=True, slots=True)
class HandedOn:
    """A party transferred the call: what ends for them now ends by a transfer."""

    uniqueid: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RingCanceled:
    """An agent's phone stopped ringing because the caller gave up. Told by queue_log."""

    uniqueid: str
    at: datetime
    queue: str
    agent: str
    ring_ms: int


@dataclass(frozen=True, slots=True)
class Duty:
    """Whether an agent serves a queue, as queue_log tells it. ``paused_reason``: None when not paused."""

    at: datetime
    queue: str
    agent: str
    serves: bool
    paused_reason: str | None


@dataclass(frozen=True, slots=True)
class CalledBack:
    """An agent, who has picked up, calls a citizen back. The call is named after the agent's channel.

    Attributes:
        call_id: of this call.
        of: the earlier call.
        number: the citizen's.
    """

    call_id: str
    at: datetime
    of: str
    agent: str
    line: str
    number: str


@dataclass(frozen=True, slots=True)
class Reached:
    """The citizen called back has answered. ``uniqueid``: the citizen's channel."""

    uniqueid: str
    at: datetime
    call_id: str


@dataclass(frozen=True, slots=True)
class CallbackOver:
    """The agent no longer calls back or talks. ``ended_by``: who hung up first, if they talked."""

    call_id: str
    at: datetime
    outcome: CallbackOutcome
    ended_by: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The last agent has left the caller, who now hears the survey."""

    uniqueid: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What the caller said in the survey.

    Attributes:
        asked_at: when it began; both sources say the same.
        phone: of the agent who left the caller; empty where the exchange did not know.
        answer: the key, 5 to 1, of `SurveyOutcome.ANSWERED`.
    """

    uniqueid: str
    at: datetime
    asked_at: datetime
    phone: str
    outcome: SurveyOutcome
    answer: int | None = None


@dataclass(frozen=True, slots=True)
class Restarted:
    """The exchange began anew: whatever it carried before has ended."""

    at: datetime


Fact = (
    Announced
    | Routed
    | FellBack
    | Joined
    | Rang
    | RingEnded
    | Connected
    | Completed
    | Abandoned
    | Left
    | Moved
    | HungUp
    | Bridged
    | Unbridged
    | Held
    | Unheld
    | HandedOn
    | CalledBack
    | Reached
    | CallbackOver
    | Asked
    | Surveyed
    | Restarted
)
"""Everything the call table listens to."""

JoiningFact = Bridged | Unbridged | Held | Unheld | HandedOn
"""Facts about who hears whom."""

AgentFact = Duty | RingEnded | RingCanceled | Connected | Completed
"""Facts of queue_log about what an agent does."""

ABOUT_AGENTS = (Duty, RingEnded, RingCanceled, Connected, Completed)
"""The same for ``isinstance``, which is asked of each line of a log: a tuple is looked through faster."""

AGENTS_ONLY = (Duty, RingCanceled)
"""Those of them that say nothing of a call."""

CallbackFact = CalledBack | Reached | CallbackOver
"""Facts about a call that the hotline makes."""

QueueFact = Joined | Rang | RingEnded | Connected | Completed | Abandoned | Left
"""Facts about one wait in one queue."""

EXIT_STATUS = {
    "TIMEOUT": Outcome.TIMEOUT,
    "FULL": Outcome.FULL,
    "JOINEMPTY": Outcome.EMPTY,
    "LEAVEEMPTY": Outcome.EMPTY,
    "JOINUNAVAIL": Outcome.EMPTY,
    "LEAVEUNAVAIL": Outcome.EMPTY,
    "WITHDRAW": Outcome.TRANSFERRED,
    "KEY": Outcome.KEY_EXIT,
    "CALLBACK": Outcome.CALLBACK,
}
"""QUEUESTATUS, as app_queue sets it when a caller leaves unanswered, to the ledger's class. The last two are
the dialplan's own, for a key the caller pressed: app_queue sets none then."""

DIAL_STATUS = {
    "ANSWER": CallbackOutcome.ANSWERED,
    "BUSY": CallbackOutcome.BUSY,
    "NOANSWER": CallbackOutcome.NO_ANSWER,
    "CANCEL": CallbackOutcome.CANCELLED,
}
"""DIALSTATUS, as Dial leaves it, to what came of a callback; every other one is a failure."""

SURVEY_KEYS = frozenset("12345")


def surveyed(uniqueid: str, at: datetime, asked_ms: str, phone: str, outcome: str, key: str) -> Surveyed:
    """The dialplan's word on a survey, as it stands in queue_log and in its event.

    Args:
        uniqueid: of the caller's channel.
        at: when it was told.
        asked_ms: when the survey began, in milliseconds since 1970.
        phone: of the agent who left the caller.
        outcome: a `SurveyOutcome`.
        key: the answer, if there is one.

    Raises:
        ValueError: it is none of these.
    """
    told = SurveyOutcome(outcome)
    if not (asked_ms.isdecimal() and asked_ms.isascii() and len(asked_ms) <= 14):
        raise ValueError("no moment in milliseconds")
    if (told is SurveyOutcome.ANSWERED) != (key in SURVEY_KEYS):
        raise ValueError("a survey is answered by one of its keys, and by nothing else")
    asked_at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(asked_ms))
    return Surveyed(uniqueid, at, asked_at, phone, told, int(key) if key in SURVEY_KEYS else None)
