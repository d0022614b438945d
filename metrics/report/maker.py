"""Makes scheduled reports beside the server: each once, in a process of its own, again when it fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import httpx

from hotline.config.reporting import ScheduledReport
from hotline.config.schema import Site
from hotline.config.secrets import Secrets
from hotline.core.backoff import backoff
from hotline.core.clock import Clock
from hotline.core.errors import HotlineError
from hotline.metrics.report.data import Period
from hotline.metrics.report.draft import read_draft
from hotline.metrics.report.job import Order, Rendering, what_reports_need
from hotline.metrics.report.running import RunFailed, finished, run_job
from hotline.metrics.report.schedule import newest_due
from hotline.metrics.webhook import POST_SECONDS, exchange, make_client, target_of
from hotline.metrics.webhook_formats import ReportMade, Verdict, make_report_post, verdict
from hotline.store.report_shelf import HANDED, Done, ReportShelf

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 30.0  # a report comes so much late at the most
HAND_SECONDS: Final = 300.0  # of a command
FIRST_RETRY_SECONDS: Final = 60.0
LAST_RETRY_SECONDS: Final = 3600.0
SCORES: Final = (".scores.yaml", ".scores.json")  # the sub-centres' figures of a period, or their ranking
STATE: Final = "HOTLINE_REPORT"  # what a command is told of the files in its environment: draft or final
DATA: Final = (".yaml", ".xlsx", ".csv")


class ReportMaker:
    """Looks what is due and makes it, one report at a time.

    Args:
        site: its schedule.
        database: the address of its database.
        secrets: those of its webhooks.
        clock: the present.
    """

    def __init__(self, site: Site, database: str, secrets: Secrets, clock: Clock) -> None:
        self._site, self._database, self._secrets, self._clock = site, database, secrets, clock
        self._shelf = ReportShelf(site.data_dir)
        self._again_at: dict[tuple[str, str], float] = {}  # after a failure; one for each schedule
        self._pauses: dict[tuple[str, str], Iterator[float]] = {}

    async def run(self) -> None:
        """Make reports until cancelled. No failure of one ends it."""
        while True:
            await self.make_due()
            await asyncio.sleep(LOOK_SECONDS)

    async def make_due(self) -> None:
        """Make every report that should be there and is not, and hand over those that became final."""
        for report in self._site.reports.schedule:
            period = newest_due(report, self._clock.now(), self._site.zone)
            await self._try((report.name, period.name), partial(self._make, report, period))
            for final in await asyncio.to_thread(self._shelf.finals_due, report.name):
                await self._try((f"{report.name} (final)", final), partial(self._hand_final, report, final))

    async def _try(self, key: tuple[str, str], work: Callable[[], Awaitable[None]]) -> None:
        """Do a piece of work, unless it failed just now."""
        if self._clock.monotonic() < self._again_at.get(key, 0.0):
            return
        try:
            await work()
        except (RunFailed, HotlineError, OSError) as error:
            log.error("report %s of %s: %s; again in %.0f s", *key, error, self._later(key))
        except Exception:  # a fault of ours with one report must not end the others, nor the server
            log.exception("report %s of %s failed; again in %.0f s", *key, self._later(key))

    def _later(self, key: tuple[str, str]) -> float:
        """Put a report off; for how many seconds."""
        self._forget_others(*key)
        pause = next(self._pauses.setdefault(key, _pauses()))
        self._again_at[key] = self._clock.monotonic() + pause
        return pause

    def _forget_others(self, name: str, period: str) -> None:
        """Failures of earlier periods are of no more account."""
        for key in [key for key in self._again_at if key[0] == name and key[1] != period]:
            del self._again_at[key], self._pauses[key]

    async def _make(self, report: ScheduledReport, period: Period) -> None:
        done = await asyncio.to_thread(self._shelf.done, report.name, period.name)
        if done is None:
            folder = await asyncio.to_thread(self._shelf.folder, report.name)
            order = Order(
                site=what_reports_need(self._site),
                database=self._database,
                period=period,
                data=await asyncio.to_thread(data_file, report.data, period.name),
                scores=await asyncio.to_thread(data_file, report.data, period.name, SCORES),
                folder=folder,
                stem=period.name,
                formats=report.formats,
            )
            said = await run_job(order)
            if said:
                log.warning("report %s of %s: %s", report.name, period.name, said)
            files = tuple(f"{period.name}.{form.value}" for form in report.formats)
            done = Done(files, handed=False)
            await asyncio.to_thread(self._shelf.note, report.name, period.name, done)
            log.info("report %s of %s is made", report.name, period.name)
        if not done.handed:
            await self._hand(report, ReportMade(report.name, period.name, done.files))
            await asyncio.to_thread(self._note_handed, report.name, period.name, final=False)

    async def _hand_final(self, report: ScheduledReport, period: str) -> None:
        """Write the files anew as somebody made the report final, and hand them over as that."""
        done = await asyncio.to_thread(self._shelf.done, report.name, period)
        path = await asyncio.to_thread(self._shelf.file, report.name, f"{period}.json")
        if done is None or path is None:
            return
        draft = read_draft(await asyncio.to_thread(path.read_bytes), path.name)
        if draft.final is None:
            return  # it is about to be written
        for file in done.files:
            if not file.endswith(".json"):
                await run_job(Rendering(draft=path, out=path.with_name(file)))
        await self._hand(report, ReportMade(report.name, period, done.files, draft.final.by))
        await asyncio.to_thread(self._note_handed, report.name, period, final=True)

    def _note_handed(self, name: str, period: str, *, final: bool) -> None:
        """Say so beside what else was said meanwhile: somebody may just have made the report final."""
        done = self._shelf.done(name, period)
        if done is not None:
            self._shelf.note(
                name, period, replace(done, final=HANDED) if final else replace(done, handed=True)
            )

    async def _hand(self, report: ScheduledReport, made: ReportMade) -> None:
        """Run the command, tell the webhook: each at least once."""
        if report.command:
            folder = await asyncio.to_thread(self._shelf.folder, report.name)
            paths = (str(folder / file) for file in made.files)
            state = "draft" if made.final_by is None else "final"
            await finished((*report.command, *paths), HAND_SECONDS, environment={STATE: state})
        hook = next((one for one in self._site.alerts.webhooks if one.name == report.webhook), None)
        if hook is None:
            return
        target = target_of(hook, self._secrets)
        try:
            async with make_client() as client, asyncio.timeout(POST_SECONDS):
                post = make_report_post(target, made, self._site, self._clock.now())
                told = verdict(target, *await exchange(client, post))
        except (httpx.HTTPError, TimeoutError) as error:
            raise RunFailed(f"webhook {hook.name} was not reached ({type(error).__name__})") from None
        if told is not Verdict.TAKEN:
            raise RunFailed(f"webhook {hook.name} answered: {told.value}")


def data_file(folder: Path | None, period: str, endings: tuple[str, ...] = DATA) -> Path | None:
    """A file of a period, if somebody put one there."""
    names = [folder / f"{period}{ending}" for ending in endings] if folder else []
    return next((name for name in names if name.is_file()), None)


def _pauses() -> Iterator[float]:
    return backoff(initial_seconds=FIRST_RETRY_SECONDS, max_seconds=LAST_RETRY_SECONDS)
