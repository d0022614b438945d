"""Erlang C and A: published vectors, other formulas for the same numbers, a simulation, what is monotone."""

from __future__ import annotations

import heapq
import json
import math
import random
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from hotline.core.errors import UsageError
from hotline.metrics.staffing.erlang import Load, agents_needed, blocked, rostered, service
from hotline.server.cli import app

CALLS = st.floats(1, 3000)
AHT = st.floats(20, 900)
PATIENCE = st.one_of(st.none(), st.floats(5, 2000))


def run(text: str) -> Result:
    return CliRunner().invoke(app, ["staff", *text.split()])


def answer(text: str) -> dict[str, Any]:
    result = run(f"{text} --format json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_the_hand_checked_vectors() -> None:
    """50 calls in half an hour on 9 agents: 74.21 % in 20 s; 50 erlangs need 62 agents for 95 % in 15 s."""
    nine = answer("--calls 50 --per-minutes 30 --aht 240 --agents 9 --within 20")
    assert (nine["agents"], round(nine["service_level"] * 100, 2)) == (9, 74.21)
    many = answer("--calls 600 --aht 300 --target 0.95 --within 15")
    assert (many["erlangs"], many["agents_needed"], many["agents"]) == (50.0, 62, 62)
    assert (
        service(Load(600, 300), 61, 15).service_level < 0.95 <= service(Load(600, 300), 62, 15).service_level
    )


def test_the_command_of_the_docs_prints_a_table() -> None:
    """The agents needed, with what one or two fewer or more would give, and the roster."""
    result = run("--calls 100 --per-minutes 60 --aht 240 --target 0.95 --within 15 --shrinkage 0.3")
    assert result.exit_code == 0
    assert "6.67 erlangs, Erlang C" in result.stdout
    assert "12 agents answer 95.00% within 15 s, 18 on the roster with 30.0% away" in result.stdout
    assert "96.72%" in result.stdout


@given(st.integers(1, 40), st.integers(1, 39))
def test_erlang_c_is_the_sum_of_the_textbook(agents: int, tenths: int) -> None:
    """The probability of waiting is a^n/n! n/(n-a) over the sum, in fractions."""
    erlangs = Fraction(agents * tenths, 40)
    last = erlangs**agents / math.factorial(agents) * agents / (agents - erlangs)
    whole = sum(erlangs**n / math.factorial(n) for n in range(agents)) + last
    found = service(Load(float(erlangs) * 60, 60), agents, 30)
    assert found.wait_probability == pytest.approx(float(last / whole), rel=1e-9)
    left = math.exp(-float(agents - erlangs) * 30 / 60)
    assert found.service_level == pytest.approx(1 - float(last / whole) * left, rel=1e-9)


@given(CALLS, AHT, st.floats(5, 2000), st.integers(1, 120))
def test_erlang_a_is_the_balance_of_births_and_deaths(
    calls: float, aht: float, patience: float, agents: int
) -> None:
    """Who waits and who gives up, from the probabilities of 0, 1, 2, ... callers in the system."""
    arrive, serve, leave = calls / 3600, 1 / aht, 1 / patience
    logs, number = [0.0], 0
    while number < agents or logs[-1] > max(logs) - 50:
        number += 1
        out = min(number, agents) * serve + max(0, number - agents) * leave
        logs.append(logs[-1] + math.log(arrive / out))
    weights = [math.exp(one - max(logs)) for one in logs]
    whole = sum(weights)
    waiting = sum((n - agents) * weight for n, weight in enumerate(weights) if n > agents) / whole
    found = service(Load(calls, aht, patience), agents, 15)
    assert found.wait_probability == pytest.approx(sum(weights[agents:]) / whole, rel=1e-6, abs=1e-9)
    assert found.abandon_share == pytest.approx(waiting * leave / arrive, rel=1e-6, abs=1e-9)


@given(CALLS, AHT, PATIENCE, st.integers(1, 150), st.floats(0, 120))
def test_one_agent_more_never_hurts(
    calls: float, aht: float, patience: float | None, agents: int, within: float
) -> None:
    """More are answered in time, fewer wait, give up and are busy; every share is one."""
    load = Load(calls, aht, patience)
    fewer, more = service(load, agents, within), service(load, agents + 1, within)
    assert more.service_level >= fewer.service_level - 1e-9
    assert more.wait_probability <= fewer.wait_probability + 1e-9
    assert more.abandon_share <= fewer.abandon_share + 1e-9
    assert more.occupancy <= fewer.occupancy + 1e-9
    for one in (fewer, more):
        shares = (one.service_level, one.wait_probability, one.abandon_share, one.occupancy)
        assert all(0 <= share <= 1 for share in shares)
        assert one.asa_seconds is None or one.asa_seconds >= 0


@given(CALLS, AHT, PATIENCE, st.floats(0.5, 0.995), st.floats(1, 60))
def test_as_many_as_needed_and_not_one_more(
    calls: float, aht: float, patience: float | None, target: float, within: float
) -> None:
    """The number found reaches the target, one fewer does not."""
    load = Load(calls, aht, patience)
    needed = agents_needed(load, target, within)
    assert service(load, needed, within).service_level >= target
    assert needed == 1 or service(load, needed - 1, within).service_level < target


@given(CALLS, AHT, st.floats(1.02, 2), st.floats(1, 60))
def test_endless_patience_is_erlang_c(calls: float, aht: float, room: float, within: float) -> None:
    """Erlang A comes to Erlang C as callers give up ever later, where the queue has an end."""
    endless = Load(calls, aht)
    agents = math.ceil(endless.erlangs * room) + 1
    expected = service(endless, agents, within)
    found = service(Load(calls, aht, 1e9), agents, within)
    assert found.service_level == pytest.approx(expected.service_level, abs=1e-4)
    assert found.wait_probability == pytest.approx(expected.wait_probability, abs=1e-4)
    assert found.asa_seconds == pytest.approx(expected.asa_seconds, rel=1e-2, abs=1e-3)


@pytest.mark.parametrize(("patience", "agents"), [(None, 25), (90.0, 22), (20.0, 18)])
def test_a_simulated_hotline_comes_to_the_same(patience: float | None, agents: int) -> None:
    """200,000 callers, served in order, some of whom give up: within a point of the formula."""
    load, within = Load(600, 120, patience), 15.0
    pick = random.Random(5)
    free = [0.0] * agents
    now, in_time, gone, waits = 0.0, 0, 0, 0.0
    callers = 200_000
    for _ in range(callers):
        now += pick.expovariate(load.calls_per_hour / 3600)
        wait = max(0.0, free[0] - now)
        if patience is not None and wait > pick.expovariate(1 / patience):
            gone += 1
            continue
        heapq.heapreplace(free, now + wait + pick.expovariate(1 / load.aht_seconds))
        in_time += wait <= within
        waits += wait
    found = service(load, agents, within)
    assert found.service_level == pytest.approx(in_time / callers, abs=0.01)
    assert found.abandon_share == pytest.approx(gone / callers, abs=0.005)
    assert found.asa_seconds == pytest.approx(waits / (callers - gone), rel=0.12)


def test_a_city_of_any_size_is_reckoned_with() -> None:
    """20,000 erlangs neither overflow nor vanish, with agents too few, just enough and far too many."""
    load, patient = Load(240_000, 300), Load(240_000, 300, 120)
    assert 20_000 < agents_needed(load, 0.95, 15) < 20_300
    assert 18_000 < agents_needed(patient, 0.95, 15) < 20_300
    assert service(load, 30_000, 15).service_level == pytest.approx(1)
    assert service(patient, 30_000, 15).service_level == pytest.approx(1)
    starved = service(patient, 200, 15)
    assert starved.occupancy == pytest.approx(1)
    assert starved.abandon_share == pytest.approx(0.99)
    assert 0 <= blocked(20_000, 40_000) < 1e-300


def test_too_few_agents_without_patience_grow_a_queue() -> None:
    """As many agents as erlangs: nobody is ever answered in time, and no mean wait exists."""
    found = answer("--calls 600 --aht 300 --agents 50")
    assert (found["service_level"], found["asa_seconds"], found["occupancy"]) == (0.0, None, 1.0)
    assert "grows" in run("--calls 600 --aht 300 --agents 50").stdout


def test_no_calls_need_nobody() -> None:
    """Nought calls: nought agents, and nobody waits."""
    found = answer("--calls 0 --aht 300")
    assert (found["agents_needed"], found["rostered"], found["service_level"]) == (0, 0, 1.0)


@pytest.mark.parametrize(
    "text",
    [
        "--calls -1 --aht 300",
        "--calls 10 --aht 0",
        "--calls 10 --aht 300 --target 1",
        "--calls 10 --aht 300 --target 0",
        "--calls 10 --aht 300 --within -1",
        "--calls 10 --aht 300 --patience 0",
        "--calls 10 --aht 300 --shrinkage 1",
        "--calls 10 --aht 300 --agents 0",
        "--calls 10 --aht 300 --per-minutes 0",
        "--calls nan --aht 300",
        "--calls 1e9 --aht 300",
        "--aht 300",
    ],
)
def test_numbers_that_mean_nothing_are_refused(text: str) -> None:
    """With what to give instead."""
    error = run(f"{text} --format json").exception
    assert isinstance(error, UsageError) and error.hint


def test_the_roster_has_room_for_those_who_are_away() -> None:
    """7 at work with 30 % away are 10 on the roster; nobody away, nobody more."""
    assert [rostered(7, 0.3), rostered(9, 0.1), rostered(11, 0.0), rostered(0, 0.5)] == [10, 10, 11, 0]
