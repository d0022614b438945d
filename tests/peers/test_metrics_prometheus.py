"""What a Prometheus server reads from us, over HTTP."""

from __future__ import annotations

import asyncio
import threading
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hotline.config.loading import load_site
from hotline.config.samples import path as sample_path
from hotline.config.schema import MetricsSection, Site
from hotline.core.bus import MemoryBus
from hotline.core.errors import SetupError
from hotline.core.events import (
    AgentState,
    CallEnded,
    CallStarted,
    EngineChanged,
    LegTapped,
    LinkChanged,
    MenuFinished,
    MenuOutcome,
    Outcome,
    Side,
    TalkKind,
    TalkStarted,
    TranscriptSegment,
)
from hotline.core.views import AgentView, LiveView, WaitingCaller
from hotline.metrics.prometheus import Exporter, MetricsServer
from hotline.store.ledger import EntryRecord, RowMoment
from tests.fixtures.ports import free_port

NOW = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
ROW = EntryRecord(
    "c1:12315:1", "n", "c1", "12315", 1, "c1", "12315", "live", NOW, outcome="answered", agent="1001",
    answered_at=NOW, closed_at=NOW, wait_ms=14_000, ring_ms=2_500, talk_ms=60_000, hold_ms=20_000,
    wrap_up_ms=8_000, unanswered_rings=2,
)  # fmt: skip


def tell(exporter: Exporter, row: EntryRecord, *moments: RowMoment) -> None:
    """What became known of a row; without moments: all there is."""
    for moment in moments or RowMoment:
        exporter.rows.count(moment, row)


class Present:
    def live(self) -> LiveView:
        waiting = WaitingCaller("c9", "c9:12345:1", "12345", "12345", NOW - timedelta(seconds=40), 1)
        agents = (
            AgentView("1001", "张", "1001", AgentState.TALKING, "", NOW, ("12345", "12315"), "c1"),
            AgentView("1002", "李", "1002", AgentState.READY, "", NOW, ("12345", "gone"), None),
        )
        return LiveView(NOW, True, (), (waiting,), agents)


def site(**figures: object) -> Site:
    """The demo's, with these choices."""
    made = load_site(sample_path("demo"))
    return made.model_copy(update={"figures": made.figures.model_copy(update=figures)})


def an_exporter(of: Site) -> Exporter:
    return Exporter(of, MemoryBus(), Present(), [lambda: [("rows_waiting", "Rows.", False, 3)]])


@pytest.fixture
async def exporter() -> AsyncIterator[Exporter]:
    yield an_exporter(site())


