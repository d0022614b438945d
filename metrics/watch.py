"""The watch: looks at the exchange, the figures and the machine every second, and raises and clears alerts.

Nothing here can hold up a call. The live picture and the numbers are read in memory; the database and the
disk are asked by tasks of their own, and while they do not answer nothing is said of what they would tell.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Protocol

from hotline.config.schema import Site
from hotline.core.alerts import Alert
from hotline.core.bus import follow
from hotline.core.clock import Clock
from hotline.core.ports import Bus, Feed, LivePicture
from hotline.core.views import LineFigures
from hotline.metrics.alert_memory import AlertMemory
from hotline.metrics.alert_rules import Disk, Rules, Signs, for_seconds
from hotline.metrics.alerts import AlertEngine
from hotline.metrics.prometheus import Number, Numbers

log = logging.getLogger(__name__)

FEED_LIMIT: Final = 20_000  # events unread; beyond that they are replayed from the bus's history
LOOK_SECONDS: Final = 1.0
SLOW_LOOK_SECONDS: Final = 5.0  # between two looks at the database and at the disk
DATABASE_SECONDS: Final = 10.0  # to answer


class PeriodFigures(Protocol):
    """Where the rates come from: the ledger's figures of a period."""

    async def of_period(
        self, start: datetime, end: datetime
    ) -> tuple[LineFigures, tuple[LineFigures, ...]]: ...


class AlertWatch:
    """Watches one server; answers the ``Alerts`` port.

    Args:
        site: limits, names of queues and lines, data_dir.
        bus: where flagged calls and automatic pauses are told, and alerts are published.
        picture: the present of the exchange.
        figures: of the ledger.
        numbers: the rooms' own, as Prometheus is given them.
        clock: the present.
    """

    def __init__(
        self,
        site: Site,
        bus: Bus,
        picture: LivePicture,
        figures: PeriodFigures,
        numbers: Iterable[Numbers],
        clock: Clock,
    ) -> None:
        self.faults = 0
        self._site, self._bus, self._picture, self._clock = site, bus, picture, clock
        self._figures, self._numbers = figures, list(numbers)
        self._rules = Rules(site)
        self._engine = AlertEngine(site.site.node, for_seconds(site), site.alerts.clear_seconds)
        self._recent: tuple[LineFigures, ...] | None = None
        self._disk: Disk | None = None
        self._memory = AlertMemory(site.data_dir / "alerts.json")
        self._changed = asyncio.Event()

    def restore(self) -> None:
        """Take over the alerts of an earlier run. Call once, before ``run``."""
        alerts = self._memory.load()
        self._engine.restore(alerts)
        self._rules.remember(alerts, self._clock.monotonic())

    def active(self) -> tuple[Alert, ...]:
        """Raised and not cleared, oldest first."""
        return self._engine.active()

    def numbers(self) -> Iterable[Number]:
        """For Prometheus: what only the watch looks at."""
        if self._disk is not None:
            yield "data_dir_free_bytes", "Room left where data_dir lies.", False, self._disk.free_bytes
            yield "data_dir_size_bytes", "The size of that disk.", False, self._disk.total_bytes
        yield "alert_faults", "Looks that a fault of ours broke off.", True, self.faults

    async def run(self) -> None:
        """Watch until cancelled."""
        feed = self._bus.subscribe("alerts", limit=FEED_LIMIT)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hear(feed), name="alerts-hear")
            tasks.create_task(self._look_at_figures(), name="alerts-figures")
            tasks.create_task(self._look_at_disk(), name="alerts-disk")
            tasks.create_task(self._look(), name="alerts-look")
            tasks.create_task(self._keep(), name="alerts-keep")

    def look(self) -> None:
        """Compare the present with the limits once, and tell what came of it."""
        live = self._picture.live()
        signs = Signs(live, self._recent, self._read_numbers(), self._disk)
        seconds = self._clock.monotonic()
        troubles = self._rules.look(signs, seconds)
        unknown = self._rules.unknown(signs)
        for event in self._engine.update(troubles, self._clock.now(), seconds, unknown=unknown):
            self._bus.publish(event)
            self._changed.set()

    async def look_at_figures(self) -> None:
        """Read the answer rate's window from the ledger; None is kept when it cannot be had."""
        end = self._clock.now()
        start = end - timedelta(seconds=self._site.alerts.answer_rate.window_seconds)
        try:
            async with asyncio.timeout(DATABASE_SECONDS):
                total, lines = await self._figures.of_period(start, end)
        except Exception as error:  # whatever ails the database, the other alerts go on
            if self._recent is not None:
                log.warning("the answer rate cannot be watched now (%s)", type(error).__name__)
            self._recent = None
        else:
            self._recent = (total, *lines)

    async def look_at_disk(self) -> None:
        """See how much room is left, on a thread: a dead network disk may not answer."""
        try:
            usage = await asyncio.to_thread(shutil.disk_usage, self._site.data_dir)
        except OSError as error:
            if self._disk is not None:
                log.warning("data_dir's disk cannot be looked at: %s", error.strerror)
            self._disk = None
        else:
            self._disk = Disk(usage.free, usage.total)

    def _read_numbers(self) -> dict[str, float]:
        return {name: value for read in self._numbers for name, _, _, value in read()}

    async def _hear(self, feed: Feed) -> None:
        async for envelope in follow(self._bus, feed, "alerts", limit=FEED_LIMIT):
            self._rules.hear(envelope.event, self._clock.monotonic())

    async def _look(self) -> None:
        while True:
            try:
                self.look()
            except Exception:  # a fault in one look must not end the next one, nor the server
                self.faults += 1
                log.exception("looking for alerts failed")
            await asyncio.sleep(LOOK_SECONDS)

    async def _keep(self) -> None:
        """Write down what is raised whenever that changes; a disk that is full must not end the watch."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await asyncio.to_thread(self._memory.save, self.active())
            except OSError as error:
                log.warning("alerts are not kept over a restart: %s", error.strerror)

    async def _look_at_figures(self) -> None:
        while True:
            await self.look_at_figures()
            await asyncio.sleep(SLOW_LOOK_SECONDS)

    async def _look_at_disk(self) -> None:
        while True:
            await self.look_at_disk()
            await asyncio.sleep(SLOW_LOOK_SECONDS)
