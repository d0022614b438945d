"""What a report is made of: every section optional, every figure a count with the counts it is compared to.

A section that nobody gave is None or empty, and the report says nothing of it. ``previous`` is the same
figure of the period before (环比), ``year_ago`` that of the year before (同比), both as far as the report's
own period has come (``compared.py``); a figure ``as printed`` comes from somebody else's table and is checked
against the counts, never used in their place.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from hotline.config.reporting import CardLimits
from hotline.config.scoring import Scheme
from hotline.config.section import Section, Text

Count = Annotated[int, Field(ge=0, le=10**10)]
Percent = Annotated[float, Field(ge=0, le=100)]
Change = Annotated[float, Field(ge=-100, le=100_000)]
Points = Annotated[float, Field(ge=0, le=1000)]
Seconds = Annotated[float, Field(ge=0, le=10**11)]
Lines = Annotated[str, Field(min_length=1, max_length=4000)]


class Source(StrEnum):
    """Where the figures of a section come from."""

    LEDGER = "ledger"
    POINTS = "points"
    TRIALS = "trials"
    IMPORTED = "imported"
    ADDED = "added"  # imported, of parts of the period
    SCORED = "scored"


class Span(StrEnum):
    """What a report is about."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    RANGE = "range"  # from one day to another, as typed: of topic specials


class Period(Section):
    """From ``start`` up to and including ``last``, days of the site's zone. ``name``: 2026-10 or 2026-W41."""

    span: Span
    name: str
    start: date
    last: date


class Counted(Section):
    """A part of a whole. ``percent``, ``change``: its share and its 环比 as printed."""

    name: Text
    count: Count
    previous: Count | None = None
    year_ago: Count | None = None
    percent: Percent | None = None
    change: Change | None = None


class Breakdown(Section):
    """A whole and its parts. ``total``: as printed; absent, the parts' sum."""

    total: Count | None = None
    rows: Annotated[tuple[Counted, ...], Field(max_length=500)]

    @property
    def whole(self) -> int:
        """What shares are taken of."""
        return self.total if self.total is not None else sum(row.count for row in self.rows)


class PhoneCounts(Section):
    """Calls of one period.

    Attributes:
        answered: by a person.
        offered: to a queue, as the site counts them; the denominator of the answer rate.
        within: answered in time.
        self_service: served by the machine alone.
        wait_seconds: of the answered calls, together.
        talk_seconds: likewise.
    """

    answered: Count
    offered: Count | None = None
    within: Count | None = None
    self_service: Count | None = None
    wait_seconds: Seconds | None = None
    talk_seconds: Seconds | None = None


class LineCount(Section):
    """Calls of a line, those of the lines under it included. ``answer_percent``, ``change``: as printed."""

    label: Text
    name: Annotated[str, Field(max_length=80)] = ""
    answered: Count
    offered: Count | None = None
    within: Count | None = None
    previous: Count | None = None
    year_ago: Count | None = None
    answer_percent: Percent | None = None
    change: Change | None = None
    lines: Annotated[tuple[LineCount, ...], Field(max_length=200)] = ()


class Phone(Section):
    """The telephone.

    Attributes:
        outcomes: how the waits of ``total.offered`` ended, and those left out of it (``counted_out``).
        answer_percent, within_percent: as printed.
    """

    total: PhoneCounts
    previous: PhoneCounts | None = None
    year_ago: PhoneCounts | None = None
    within_seconds: Annotated[int, Field(ge=1, le=600)] = 15
    within_over: Literal["offered", "answered"] = "offered"
    outcomes: tuple[Counted, ...] = ()
    counted_out: Count = 0
    answer_percent: Percent | None = None
    within_percent: Percent | None = None
    lines: Annotated[tuple[LineCount, ...], Field(max_length=500)] = ()


class Accepted(Section):
    """Requests that were accepted (受理), and what became of them.

    Attributes:
        total_change, dispatched_change: 环比 in percent as printed, where the earlier count is not known.
        at_once: answered on the call.
        on_time: of those dispatched.
        called_back, no_opinion, satisfied: of the follow-up calls.
        satisfied_percent: as printed.
    """

    total: Count
    previous: Count | None = None
    year_ago: Count | None = None
    total_change: Change | None = None
    at_once: Count | None = None
    at_once_percent: Percent | None = None
    dispatched: Count | None = None
    dispatched_previous: Count | None = None
    dispatched_change: Change | None = None
    on_time: Count | None = None
    on_time_percent: Percent | None = None
    called_back: Count | None = None
    no_opinion: Count | None = None
    satisfied: Count | None = None
    satisfied_percent: Percent | None = None


class TrendPoint(Section):
    """One period of the trend: a month as 2026-10, in bulletins a week or a day."""

    name: Text
    answered: Count | None = None
    accepted: Count | None = None


class UnitCounts(Section):
    """Orders of a handling unit (承办单位).

    Attributes:
        orders: valid ones (有效工单).
        on_time: fed back in time.
        returned: return requests that were rejected (退单申请被驳回).
        contacted: whose callers the unit spoke with.
        called_back: as printed; absent, the sum of the four answers.
        satisfied, so_so, no_opinion, unsatisfied: what those called back said.
        on_time_percent, contacted_percent, satisfied_percent: as printed.
    """

    orders: Count
    on_time: Count | None = None
    returned: Count | None = None
    contacted: Count | None = None
    called_back: Count | None = None
    satisfied: Count | None = None
    so_so: Count | None = None
    no_opinion: Count | None = None
    unsatisfied: Count | None = None
    on_time_percent: Percent | None = None
    contacted_percent: Percent | None = None
    satisfied_percent: Percent | None = None


