"""``hotline stats --explain``: a figure with its formula, its counts and the rows behind them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from hotline.config.schema import Site
from hotline.core.clock import SystemClock
from hotline.core.figures import (
    Change,
    Comparison,
    CountInfo,
    CountSide,
    Dimension,
    Explanation,
    FigureQuestion,
    FigureRow,
)
from hotline.metrics.cli import console, counting_at
from hotline.metrics.measures.answering import Answers

ROWS_AT_ONCE: Final = 200
HIDDEN: Final = "caller_number"


async def explained(
    site: Site,
    url: str,
    measure: str,
    days: tuple[str, str],
    only: Mapping[Dimension, str],
    side: CountSide,
    rows: int,
    compare: tuple[Comparison, ...] = (),
) -> dict[str, Any]:
    """The explanation as it is printed, with at most ``rows`` rows, the newest.

    Raises:
        UsageError: no such measure, group, day or side.
        SetupError: the database cannot be used.
    """
    async with counting_at(site, url) as counting:
        answers = Answers(site, counting, SystemClock())
        start, end = answers.period(*days)
        question = FigureQuestion(measure, start, end, only=only, compare=compare)
        found: list[FigureRow] = []
        after: str | None = None
        while True:
            size = max(1, min(ROWS_AT_ONCE, rows - len(found)))
            told = await answers.explain(question, side, limit=size, after=after)
            found += told.rows
            after = told.after
            if after is None or len(found) >= rows:
                return _as_json(told, found[:rows], site)


def _as_json(told: Explanation, rows: list[FigureRow], site: Site) -> dict[str, Any]:
    value = told.figure.value
    return {
        "measure": told.measure.id,
        "name": told.measure.name,
        "formula": told.measure.formula,
        "formula_en": told.measure.formula_en,
        "remark": told.measure.remark,
        "norm": told.measure.norm,
        "from": told.question.start.astimezone(site.zone).isoformat(),
        "to": told.question.end.astimezone(site.zone).isoformat(),
        "only": {dimension.value: key for dimension, key in told.question.only.items()},
        "value": None if value is None else float(value),
        "text": told.figure.text,
        "compared": [_compared(to, change, site) for to, change in told.changes.items()],
        "numerator": [_count(one) for one in told.numerator],
        "denominator": [_count(one) for one in told.denominator],
        "side": told.side.value,
        "rows": [_row(row, site) for row in rows],
        "more": told.after is not None or len(told.rows) > len(rows),
    }


def _compared(to: Comparison, change: Change, site: Site) -> dict[str, Any]:
    """Another period's figure; ``until``: up to when the explained one's own period is compared with it."""
    moments = {"from": change.start, "to": change.end, "until": change.until}
    return {
        "with": to.value,
        **{name: one.astimezone(site.zone).isoformat(timespec="seconds") for name, one in moments.items()},
        "text": change.figure.text,
        "change": None if change.value is None else float(change.value),
        "change_text": change.text,
    }


def _count(count: CountInfo) -> dict[str, Any]:
    return {field.name: getattr(count, field.name) for field in fields(count)}


def _row(row: FigureRow, site: Site) -> dict[str, Any]:
    found = {field.name: getattr(row, field.name) for field in fields(row) if field.name != HIDDEN}
    moments = {"at": row.at, "until": row.until, "imported_at": row.imported_at}
    return found | {
        name: None if at is None else at.astimezone(site.zone).isoformat(timespec="milliseconds")
        for name, at in moments.items()
    }


def print_explanation(told: dict[str, Any], *, as_json: bool) -> None:
    """For people, or JSON for programs."""
    if as_json:
        print(json.dumps(told, ensure_ascii=False, indent=2))
        return
    out: Console = console()
    out.print(f"{told['name']} ({told['measure']}): {told['text']}", highlight=False)
    out.print(f"  = {told['formula']}", highlight=False)
    out.print(f"  = {told['formula_en']}", highlight=False)
    for count in (*told["numerator"], *told["denominator"]):
        unit = " ms" if count["unit"] == "milliseconds" else ""
        out.print(
            f"  {count['name']} ({count['id']}, {count['source']}) = {count['sum']:,}{unit}", highlight=False
        )
    for one in told["compared"]:
        periods = f"{told['from']} to {one['until']} against {one['from']} to {one['to']}"
        out.print(f"  {one['with']}: {one['text']}, {one['change_text']} ({periods})", highlight=False)
    if told["norm"] is not None:
        out.print(f"  norm: {told['norm']}", highlight=False)
    rows = told["rows"]
    shown = [name for name in (rows[0] if rows else ()) if any(row[name] is not None for row in rows)]
    more = "; there are more" if told["more"] else ""
    table = Table(title=f"rows of the {told['side']}, newest first{more}")
    for name in shown:
        table.add_column(name.replace("_", "\n"))
    for row in rows:
        table.add_row(*("" if row[name] is None else str(row[name]) for name in shown))
    out.print(table)
