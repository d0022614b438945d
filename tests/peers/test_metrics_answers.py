"""Questions about measures over a real database: any dimension and grain, changes, and the rows behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner

from hotline.config.loading import load_site
from hotline.config.samples import path as sample
from hotline.core.clock import ManualClock
from hotline.core.errors import UsageError
from hotline.core.figures import (
    Comparison,
    CountSide,
    Dimension,
    FigureAnswer,
    FigureQuestion,
    Grain,
)
from hotline.core.trials import TrialCall, TrialOrder, TrialResult
from hotline.metrics.measures.answering import Answers
from hotline.metrics.measures.summing import counting_of
from hotline.server.cli import app
from hotline.store.database import open_engine, sessions_of
from hotline.store.ledger import (
    CallRecord,
    Changes,
    EntryRecord,
    IntervalRecord,
    Ledger,
    SurveyRecord,
    TalkRecord,
)
from hotline.store.trials import TrialStore
from tests.fixtures.console import ConsoleUnderTest, running_console
from tests.fixtures.migrated import upgrade

DAY = datetime(2026, 11, 1, 16, tzinfo=UTC)  # midnight of 2 November in Shanghai
NOW = DAY + timedelta(hours=12)
HOUR = timedelta(hours=1)
BASE = EntryRecord("", "n", "", "12345", 1, "", "12345", "live", DAY, 1)


def entry(number: int, after: timedelta, outcome: str | None, **more: object) -> EntryRecord:
    key = f"e{number:03}"
    row = replace(BASE, entry_id=key, uniqueid=key, call_id=f"c{number:03}", joined_at=DAY + after)
    return replace(row, outcome=outcome, **more)  # type: ignore[arg-type]


def rows() -> Changes:
    """Three answered (two in time, by two agents), one abandoned, on two lines; and one each long ago."""
    entries = [
        entry(1, HOUR, "answered", agent="1001", wait_ms=4_000, talk_ms=60_000, wrap_up_ms=5_000),
        entry(2, 2 * HOUR, "answered", agent="1002", wait_ms=15_000, talk_ms=30_000),
        entry(3, 2 * HOUR, "answered", agent="1001", wait_ms=15_001, line="12358", queue="12315"),
        entry(4, 3 * HOUR, "abandoned", wait_ms=40_000, line="12315", queue="12315"),
        entry(5, 3 * HOUR, None),
        entry(6, HOUR, "answered", enquiry=True, agent="1002"),
        entry(7, HOUR - timedelta(days=1), "answered", agent="1001", wait_ms=1_000),
        entry(8, HOUR - timedelta(days=365), "answered", agent="1001", wait_ms=1_000),
        entry(9, 2 * HOUR - timedelta(days=365), "answered", agent="1001", wait_ms=16_000),
    ]
    call = CallRecord("c001", "n", "12345", "12345", "13812341234", "", DAY + HOUR)
    calls = [
        call,
        replace(call, call_id="c002", caller_lists="|deputies|"),
        replace(call, call_id="c004", caller_lists="|deputies|enterprises|"),
        replace(call, call_id="m1", menu_outcome="self_service", menu_ms=20_000, caller_number="13900001111"),
        replace(call, call_id="m2", menu_outcome="hangup", menu_ms=5_000, line="12315"),
        replace(call, call_id="b1", callback_of="c004", callback_agent="1002", callback_outcome="answered"),
        replace(call, call_id="b2", callback_of="c004", callback_agent="1002", callback_outcome="busy"),
    ]
    states = [
        ("1001", "ready", -2 * HOUR, HOUR),
        ("1001", "talking", HOUR, HOUR + timedelta(minutes=20)),
        ("1001", "wrap_up", HOUR + timedelta(minutes=20), HOUR + timedelta(minutes=30)),
        ("1001", "signed_out", HOUR + timedelta(minutes=30), None),
        ("1002", "ready", HOUR, 2 * HOUR),
        ("1002", "unreachable", 2 * HOUR, 11 * HOUR),
        ("1002", "paused", 11 * HOUR, None),
    ]
    intervals = [
        IntervalRecord(agent, state, "", DAY + since, None if until is None else DAY + until)
        for agent, state, since, until in states
    ]
    talk = TalkRecord("", "n", "c001", None, "queue", "1001", "8001", "live", DAY + HOUR)
    over = replace(talk, ended_at=DAY + 2 * HOUR, ended_by="caller")
    talks = [
        replace(over, talk_id="t1", talk_ms=60_000, ended_by="transfer"),
        replace(over, talk_id="t2", kind="consult", agent="1002", talk_ms=8_000, ended_by="transfer"),
        replace(over, talk_id="t3", kind="transfer", agent="1002", talk_ms=30_000),
        replace(over, talk_id="t4", call_id="m2", kind="callback", agent="1001", talk_ms=15_000),
        replace(over, talk_id="t5", kind="transfer", agent=None, party="110", talk_ms=9_000),
        replace(talk, talk_id="t6", call_id="m2", kind="queue", agent="1002"),
    ]
    said = SurveyRecord("c001", "n", "12345", "12345", "", "", "1001", DAY + HOUR, "answered", 5, "live")
    surveys = [
        said,
        replace(said, call_id="c002", agent="1002", answer=3),
        replace(said, call_id="c004", agent="1002", answer=None, outcome="hung_up", line="12358"),
        replace(said, call_id="c0", asked_at=DAY - HOUR, answer=1),
    ]
    return Changes(calls, entries, intervals, talks=talks, surveys=surveys)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    made = open_engine(f"sqlite+aiosqlite:///{tmp_path}/hotline.db")
    await upgrade(made)
    await Ledger(sessions_of(made)).save(rows())
    yield made
    await made.dispose()


@pytest.fixture
def answers(engine: AsyncEngine, tmp_path: Path) -> Answers:
    site = load_site(sample("demo"), {"HOTLINE_DATA_DIR": str(tmp_path)})
    return Answers(site, counting_of(site, sessions_of(engine)), ManualClock(NOW))


def of_day(answers: Answers, measure: str) -> FigureQuestion:
    return FigureQuestion(measure, *answers.period("2026-11-02", "2026-11-02"))


@pytest.mark.parametrize(
    ("measure", "numerator", "denominator", "text"),
    [
        ("answer_rate", 3, 4, "75.00 %"),
        ("within_rate", 2, 4, "50.00 %"),
        ("abandon_rate", 1, 4, "25.00 %"),
        ("asa", 34_001, 3, "11.33 s"),
        ("aht", 95_000, 3, "31.67 s"),
        ("offered", 5, None, "5"),
        ("still_open", 1, None, "1"),
        ("calls", 5, None, "5"),
        ("machine_served", 1, None, "1"),
        ("menu_hangups", 1, None, "1"),
        ("menu_time", 25_000, 2, "12.50 s"),
        ("callback_rate", 1, 2, "50.00 %"),
        ("talks", 4, None, "4"),
        ("talk_time", 105_000, None, "105.00 s"),
        ("mean_any_talk", 105_000, 3, "35.00 s"),
        ("handed_on", 1, None, "1"),
        ("handed_on_rate", 1, 3, "33.33 %"),
        ("taken_over", 1, None, "1"),
        ("consults", 1, None, "1"),
        ("call_satisfaction", 1, 2, "50.00 %"),
        ("survey_rate", 2, 3, "66.67 %"),
        ("survey_3", 1, None, "1"),
        ("survey_hung_up", 1, None, "1"),
        ("mean_consult", 8_000, 1, "8.00 s"),
        # 1001: 90 min signed in today, 30 of them busy; 1002: 60 min, and one of a pause up to now
        ("occupancy", 30 * 60_000, 210 * 60_000, "14.29 %"),
        ("paused_time", 60 * 60_000, None, "3600.00 s"),
    ],
)
async def test_a_days_measures_by_hand(
    answers: Answers, measure: str, numerator: int, denominator: int | None, text: str
) -> None:
    """From waits, calls and states of agents; enquiries and other days do not count."""
    found = await answers.answer(of_day(answers, measure))
    (point,) = found.total.points
    assert (point.figure.numerator, point.figure.denominator) == (numerator, denominator)
    assert point.figure.text == text


async def test_a_measure_by_everything_it_is_known_by(answers: Answers) -> None:
    """Lines sum their children, skills their agents; agents have names."""

    async def by(dimension: Dimension) -> dict[str, int]:
        found = await answers.answer(replace(of_day(answers, "answered"), by=dimension))
        return {
            one.key: one.points[0].figure.numerator for one in found.groups if one.points[0].figure.numerator
        }

    assert await by(Dimension.LINE) == {"12345": 2, "12315": 1, "12358": 1}
    assert await by(Dimension.QUEUE) == {"12345": 2, "12315": 1}
    assert await by(Dimension.AGENT) == {"1001": 2, "1002": 1}
    assert await by(Dimension.LANGUAGE) == {"": 3}
    assert await by(Dimension.CHANNEL) == {"phone": 3}
    info = {one.id: one for one in answers.catalogue()}
    assert set(info["answered"].dimensions) == set(Dimension) - {Dimension.UNIT}
    assert set(info["accepted"].dimensions) == {Dimension.CHANNEL, Dimension.UNIT}
    assert Dimension.QUEUE not in info["calls"].dimensions


async def test_talks_by_agent_and_line(answers: Answers) -> None:
    """Who handed on, who took over and who was asked; a talk is of its call's line; its rows are talks."""

    async def by(measure: str, dimension: Dimension) -> dict[str, str]:
        found = await answers.answer(replace(of_day(answers, measure), by=dimension))
        return {one.key: one.points[0].figure.text for one in found.groups if one.points[0].figure.numerator}

    assert await by("talk_time", Dimension.AGENT) == {"1001": "75.00 s", "1002": "30.00 s"}
    assert await by("talk_time", Dimension.LINE) == {"12345": "90.00 s", "12315": "15.00 s"}
    assert await by("handed_on_rate", Dimension.AGENT) == {"1001": "50.00 %"}
    assert await by("taken_over", Dimension.AGENT) == await by("consults", Dimension.AGENT) == {"1002": "1"}
    question = replace(of_day(answers, "handed_on_rate"), only={Dimension.AGENT: "1001"})
    told = await answers.explain(question, CountSide.DENOMINATOR, limit=50)
    assert [(row.id, row.state, row.line) for row in told.rows] == [
        ("t4", "callback", "12315"),
        ("t1", "queue", "12345"),
    ]


