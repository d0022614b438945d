"""Test calls: when they are due, what is measured, what is never dialled, and the sheet for the score."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from hotline.config.dialling import TrialPlan
from hotline.config.loading import check_site
from hotline.core.trials import TrialCall, TrialMarks, TrialOrder, TrialResult, is_emergency
from hotline.metrics.dialling.measure import RATE_HZ, loudness
from hotline.metrics.dialling.schedule import Waiting, moments
from hotline.metrics.dialling.sheets import as_row, for_score, summed

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 11, 2, 0, 0, tzinfo=ZONE)
ORDER = TrialOrder("12315", unit="湘乡市")
TRIAL = TrialCall("20261102010000-00000000", ORDER, MONDAY, TrialResult.ANSWERED, 200)


def plan(**more: object) -> TrialPlan:
    return TrialPlan.model_validate({"name": "a", "number": "12315", **more})


def at(hours: float, days: int = 0) -> datetime:
    return (MONDAY + timedelta(days=days, hours=hours)).astimezone(UTC)


def test_a_plan_is_due_at_its_times_of_its_days_in_the_sites_zone() -> None:
    """Out of order in the file, in order here; Tuesday is not among the days."""
    weekly = plan(times=[time(15, 30), time(9, 0)], days=[1, 3])
    found = list(moments(weekly, at(9), at(9, days=2), ZONE))
    assert found == [at(15.5), at(9, days=2)], "from just after 9:00, up to and with 9:00"


def test_every_so_many_minutes_counts_from_midnight() -> None:
    """Whenever the server was started."""
    assert list(moments(plan(every_minutes=90), at(0.2), at(4), ZONE)) == [at(1.5), at(3)]


def test_what_is_due_waits_its_turn_and_not_for_ever() -> None:
    """The longest due first; a plan waits once; after ten minutes it is left out and counted."""
    plans = [plan(times=[time(9, 0)]), plan(name="b", times=[time(8, 59)]), plan(name="c", every_minutes=5)]
    waiting = Waiting(plans, at(8.9), ZONE)
    waiting.look(at(9) + timedelta(seconds=30))
    taken = [waiting.take() for _ in range(4)]
    assert [one and one.name for one in taken] == ["b", "a", "c", None]
    waiting.look(at(9) + timedelta(seconds=40))
    assert waiting.take() is None, "due once"
    waiting = Waiting(plans[:1], at(8.9), ZONE)
    waiting.look(at(9.1))
    waiting.look(at(9.5))
    assert waiting.take() is None and waiting.left_out == 1
    waiting.look(at(8))
    waiting.look(at(9.2))
    assert waiting.take() is None, "a clock that was set back makes nothing due twice"


def test_a_server_that_was_away_does_not_make_up_for_it() -> None:
    """Hours of test calls that were missed are not made all at once."""
    waiting = Waiting([plan(every_minutes=60)], at(1), ZONE)
    waiting.look(at(6.5))
    assert waiting.take() is None


def test_level_and_silence_of_a_sound() -> None:
    """A full-scale sine has -3 dBFS; half a second of quiet in two is a quarter."""
    moment = np.arange(round(1.5 * RATE_HZ)) / RATE_HZ
    sine = (32_767 * np.sin(2 * np.pi * 440 * moment)).astype(np.int16)
    found = loudness(np.concatenate([np.zeros(RATE_HZ // 2, np.int16), sine]))
    assert found.level_dbfs == pytest.approx(-3.0, abs=0.05) and found.silent_share == 0.25
    assert loudness((sine / 100).astype(np.int16)).level_dbfs == pytest.approx(-43.0, abs=0.1)
    for nothing in (np.zeros(8000, np.int16), np.zeros(100, np.int16)):
        assert (loudness(nothing).level_dbfs, loudness(nothing).silent_share) == (None, 1.0)


@pytest.mark.parametrize(
    "number",
    [
        "110",
        "119",
        "120",
        "122",
        "0110",
        "9110",
        "020110",
        "9020120",
        "+86110",
        "0086122",
        "+8620119",
        "*110",
    ],
)
def test_an_emergency_service_is_known_however_it_is_dialled(number: str) -> None:
    """Plain, by a prefix for outside lines, by an area code, by the country's."""
    assert is_emergency(number)


