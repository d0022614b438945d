"""Measures against counts done by hand: variants, rounding, groups, the calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.config.schema import Agent, FiguresSection, Line, Queue, Site
from hotline.core.clock import ManualClock
from hotline.core.errors import UsageError
from hotline.core.events import Outcome
from hotline.core.figures import Dimension, Grain, MeasureUnit
from hotline.core.views import LineFigures
from hotline.metrics.figures import OF_A_LINE, line_figures
from hotline.metrics.measures.calendar import edges, midnight
from hotline.metrics.measures.catalogue import measures_of
from hotline.metrics.measures.summing import Summing
from hotline.metrics.measures.values import change, figure, half_up, published
from hotline.store.counts import COUNTS
from hotline.store.wanted import Tally, Wanted

SITE = Site(
    lines=(
        Line(id="12345", name="热线", dids=("12345",)),
        Line(id="12315", name="市场监管", dids=("12315",)),
        Line(id="12358", name="原物价", parent="12315", queue="12315"),
        Line(id="12365-1", name="原质监", parent="12358", queue="12315"),
    ),
    queues=(Queue(name="12345", title="综合"), Queue(name="12315", title="消费维权")),
    agents=(
        Agent(id="a1", name="陈", extension="8001", skills={"12345": 1, "12315": 2}),
        Agent(id="a2", name="李", extension="8002", skills={"12315": 1}),
    ),
)
TWENTY = {
    "offered": 20, "closed": 20, "closed_but_short": 19, "answered": 17, "answered_within": 15,
    "abandoned": 2, "short_abandon": 1, "wait_ms": 102_000,
}  # fmt: skip
AT = datetime(2026, 11, 2, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def shown(sums: dict[str, int], site: FiguresSection | None = None) -> LineFigures:
    measures = measures_of(site or FiguresSection())
    return line_figures(sums, measures, line="12315", name="市场监管", parent=None)


def test_the_rates_of_one_line_by_hand() -> None:
    """20 offered: 17 answered (15 in time, 102 s waited in all), 2 abandoned, 1 short."""
    figures = shown(TWENTY)
    assert figures.offered == 20
    assert figures.answer_rate == 17 / 20 and figures.within_rate == 15 / 20
    assert figures.asa_seconds == 6.0


def test_a_site_may_leave_short_abandons_out_and_count_over_the_answered() -> None:
    """The choices in which cities differ change the rates and their printed formulas, and nothing else."""
    site = FiguresSection(exclude_short_abandons=True, within_over="answered")
    figures = shown(TWENTY, site)
    assert figures.offered == 20
    assert figures.answer_rate == 17 / 19 and figures.within_rate == 15 / 17
    usual, own = measures_of(FiguresSection()), measures_of(site)
    assert published(usual["abandon_rate"], TWENTY) == Decimal("15.00")  # 3 of 20
    assert published(own["abandon_rate"], TWENTY) == Decimal("10.53")  # 2 of 19
    assert usual["abandon_rate"].formula == "(放弃量 + 短时放弃量) / 已离队"
    assert own["abandon_rate"].formula == "放弃量 / 已离队（不含短时放弃）"
    assert own["within_rate"].formula_en == "answered within the norm / answered by a person"


def test_nothing_over_nothing_is_printed_as_the_site_wants_it() -> None:
    """0/0 is neither 0 % nor 100 %; a city that prints 0.00 % may, of rates alone."""
    figures = shown({})
    assert (figures.answer_rate, figures.within_rate, figures.asa_seconds) == (None, None, None)
    measures = measures_of(FiguresSection())
    texts = [
        figure(measures[one], {}, FiguresSection(zero_over_zero=choice)).text
        for one in ("answer_rate", "asa", "offered")
        for choice in ("dash", "zero")
    ]
    assert texts == ["—", "0.00 %", "—", "—", "0", "0"]


@given(st.fractions(min_value=-1000, max_value=1000))
def test_figures_are_rounded_half_up(value: Fraction) -> None:
    """To two decimals, as decimals of any precision are; never by way of a float."""
    exact = Decimal(value.numerator * 10**40 // value.denominator).scaleb(-40)
    if value.denominator in (1, 2, 4, 5, 8, 10, 20, 40, 200):  # a finite decimal: halves count
        assert half_up(value, Decimal("0.01")) == exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert abs(Fraction(half_up(value, Decimal("0.01"))) - value) <= Fraction(1, 200)


def test_halves_go_up_where_floats_do_not() -> None:
    """1/800 is 0.125 %, which a float rounds down and a report up; 2.675 s likewise."""
    measures = measures_of(FiguresSection())
    assert published(measures["answer_rate"], {"answered": 1, "closed": 800}) == Decimal("0.13")
    assert published(measures["asa"], {"wait_ms": 2675, "answered": 1}) == Decimal("2.68")
    assert round(2.675, 2) == 2.67


def test_rates_change_in_points_and_counts_in_percent() -> None:
    """环比 of a rate is a difference of what was published; of a count it is relative."""
    assert change(MeasureUnit.PERCENT, Decimal("94.84"), Decimal("95.10")) == (
        Decimal("-0.26"),
        "-0.26 个百分点",
    )
    assert change(MeasureUnit.COUNT, Decimal(27776), Decimal(23740)) == (Decimal("17.00"), "+17.00 %")
    assert change(MeasureUnit.COUNT, Decimal(3), Decimal(0)) == (None, "—")
    assert change(MeasureUnit.PERCENT, None, Decimal("1.00")) == (None, "—")


def test_every_measure_is_made_of_counts_of_one_table_a_side() -> None:
    """Only then its rows can be listed; and its unit fits what it counts."""
    for measure in measures_of(FiguresSection()).values():
        for side in (measure.numerator, measure.denominator):
            assert len({count.origin for count in side}) <= 1, measure.id
        assert measure.unit is not MeasureUnit.SECONDS or measure.numerator[0].unit.value == "milliseconds"
    assert len({count.id for count in COUNTS}) == len(COUNTS)


Row = tuple[str, Outcome | None, int]


class Rows:
    """Rows of one moment: line (or agent) and class."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows

    async def tallies(self, wanted: Sequence[Wanted]) -> list[Tally]:
        return [self._tally(one) for one in wanted]

    def _tally(self, wanted: Wanted) -> Tally:
        found: Tally = {}
        for value, outcome, number in self.rows:
            sums = found.setdefault((0, (value,) if wanted.by else ()), {})
            classes = [
                "offered",
                outcome.value if outcome else "still_open",
                *(["closed"] if outcome else []),
            ]
            for name in classes:
                sums[name] = sums.get(name, 0) + number
        return found


