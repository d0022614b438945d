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

from hotline.config.schema import MetricsSection
from hotline.core.bus import MemoryBus
from hotline.core.errors import SetupError
from hotline.core.events import (
    CallAnswered,
    CallEnded,
    CallerQueued,
    EngineChanged,
    EntryClosed,
    LegTapped,
    LinkChanged,
    Outcome,
    Side,
    TranscriptSegment,
)
from hotline.core.views import LiveView, WaitingCaller
from hotline.metrics.prometheus import Exporter, MetricsServer
from tests.fixtures.ports import free_port

NOW = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
QUEUED = CallerQueued("c1", NOW, "c1:12315:1", "12315", "12315", 1, "138", ())
ANSWERED = CallAnswered("c1", NOW, "c1:12315:1", "12315", "12315", "1001", 14.0, "c1", "c2")
CLOSED = EntryClosed("c1", NOW, "c1:12315:1", "12315", "12315", Outcome.ANSWERED, "1001", 14.0, 60.0)


class Present:
    def live(self) -> LiveView:
        waiting = WaitingCaller("c9", "c9:12345:1", "12345", "12345", NOW - timedelta(seconds=40), 1)
        return LiveView(NOW, True, (), (waiting,), ())


@pytest.fixture
async def exporter() -> AsyncIterator[Exporter]:
    yield Exporter(
        MemoryBus(), Present(), [lambda: [("rows_waiting", "Rows.", False, 3)]], ["12345", "12315"]
    )


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


async def test_a_scrape_shows_counts_waits_and_the_present(exporter: Exporter) -> None:
    """One answered call and one caller waiting, as Prometheus reads them."""
    for event in (QUEUED, ANSWERED, CLOSED, LinkChanged(NOW, True, "")):
        exporter.count(event)
    server = MetricsServer(exporter, MetricsSection(port=free_port()))
    server.start()
    try:
        seen = await scrape(server.port)
    finally:
        server.close()
    assert seen["hotline_offered_total{line=12315}"] == 1
    assert seen["hotline_answered_total{line=12315}"] == 1
    assert seen["hotline_entries_closed_total{line=12315,outcome=answered}"] == 1
    assert seen["hotline_wait_seconds_bucket{le=15.0,line=12315,outcome=answered}"] == 1
    assert seen["hotline_wait_seconds_bucket{le=10.0,line=12315,outcome=answered}"] == 0
    assert seen["hotline_longest_wait_seconds{queue=12345}"] == 40
    assert seen["hotline_ami_connected{}"] == 1 and seen["hotline_rows_waiting{}"] == 3
    assert seen["hotline_event_loop_responsive{}"] == 1


async def test_a_replayed_answer_is_counted_once(exporter: Exporter) -> None:
    """After a lost link live calls are told anew; the counter does not move."""
    for event in (QUEUED, ANSWERED, ANSWERED):
        exporter.count(event)
    assert exporter.registry.get_sample_value("hotline_answered_total", {"line": "12315"}) == 1


async def test_an_agents_question_to_a_queue_counts_when_it_is_the_callers(exporter: Exporter) -> None:
    """Until then it is nobody's call; then it is offered, answered and closed, like the row that says so."""

    async def counted(name: str, **labels: str) -> float | None:
        sample = f"hotline_{name}_total", {"line": "12315", **labels}
        return await asyncio.to_thread(exporter.registry.get_sample_value, *sample)  # it asks the loop

    for number, outcome in ((1, Outcome.ANSWERED), (2, Outcome.ABANDONED)):
        entry_id = f"c{number}:12315:1"
        exporter.count(replace(QUEUED, entry_id=entry_id, enquiry=True))
        if outcome is Outcome.ANSWERED:
            exporter.count(replace(ANSWERED, entry_id=entry_id))
        exporter.count(replace(CLOSED, entry_id=entry_id, outcome=outcome, enquiry=True))
    assert (await counted("offered"), await counted("answered")) == (0, 0)
    assert not any([await counted("entries_closed", outcome=one.value) for one in Outcome])
    for event in (replace(QUEUED, enquiry=True), ANSWERED, CLOSED):
        exporter.count(event)
    assert (await counted("offered"), await counted("answered")) == (1, 1)
    assert await counted("entries_closed", outcome="answered") == 1


async def test_labels_stay_bounded_whatever_the_exchange_says(exporter: Exporter) -> None:
    """A line that the site does not have is counted under one label."""
    for number in range(50):
        exporter.count(CallerQueued("c", NOW, f"c:{number}:1", f"line-{number}", "q", 1, "", ()))
    assert exporter.registry.get_sample_value("hotline_offered_total", {"line": "other"}) == 50


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
