"""The forecast of calls: kinds of day, steps, storms, outages, growth, and what it says of its own errors."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from bench.staff_histories import WORLDS, World, made_up
from hotline.config.loading import load_site
from hotline.config.samples import path as sample
from hotline.config.shifts import Roster, parse_roster
from hotline.core.staffing import TooLittleHistory
from hotline.metrics.staffing.backtest import backtest, errors
from hotline.metrics.staffing.calendar import Day, DayKind, day_of
from hotline.metrics.staffing.forecast import Floats, History, forecast
from hotline.metrics.staffing.planned import planned_agents

FIRST = date(2025, 11, 3)  # a Monday; 98 days on there is Spring Festival
WEEK = (1.1, 1.0, 1.0, 1.0, 0.9, 0.6, 0.5)


def ordinary(days: int, first: date = FIRST) -> list[Day]:
    """Days that go by their weekday, whatever the calendar says."""
    return [Day(first + timedelta(days=number), DayKind.ORDINARY) for number in range(days)]


def steady(days: list[Day], calls: float = 1000) -> Floats:
    """Calls that follow the weekday exactly, all between eight and eighteen o'clock."""
    shape = np.zeros(96)
    shape[32:72] = 1 / 40
    return np.array([calls * WEEK[one.day.weekday()] * shape for one in days])


def next_week(history: History) -> list[Day]:
    return ordinary(7, history.days[-1].day + timedelta(days=1))


def days_off(history: History, truth: Floats) -> Floats:
    """By how much the next week's days are expected wrongly, as shares."""
    expected = forecast(history, next_week(history))
    return np.asarray(np.abs(expected.sum(axis=1) / truth.sum(axis=1) - 1))


def test_a_steady_week_is_expected_again() -> None:
    """Where every week is alike, so is the next: days within a half percent, quarter hours in their place."""
    days = ordinary(70)
    history = History(days, steady(days))
    coming = next_week(history)
    assert days_off(history, steady(coming)).max() < 0.005
    assert errors(steady(coming), forecast(history, coming)).wape < 0.05


def test_the_calendar_knows_holidays_and_worked_weekends() -> None:
    """National Day, its worked Saturday, an ordinary weekend; beyond the published years it says so."""
    kinds = [day_of(date(2026, 10, number)).kind for number in (1, 4, 10, 11, 12)]
    assert kinds == ["holiday", "holiday", "made_up", "ordinary", "ordinary"]
    far = day_of(date(2060, 10, 1))
    assert (far.kind, far.published) == (DayKind.ORDINARY, False)


def test_holidays_and_worked_weekends_are_learned() -> None:
    """Holidays that brought a third of a Sunday, and worked Saturdays like Mondays, are expected so again."""
    days = ordinary(100)
    for number in (30, 31, 32, 60, 61):
        days[number] = Day(days[number].day, DayKind.HOLIDAY)
    for number in (40, 68):  # Saturdays
        days[number] = Day(days[number].day, DayKind.MADE_UP)
    calls = steady(days)
    for number, one in enumerate(days):
        factor = {DayKind.HOLIDAY: WEEK[6] / 3, DayKind.MADE_UP: WEEK[0]}.get(one.kind)
        if factor is not None:
            calls[number] *= factor / WEEK[one.day.weekday()]
    wednesday, saturday = days[-1].day + timedelta(days=6), days[-1].day + timedelta(days=2)
    asked = [Day(wednesday, DayKind.HOLIDAY), Day(saturday, DayKind.MADE_UP)]
    holiday, worked = forecast(History(days, calls), asked).sum(axis=1)
    assert holiday == pytest.approx(1000 * WEEK[6] / 3, rel=0.3)
    assert worked == pytest.approx(1000 * WEEK[0], rel=0.1)


def test_a_holiday_without_example_is_a_sunday() -> None:
    """Until there were holidays, one is expected to be like a Sunday, a worked weekend like a working day."""
    days = ordinary(70)
    coming = next_week(History(days, steady(days)))
    asked = [Day(coming[2].day, DayKind.HOLIDAY), Day(coming[5].day, DayKind.MADE_UP)]
    holiday, worked = forecast(History(days, steady(days)), asked).sum(axis=1)
    assert holiday == pytest.approx(500, rel=0.02)
    assert worked == pytest.approx(1000, rel=0.02)


def test_a_step_is_the_new_level_after_four_days() -> None:
    """A line merged on Thursday: what was before no longer counts on the next Monday."""
    days = ordinary(74)
    calls = steady(days)
    calls[70:] *= 1.4
    history = History(days, calls)
    assert days_off(history, 1.4 * steady(next_week(history))).max() < 0.05


def test_a_storm_is_forgotten() -> None:
    """Two days of twice the calls, a week ago, change next week by less than three percent."""
    days = ordinary(70)
    calls = steady(days)
    calls[60:62] *= 2
    history = History(days, calls)
    assert days_off(history, steady(next_week(history))).max() < 0.03


def test_an_outage_is_not_taken_for_calls_that_did_not_come() -> None:
    """Half of yesterday and a whole day last week without a row: next week is as before."""
    days = ordinary(70)
    calls = steady(days)
    calls[69, 40:] = 0
    calls[62] = 0
    history = History(days, calls)
    assert days_off(history, steady(next_week(history))).max() < 0.03


