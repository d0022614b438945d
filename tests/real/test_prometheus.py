"""Exporter, rules and dashboard against a real Prometheus: what it computes is what the ledger says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hotline.config.loading import load_site
from hotline.config.samples import path as sample
from hotline.config.schema import MetricsSection, Site
from hotline.core.bus import MemoryBus
from hotline.core.clock import SystemClock
from hotline.core.events import AgentState, LinkChanged, Outcome, Source
from hotline.core.views import AgentView, LineFigures, LiveView, WaitingCaller
from hotline.metrics.figures import LedgerFigures
from hotline.metrics.grafana.dashboard import dashboard
from hotline.metrics.prometheus import Exporter, MetricsServer
from hotline.queue.calls.table import CallTable
from hotline.queue.facts import (
    Abandoned,
    Announced,
    Completed,
    Connected,
    Fact,
    Joined,
    Left,
    Rang,
    Routed,
)
from hotline.queue.routing import Routing
from hotline.queue.writer import LedgerWriter
from hotline.store.database import Sessions, open_engine, sessions_of
from hotline.store.ledger import Ledger
from tests.fixtures.migrated import upgrade
from tests.fixtures.ports import free_port
from tests.fixtures.prometheus import RULES, Prometheus, promtool, running

TESTS = Path(__file__).parents[1] / "prometheus"
BEGAN = datetime.now(UTC) - timedelta(minutes=20)
LINES = ("12345", "12315", "12333")
AGENT = "1001"


@pytest.mark.parametrize("name", ["recording", "rules"])
def test_promtool_takes_the_shipped_rules(name: str) -> None:
    """Their form, and what they say in the cases of ``tests/prometheus``."""
    checked = promtool("check", "rules", str(RULES / f"hotline.{name}.yaml"))
    assert checked.returncode == 0, checked.stderr + checked.stdout
    tried = promtool("test", "rules", str(TESTS / f"hotline.{name}.test.yaml"))
    assert tried.returncode == 0, tried.stderr + tried.stdout


class Present:
    """Somebody waits; of three agents who are signed in one talks and one wraps up."""

    def live(self) -> LiveView:
        now = datetime.now(UTC)
        waiting = WaitingCaller("w", "w:12345:1", "12345", "12345", now - timedelta(seconds=90), 1)
        states = (AgentState.TALKING, AgentState.WRAP_UP, AgentState.READY, AgentState.SIGNED_OUT)
        agents = tuple(
            AgentView(f"100{number}", "", f"100{number}", state, "", now, ("12345",), None)
            for number, state in enumerate(states)
        )
        return LiveView(now, True, (), (waiting,), agents)


class Run:
    """One run of a server: its table, its writer, its exporter."""

    def __init__(self, site: Site, sessions: Sessions) -> None:
        routing = Routing(lambda queue: queue, lambda token: ())
        self.table = CallTable("node1", routing, site.figures.short_abandon_seconds)
        self.writer = LedgerWriter(Ledger(sessions))
        self.exporter = Exporter(site, MemoryBus(), Present(), [])
        self.writer.known = self.exporter.rows.count
        self.exporter.count(LinkChanged(BEGAN, True, ""))

    async def tell(self, facts: Iterable[Fact], source: Source = Source.LIVE) -> None:
        """Let it happen; back when the rows are saved."""
        for fact in facts:
            out = self.table.apply(fact, source)
            self.writer.put(calls=out.calls, entries=out.entries, talks=out.talks, moments=out.moments)
        await self.writer.settled()

    def wrap_up(self, calls: Iterable[str], line: str, seconds: float) -> None:
        for call in calls:
            out = self.table.wrapped_up(AGENT, f"{call}:{line}:1", seconds)
            self.writer.put(entries=out.entries, moments=out.moments)


@asynccontextmanager
async def a_run(site: Site, sessions: Sessions) -> AsyncIterator[Run]:
    """A server's life, its port included."""
    run = Run(site, sessions)
    known = await Ledger(sessions).recent("node1", within=CallTable.KEEP)
    run.table.restore(known.calls, known.entries, known.talks)
    server = MetricsServer(run.exporter, site.metrics)
    server.start()
    saving = asyncio.create_task(run.writer.run())
    try:
        yield run
    finally:
        run.writer.close()
        await saving
        await asyncio.to_thread(server.close)


def call(
    number: int, line: str, wait: float, talk: float | None, outcome: Outcome | None = None
) -> list[Fact]:
    """A caller who is answered after ``wait`` seconds and talks so long; or leaves then."""
    uid = f"node1-{number}.1"
    came = BEGAN + timedelta(seconds=number)
    over = came + timedelta(seconds=wait)
    facts: list[Fact] = [
        Announced(uid, came, uid, line, line, "13800001234", "", "zh-CN"),
        Routed(uid, came, uid, line, line, line, "", "zh-CN"),
        Joined(uid, came, line, 1, "13800001234"),
    ]
    if talk is None:
        left = Left(uid, over, line, outcome) if outcome else Abandoned(uid, over, line, round(wait * 1000))
        return [*facts, left]
    return [
        *facts,
        Rang(uid, over - timedelta(seconds=2), line, AGENT, over - timedelta(seconds=2)),
        Connected(uid, over, line, AGENT, f"{uid}-agent", round(wait * 1000), 2_000),
        Completed(uid, over + timedelta(seconds=talk), line, AGENT, round(talk * 1000), "caller"),
    ]