class Unit(UnitCounts):
    """A unit's row."""

    name: Text


class Units(Section):
    """The table of units. ``total``: its last row as printed; absent, the sums."""

    rows: Annotated[tuple[Unit, ...], Field(max_length=1000)]
    total: UnitCounts | None = None


class Score(Section):
    """A sub-centre's place, as ``hotline score`` gives it.

    Attributes:
        scores: group -> part -> points: the cells, if they are known.
        groups: the weighted groups that make ``total``, by their names.
    """

    rank: Annotated[int, Field(ge=1, le=10_000)]
    name: Text
    scores: dict[str, dict[str, Points]] = Field(default_factory=dict)
    groups: dict[str, Points] = Field(default_factory=dict)
    total: Points


class DialResult(Section):
    """What came of test calls (拨测) to one number or unit. ``answered_percent``: as printed."""

    name: Text
    calls: Count
    answered: Count
    answered_percent: Percent | None = None
    within: Count | None = None
    mean_seconds: Seconds | None = None
    longest_seconds: Seconds | None = None


class Knowledge(Section):
    """Answers by the knowledge base: ``answered`` of ``asked`` questions."""

    asked: Count
    answered: Count
    entries: Count | None = None
    added: Count | None = None


class Case(Section):
    """A selected case (典型案例). Whoever writes it leaves names out; numbers of persons are masked."""

    title: Text
    text: Lines
    unit: Text | None = None


class Sections(Section):
    """All that a report may hold, and that a data file may give."""

    phone: Phone | None = None
    accepted: Accepted | None = None
    channels: Breakdown | None = None
    types: Breakdown | None = None
    topics: Breakdown | None = None
    trend: Annotated[tuple[TrendPoint, ...], Field(max_length=24)] = ()
    units: Units | None = None
    scores: Annotated[tuple[Score, ...], Field(max_length=500)] = ()
    test_calls: Annotated[tuple[DialResult, ...], Field(max_length=500)] = ()
    seats: Annotated[tuple[Counted, ...], Field(max_length=100)] = ()
    knowledge: Knowledge | None = None
    cases: Annotated[tuple[Case, ...], Field(max_length=50)] = ()


class FileSection(Sections):
    """A data file. ``period`` says which report it is for: 2026-10, 2026-W41 or 2026-10-05."""

    period: str


class SampleCall(Section):
    """A call of a topic. ``said``: its utterances with the words, what could name a person masked."""

    at: datetime
    line: str
    said: tuple[str, ...]


class Topic(Section):
    """Calls in which words were said (专题).

    Attributes:
        words: what was searched for.
        complete: whether all such calls were looked at; there may be too many.
        catching_up: the search does not know the newest or oldest texts yet.
        days: calls of each day, also of those without any.
        types, lines, places, heard: of those calls: what they wanted, which line they called, places they
            named (without house numbers), and the phrases that told what they were about.
    """

    words: str
    calls: Count
    complete: bool
    catching_up: bool
    days: tuple[Counted, ...]
    types: tuple[Counted, ...] = ()
    lines: tuple[Counted, ...] = ()
    places: tuple[Counted, ...] = ()
    heard: tuple[Counted, ...] = ()
    samples: tuple[SampleCall, ...] = ()


class SurveyCounts(Section):
    """Callers asked after the talk how satisfied they are. ``answers``: by key, from 5 to 1.

    ``depth``: of a line, how many lines it is under.
    """

    label: Annotated[str, Field(max_length=80)] = ""
    name: Annotated[str, Field(max_length=80)] = ""
    depth: int = 0
    asked: Count
    answers: Annotated[tuple[Count, ...], Field(min_length=5, max_length=5)]

    @property
    def answered(self) -> int:
        """Who pressed one of the keys."""
        return sum(self.answers)

    @property
    def satisfied(self) -> int:
        """Very satisfied and satisfied."""
        return sum(self.answers[:2])


class Surveys(Section):
    """What callers said after the talk; ``previous``: the whole of the period before."""

    total: SurveyCounts
    previous: SurveyCounts | None = None
    lines: tuple[SurveyCounts, ...] = ()


class ReportData(Sections):
    """One report's figures.

    Attributes:
        timezone: of the site: days are its days.
        until: the moment of gathering, if the period was not over yet.
        surveys: what callers said after the talk, of our own ledger.
        scheme: what ``scores`` were worked out by, if it is known.
        sources: section -> where it comes from, for every section that is there.
        origins: section -> the file that it was imported in, and when.
        remarks: what is missing in imported sections, and where imports contradict one another.
    """

    site: str
    timezone: str = "Asia/Shanghai"
    until: datetime | None = None
    period: Period
    cards: CardLimits = CardLimits()
    topic: Topic | None = None
    surveys: Surveys | None = None
    scheme: Scheme | None = None
    topics_shown: int = 10
    zero_over_zero: Literal["dash", "zero"] = "dash"
    sources: dict[str, Source] = Field(default_factory=dict)
    origins: dict[str, str] = Field(default_factory=dict)
    remarks: tuple[str, ...] = ()
