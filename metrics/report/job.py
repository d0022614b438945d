"""The process that makes reports and files of them: ``python -m hotline.metrics.report.job``; order on stdin.

Pictures and pages take seconds of a processor and much memory, which the server's own process has better use
for: there calls are followed. This one yields to everybody else, and may die without harm.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, TypeAdapter

from hotline.config.reporting import ReportFormat
from hotline.config.schema import Site
from hotline.core.clock import SystemClock
from hotline.core.errors import HotlineError
from hotline.metrics.report.checks import disagreements
from hotline.metrics.report.data import FileSection, Period, ReportData
from hotline.metrics.report.draft import new_draft, read_draft, reviewed
from hotline.metrics.report.gather import Gathering
from hotline.metrics.report.imported import read_data
from hotline.metrics.report.topic import gather_topic
from hotline.metrics.report.writing import write_report
from hotline.store.database import open_engine, sessions_of

NICENESS = 15


class Order(BaseModel):
    """What to make, of `what_reports_need`.

    Attributes:
        database: its address; it may hold a password.
        words: of a special on calls in which they were said; empty: a report of the period.
        stem: of the files' names.
        formats: beside the draft (.json), which is always written, before the others.
    """

    model_config = ConfigDict(extra="forbid")
    site: Site
    database: str
    period: Period
    data: Path | None
    scores: Path | None
    words: str = ""
    folder: Path
    stem: str
    formats: tuple[ReportFormat, ...]


class Rendering(BaseModel):
    """A draft to be written in another format, as people left it."""

    model_config = ConfigDict(extra="forbid")
    draft: Path
    out: Path


_JOB: Final[TypeAdapter[Order | Rendering]] = TypeAdapter(Order | Rendering)


def what_reports_need(site: Site) -> Site:
    """The part of a site that a report is made from."""
    return Site(
        site=site.site,
        data_dir=site.data_dir,
        figures=site.figures,
        reports=site.reports.model_copy(update={"schedule": ()}),
        scoring=site.scoring,
        lines=site.lines,
        queues=site.queues,
    )


def main() -> int:
    """Make it; 1 with one line on stderr if it cannot be made."""
    os.nice(NICENESS)
    job = _JOB.validate_json(sys.stdin.buffer.read())
    try:
        if isinstance(job, Rendering):
            _render(job)
        else:
            _make(job)
    except HotlineError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _make(order: Order) -> None:
    imported = None if order.data is None else read_data(order.data)
    data = asyncio.run(_gathered(order, imported))
    draft = new_draft(data, datetime.now(UTC))
    for form in dict.fromkeys((ReportFormat.JSON, *order.formats)):
        write_report(draft, draft.document, order.folder / f"{order.stem}.{form.value}")
    for one in disagreements(data):
        sys.stderr.write(f"does not add up: {one}\n")


def _render(job: Rendering) -> None:
    draft = read_draft(job.draft.read_bytes(), job.draft.name)
    write_report(draft, reviewed(draft), job.out)


async def _gathered(order: Order, imported: FileSection | None) -> ReportData:
    engine = open_engine(order.database)
    try:
        site, sessions, clock = order.site, sessions_of(engine), SystemClock()
        if order.words:
            return await gather_topic(site, sessions, clock, order.words, order.period)
        return await Gathering(site, sessions, clock).of(order.period, imported, order.scores)
    finally:
        await engine.dispose()


if __name__ == "__main__":
    sys.exit(main())
