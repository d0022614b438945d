"""``hotline stats``: figures of a period with their numerators and denominators."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table

from hotline.config.schema import Site
from hotline.core.clock import SystemClock
from hotline.core.errors import UsageError
from hotline.core.events import Outcome
from hotline.core.figures import Dimension
from hotline.metrics.alert_texts import TOTAL
from hotline.metrics.figures import MENU, OF_A_LINE
from hotline.metrics.measures.catalogue import AHT, ANSWER_RATE, ASA, WITHIN_RATE, Measure, measures_of
from hotline.metrics.measures.summing import Summing, counting_of
from hotline.metrics.measures.values import Sums, exact, half_up
from hotline.store.counting import Counting
from hotline.store.database import open_engine, sessions_of
from hotline.store.migrate import upgrade


def as_row(
    sums: Sums, measures: Mapping[str, Measure], within_seconds: int, line: str, name: str
) -> dict[str, Any]:
    """A line's figures as one flat row; rates to four decimals, which is two of a percent."""

    def seconds(count: str) -> float:
        return sums.get(count, 0) / 1000

    def rounded(measure: str) -> float | None:
        found = exact(measures[measure], sums)
        return None if found is None else float(half_up(found, Decimal("0.0001")))

    return {
        "line": line,
        "name": name,
        "offered": sums.get("offered", 0),
        **{outcome.value: sums.get(outcome.value, 0) for outcome in Outcome},
        "still_open": sums.get("still_open", 0),
        f"answered_within_{within_seconds}": sums.get("answered_within", 0),
        "wait_seconds_total": seconds("wait_ms"),
        "talk_seconds_total": seconds("talk_ms"),
        "answer_rate": rounded(ANSWER_RATE),
        "within_rate": rounded(WITHIN_RATE),
        "asa_seconds": rounded(ASA),
        "ring_seconds_total": seconds("ring_ms"),
        "hold_seconds_total": seconds("hold_ms"),
        "wrap_up_seconds_total": seconds("wrap_up_ms"),
        "aht_seconds": rounded(AHT),
        "menu_seconds_total": seconds(MENU.id),
    }


async def stats(
    site: Site, url: str, start: datetime, end: datetime, by: Dimension = Dimension.LINE
) -> list[dict[str, Any]]:
    """Rows of the period [start, end), the whole hotline last; ``line`` names what a row stands for.

    Raises:
        UsageError: the period is empty, or calls are not known by that.
        TookTooLong: see `Counting`.
        SetupError: the database cannot be used.
    """
    if end <= start:
        raise UsageError("the period is empty", hint="--to must be later than --from")
    measures, within = measures_of(site.figures), site.figures.answer_within_seconds
    if by is Dimension.UNIT:
        hint = "ask for imported figures: --explain units_on_time_rate --unit NAME, or 历史统计 by 承办单位"
        raise UsageError("calls are not known by unit", hint=hint)
    async with counting_at(site, url) as counting:
        summing = Summing(site, counting, SystemClock())
        (found,) = await summing.sums((*OF_A_LINE, MENU), [(start, end)], by)
    group = summing.groupings[by].group
    rows = [as_row(sums, measures, within, key, group(key).name) for key, (sums,) in found.groups.items()]
    return [*rows, as_row(found.total[0], measures, within, TOTAL, site.site.name)]


@asynccontextmanager
async def counting_at(site: Site, url: str) -> AsyncIterator[Counting]:
    """The counts of a database, brought up to date first."""
    engine = open_engine(url)
    try:
        await upgrade(engine)
        yield counting_of(site, sessions_of(engine), limited=True)
    finally:
        await engine.dispose()


def print_rows(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    """A table for people (classes that no row has are left out), or JSON for programs."""
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    always = {"line", "name", "offered", Outcome.ANSWERED.value, "answer_rate", "within_rate", "asa_seconds"}
    shown = [name for name in rows[0] if name in always or any(row[name] for row in rows)]
    table = Table(caption="answer_rate = answered / offered that left the queue; parents include their lines")
    for name in shown:
        text = name in ("line", "name")
        table.add_column(name.replace("_", "\n"), justify="left" if text else "right", no_wrap=not text)
    for row in rows:
        table.add_row(*(_cell(name, row[name]) for name in shown))
    console().print(table)


def console() -> Console:
    """Where tables are printed; a file gets them wide."""
    return Console(width=None if sys.stdout.isatty() else 200)


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "—"
    return f"{value:.2%}" if name.endswith("_rate") else str(value)
