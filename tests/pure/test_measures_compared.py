"""What figures are compared with: parts of the calendar, whole and so far."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from hotline.config.loading import load_site
from hotline.config.samples import path as sample
from hotline.core.clock import ManualClock
from hotline.core.errors import UsageError
from hotline.core.figures import Comparison, CountSide, Dimension, FigureQuestion, FigureRow, Grain
from hotline.metrics.measures.answering import Answers
from hotline.metrics.measures.calendar import Shift, midnight
from hotline.metrics.measures.summing import Summing, together
from hotline.store.count_rows import Behind
from hotline.store.counts import COUNT
from hotline.store.wanted import Tally, Wanted, add

SHANGHAI = ZoneInfo("Asia/Shanghai")
SITE = load_site(sample("demo"), {})


def days(*wanted: str) -> tuple[datetime, ...]:
    return tuple(midnight(SHANGHAI, date.fromisoformat(day)) for day in wanted)


@pytest.mark.parametrize(
    ("first", "last", "part", "to", "then"),
    [
        ("2026-03-01", "2026-04-01", None, Comparison.BEFORE, ("2026-02-01", "2026-03-01")),
        ("2026-01-01", "2026-04-01", None, Comparison.BEFORE, ("2025-10-01", "2026-01-01")),
        ("2026-03-02", "2026-03-09", None, Comparison.BEFORE, ("2026-02-23", "2026-03-02")),
        ("2026-03-03", "2026-03-06", None, Comparison.BEFORE, ("2026-02-28", "2026-03-03")),
        # so far: the same days of the part of the calendar that it begins
        ("2026-11-01", "2026-11-21", None, Comparison.BEFORE, ("2026-10-01", "2026-10-21")),
        ("2026-03-01", "2026-03-31", None, Comparison.BEFORE, ("2026-02-01", "2026-03-01")),
        ("2026-11-16", "2026-11-19", None, Comparison.BEFORE, ("2026-11-09", "2026-11-12")),
        ("2026-11-16", "2026-11-19", None, Comparison.YEAR_BEFORE, ("2025-11-17", "2025-11-20")),
        ("2026-10-01", "2026-11-21", None, Comparison.BEFORE, ("2026-07-01", "2026-08-21")),
        ("2026-01-01", "2026-11-21", None, Comparison.BEFORE, ("2025-01-01", "2025-11-21")),
        ("2026-01-01", "2026-01-16", Grain.YEAR, Comparison.BEFORE, ("2025-01-01", "2025-01-16")),
        ("2026-01-01", "2026-03-01", None, Comparison.BEFORE, ("2025-11-01", "2026-01-01")),
        ("2026-06-01", "2026-06-02", None, Comparison.BEFORE, ("2026-05-31", "2026-06-01")),
        ("2026-06-01", "2026-06-03", None, Comparison.BEFORE, ("2026-05-25", "2026-05-27")),
        ("2026-06-01", "2026-06-03", Grain.MONTH, Comparison.BEFORE, ("2026-05-01", "2026-05-03")),
        ("2026-03-01", "2026-03-20", Grain.MONTH, Comparison.BEFORE, ("2026-02-01", "2026-02-20")),
        ("2026-03-02", "2026-03-03", Grain.DAY, Comparison.BEFORE, ("2026-03-01", "2026-03-02")),
        ("2026-03-01", "2026-04-01", None, Comparison.YEAR_BEFORE, ("2025-03-01", "2025-04-01")),
        ("2028-02-29", "2028-03-01", Grain.DAY, Comparison.YEAR_BEFORE, ("2027-03-01", "2027-03-01")),
        ("2026-11-02", "2026-11-09", Grain.WEEK, Comparison.YEAR_BEFORE, ("2025-11-03", "2025-11-10")),
    ],
)
def test_what_a_period_is_compared_with(
    first: str, last: str, part: Grain | None, to: Comparison, then: tuple[str, str]
) -> None:
    """环比: the part before from its beginning, else as long before; 同比: a year before, weeks by day."""
    start, end = days(first, last)
    shift = Shift(SHANGHAI, start, end, part, to)
    assert (shift(start), shift(end)) == days(*then)


class Calls:
    """Calls at these moments."""

    def __init__(self, *moments: str) -> None:
        self.moments = [datetime.fromisoformat(one).replace(tzinfo=SHANGHAI) for one in moments]

    async def tallies(self, wanted: Sequence[Wanted]) -> list[Tally]:
        return [self._tally(one) for one in wanted]

    def _tally(self, wanted: Wanted) -> Tally:
        found: Tally = {}
        for moment in self.moments:
            if wanted.edges[0] <= moment < wanted.edges[-1]:
                add(found, wanted.bucket(moment), (), [("calls", 1)])
        return found

    async def rows(self, wanted: Behind, *, limit: int, after: str | None) -> tuple[list[FigureRow], None]:
        return [], None


NOW = datetime(2026, 11, 22, 14, 30, tzinfo=SHANGHAI)
SO_FAR = Calls(
    "2026-11-01T08:00", "2026-11-21T08:00", "2026-11-22T09:00",
    "2026-10-01T00:00", "2026-10-22T14:29", "2026-10-22T14:30", "2026-10-31T08:00",
    "2025-11-22T08:00", "2025-11-22T20:00", "2026-11-21T15:00",
)  # fmt: skip


def asked(first: str, last: str, grain: Grain | None = None, part: Grain | None = None) -> FigureQuestion:
    start, end = days(first, last)
    return FigureQuestion("calls", start, end, grain, compare=tuple(Comparison), part_of=part)


@pytest.mark.parametrize("last", ["2026-11-23", "2026-12-01"])
async def test_this_month_is_compared_with_as_much_of_another(last: str) -> None:
    """Up to the same day and time, whether the question ends today or with the month; and it says so."""
    answers = Answers(SITE, SO_FAR, ManualClock(NOW))
    told = await answers.explain(asked("2026-11-01", last), CountSide.NUMERATOR, limit=1)
    assert told.figure.numerator == 4
    before, year_before = (told.changes[to] for to in Comparison)
    start = datetime(2026, 10, 1, tzinfo=SHANGHAI)
    assert (before.start, before.end) == (start, datetime(2026, 10, 22, 14, 30, tzinfo=SHANGHAI))
    assert before.until == year_before.until == NOW
    assert (before.figure.numerator, before.text) == (2, "+100.00 %")
    assert year_before.figure.numerator == 1


async def test_a_day_that_goes_on_is_compared_with_as_much_of_the_day_before() -> None:
    """Days that are over with whole ones; days to come show the other period's figure, and no change."""
    answers = Answers(SITE, SO_FAR, ManualClock(NOW))
    found = await answers.answer(asked("2026-11-21", "2026-11-25", Grain.DAY))
    changes = [point.changes[Comparison.BEFORE] for point in found.total.points]
    told = [(one.figure.numerator, one.text) for one in changes]
    assert told == [(0, "—"), (1, "+0.00 %"), (1, "—"), (0, "—")]
    assert changes[1].end == datetime(2026, 11, 21, 14, 30, tzinfo=SHANGHAI)
    assert [point.figure.numerator for point in found.total.points] == [2, 1, 0, 0]