async def test_figures_of_lists_of_callers(answers: Answers) -> None:
    """Who is on two lists counts in both, and once in the total; who is on none in the total alone."""

    async def by_list(measure: str) -> dict[str, int]:
        found = await answers.answer(replace(of_day(answers, measure), by=Dimension.CALLER_LIST))
        groups = {one.key: one.points[0].figure.numerator for one in found.groups}
        return groups | {"total": found.total.points[0].figure.numerator}

    assert await by_list("calls") == {"deputies": 2, "enterprises": 1, "total": 5}
    assert await by_list("offered") == {"deputies": 2, "enterprises": 1, "total": 5}
    assert await by_list("talks") == {"total": 4}
    question = replace(of_day(answers, "offered"), only={Dimension.CALLER_LIST: "enterprises"})
    told = await answers.explain(question, CountSide.NUMERATOR, limit=50)
    assert [row.id for row in told.rows] == ["e004"]


async def test_what_callers_said_is_told_by_agent_line_and_call(answers: Answers) -> None:
    """Satisfied over those who pressed a key; each row says which key, or why there is none."""
    rate = of_day(answers, "call_satisfaction")
    by_agent = await answers.answer(replace(rate, by=Dimension.AGENT))
    texts = {one.key: one.points[0].figure.text for one in by_agent.groups}
    assert texts == {"1001": "100.00 %", "1002": "0.00 %"}
    asked = await answers.answer(replace(of_day(answers, "surveyed"), by=Dimension.LINE))
    lines = {one.key: one.points[0].figure.numerator for one in asked.groups}
    assert (lines["12345"], lines["12315"], lines["12358"]) == (2, 1, 1), "12358 is under 12315"
    told = await answers.explain(of_day(answers, "surveyed"), CountSide.NUMERATOR, limit=50)
    assert {(row.call_id, row.agent, row.state) for row in told.rows} == {
        ("c001", "1001", "5"), ("c002", "1002", "3"), ("c004", "1002", "hung_up"),
    }  # fmt: skip
    names = {one.id: (one.name, one.formula) for one in answers.catalogue()}
    assert names["call_satisfaction"] == ("通话满意率", "非常满意和满意评价量 / 参评量")
    assert names["satisfied_rate"][0] == "回访满意率"