def a_mornings_calls() -> list[list[Fact]]:
    """On two lines: answered soon and late, given up soon and late, timed out."""
    calls = [call(number, "12345", 3.0 + 4 * number, 60.0 + number) for number in range(10)]
    calls += [call(20 + number, "12345", 2.0 + 20 * number, None) for number in range(3)]
    calls += [call(30, "12345", 60.0, None, Outcome.TIMEOUT)]
    calls += [call(40 + number, "12315", 14.0 + number / 2, 30.0) for number in range(5)]
    return calls


async def test_prometheus_computes_what_the_ledger_says_also_over_a_restart(tmp_path: Path) -> None:
    """Rates, waits and handling times by line and in all; with what queue_log brought, and nothing twice."""
    site = load_site(sample("demo"), {"HOTLINE_DATA_DIR": str(tmp_path)})
    site = site.model_copy(update={"metrics": MetricsSection(port=free_port())})
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path}/hotline.db")
    await upgrade(engine)
    sessions = sessions_of(engine)
    morning = a_mornings_calls()
    away = [*call(50, "12315", 9.0, 45.0), *call(51, "12333", 31.0, None)]
    async with running(tmp_path, site.metrics.port) as prometheus:
        async with a_run(site, sessions) as run:
            await prometheus.until("sum(hotline_offered_total)", lambda value: value == 0)
            await run.tell(fact for facts in morning for fact in facts)
            run.wrap_up([f"node1-{number}.1" for number in range(10)], "12345", 12.0)
            await run.writer.settled()
            await prometheus.until("sum(hotline_entries_closed_total)", lambda value: value == len(morning))
            await prometheus.until("count(hotline_wrap_up_seconds_count == 10)", lambda value: value == 1)
            await check_rules(prometheus, site, sessions, live=True)
            await check_waits(prometheus)
            await check_present(prometheus)
            await check_dashboard(prometheus)
        async with a_run(site, sessions) as run:
            closed = 'sum(hotline_entries_closed_total{source="live"})'
            await prometheus.until(closed, lambda value: value == 0)  # the counters begin anew
            for facts in morning:
                await run.tell(facts, Source.QUEUE_LOG)  # all of it is told again
            await run.tell(away, Source.QUEUE_LOG)
            await run.tell(call(60, "12333", 8.0, 20.0))
            await prometheus.until("sum(hotline_entries_closed_total)", lambda value: value == 3)
            await check_rules(prometheus, site, sessions, live=False)
    await engine.dispose()


async def check_rules(prometheus: Prometheus, site: Site, sessions: Sessions, *, live: bool) -> None:
    """Every rate of the ledger, by line and in all, over the windows that hold all calls."""
    period = BEGAN - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1)
    whole, lines = await LedgerFigures(site, sessions, SystemClock()).of_period(*period)
    own = {figures.line: figures for figures in lines if figures.line in LINES}
    for figures in (whole, *own.values()):
        level = "job" if figures is whole else "line"
        of = 'job="hotline"' if figures is whole else f'line="{figures.line}"'
        for window in (["5m"] if live else []) + ["1h", "1d"]:
            for name, rate in rates_of(figures).items():
                await agrees(prometheus, f"{level}:{name}:ratio_rate{window}{{{of}}}", rate)
        await agrees(prometheus, f"{level}:hotline_wait_seconds:mean_rate5m{{{of}}}", figures.asa_seconds)
        handling = f"{level}:hotline_handling_seconds:mean_rate1h{{{of}}}"
        await agrees(prometheus, handling, figures.aht_seconds)


def rates_of(figures: LineFigures) -> dict[str, float | None]:
    return {
        "hotline_answered": figures.answer_rate,
        "hotline_answered_within_norm": figures.within_rate,
    }


async def agrees(prometheus: Prometheus, rule: str, figure: float | None) -> None:
    """The rule's value comes to the ledger's; a line without calls has neither."""
    if figure is None:
        assert await prometheus.value(rule) is None, rule
        return
    await prometheus.until(rule, lambda value: value == pytest.approx(figure, abs=1e-9))


async def check_waits(prometheus: Prometheus) -> None:
    """Of 12345's ten answered callers who waited 3, 7 ... 39 s: the quantiles lie in the right buckets."""
    for rule, lowest, highest in (("p50", 15, 20), ("p90", 30, 45)):
        value = await prometheus.value(f'line:hotline_wait_seconds:{rule}_rate5m{{line="12345"}}')
        assert value is not None and lowest <= value <= highest, (rule, value)
    met = await prometheus.value('hotline_wait_seconds_bucket{line="12345",outcome="answered",le="15.0"}')
    assert met == 4, "waits of 3, 7, 11 and 15 s are within the norm of 15 s"


async def check_present(prometheus: Prometheus) -> None:
    """One waits, two of three are occupied; the alert for a long wait fires with it."""
    assert await prometheus.value('hotline_callers_waiting{queue="12345"}') == 1
    await prometheus.until("job:hotline_agents_occupied:ratio_avg5m", lambda value: abs(value - 2 / 3) < 0.3)
    assert await prometheus.value("job:hotline_agents_occupied:sum") == 2
    await prometheus.until(
        'ALERTS{alertname="HotlineLongWait",alertstate="firing"}', lambda value: value == 1
    )
    groups = (await prometheus.get("rules"))["groups"]
    wrong = [rule for group in groups for rule in group["rules"] if rule["health"] != "ok"]
    assert not wrong and len(groups) > 6


async def check_dashboard(prometheus: Prometheus) -> None:
    """Prometheus can answer every panel; whether all its metrics are there: ``test_alerts.py``."""
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            expr = target["expr"].replace("$line", "12345|12315").replace("$queue", ".*")
            await prometheus.get("query", query=expr)
