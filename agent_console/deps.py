"""What the console needs from the rest of the product, and what its routes share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from hotline import __version__
from hotline.agent_console.accounts import Accounts
from hotline.config.schema import Site
from hotline.core.clock import Clock
from hotline.core.ports import (
    AgentDesk,
    Alerts,
    Bus,
    Callbacks,
    CallControl,
    CallHistory,
    CallMarks,
    Drafts,
    Figures,
    LivePicture,
    MeasuredFigures,
    Points,
    RecordingDesk,
    Reports,
    SecondTexts,
    Shifts,
    Staffing,
    Supervision,
    TextSearch,
    Transcripts,
    Trials,
)
from hotline.core.views import CallSummary, OwnPart
from hotline.store.audit import AuditRow
from hotline.store.figure_views import FigureViews
from hotline.store.recording_archive import RecordingArchive

WEB_DIST = Path(__file__).resolve().parent / "web" / "dist"
"""Where the built browser app lies."""

PAUSE_REASONS = ("小休", "用餐", "培训", "会议", "回访", "其他")
"""Why an agent may pause. A closed list: reasons become columns of reports."""


class PastCalls(CallHistory, Protocol):
    """CallHistory with the look-up of a single call."""

    async def one(self, call_id: str, *, agent: str | None) -> CallSummary | None:
        """One call; with ``agent`` only if that seat took part in it."""
        ...

    async def own_part(self, call_id: str, agent: str) -> OwnPart | None:
        """How much of a call the seat took part in; None when it did not, or still does."""
        ...

    async def callbacks_of(self, call_id: str) -> list[CallSummary]:
        """The calls by which this call's caller was called back, oldest first."""
        ...


class Audit(Protocol):
    """Where views of hidden things are recorded before they are shown."""

    async def record(self, user: str, action: str, subject: str, detail: str = "") -> None: ...

    async def recent(
        self, limit: int = 100, *, before: int | None = None, user: str = "", action: str = ""
    ) -> list[AuditRow]:
        """The newest entries, newest first: those older than ``before``, of one user, of one action."""
        ...


@dataclass(frozen=True, slots=True)
class ConsoleDeps:
    """Everything the console is given."""

    site: Site
    bus: Bus
    picture: LivePicture
    desk: AgentDesk
    control: CallControl
    supervision: Supervision
    marks: CallMarks
    callbacks: Callbacks
    drafts: Drafts
    transcripts: Transcripts
    points: Points
    search: TextSearch
    second_texts: SecondTexts
    history: PastCalls
    figures: Figures
    measures: MeasuredFigures
    figure_views: FigureViews
    alerts: Alerts
    staffing: Staffing
    reports: Reports
    shifts: Shifts
    recordings: RecordingArchive
    recording_desk: RecordingDesk
    accounts: Accounts
    audit: Audit
    clock: Clock
    trials: Trials | None = None
    web_dist: Path = WEB_DIST
    pause_reasons: tuple[str, ...] = PAUSE_REASONS
    version: str = field(default=__version__)
