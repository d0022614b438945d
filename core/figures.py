"""Figures that can be explained: what may be asked of them, and what the answers look like.

The one word for each measure, its formula and its counts come from ``metrics.measures``; pages, the command
line and reports show these views of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class MeasureUnit(StrEnum):
    """What a measure is given in."""

    PERCENT = "percent"
    SECONDS = "seconds"
    COUNT = "count"


class Better(StrEnum):
    """Which way a measure should go."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


class Grain(StrEnum):
    """Into which parts of the site's calendar a period is cut."""

    QUARTER_HOUR = "quarter_hour"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"  # from Monday
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Dimension(StrEnum):
    """What figures may be told apart by. Groups of lines, skills and lists overlap: never add them up."""

    LINE = "line"  # a parent holds its children's rows
    SKILL = "skill"  # a queue, of everybody who may serve it: agents of several skills count in each
    QUEUE = "queue"
    AGENT = "agent"
    LANGUAGE = "language"
    CHANNEL = "channel"
    UNIT = "unit"  # 承办单位, of imported figures
    CALLER_LIST = "caller_list"  # 名单; a caller may be on several, and on none is in no group


class Comparison(StrEnum):
    """What a figure is compared with. What goes on is compared with as much of the other period."""

    BEFORE = "before"  # 环比: the period before
    YEAR_BEFORE = "year_before"  # 同比: the same period a year before


class CountSide(StrEnum):
    """Which count of a measure."""

    NUMERATOR = "numerator"
    DENOMINATOR = "denominator"


@dataclass(frozen=True, slots=True)
class MeasureInfo:
    """A measure of the catalogue; see ``metrics.measures.catalogue.Measure``.

    ``numerator`` and ``denominator`` name the counts that are summed; ``dimensions`` what it is known by.
    """

    id: str
    name: str
    name_en: str
    unit: MeasureUnit
    formula: str
    formula_en: str
    remark: str
    remark_en: str
    better: Better
    norm: float | None
    numerator: tuple[str, ...]
    denominator: tuple[str, ...]
    dimensions: tuple[Dimension, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure's value.

    Attributes:
        numerator: the sum above; of times in milliseconds.
        denominator: the sum below; None where the measure has none.
        value: as published, rounded half up: percent (of percents) or seconds to two decimals, or a whole
            count; None for nothing over nothing.
        text: as printed, with its unit; nothing over nothing as the site wants it.
    """

    numerator: int
    denominator: int | None
    value: Decimal | None
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """How a figure differs from another period's.

    Attributes:
        start, end: that period, aware.
        figure: what it was then.
        value: of counts and times in percent of what it was then, of rates in percentage points of the
            published figures; None where it cannot be said.
        text: as printed, with sign and unit.
        until: up to when the figure's own period is compared: its end, or now while it goes on.
    """

    start: datetime
    end: datetime
    figure: Figure
    value: Decimal | None
    text: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Point:
    """A figure of one part of a period, [start, end), and how it compares."""

    start: datetime
    end: datetime
    figure: Figure
    changes: Mapping[Comparison, Change] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Series:
    """The points of one group: a line, an agent, ...; ``parent`` as the lines' tree says."""

    key: str
    name: str
    points: tuple[Point, ...]
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class FigureQuestion:
    """A measure over a period.

    Attributes:
        measure: its id.
        start: aware; the first moment counted.
        end: aware; the first moment not counted.
        grain: the parts to cut it into; None: one figure.
        by: what to tell apart; None: everything together.
        only: groups to look at alone, by dimension.
        compare: what to compare each point with.
        part_of: the day, week, month, quarter or year that it is, or is the beginning of (本月, 本年); it is
            compared with the one before. None: the smallest that it can be.
    """

    measure: str
    start: datetime
    end: datetime
    grain: Grain | None = None
    by: Dimension | None = None
    only: Mapping[Dimension, str] = field(default_factory=dict)
    compare: tuple[Comparison, ...] = ()
    part_of: Grain | None = None


@dataclass(frozen=True, slots=True)
class FigureAnswer:
    """What came of a question: the whole, and the groups if it was asked by something."""

    measure: MeasureInfo
    question: FigureQuestion
    total: Series
    groups: tuple[Series, ...] = ()


@dataclass(frozen=True, slots=True)
class FigureRow:
    """A row behind a figure.

    Attributes:
        id: the row's key.
        at: when it counts.
        adds: what it adds to the count (1, or milliseconds).
        state: how a wait, a menu, a callback or a test call ended, how a talk came about, what an agent was
            doing, or what a caller said when asked after the talk: 5 to 1, else a ``SurveyOutcome``.
        seconds: of a wait or a state; None where it has none.
        until: of a figure that another system gave: the end of its period, which begins at ``at``.
        imported_from: the file that it came in, at ``imported_at``.
    """

    id: str
    at: datetime
    adds: int
    call_id: str | None = None
    line: str | None = None
    queue: str | None = None
    language: str | None = None
    agent: str | None = None
    state: str | None = None
    seconds: float | None = None
    talk_seconds: float | None = None
    caller_number: str = ""
    until: datetime | None = None
    imported_from: str | None = None
    imported_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CountInfo:
    """One of a measure's counts, and its sum in the period; times are milliseconds."""

    id: str
    name: str
    name_en: str
    unit: str
    source: str
    sum: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """A figure with all that it rests on; the rows are those of one side, a page of them, newest first.

    ``after`` says where the next page goes on; None after the last one. ``changes``: as asked by the
    question's ``compare``, with the periods that were compared.
    """

    measure: MeasureInfo
    question: FigureQuestion
    figure: Figure
    numerator: tuple[CountInfo, ...]
    denominator: tuple[CountInfo, ...]
    side: CountSide
    rows: tuple[FigureRow, ...]
    after: str | None
    changes: Mapping[Comparison, Change] = field(default_factory=dict)