async def test_test_calls_are_measured_by_the_line_they_tried(engine: AsyncEngine, answers: Answers) -> None:
    """Mean seconds from the ring to the answer, the share within the norm, and the calls behind."""
    store = TrialStore(sessions_of(engine))
    for number, (line, result, seconds) in enumerate([
        ("12345", TrialResult.ANSWERED, 4.5), ("12345", TrialResult.ANSWERED, 15.0),
        ("12345", TrialResult.NO_ANSWER, None), ("", TrialResult.ANSWERED, 28.0),
    ]):  # fmt: skip
        order = TrialOrder("12345", line=line)
        await store.save(TrialCall(f"t{number}", order, DAY + HOUR, result, 200, seconds))
    texts = {
        one: (await answers.answer(of_day(answers, one))).total.points[0].figure.text
        for one in ("test_calls", "test_answer_time", "test_within_rate")
    }
    assert texts == {"test_calls": "4", "test_answer_time": "15.83 s", "test_within_rate": "50.00 %"}
    question = replace(of_day(answers, "test_within_rate"), only={Dimension.LINE: "12345"})
    told = await answers.explain(question, CountSide.DENOMINATOR, limit=50)
    assert told.figure.text == "66.67 %"
    assert {(row.id, row.state, row.seconds) for row in told.rows} == {
        ("t0", "answered", 4.5), ("t1", "answered", 15.0), ("t2", "no_answer", None),
    }  # fmt: skip