async def figures_by(dimension: Dimension, rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    summing = Summing(SITE, Rows(rows), ManualClock(AT))
    (found,) = await summing.sums(OF_A_LINE, [(AT, AT + timedelta(days=1))], dimension)
    return {key: sums for key, (sums,) in found.groups.items()} | {"total": found.total[0]}


async def test_a_caller_who_still_waits_is_offered_but_in_no_rate() -> None:
    """The rate does not fall while people wait, only when they give up."""
    found = await figures_by(Dimension.LINE, [("12345", Outcome.ANSWERED, 3), ("12345", None, 2)])
    total = shown(found["total"])
    assert (total.offered, total.still_open, total.answer_rate) == (5, 2, 1.0)


async def test_a_parent_sums_its_children_and_the_total_counts_each_row_once() -> None:
    """12315 holds 12358 and 12365-1; the whole hotline does not count them twice."""
    rows = [
        ("12315", Outcome.ANSWERED, 10),
        ("12358", Outcome.ABANDONED, 4),
        ("12365-1", Outcome.ANSWERED, 1),
        ("12345", Outcome.ANSWERED, 5),
    ]
    found = await figures_by(Dimension.LINE, rows)
    assert (found["12315"]["offered"], found["12315"]["answered"]) == (15, 11)
    assert found["12358"]["offered"] == 5 and found["12345"]["offered"] == 5
    assert found["total"]["offered"] == 20


async def test_an_agent_of_two_skills_counts_in_both() -> None:
    """A skill's figures are those of everybody who has it; the total counts each row once."""
    found = await figures_by(Dimension.SKILL, [("a1", Outcome.ANSWERED, 3), ("a2", Outcome.ANSWERED, 4)])
    assert {key: sums["answered"] for key, sums in found.items()} == {"12345": 3, "12315": 7, "total": 7}


async def test_rows_of_a_line_that_the_site_dropped_are_still_shown() -> None:
    """Changing the site file makes no call vanish."""
    found = await figures_by(Dimension.LINE, [("12329", Outcome.ANSWERED, 7)])
    assert found["12329"]["offered"] == found["total"]["offered"] == 7


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["12345", "12315", "12358", "12365-1", "gone"]),
            st.sampled_from([*Outcome, None]),
            st.integers(0, 1000),
        )
    )
)
async def test_offered_always_equals_the_sum_of_its_classes(
    rows: list[Row],
) -> None:
    """For any rows, in every line and in the total."""
    found = await figures_by(Dimension.LINE, rows)
    for sums in found.values():
        figures = shown(sums)
        assert figures.offered == sum(figures.outcomes.values()) + figures.still_open
        assert figures.answer_rate is None or 0 <= figures.answer_rate <= 1
    assert found["total"].get("offered", 0) == sum(number for _, _, number in rows)


