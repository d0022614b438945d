"""``hotline stats``: figures of a period with their numerators and denominators."""

from __future__ import annotations

import json
import sys
from datetime import date, datetime, time, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table

from hotline.config.schema import Site
from hotline.core.clock import SystemClock
from hotline.core.errors import UsageError
from hotline.core.events import Outcome
from hotline.core.views import LineFigures
from hotline.metrics.figures import LedgerFigures
from hotline.store.counting import By
from hotline.store.database import open_engine, sessions_of
from hotline.store.migrate import upgrade


def moment(site: Site, text: str, *, end: bool = False) -> datetime:
    """A day or a moment as typed, in the site's zone; the end of a period given as a day includes that day.

    Raises:
        UsageError: neither ``2026-11-02`` nor ``2026-11-02T08:30``.
    """
    try:
        if len(text) == len("2026-11-02"):
            day = date.fromisoformat(text) + timedelta(days=1 if end else 0)
            return datetime.combine(day, time(), site.zone)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UsageError(
            f"not a day or a moment: {text}", hint="write 2026-11-02 or 2026-11-02T08:30"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=site.zone)


def as_row(figures: LineFigures, within_seconds: int) -> dict[str, Any]:
    """A line's figures as one flat row."""
    return {
        "line": figures.line,
        "name": figures.name,
        "offered": figures.offered,
        **{outcome.value: figures.outcomes.get(outcome, 0) for outcome in Outcome},
        "still_open": figures.still_open,
        f"answered_within_{within_seconds}": figures.answered_within,
        "wait_seconds_total": round(figures.wait_seconds_total, 3),
        "talk_seconds_total": round(figures.talk_seconds_total, 3),
        "answer_rate": _rounded(figures.answer_rate),
        "within_rate": _rounded(figures.within_rate),
        "asa_seconds": _rounded(figures.asa_seconds),
        "ring_seconds_total": round(figures.ring_seconds_total, 3),
        "hold_seconds_total": round(figures.hold_seconds_total, 3),
        "wrap_up_seconds_total": round(figures.wrap_up_seconds_total, 3),
        "aht_seconds": _rounded(figures.aht_seconds),
        "menu_seconds_total": round(figures.menu_seconds_total, 3),
    }


async def stats(
    site: Site, url: str, start: datetime, end: datetime, by: By = By.LINE
) -> list[dict[str, Any]]:
    """Rows of the period [start, end), the whole hotline last; ``line`` names what a row stands for.

    Raises:
        UsageError: the period is empty.
        SetupError: the database cannot be used.
    """
    if end <= start:
        raise UsageError("the period is empty", hint="--to must be later than --from")
    engine = open_engine(url)
    try:
        await upgrade(engine)
        figures_of = LedgerFigures(site, sessions_of(engine), SystemClock())
        if by is By.LINE:
            total, lines = await figures_of.of_period(start, end, with_menu=True)
        else:
            total, lines = await figures_of.grouped(start, end, by, with_menu=True)
    finally:
        await engine.dispose()
    within = site.figures.answer_within_seconds
    return [as_row(figures, within) for figures in (*lines, total)]


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
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "—"
    return f"{value:.2%}" if name.endswith("_rate") else str(value)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