ORDERS = """period: 2026-10
accepted:
  {total: 27776, at_once: 20832, dispatched: 6944, on_time: 6924,
   called_back: 700, no_opinion: 100, satisfied: 367}
channels: {rows: [{name: 电话, count: 27453}, {name: 微信, count: 63}, {name: 其他, count: 260}]}
"""


async def test_figures_of_other_systems(engine: AsyncEngine, answers: Answers, tmp_path: Path) -> None:
    """A file's counts become measures that say where they come from; a month counts wholly, and once."""
    site, file = tmp_path / "site.yaml", tmp_path / "orders.yaml"
    site.write_text(sample("demo").read_text("utf-8"), "utf-8")

    async def imported(text: str) -> tuple[str, str]:
        file.write_text(text, "utf-8")
        called = ["figures", "import", str(file), "--site", str(site)]
        here = {"HOTLINE_DATA_DIR": str(tmp_path)}
        result = await asyncio.to_thread(CliRunner().invoke, app, called, env=here)
        assert result.exit_code == 0, result.output
        return result.stdout, result.stderr

    out, slips = await imported(ORDERS.replace("count: 260", "count: 261"))
    assert "受理量 微信: 63" in out and "does not add up: 受理渠道" in slips
    assert (await imported(ORDERS))[1] == ""
    await imported("period: 2026-10-05\naccepted: {total: 900, at_once: 600}\n")

    async def of(measure: str, first: str, last: str, **more: object) -> FigureAnswer:
        question = FigureQuestion(measure, *answers.period(first, last), **more)  # type: ignore[arg-type]
        return await answers.answer(question)

    def text(found: FigureAnswer) -> str:
        return found.total.points[0].figure.text

    assert text(await of("at_once_rate", "2026-10-01", "2026-10-31")) == "75.00 %"
    assert text(await of("on_time_rate", "2026-01-01", "2026-12-31")) == "99.71 %"
    assert text(await of("satisfied_rate", "2026-10-01", "2026-10-31")) == "61.17 %"
    assert text(await of("at_once_rate", "2026-10-01", "2026-10-30")) == "66.67 %", "the day's alone"
    by_day = await of("accepted", "2026-10-04", "2026-10-06", grain=Grain.DAY)
    assert [point.figure.numerator for point in by_day.total.points] == [0, 900, 0]
    channels = await of("accepted", "2026-10-01", "2026-10-31", by=Dimension.CHANNEL)
    shares = {one.name: one.points[0].figure.numerator for one in channels.groups}
    assert shares == {"电话": 27453, "微信": 63, "其他": 260} and text(channels) == "27,776"
    question = FigureQuestion("at_once_rate", *answers.period("2026-10-01", "2026-10-31"))
    (row,) = (await answers.explain(question, CountSide.NUMERATOR, limit=50)).rows
    assert (row.adds, row.imported_from) == (20832, "orders.yaml") and row.imported_at is not None


