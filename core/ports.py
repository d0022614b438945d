"""Where the rooms meet: what each offers, without saying who offers it. ``server/`` plugs them together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol, Self

from hotline.core.alerts import Alert
from hotline.core.control import Asker, CallVerb, SuperviseVerb, Target
from hotline.core.drafts import Draft, DraftFields
from hotline.core.events import AgentState, CallbackResult, Envelope, Event
from hotline.core.figures import CountSide, Explanation, FigureAnswer, FigureQuestion, MeasureInfo
from hotline.core.reports import ReportContent, ReportMaking, ReportOrder, ReportShelfView
from hotline.core.staffing import StaffingPlan, StaffingQuestion
from hotline.core.trials import (
    ALL_TRIALS,
    TrialCall,
    TrialFilter,
    TrialMarks,
    TrialOrder,
    TrialsNow,
    TrialSum,
)
from hotline.core.understanding import CallPoints, Proposal
from hotline.core.views import (
    AgentDay,
    AgentView,
    CallbackRequest,
    CallFilter,
    CallSummary,
    CallView,
    DayFigures,
    FoundCalls,
    LiveView,
    Note,
    NuisanceMark,
    SecondVersion,
    Segment,
    ShiftView,
    SupervisionView,
    Targets,
)


class Feed(Protocol):
    """One subscriber's stream of events. Iterating raises SlowConsumer once it has been cut off."""

    @property
    def last_seq(self) -> int: ...
    def __aiter__(self) -> AsyncIterator[Envelope]: ...
    async def __anext__(self) -> Envelope: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...


class Bus(Protocol):
    """Events to everyone who wants them. See ``core.bus.MemoryBus`` for the policy."""

    @property
    def boot_id(self) -> str: ...
    @property
    def last_seq(self) -> int: ...
    def publish(self, event: Event) -> int: ...
    def subscribe(self, name: str, *, limit: int = ...) -> Feed: ...
    def since(self, seq: int) -> list[Envelope] | None: ...


class LivePicture(Protocol):
    """The present of the exchange (given by queue)."""

    def live(self) -> LiveView: ...


class AgentDesk(Protocol):
    """What an agent may do about being available (given by queue).

    Every method returns the agent as it is afterwards, and raises HotlineError with a hint when it cannot be
    done (unknown agent, Asterisk unreachable, illegal in the present state).
    """

    async def sign_in(self, agent: str, queues: Collection[str] | None = None) -> AgentView:
        """Serve these queues (None: all of the agent's skills) and no others."""
        ...

    async def sign_out(self, agent: str) -> AgentView: ...
    async def pause(self, agent: str, reason: str) -> AgentView:
        """A break: at once, or as soon as what the agent is busy with is over."""
        ...

    async def resume(self, agent: str) -> AgentView: ...
    async def end_wrap_up(self, agent: str) -> AgentView: ...
    async def extend_wrap_up(self, agent: str, seconds: int) -> AgentView: ...
    async def force(self, agent: str, state: AgentState, reason: str, *, by: str) -> AgentView:
        """A supervisor's word (``by``: the user): READY, PAUSED for ``reason``, or SIGNED_OUT."""
        ...


class CallControl(Protocol):
    """What an agent may do with the call that is live on the own phone (given by queue).

    A supervisor may ask it of any call: then the phone of the agent who talks with the caller is meant. Every
    method returns the call as it is afterwards (or was, when it is over), and raises UnknownName for a call
    that is not there or not the asker's, IllegalState with a hint when it cannot be done now, and
    ExchangeUnreachable. Asking the same again within a moment does it once.
    """

    async def do(self, who: Asker, call_id: str, verb: CallVerb) -> CallView: ...
    async def transfer(self, who: Asker, call_id: str, target: Target) -> CallView: ...
    async def consult(self, who: Asker, call_id: str, target: Target) -> CallView: ...
    async def emergency(self, who: Asker, call_id: str, service: str) -> CallView: ...

    async def call_back(self, who: Asker, call_id: str, number: str, line: str) -> None:
        """Ring the asker's phone, then ``number``: the caller of ``call_id``, who had called ``line``."""
        ...

    def targets(self) -> Targets: ...


