"""What the tables of a report are put together from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hotline.metrics.report.document import Column, Row, Table, Value
from hotline.metrics.report.numbers import NOTHING, count_change


def table_of(name: str, title: str, columns: Sequence[Column], rows: Sequence[Row], source: str) -> Table:
    """A table without the columns that are empty from top to bottom."""
    kept = [at for at in range(len(columns)) if any(row.cells[at] is not None for row in rows)]
    return Table(
        name,
        title,
        tuple(columns[at] for at in kept),
        tuple(Row(tuple(row.cells[at] for at in kept), row.depth, row.strong) for row in rows),
        source,
    )


def moved(now: int, before: int | None) -> Value:
    """The change in percent; 新增 where there was nothing before."""
    change = count_change(now, before)
    if change is None:
        return None
    signed = change.signed
    return "新增" if signed is None else signed


def sum_known(values: Iterable[int | None]) -> int | None:
    """The sum, if every part is known."""
    found = list(values)
    known = [value for value in found if value is not None]
    return sum(known) if found and len(known) == len(found) else None


def or_dash(rate: float | None) -> Value:
    """The rate, a dash for nothing over nothing."""
    return NOTHING if rate is None else rate