def read_samples(port: int) -> dict[str, float]:
    """Every sample by its name and labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    samples = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation, f"{family.name} has no HELP"
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
            samples[f"{sample.name}{{{labels}}}"] = sample.value
    return samples


async def scrape(port: int) -> dict[str, float]:
    """The same, off the loop."""
    return await asyncio.to_thread(read_samples, port)


async def test_a_scrape_shows_counts_times_and_the_present(exporter: Exporter) -> None:
    """One answered call with all its times and one caller waiting, as Prometheus reads them."""
    tell(exporter, ROW)
    exporter.count(LinkChanged(NOW, True, ""))
    server = MetricsServer(exporter, MetricsSection(port=free_port()))
    server.start()
    try:
        seen = await scrape(server.port)
    finally:
        server.close()
    place = "line=12315,queue=12315,source=live"
    assert seen[f"hotline_offered_total{{{place}}}"] == 1
    assert seen[f"hotline_answered_total{{{place}}}"] == 1
    assert seen[f"hotline_answered_within_norm_total{{{place}}}"] == 1
    assert seen[f"hotline_ring_no_answers_total{{{place}}}"] == 2
    closed = "line=12315,outcome={},queue=12315,source=live"
    assert seen[f"hotline_entries_closed_total{{{closed.format('answered')}}}"] == 1
    assert seen[f"hotline_entries_closed_total{{{closed.format('callback')}}}"] == 0  # there before the first
    assert seen["hotline_wait_seconds_bucket{le=15.0,line=12315,outcome=answered}"] == 1
    assert seen["hotline_wait_seconds_bucket{le=10.0,line=12315,outcome=answered}"] == 0
    for name, seconds in {"ring": 2.5, "talk": 60, "hold": 20, "wrap_up": 8}.items():
        assert seen[f"hotline_{name}_seconds_sum{{line=12315}}"] == seconds
    assert seen["hotline_longest_wait_seconds{queue=12345}"] == 40
    assert (seen["hotline_callers_waiting{queue=12345}"], seen["hotline_callers_waiting{queue=12315}"]) == (
        1,
        0,
    )
    assert (seen["hotline_agents{state=talking}"], seen["hotline_agents{state=ready}"]) == (1, 1)
    assert seen["hotline_queue_agents{queue=12315,state=talking}"] == 1
    assert seen["hotline_queue_agents{queue=12315,state=ready}"] == 0
    assert seen["hotline_ami_connected{}"] == 1 and seen["hotline_rows_waiting{}"] == 3
    assert seen["hotline_event_loop_responsive{}"] == 1


async def test_an_answer_counts_when_it_comes_and_its_class_when_the_talk_is_over(exporter: Exporter) -> None:
    """So that the rates of the last minutes do not wait for talks to end."""
    value = exporter.registry.get_sample_value
    place = {"line": "12315", "queue": "12315", "source": "live"}
    tell(exporter, ROW, RowMoment.OFFERED, RowMoment.DECIDED)
    assert value("hotline_answered_total", place) == value("hotline_answer_rate_base_total", place) == 1
    assert value("hotline_entries_closed_total", {**place, "outcome": "answered"}) == 0
    assert value("hotline_talk_seconds_count", {"line": "12315"}) == 0


@pytest.mark.parametrize(
    ("figures", "bases"),
    [
        ({}, (4, 4)),
        ({"exclude_short_abandons": True}, (3, 3)),
        ({"within_over": "answered"}, (4, 2)),
        ({"within_over": "answered", "exclude_short_abandons": True}, (3, 2)),
    ],
)
async def test_denominators_are_those_of_the_sites_rates(
    figures: dict[str, object], bases: tuple[int, int]
) -> None:
    """Whichever variant a site chose, the shipped recording rules divide as its reports do."""
    exporter = an_exporter(site(answer_within_seconds=12, **figures))
    value = exporter.registry.get_sample_value
    place = {"line": "12315", "queue": "12315", "source": "live"}
    tell(exporter, replace(ROW, wait_ms=12_000))
    tell(exporter, replace(ROW, wait_ms=12_001))
    for outcome in (Outcome.ABANDONED, Outcome.SHORT_ABANDON):
        tell(exporter, replace(ROW, outcome=outcome.value, answered_at=None))
    names = ("answer_rate_base", "within_rate_base")
    assert tuple(value(f"hotline_{name}_total", place) for name in names) == bases
    assert value("hotline_answered_total", place) == 2
    assert value("hotline_answered_within_norm_total", place) == 1
    norm = {"line": "12315", "outcome": "answered", "le": "12.0"}  # the site's norm has its bucket
    assert value("hotline_wait_seconds_bucket", norm) == 1


async def test_calls_talks_and_menus_are_counted_by_kind(exporter: Exporter) -> None:
    """A callback is no caller who reached the hotline; who was handed on is a talk of kind transfer."""
    value = exporter.registry.get_sample_value
    exporter.count(CallStarted("c1", NOW, "12315", "12315", "138", ""))
    exporter.count(CallStarted("c2", NOW, "12315", "", "138", "", callback_of="c1"))
    exporter.count(TalkStarted("c1", NOW, "t", TalkKind.TRANSFER, "1001", "1001"))
    exporter.count(MenuFinished("c1", NOW, "m", (), MenuOutcome.OPERATOR, "12315", "12315", 6.5))
    assert value("hotline_calls_total", {"line": "12315"}) == 1
    assert value("hotline_callbacks_total", {"line": "12315"}) == 1
    assert value("hotline_talks_total", {"kind": "transfer"}) == 1
    assert value("hotline_menu_seconds_bucket", {"outcome": "operator", "le": "10.0"}) == 1
    assert value("hotline_menu_seconds_bucket", {"outcome": "operator", "le": "5.0"}) == 0


async def test_labels_stay_bounded_whatever_the_exchange_says(exporter: Exporter) -> None:
    """A line or a queue that the site does not have is counted under one label."""
    for number in range(50):
        row = replace(ROW, line=f"line-{number}", queue=f"queue-{number}")
        tell(exporter, row)
        exporter.count(CallStarted("c", NOW, f"line-{number}", "", "", ""))
    value = exporter.registry.get_sample_value
    place = {"line": "other", "queue": "other", "source": "live"}
    assert value("hotline_offered_total", place) == 50
    assert value("hotline_calls_total", {"line": "other"}) == 50
    text = "".join(str(await asyncio.to_thread(lambda: list(exporter.registry.collect()))))
    assert "line-7" not in text and "queue-7" not in text and "gone" not in text


async def test_taps_and_latency_follow_the_transcript(exporter: Exporter) -> None:
    """A tapped side is shown while it is heard, and a partial's delay falls into its bucket."""
    exporter.count(LegTapped("c1", NOW, Side.CALLER, "vosk"))
    said = TranscriptSegment(
        "c1", NOW + timedelta(seconds=0.08), Side.CALLER, 1, 1, "您好", False, 0, 1, None, NOW
    )  # fmt: skip
    exporter.count(said)
    value = exporter.registry.get_sample_value
    assert value("hotline_taps", {"side": "caller"}) == 1
    assert value("hotline_transcript_latency_seconds_bucket", {"kind": "partial", "le": "0.1"}) == 1
    assert value("hotline_transcript_latency_seconds_bucket", {"kind": "partial", "le": "0.075"}) == 0