async def test_hours_and_changes(answers: Answers) -> None:
    """Each part of the day beside the part before and the same part a year before."""
    question = replace(of_day(answers, "within_rate"), grain=Grain.HOUR, compare=tuple(Comparison))
    points = (await answers.answer(question)).total.points
    assert len(points) == 24
    one, two = points[1], points[2]
    assert (one.figure.text, two.figure.text) == ("100.00 %", "50.00 %")
    assert two.changes[Comparison.BEFORE].text == "-50.00 个百分点"
    assert two.changes[Comparison.YEAR_BEFORE].value == Decimal("50.00"), "16 s a year ago: none in time"
    day = replace(of_day(answers, "answered"), compare=tuple(Comparison))
    (whole,) = (await answers.answer(day)).total.points
    assert whole.changes[Comparison.BEFORE].text == "+200.00 %"
    assert whole.changes[Comparison.YEAR_BEFORE].text == "+50.00 %"


async def test_the_rows_behind_are_those_that_were_counted(answers: Answers) -> None:
    """Page by page, newest first, each once; of both sides; a line's with those of its children."""
    question = of_day(answers, "within_rate")
    told = await answers.explain(question, CountSide.NUMERATOR, limit=50)
    assert [row.id for row in told.rows] == ["e002", "e001"]
    assert (told.numerator[0].sum, told.denominator[0].sum) == (2, 4)
    pages, after = [], None
    for _ in range(4):
        page = await answers.explain(question, CountSide.DENOMINATOR, limit=1, after=after)
        pages += [row.id for row in page.rows]
        after = page.after
    assert (pages, after) == (["e004", "e003", "e002", "e001"], None)
    market = replace(question, only={Dimension.LINE: "12315"})
    told = await answers.explain(market, CountSide.DENOMINATOR, limit=50)
    assert [row.id for row in told.rows] == ["e004", "e003"]
    busy = await answers.explain(of_day(answers, "occupancy"), CountSide.NUMERATOR, limit=50)
    assert sum(row.adds for row in busy.rows) == busy.figure.numerator == 30 * 60_000
    present = await answers.explain(of_day(answers, "occupancy"), CountSide.DENOMINATOR, limit=50)
    assert sum(row.adds for row in present.rows) == present.figure.denominator


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"measure": "nonsense"}, "no measure"),
        ({"measure": "calls", "by": Dimension.QUEUE}, "not known by queue"),
        ({"only": {Dimension.SKILL: "flying"}}, "no skill"),
        ({"end": DAY}, "empty"),
    ],
)
async def test_what_cannot_be_asked_is_said(answers: Answers, changed: dict[str, object], says: str) -> None:
    """With the remedy."""
    question = replace(of_day(answers, "answer_rate"), **changed)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=says) as caught:
        await answers.answer(question)
    assert caught.value.hint


def test_stats_explains_a_figure(engine: AsyncEngine, tmp_path: Path) -> None:
    """Formula, counts and rows on the command line; callers' numbers are not among them."""
    file = tmp_path / "site.yaml"
    file.write_text(sample("demo").read_text(encoding="utf-8"), encoding="utf-8")
    days = ["--from", "2026-11-02", "--to", "2026-11-02", "--format", "json"]
    asked = [
        "stats",
        "--site",
        str(file),
        *days,
        "--explain",
        "answer_rate",
        "--line",
        "12345",
        "--rows",
        "1",
    ]
    done = CliRunner().invoke(app, asked, env={"HOTLINE_DATA_DIR": str(tmp_path)}, catch_exceptions=False)
    told = json.loads(done.stdout)
    assert (told["text"], told["formula"]) == ("100.00 %", "人工接听量 / 已离队")
    assert (told["numerator"][0]["sum"], told["denominator"][0]["sum"], told["more"]) == (2, 2, True)
    assert [row["id"] for row in told["rows"]] == ["e002"]
    assert "138" not in done.stdout


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[ConsoleUnderTest]:
    async with running_console(tmp_path, clock=ManualClock(NOW)) as running:
        await Ledger(sessions_of(running.engine)).save(rows())
        yield running