@pytest.mark.parametrize("number", ["12345", "12315", "12320", "12122", "02012345", "13800000110", "1101"])
def test_other_numbers_are_none(number: str) -> None:
    """Also where such digits stand at their end (12122 is the motorways' hotline)."""
    assert not is_emergency(number)


def test_the_site_file_is_told_what_is_wrong_with_a_plan(tmp_path: Path) -> None:
    """An emergency number, no time or two rhythms, a line that is none, a name twice: each with its line."""
    file = tmp_path / "site.yaml"
    site = """\
        lines: [{id: "12345", name: 热线, number: 12345, dids: [12345]}]
        queues: [{name: "12345", title: 综合}]
        test_dialling:
          calls:
            - {name: a, number: "9110", times: ["09:00"]}
            - {name: b, number: "12345"}
            - {name: c, number: "12345", times: ["09:00"], every_minutes: 60}
            - {name: b, number: "12345", line: "12346", every_minutes: 60}
        """
    file.write_text(textwrap.dedent(site), encoding="utf-8")
    told = [(one.line, one.message) for one in check_site(file, {}).problems]
    assert [line for line, _ in told] == [5, 6, 7, 8, 8], told
    assert "emergency" in told[0][1] and "say when" in told[1][1] and "say when" in told[2][1]
    assert "12346" in told[3][1] + told[4][1] and "twice" in told[3][1] + told[4][1]


def test_marks_become_the_units_of_a_score() -> None:
    """In order, by unit; what nobody marked, and calls of no unit, are left out."""
    trials = [
        replace(TRIAL, marks=TrialMarks(menu=10, manner=35.5)),
        replace(TRIAL, order=TrialOrder("1"), marks=TrialMarks(menu=1)),
        replace(TRIAL, order=TrialOrder("2", unit="韶山市"), marks=TrialMarks(call_back=0)),
        replace(TRIAL, marks=TrialMarks(menu=7.5, note="占线")),
    ]
    assert for_score(trials) == {
        "units": [
            {"name": "湘乡市", "test_calls": {"menu": [10, 7.5], "manner": [35.5]}},
            {"name": "韶山市", "test_calls": {"call_back": [0]}},
        ]
    }


def test_what_test_calls_come_to_by_unit() -> None:
    """Means of the marked and of the answered, half up; the listener's word goes before the ledger's."""
    full = TrialMarks(menu=10, answering=10, manner=37.5, knowledge=24.75, call_back=10, person_seconds=12.5)
    trials = [
        replace(TRIAL, answer_seconds=3.0, person_seconds=40.0, marks=full),
        replace(
            TRIAL,
            answer_seconds=4.01,
            person_seconds=10.0,
            marks=replace(full, menu=7.5, person_seconds=None),
        ),
        replace(TRIAL, result=TrialResult.NO_ANSWER, status=408),
    ]
    (unit,) = summed(trials, "unit")
    assert (unit.key, unit.calls, unit.answered, unit.reached, unit.marked) == ("湘乡市", 3, 2, 2, 2)
    assert unit.answer_seconds == 3.51, "3.505, half up"
    assert unit.reached_seconds == 14.76, "(15.5 + 14.01) / 2 = 14.755"
    assert unit.marks["menu"] == 8.75 and unit.points == 91.0
    (line,) = summed([replace(TRIAL, marks=TrialMarks(menu=9))], "line")
    assert (line.key, line.marks["menu"], line.marks["manner"], line.points) == ("", 9.0, None, None)


def test_whether_the_right_line_answered_is_said_only_where_it_is_known() -> None:
    """Expected and reached; expected and not known; not asked."""
    expected = replace(TRIAL, order=TrialOrder("12315", line="12315"))
    assert as_row(replace(expected, reached_line="12315"))["as_expected"] is True
    assert as_row(replace(expected, reached_line="12345"))["as_expected"] is False
    assert as_row(expected)["as_expected"] is None
    assert as_row(replace(TRIAL, reached_line="12315"))["as_expected"] is None