async def test_voices_are_counted_by_the_engine_that_hears_them(exporter: Exporter) -> None:
    """A change moves one over and is counted with its reason; the end of the call takes all away."""
    value = exporter.registry.get_sample_value
    exporter.count(LegTapped("c1", NOW, Side.CALLER, "city"))
    exporter.count(LegTapped("c1", NOW, Side.AGENT, "city", "1001"))
    exporter.count(EngineChanged("c1", NOW, Side.CALLER, "local", "slow"))
    assert value("hotline_engine_taps", {"engine": "city"}) == 1
    assert value("hotline_engine_taps", {"engine": "local"}) == 1
    assert value("hotline_engine_changes_total", {"engine": "local", "reason": "slow"}) == 1
    exporter.count(CallEnded("c1", NOW))
    assert value("hotline_engine_taps", {"engine": "city"}) == 0
    assert value("hotline_engine_taps", {"engine": "local"}) == 0


async def test_a_hanging_loop_is_news_and_not_a_hanging_scrape(exporter: Exporter) -> None:
    """While the server's loop is stuck the scrape still answers, and says so."""
    found: dict[str, float] = {}
    server = MetricsServer(exporter, MetricsSection(port=free_port()))
    server.start()
    try:
        reader = threading.Thread(target=lambda: found.update(read_samples(server.port)))
        reader.start()
        reader.join(10)  # the fault under test: nothing else runs on the loop meanwhile
        assert found["hotline_event_loop_responsive{}"] == 0
    finally:
        server.close()


async def test_a_taken_port_is_named(exporter: Exporter) -> None:
    """The message names the port and the site file's key."""
    holder = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = holder.sockets[0].getsockname()[1]
    with pytest.raises(SetupError, match=rf"{port}.*metrics\.port"):
        MetricsServer(exporter, MetricsSection(port=port)).start()
    holder.close()
    await holder.wait_closed()
