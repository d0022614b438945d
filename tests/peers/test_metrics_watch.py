"""The watch on a real bus: what it raises, and that no failing source silences the others."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hotline.config.alerting import AlertsSection, AnswerRateRule, LongestWaitRule
from hotline.config.schema import Line, Queue, Site
from hotline.core.alerts import AlertKind
from hotline.core.bus import MemoryBus
from hotline.core.clock import Clock, ManualClock, SystemClock
from hotline.core.events import AlertCleared, AlertRaised, CallFlagged, NuisanceKind
from hotline.core.views import CallView, LineFigures, LiveView, WaitingCaller
from hotline.metrics import watch as watch_module
from hotline.metrics.watch import AlertWatch

AT = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
WAITS = WaitingCaller("c1", "c1:12345:1", "12345", "12345", AT - timedelta(seconds=90), 1)
BAD_RATE = LineFigures("total", "热线", None, 40, 10, 10, 0, answer_rate=0.25)


class Picture:
    """The present as a test sets it; may be broken."""

    def __init__(self) -> None:
        self.view = LiveView(AT, True, (), (), ())
        self.broken = 0

    def live(self) -> LiveView:
        if self.broken:
            self.broken -= 1
            raise RuntimeError("a fault of ours")
        return self.view


class Ledger:
    """Figures as a test sets them; may fail or never answer."""

    def __init__(self) -> None:
        self.total = LineFigures("total", "热线", None, 40, 40, 40, 0, answer_rate=1.0)
        self.fails: Exception | None = None
        self.stuck: asyncio.Event | None = None
        self.asked: list[timedelta] = []

    async def of_period(self, start: datetime, end: datetime) -> tuple[LineFigures, tuple[LineFigures, ...]]:
        self.asked.append(end - start)
        if self.stuck is not None:
            await self.stuck.wait()
        if self.fails is not None:
            raise self.fails
        return self.total, ()


class Watched:
    """A watch and all that it looks at."""

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self.clock = ManualClock()
        site = Site(
            data_dir=folder,
            lines=(Line(id="12345", name="热线"),),
            queues=(Queue(name="12345", title="综合"),),
            alerts=AlertsSection(
                off=(AlertKind.UNSTAFFED, AlertKind.RECOGNISER),
                clear_seconds=0,
                longest_wait=LongestWaitRule(over_seconds=60),
                answer_rate=AnswerRateRule(for_seconds=30, window_seconds=600),
            ),
        )
        self.bus, self.picture, self.ledger = MemoryBus(), Picture(), Ledger()
        self.watch = AlertWatch(site, self.bus, self.picture, self.ledger, [], clock or self.clock)

    def told(self) -> list[tuple[str, str]]:
        """What went over the bus."""
        names = []
        for envelope in self.bus.since(0) or []:
            if isinstance(envelope.event, AlertRaised):
                names.append(("raised", envelope.event.alert.kind.value))
            elif isinstance(envelope.event, AlertCleared):
                names.append(("cleared", envelope.event.kind.value))
        return names


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


async def test_what_is_raised_and_cleared_goes_over_the_bus(watched: Watched) -> None:
    """A caller who waits too long is told once, listed while it lasts, and taken back."""
    watched.picture.view = replace(watched.picture.view, waiting=(WAITS,))
    watched.watch.look()
    watched.watch.look()
    assert watched.told() == [("raised", "longest_wait")]
    assert [alert.subject for alert in watched.watch.active()] == ["12345"]
    watched.picture.view = replace(watched.picture.view, waiting=())
    watched.watch.look()
    assert watched.told() == [("raised", "longest_wait"), ("cleared", "longest_wait")]
    assert watched.watch.active() == ()


async def test_a_failing_database_blinds_the_rate_alone(watched: Watched) -> None:
    """Old figures raise nothing and clear nothing; other alerts come as ever."""
    bad, good = BAD_RATE, watched.ledger.total

    async def look(total: LineFigures | None) -> list[tuple[str, str]]:
        """Half a minute later, with these figures or none."""
        watched.clock.advance(30)
        watched.ledger.total = total or good
        watched.ledger.fails = OSError("disk I/O error") if total is None else None
        await watched.watch.look_at_figures()
        watched.watch.look()
        return watched.told()

    assert await look(bad) == [] and watched.ledger.asked == [timedelta(minutes=10)]
    assert await look(None) == [], "raised on old figures"
    assert await look(bad) == []
    raised = await look(bad)
    assert raised == [("raised", "answer_rate")]
    watched.picture.view = replace(watched.picture.view, waiting=(WAITS,))
    assert await look(None) == [*raised, ("raised", "longest_wait")], "the rate is not known to be well"
    assert (await look(good))[2:] == [("cleared", "answer_rate")]


async def test_a_database_that_never_answers_does_not_hold_up_the_watch(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its time the rate counts as unknown; the other looks never waited for it."""
    monkeypatch.setattr(watch_module, "DATABASE_SECONDS", 0.05)
    watched.ledger.stuck = asyncio.Event()
    looking = asyncio.create_task(watched.watch.look_at_figures())
    await asyncio.sleep(0)  # it asks
    watched.picture.view = replace(watched.picture.view, waiting=(WAITS,))
    watched.watch.look()
    assert watched.told() == [("raised", "longest_wait")]
    await asyncio.wait_for(looking, 5)