class Supervision(Protocol):
    """What a supervisor may do with other people's calls, by the own phone (given by queue).

    Raises as CallControl does.
    """

    async def do(self, who: Asker, call_id: str, verb: SuperviseVerb) -> CallView: ...

    async def stop(self, who: Asker) -> None:
        """No longer listen, whisper or barge; no error when nothing of it goes on."""
        ...

    def present(self, who: Asker) -> SupervisionView | None:
        """The call that the supervisor's own phone is on to listen, whisper or barge in; None if on none."""
        ...

    async def to_front(self, call_id: str) -> None:
        """A waiting caller is the next of the queue."""
        ...

    async def to_queue(self, call_id: str, queue: str) -> None:
        """A waiting caller waits in another queue instead."""
        ...


class CallMarks(Protocol):
    """What people wrote on calls (given by store)."""

    async def add_note(self, call_id: str, user: str, text: str) -> Note: ...
    async def notes(self, call_id: str) -> list[Note]:
        """The call's notes, oldest first."""
        ...

    async def mark(
        self, call_id: str, caller_number: str, user: str, nuisance: bool, reason: str
    ) -> NuisanceMark:
        """Mark the caller as a nuisance, or take it back; the newest mark of a number holds."""
        ...

    def is_nuisance(self, caller_number: str) -> bool: ...


class Callbacks(Protocol):
    """Callers who asked to be called back (given by store)."""

    async def waiting(self, queues: Collection[str] | None) -> list[CallbackRequest]:
        """Those whom nobody has called back, the oldest first; of these queues, or of all."""
        ...

    async def take(self, entry_id: str, user: str) -> CallbackRequest | None:
        """The request, which is this user's for a while; None if it is another's or no longer waits."""
        ...

    async def give_back(self, entry_id: str, user: str) -> None:
        """This user could not set out after all: anybody may take it."""
        ...

    async def end(self, entry_id: str, user: str, result: CallbackResult) -> bool:
        """Strike it off without a talk; False if it does not wait."""
        ...


class Drafts(Protocol):
    """Drafts of work orders (given by store)."""

    async def of_call(self, call_id: str) -> Draft | None:
        """The call's draft, if anybody has saved one."""
        ...

    async def save(self, call_id: str, revision: int, fields: DraftFields, user: str) -> Draft:
        """Replace ``revision`` (0: begin); raises StaleDraft when there is a newer one."""
        ...


class Shifts(Protocol):
    """Who should be here and who is (given by queue)."""

    async def now(self) -> ShiftView: ...


class RecordingDesk(Protocol):
    """What an agent may do about the recording of a live call (given by queue).

    Both raise HotlineError with a hint when it cannot be done.
    """

    async def pause(self, call_id: str, user: str) -> None:
        """Record silence, until ``resume`` or until the site's longest pause is over."""
        ...

    async def resume(self, call_id: str, user: str) -> None: ...


class Transcripts(Protocol):
    """Live and stored text (given by asr)."""

    async def of_call(self, call_id: str) -> list[Segment]:
        """Every final segment and the newest partial of each side, by start; empty for an unknown call."""
        ...


class Points(Protocol):
    """What calls are about (given by asr)."""

    async def of_call(self, call_id: str) -> CallPoints | None:
        """All that is understood of a call, alive or past; None where nothing is."""
        ...

    def proposals(self, points: CallPoints) -> tuple[Proposal, ...]:
        """What it offers to fields of the draft that nobody has touched."""
        ...


class SecondTexts(Protocol):
    """What a larger model heard in recordings (given by store)."""

    async def of_call(self, call_id: str) -> SecondVersion | None: ...


class TextSearch(Protocol):
    """Words in the text of calls (given by store)."""

    async def find(
        self, query: str, wanted: CallFilter, *, limit: int, before: int | None = None
    ) -> FoundCalls:
        """Calls in which it was said, within a bounded time; with ``wanted.agent`` only the own part of each.

        Raises:
            UsageError: there is nothing to search for.
        """
        ...


class CallHistory(Protocol):
    """Calls of the past (given by store)."""

    async def recent(
        self, wanted: CallFilter, *, limit: int, before: datetime | None = None
    ) -> list[CallSummary]: ...