def days(zone: ZoneInfo, *wanted: str) -> tuple[datetime, ...]:
    return tuple(midnight(zone, date.fromisoformat(day)) for day in wanted)


def test_periods_are_cut_by_the_sites_calendar() -> None:
    """Months and weeks begin where they do there; what is left over at both ends stays."""
    start, end = days(SHANGHAI, "2026-01-20", "2026-04-10")
    assert edges(SHANGHAI, start, end, Grain.MONTH) == days(
        SHANGHAI, "2026-01-20", "2026-02-01", "2026-03-01", "2026-04-01", "2026-04-10"
    )
    assert edges(SHANGHAI, start, end, Grain.QUARTER) == days(
        SHANGHAI, "2026-01-20", "2026-04-01", "2026-04-10"
    )
    start, end = days(SHANGHAI, "2026-11-04", "2026-11-20")
    weeks = edges(SHANGHAI, start, end, Grain.WEEK)
    assert weeks == days(SHANGHAI, "2026-11-04", "2026-11-09", "2026-11-16", "2026-11-20")
    assert edges(SHANGHAI, start, end, None) == (start, end)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Asia/Kathmandu", "2026-11-02", 24),
    ],
)
def test_a_day_has_the_hours_that_it_has(zone: str, day: str, hours: int) -> None:
    """Also where the clock is changed, or is not whole hours from Greenwich."""
    here = ZoneInfo(zone)
    (start,) = days(here, day)
    end = midnight(here, date.fromisoformat(day) + timedelta(days=1))
    cut = edges(here, start, end, Grain.HOUR)
    assert len(cut) - 1 == hours
    assert {after - before for before, after in pairwise(cut)} == {timedelta(hours=1)}
    assert len(edges(here, start, end, Grain.QUARTER_HOUR)) - 1 == hours * 4


def test_too_many_points_and_empty_periods_are_refused() -> None:
    """With what to do instead."""
    start, end = days(SHANGHAI, "2026-01-01", "2027-01-01")
    with pytest.raises(UsageError, match="points"):
        edges(SHANGHAI, start, end, Grain.HOUR)
    with pytest.raises(UsageError, match="empty"):
        edges(SHANGHAI, end, start, None)