async def test_the_disk_is_really_looked_at(watched: Watched, tmp_path: Path) -> None:
    """Prometheus gets the room left; a data_dir that is gone is unknown, not full."""
    await watched.watch.look_at_disk()
    numbers = {name: value for name, _, _, value in watched.watch.numbers()}
    assert 0 < numbers["data_dir_free_bytes"] < numbers["data_dir_size_bytes"]
    (tmp_path / "gone").mkdir()
    lost = Watched(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    await lost.watch.look_at_disk()
    lost.watch.look()
    assert lost.told() == [] and "data_dir_free_bytes" not in {name for name, *_ in lost.watch.numbers()}


async def test_it_hears_of_flagged_calls_and_survives_a_fault_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Running by itself: two looks fail, are counted, and the third tells of the flagged call."""
    monkeypatch.setattr(watch_module, "LOOK_SECONDS", 0.01)
    watched = Watched(tmp_path, SystemClock())
    watched.picture.broken = 2
    running = asyncio.create_task(watched.watch.run())
    with watched.bus.subscribe("test") as feed:
        await asyncio.sleep(0)  # the watch subscribes
        talk = CallView("c1", "12345", "12345", "138", "", (), AT, AT, AT, "1001", 3.0, nuisance=True)
        watched.picture.view = replace(watched.picture.view, calls=(talk,))
        watched.bus.publish(CallFlagged("c1", AT, "1001", "骂人", NuisanceKind.ABUSE))
        async with asyncio.timeout(10):
            while not isinstance(event := (await anext(feed)).event, AlertRaised):
                pass
    assert (event.alert.kind, event.alert.subject) == (AlertKind.ABUSIVE, "c1")
    assert watched.watch.faults == 2
    running.cancel()
    await asyncio.wait({running})


async def test_a_restart_goes_on_with_what_was_raised(tmp_path: Path) -> None:
    """The same alert under the same id is not told twice; one that ended meanwhile is told to be over."""
    before = Watched(tmp_path, SystemClock())
    before.picture.view = replace(before.picture.view, waiting=(WAITS,))
    running = asyncio.create_task(before.watch.run())
    kept = tmp_path / "alerts.json"
    async with asyncio.timeout(10):
        while not kept.exists():  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait({running})
    (raised,) = before.watch.active()

    after = Watched(tmp_path)
    after.watch.restore()
    assert after.watch.active() == (raised,)
    after.picture.view = replace(after.picture.view, waiting=(WAITS,))
    after.watch.look()
    assert after.told() == [] and after.watch.active()[0].alert_id == raised.alert_id
    after.picture.view = replace(after.picture.view, waiting=())
    after.watch.look()
    (cleared,) = [one.event for one in after.bus.since(0) or []]
    assert isinstance(cleared, AlertCleared) and cleared.alert_id == raised.alert_id

    kept.write_text("[{")
    broken = Watched(tmp_path)
    broken.watch.restore()
    assert broken.watch.active() == ()
