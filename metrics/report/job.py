"""The process that makes one scheduled report: ``python -m hotline.metrics.report.job``, its order on stdin.

Pictures and pages take seconds of a processor and much memory, which the server's own process has better use
for: there calls are followed. This one yields to everybody else, and may die without harm.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from hotline.config.reporting import ReportFormat
from hotline.config.schema import Site
from hotline.core.clock import SystemClock
from hotline.core.errors import HotlineError
from hotline.metrics.report.checks import disagreements
from hotline.metrics.report.data import FileSection, Period, ReportData
from hotline.metrics.report.draft import new_draft
from hotline.metrics.report.gather import Gathering
from hotline.metrics.report.imported import read_data
from hotline.metrics.report.writing import write_report
from hotline.store.database import open_engine, sessions_of

NICENESS = 15


class Order(BaseModel):
    """What to make, of `what_reports_need`. ``database``: its address; it may hold a password."""

    model_config = ConfigDict(extra="forbid")
    site: Site
    database: str
    period: Period
    data: Path | None
    scores: Path | None
    folder: Path
    formats: tuple[ReportFormat, ...]


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
    order = Order.model_validate_json(sys.stdin.buffer.read())
    try:
        imported = None if order.data is None else read_data(order.data)
        data = asyncio.run(_gathered(order, imported))
        draft = new_draft(data, datetime.now(UTC))
        for form in order.formats:
            write_report(draft, draft.document, order.folder / f"{order.period.name}.{form.value}")
    except HotlineError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for one in disagreements(data):
        sys.stderr.write(f"does not add up: {one}\n")
    return 0


async def _gathered(order: Order, imported: FileSection | None) -> ReportData:
    engine = open_engine(order.database)
    try:
        gathering = Gathering(order.site, sessions_of(engine), SystemClock())
        return await gathering.of(order.period, imported, order.scores)
    finally:
        await engine.dispose()


if __name__ == "__main__":
    sys.exit(main())