async def test_a_period_is_taken_for_what_it_is_said_to_be() -> None:
    """本年 in January, and 本月 that began on a Monday; what cannot be is refused."""
    answers = Answers(SITE, SO_FAR, ManualClock(datetime(2026, 6, 3, 12, tzinfo=SHANGHAI)))
    found = await answers.answer(asked("2026-06-01", "2026-06-04", part=Grain.MONTH))
    (point,) = found.total.points
    assert point.changes[Comparison.BEFORE].end == datetime(2026, 5, 3, 12, tzinfo=SHANGHAI)
    for part in (Grain.YEAR, Grain.HOUR):
        with pytest.raises(UsageError, match="beginning"):
            await answers.answer(asked("2026-06-01", "2026-06-04", part=part))


async def test_periods_that_are_counted_together_have_their_own_sums() -> None:
    """Overlapping ones, however they are cut, get what each gets when it is asked for alone."""
    dice = Random(5)
    start, hour = days("2026-03-01")[0], timedelta(hours=1)
    moments = [start + dice.randrange(60 * 24) * timedelta(minutes=1) for _ in range(400)]

    class Moments:
        """Counts moments; an agent for each minute of the hour."""

        async def tallies(self, wanted: Sequence[Wanted]) -> list[Tally]:
            sizes.append(len(wanted))
            found: list[Tally] = [{} for _ in wanted]
            for tally, one in zip(found, wanted, strict=True):
                for moment in moments:
                    if one.edges[0] <= moment < one.edges[-1]:
                        key = (str(moment.minute),) if one.by else ()
                        add(tally, one.bucket(moment), key, ((count.id, 1) for count in one.counts))
            return found

    sizes: list[int] = []
    summing = Summing(SITE, Moments(), ManualClock(start + 48 * hour))
    counts = [COUNT["answered"]]
    for _ in range(60):
        periods = []
        for _ in range(3):
            first, step = dice.randrange(24), dice.choice((0.5, 1, 2))
            edges = [start + hour * (first + step * at) for at in range(dice.randrange(2, 9))]
            if dice.random() < 0.3:
                edges[-1] -= timedelta(minutes=dice.randrange(30))  # now, in the middle of a part
            if dice.random() < 0.2:
                edges.insert(1, edges[1])  # a day that there was not
            periods.append(tuple(edges))
        found = await summing.sums(counts, periods, Dimension.AGENT)
        assert found == [(await summing.sums(counts, [one], Dimension.AGENT))[0] for one in periods]
    assert min(sizes[::4]) < 6, "some were counted together"


def test_a_year_and_the_months_before_are_thirteen_months() -> None:
    """Each row is then added up once."""
    months = days(*(f"2026-{month:02}-01" for month in range(1, 13)), "2027-01-01")
    before = days("2025-12-01", *(f"2026-{month:02}-01" for month in range(1, 13)))
    assert together([months, before]) == ([(before[0], *months)], [(0, 1), (0, 0)])