class Figures(Protocol):
    """Today's rates (given by metrics)."""

    async def today(self) -> DayFigures: ...

    async def agents_today(self) -> tuple[AgentDay, ...]:
        """Every agent who answered a call today; some seconds old at the most."""
        ...


class MeasuredFigures(Protocol):
    """Every measure by anything over any period, and what it rests on (given by metrics).

    Every method raises UsageError, with a hint, for what cannot be asked.
    """

    def catalogue(self) -> tuple[MeasureInfo, ...]: ...

    def period(self, first: str, last: str) -> tuple[datetime, datetime]:
        """From two days (the last included) or moments as people write them, in the site's zone."""
        ...

    async def answer(self, question: FigureQuestion) -> FigureAnswer: ...

    async def explain(
        self, question: FigureQuestion, side: CountSide, *, limit: int, after: str | None = None
    ) -> Explanation:
        """A figure with its counts and a page of the rows behind one of them."""
        ...


class Staffing(Protocol):
    """How many agents days to come need (given by metrics)."""

    async def plan(self, question: StaffingQuestion) -> StaffingPlan:
        """Expected calls and agents for every quarter hour of the days asked about.

        Raises:
            UsageError: numbers that mean nothing.
            TooLittleHistory: the past tells too little.
            UnknownName: there is no such line.
        """
        ...


class Alerts(Protocol):
    """What is wrong now (given by metrics)."""

    def active(self) -> tuple[Alert, ...]:
        """Raised and not cleared, oldest first."""
        ...


class Reports(Protocol):
    """Reports (通报). ``name`` and ``period``: as listed. Methods raise ``HotlineError`` as they say."""

    async def reports(self) -> ReportShelfView:
        """All there are, newest first, and the one that is being made."""
        ...

    async def begin(self, order: ReportOrder) -> ReportMaking:
        """Have a report made.

        Raises:
            UsageError: it makes no sense.
            IllegalState: one is being made, or this one is there already (``code`` says which).
        """
        ...

    async def content(self, name: str, period: str) -> ReportContent | None:
        """What a report says; None if there is no draft of it."""
        ...

    async def edit(
        self, name: str, period: str, revision: str, texts: Mapping[str, str | None]
    ) -> ReportContent | None:
        """Other words for its texts, by id; None: as they were made.

        Raises:
            UsageError: there is no such text.
            IllegalState: somebody else changed it, or it is final (``code``).
        """
        ...

    async def finish(self, name: str, period: str, revision: str, by: str) -> ReportContent | None:
        """Make it final; raises as ``edit``."""
        ...

    async def file(self, name: str, file: str) -> Path | None:
        """One of its files, ``2026-10.pdf``.

        Raises:
            IllegalState: it cannot be written now, or not at all.
        """
        ...


class Trials(Protocol):
    """Test calls (拨测). Asynchronous methods raise ``sqlalchemy.exc.SQLAlchemyError``."""

    def plan(self, name: str) -> TrialOrder | None:
        """What a plan of the site file dials."""
        ...

    def begin(self, order: TrialOrder) -> None:
        """Have a test call made now.

        Raises:
            UsageError: an emergency service might answer.
            IllegalState: another one goes on.
        """
        ...

    def now(self) -> TrialsNow:
        """The schedule, and what is being dialled."""
        ...

    async def newest(
        self, limit: int, before: datetime | None, wanted: TrialFilter = ALL_TRIALS
    ) -> list[TrialCall]:
        """Test calls that began before a moment, the newest first."""
        ...

    async def sums(self, wanted: TrialFilter, by: Literal["unit", "line"]) -> list[TrialSum]:
        """What test calls come to, by unit or line, in the order of their first call."""
        ...

    async def mark(self, trial_id: str, marks: TrialMarks, user: str) -> TrialCall | None:
        """Keep a listener's sheet; None if there is no such test call.

        Raises:
            UsageError: a person was heard after the call was over.
        """
        ...

    async def sound(self, trial_id: str) -> bytes | None:
        """The WAV file of a test call; None if it is not kept."""
        ...
