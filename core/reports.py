"""Reports (通报) as pages see them: which there are, what one says, and the order to make one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal


class ReportState(StrEnum):
    """How far a report is."""

    DRAFT = "draft"
    FINAL = "final"
    FILES = "files"  # only its files are there, no draft: it cannot be edited


@dataclass(frozen=True, slots=True)
class ReportHead:
    """A report in the list.

    Attributes:
        name: of its schedule; ``by-hand`` for those that people had made.
        disagreements: how many figures do not add up; None: not known.
        formats: as which it can be fetched.
    """

    name: str
    period: str
    title: str
    state: ReportState
    made_at: datetime
    final_by: str | None
    final_at: datetime | None
    disagreements: int | None
    formats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportOrder:
    """What to make: ``period`` as 2026-10, 2026-W41 or 2026-10-05; a topic from that day to ``last``.

    ``again``: in place of the draft that is there. ``scores``: sub-centres' figures or ranking, the text of a
    file as ``hotline report --scores`` takes it; empty: the one in the folder of data files, if any.
    """

    what: Literal["day", "week", "month", "topic"]
    period: str
    last: str = ""
    words: str = ""
    again: bool = False
    scores: str = ""


@dataclass(frozen=True, slots=True)
class ReportMaking:
    """The report that is being made, or (``failed``: why) could not be."""

    name: str
    period: str
    failed: str | None = None


@dataclass(frozen=True, slots=True)
class ReportShelfView:
    """All reports, newest first, and the one that is being made."""

    reports: tuple[ReportHead, ...]
    making: ReportMaking | None


@dataclass(frozen=True, slots=True)
class ReportText:
    """A heading (``level`` 1 or 2) or sentences (0), which may be edited. ``edited``: they were."""

    id: str
    text: str
    level: int
    edited: bool
    kind: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class ReportRow:
    """Cells as printed; ``depth``: how far under another row; ``strong``: a heading row or a total.

    ``remark``: what people said of it (备注), which may be edited under ``id``.
    """

    id: str
    cells: tuple[str, ...]
    depth: int
    strong: bool
    remark: str


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table; ``words``: for each column whether it holds words, not figures. ``source``: of its figures."""

    id: str
    title: str
    columns: tuple[str, ...]
    words: tuple[bool, ...]
    rows: tuple[ReportRow, ...]
    source: str
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class ReportSeries:
    """Numbers of a chart, one for each label."""

    name: str
    values: tuple[int | float | None, ...]


@dataclass(frozen=True, slots=True)
class ReportChart:
    """A picture, as data."""

    id: str
    title: str
    shape: Literal["pie", "bar", "line"]
    labels: tuple[str, ...]
    series: tuple[ReportSeries, ...]
    unit: str
    kind: Literal["chart"] = "chart"


@dataclass(frozen=True, slots=True)
class ReportNote:
    """What the report says of itself: sources, checks, edits.

    ``remark``: how people explain it (说明), which may be edited under ``id``; None: not to be explained.
    """

    id: str
    text: str
    tone: Literal["source", "check", "edit"]
    remark: str | None
    kind: Literal["note"] = "note"


ReportBlock = ReportText | ReportTable | ReportChart | ReportNote


@dataclass(frozen=True, slots=True)
class ReportContent:
    """What a report says.

    Attributes:
        revision: names this content; whoever changes it says on which revision.
        status: 未定稿, or who made it final when.
        disagreements: figures that cannot both be right, each as a sentence.
    """

    head: ReportHead
    revision: str
    issuer: str
    period_text: str
    status: str
    blocks: tuple[ReportBlock, ...]
    disagreements: tuple[str, ...]