ASKED = "?measure=answer_rate&from=2026-11-02&to=2026-11-02"


async def test_figures_over_http(console: ConsoleUnderTest) -> None:
    """The catalogue, a chart with its changes, and the rows with callers masked; for supervisors."""
    chief = await console.user("chief", "supervisor")
    catalogue = (await chief.get("/api/figures/measures")).json()["measures"]
    rate = next(one for one in catalogue if one["id"] == "answer_rate")
    assert (rate["name"], rate["unit"], rate["norm"], rate["better"]) == ("接通率", "percent", 0.95, "higher")
    found = (await chief.get(f"/api/figures/query{ASKED}&grain=day&by=queue&compare=before")).json()
    (point,) = found["total"]["points"]
    assert point["figure"] == {"numerator": 3, "denominator": 4, "value": 75.0, "text": "75.00 %"}
    assert point["start"] == "2026-11-01T16:00:00Z"
    assert point["changes"]["before"]["value"] == -25.0
    assert {one["key"] for one in found["groups"]} >= {"12345", "12315"}
    told = (await chief.get(f"/api/figures/explain{ASKED}&line=12345&side=numerator&limit=1")).json()
    assert [row["id"] for row in told["rows"]] == ["e002"] and told["after"]
    more = await chief.get(f"/api/figures/explain{ASKED}&line=12345&after={quote(told['after'])}")
    (row,) = more.json()["rows"]
    assert (row["call_id"], row["caller_number"]) == ("c001", "138****1234")
    agent = await console.user("zhang", agent="a1")
    for path in ("measures", f"query{ASKED}", f"explain{ASKED}"):
        assert (await agent.get(f"/api/figures/{path}")).status_code == 403


async def test_the_wallboards_trend_over_http(console: ConsoleUnderTest) -> None:
    """Anybody signed in: each line by the hour, and last week up to this time of the day alone."""
    week = timedelta(days=7)
    await Ledger(sessions_of(console.engine)).save(
        Changes(
            [],
            [
                entry(11, HOUR - week, "answered", agent="a1", wait_ms=2_000, line="12315"),
                entry(12, 11 * HOUR - week, "abandoned"),
                entry(13, 13 * HOUR - week, "abandoned"),
            ],
            [],
        )
    )
    agent = await console.user("zhang", agent="a1")
    found = (await agent.get("/api/figures/board")).json()
    assert (found["day"], found["then"]) == ("2026-11-02", "2026-10-26T04:00:00Z")
    total = found["total"]
    assert (total["hours"][:4], sum(total["hours"])) == ([0, 1, 2, 2], 5)
    assert [hour for hour, count in enumerate(total["hours_then"]) if count] == [1, 11, 13]
    assert total["then"]["offered"]["value"] == 2
    assert total["then"]["answer_rate"]["text"] == "50.00 %"
    lines = {line["line"]: line for line in found["lines"]}
    assert lines["12315"]["hours_then"][1] == 1
    assert lines["12315"]["then"]["asa"]["value"] == 2.0


@pytest.mark.parametrize(
    "wrong",
    [
        "query?measure=nonsense&from=2026-11-02&to=2026-11-02",
        "query?measure=answer_rate&from=yesterday&to=2026-11-02",
        "query?measure=answer_rate&from=2026-11-02&to=2026-11-01",
        "query?measure=answer_rate&from=2026-11-02",
        f"query{ASKED}&by=mood",
        f"query{ASKED}&grain=fortnight",
        f"query{ASKED}&compare=never",
        "query?measure=calls&from=2026-11-02&to=2026-11-02&by=queue",
        "query?measure=calls&from=2020-01-01&to=2026-11-02&grain=hour",
        f"explain{ASKED}&skill=pigeon",
        f"explain{ASKED}&after=nothing",
        f"explain{ASKED}&side=left",
        f"explain{ASKED}&limit=0",
        "explain?measure=calls&from=2026-11-02&to=2026-11-02&side=denominator",
    ],
)
async def test_bad_questions_are_the_askers(console: ConsoleUnderTest, wrong: str) -> None:
    """400 with a sentence, never 500."""
    chief = await console.user("chief", "supervisor")
    answer = await chief.get(f"/api/figures/{wrong}")
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["message"]