def two_years(seasons: dict[int, float]) -> tuple[History, Floats]:
    """728 days, the last 182 by quarter hour, and the week four weeks on; seasons last 28 days."""
    days = ordinary(728 + 28)
    calls = steady(days)
    for first, factor in seasons.items():
        calls[first : first + 28] *= factor
    known = slice(546, 728)
    return History(days[known], calls[known], days[:546], calls[:546].sum(axis=1)), calls[749:]


def test_the_time_of_year_comes_again() -> None:
    """A busy month that came at the same time of both years is expected a third time, four weeks ahead."""
    past, truth = two_years({100: 1.6, 464: 1.6, 380: 1.5, 728 + 16: 1.5})
    ahead = ordinary(7, FIRST + timedelta(days=749))
    assert forecast(past, ahead).sum() == pytest.approx(truth.sum(), rel=0.1)
    alone = forecast(replace(past, earlier=(), earlier_calls=np.zeros(0)), ahead)
    assert alone.sum() < 0.75 * truth.sum()


def test_what_came_in_one_year_only_is_no_season() -> None:
    """A busy month of last year that this year does not know, and years that have nothing in common."""
    past, _ = two_years({100: 1.6, 500: 1.6, 380: 1.5})
    ahead = ordinary(7, FIRST + timedelta(days=749))
    alone = forecast(replace(past, earlier=(), earlier_calls=np.zeros(0)), ahead)
    assert forecast(past, ahead).sum() == pytest.approx(alone.sum(), rel=0.05)


def test_growth_goes_on() -> None:
    """One percent more every day: the next days are expected above the last ones, and not far off."""
    days = ordinary(70)
    growth = 1.01 ** np.arange(77)
    history = History(days, steady(days) * growth[:70, None])
    assert days_off(history, steady(next_week(history)) * growth[70:, None]).max() < 0.06


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_made_up_years_are_expected_better_than_as_the_week_before(world: World) -> None:
    """Over eight weeks with holidays its errors are smaller, and it is hardly ever off to one side."""
    told = backtest(made_up(world, seed=3))
    assert told is not None and told.weeks == 8
    assert told.ours.wape < 0.95 * told.naive.wape
    assert told.ours.day_wape < told.naive.day_wape
    assert abs(told.ours.bias) < 0.08


def test_errors_are_what_they_say() -> None:
    """Ten too many and thirty too few of a hundred: 40 % off, 20 % to the low side, whole days 20 %."""
    truth, expected = np.array([[40.0, 60.0]]), np.array([[50.0, 30.0]])
    told = errors(truth, expected)
    assert (told.wape, told.bias, told.day_wape) == pytest.approx((0.4, -0.2, 0.2))


def test_too_little_history_is_refused() -> None:
    """Thirteen days, or days without a call, tell nothing: with what to do about it."""
    days = ordinary(13)
    for history in (
        History(days, steady(days)),
        History(ordinary(20), np.zeros((20, 96))),
        History((), np.zeros((0, 96))),
    ):
        with pytest.raises(TooLittleHistory, match="too few for a forecast") as caught:
            forecast(history, ordinary(1))
        assert "queue-log import" in caught.value.hint
    assert backtest(History(days, steady(days))) is None


@pytest.mark.parametrize("calls", [0.5, 3.0, 20.0])
def test_a_hardly_used_line_is_expected_too(calls: float) -> None:
    """A call now and then: the sum of the week comes out, and no quarter hour is negative or absurd."""
    days = ordinary(84)
    chance = np.random.default_rng(1)
    history = History(days, chance.poisson(steady(days, calls)).astype(float))
    expected = forecast(history, next_week(history))
    assert np.isfinite(expected).all() and expected.min() >= 0 and expected.max() < calls
    assert 0.3 * 7 * calls < expected.sum() < 2 * 7 * calls


def test_shifts_count_for_whole_quarter_hours() -> None:
    """The full sample's roster day: night shifts reach into the day, swaps of the table count."""
    site = load_site(sample("full"), {})
    monday = date(2026, 11, 30)
    everybody = planned_agents(site, Roster(), monday, None)
    assert [everybody[hour * 4] for hour in (7, 8, 9, 15, 16, 23)] == [0, 3, 4, 4, 3, 2]
    roster = parse_roster(
        f"date,agent,from,to\n{monday},8001,20:00,04:00\n{monday},8002,,\n{monday},8004,08:40,12:10\n",
        {agent.id for agent in site.agents},
        "table",
    )
    changed = planned_agents(site, roster, monday, None)
    assert [changed[place] for place in (32, 34, 35, 47, 48, 80)] == [1, 1, 2, 2, 1, 3]
    tuesday = planned_agents(site, roster, monday + timedelta(days=1), None)
    assert [tuesday[place] for place in (0, 15, 16)] == [1, 1, 0]


def test_a_lines_agents_are_those_of_its_queues_and_of_the_lines_under_it() -> None:
    """Who has no skill for the line does not count there."""
    site = load_site(sample("full"), {})
    monday = date(2026, 11, 30)
    mine = planned_agents(site, Roster(), monday, "12315")
    skilled = {agent.id for agent in site.agents if "12315" in agent.skills}
    due = {"8001", "8002", "8004", "8005"}  # at ten on a working day
    assert mine[40] == len(skilled & due) > 0
