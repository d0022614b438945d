"""What the history page can ask for of a year: some charts by name, and every kind of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from bench.year_data import DAYS, START
from hotline.agent_console.wire import dump, to_json
from hotline.core.figures import Comparison, Dimension, FigureAnswer, FigureQuestion, Grain
from hotline.metrics.measures.answering import Answers

END: Final = START + timedelta(days=DAYS)
NOW: Final = END + timedelta(hours=1)
ZONE: Final = ZoneInfo("Asia/Shanghai")
BOTH: Final = tuple(Comparison)
YEAR: Final = (START, END)
HEAT_DAYS: Final = 100  # of a piece of the page's heat map


def days(first: date, number: int) -> tuple[datetime, datetime]:
    """A period of whole days."""
    start = datetime(first.year, first.month, first.day, tzinfo=ZONE)
    return start, start + timedelta(days=number)


OCTOBER: Final = days(date(2025, 10, 1), 31)


@dataclass(frozen=True, slots=True)
class Chart:
    """What is asked for one picture, one question after the other."""

    name: str
    questions: tuple[FigureQuestion, ...]
    by: str = ""
    grain: str = ""


async def looked_at(answers: Answers, chart: Chart) -> list[FigureAnswer]:
    """The answers, also written as browsers get them."""
    found = [await answers.answer(question) for question in chart.questions]
    for one in found:
        dump(to_json(one))
    return found


def chart_of(name: str, question: FigureQuestion) -> Chart:
    """As the page asks: the period as a whole, and cut into parts, but one after the other."""
    whole = replace(question, grain=None)
    by, grain = (one.value if one else "—" for one in (question.by, question.grain))
    return Chart(name, (whole,) if question.grain is None else (whole, question), by, grain)


def heat_map(
    measure: str, period: tuple[datetime, datetime], only: Mapping[Dimension, str] | None = None
) -> Chart:
    """Every hour, in pieces."""
    asked, (first, last) = [], period
    while first < last:
        until = min(last, first + timedelta(days=HEAT_DAYS))
        asked.append(FigureQuestion(measure, first, until, Grain.HOUR, None, only or {}))
        first = until
    of = "".join(f", {dimension.value} {key}" for dimension, key in (only or {}).items())
    return Chart(f"heat map of the year, {measure}{of}", tuple(asked), "—", "heat map")


SPANS: Final = {
    Grain.QUARTER_HOUR: days(date(2025, 10, 13), 4),
    Grain.HOUR: days(date(2025, 10, 13), 16),
    Grain.DAY: YEAR,
    Grain.WEEK: YEAR,
    Grain.MONTH: YEAR,
    Grain.QUARTER: YEAR,
    Grain.YEAR: YEAR,
    None: YEAR,
}
"""The longest periods that the page cuts so: 400 parts."""

AGENTS: Final = {
    Grain.QUARTER_HOUR: days(date(2025, 10, 13), 1),
    Grain.HOUR: days(date(2025, 10, 13), 1),
    Grain.DAY: OCTOBER,
    Grain.WEEK: days(date(2025, 6, 1), 180),
}
"""The same by agent: there are 900 of them, and one answer has room for 36,000 figures."""

SKILLS: Final = {
    Grain.QUARTER_HOUR: days(date(2025, 10, 13), 1),
    Grain.HOUR: days(date(2025, 10, 13), 2),
}
"""The same by skill: rows are counted, of two days at the most."""

ONE_OF_EACH: Final = {
    Dimension.LINE: "12345",
    Dimension.QUEUE: "12345",
    Dimension.LANGUAGE: "zh-CN",
    Dimension.AGENT: "1042",
}
"""The busiest, by which a heat map is narrowed."""

MEASURES: Final = ("answer_rate", "calls", "occupancy")
"""One of each kind of rows: what they are made of is counted in the same statement."""


def every_chart() -> Iterator[Chart]:
    """Each dimension with each grain, compared and not, of one line and of all."""
    for measure in MEASURES:
        for only in ({}, *({dimension: key} for dimension, key in ONE_OF_EACH.items())):
            yield heat_map(measure, YEAR, only)
        for by in (None, *Dimension):
            for grain, span in SPANS.items():
                narrow = {Dimension.AGENT: AGENTS, Dimension.SKILL: SKILLS}.get(by, {}) if by else {}
                period = narrow.get(grain, span) if grain else span
                for compare in ((), BOTH):
                    for only in ({}, {Dimension.LINE: "market"}):
                        asked = FigureQuestion(measure, *period, grain, by, only, compare)
                        beside = ", compared" if compare else ""
                        narrowed = ", of one line" if only else ""
                        yield chart_of(f"{measure}{narrowed}{beside}", asked)


CHARTS: Final = (
    chart_of("answer rate of the year by day", FigureQuestion("answer_rate", *YEAR, Grain.DAY)),
    chart_of("answered by line and month", FigureQuestion("answered", *YEAR, Grain.MONTH, Dimension.LINE)),
    chart_of(
        "15 s rate by queue and week", FigureQuestion("within_rate", *YEAR, Grain.WEEK, Dimension.QUEUE)
    ),
    chart_of(
        "offered by line and hour of 16 days",
        FigureQuestion("offered", *SPANS[Grain.HOUR], Grain.HOUR, Dimension.LINE),
    ),
    chart_of(
        "offered by quarter hour of 4 days",
        FigureQuestion("offered", *SPANS[Grain.QUARTER_HOUR], Grain.QUARTER_HOUR),
    ),
    chart_of("calls by month, beside others", FigureQuestion("calls", *YEAR, Grain.MONTH, compare=BOTH)),
    chart_of("calls by language and month", FigureQuestion("calls", *YEAR, Grain.MONTH, Dimension.LANGUAGE)),
    chart_of("handling time by agent, October", FigureQuestion("aht", *OCTOBER, None, Dimension.AGENT)),
    chart_of("answered by agent and month", FigureQuestion("answered", *YEAR, Grain.MONTH, Dimension.AGENT)),
    chart_of("answered by skill and month", FigureQuestion("answered", *YEAR, Grain.MONTH, Dimension.SKILL)),
    chart_of(
        "answered by skill and hour of 2 days",
        FigureQuestion("answered", *SKILLS[Grain.HOUR], Grain.HOUR, Dimension.SKILL),
    ),
    chart_of(
        "an agent's answered of the year by day",
        FigureQuestion("answered", *YEAR, Grain.DAY, None, {Dimension.AGENT: "1042"}),
    ),
    chart_of("occupancy of the year by week", FigureQuestion("occupancy", *YEAR, Grain.WEEK)),
    chart_of("occupancy by agent, October", FigureQuestion("occupancy", *OCTOBER, None, Dimension.AGENT)),
    heat_map("offered", YEAR),
)
