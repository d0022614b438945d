"""Sections of the parts of a period as one of the whole: the days of a month added up. Pure.

Only counts can be added: rates and changes as printed are those of a part and go, and so do sections that are
more than counts (a ranking, the phone with its seconds and its tree).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from hotline.metrics.report.cells import sum_known
from hotline.metrics.report.data import Accepted, Breakdown, Counted, Knowledge, Unit, UnitCounts, Units

Row = TypeVar("Row", Counted, Unit)
_OF_UNIT: Final = tuple(name for name in UnitCounts.model_fields if not name.endswith("_percent"))
_OF_ACCEPTED: Final = (
    "total", "at_once", "dispatched", "on_time", "called_back", "no_opinion", "satisfied",
)  # fmt: skip


def _sums(parts: Sequence[Any], names: Iterable[str]) -> dict[str, int]:
    """Of each count the sum; of one that a part lacks none."""
    sums = {name: sum_known(getattr(part, name) for part in parts) for name in names}
    return {name: value for name, value in sums.items() if value is not None}


def _by_name(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.name, []).append(row)
    return found


def _counted(lists: Iterable[Sequence[Counted]]) -> tuple[Counted, ...]:
    named = _by_name(row for rows in lists for row in rows)
    return tuple(Counted(name=name, count=sum(row.count for row in rows)) for name, rows in named.items())


def _accepted(parts: Sequence[Accepted]) -> Accepted:
    return Accepted.model_validate(_sums(parts, _OF_ACCEPTED))


def _breakdown(parts: Sequence[Breakdown]) -> Breakdown:
    """The whole is that of the parts: where it is not the rows' sum it will not be here either."""
    return Breakdown(total=sum(part.whole for part in parts), rows=_counted(part.rows for part in parts))


def _units(parts: Sequence[Units]) -> Units:
    named = _by_name(row for part in parts for row in part.rows)
    return Units(rows=tuple(Unit(name=name, **_sums(rows, _OF_UNIT)) for name, rows in named.items()))


def _knowledge(parts: Sequence[Knowledge]) -> Knowledge:
    return Knowledge(**_sums(parts, ("asked", "answered", "added")), entries=parts[-1].entries)


ADDED: Final[Mapping[str, Callable[[Sequence[Any]], Any]]] = {
    "accepted": _accepted,
    "channels": _breakdown,
    "types": _breakdown,
    "topics": _breakdown,
    "units": _units,
    "seats": _counted,
    "knowledge": _knowledge,
    "cases": lambda parts: tuple(case for cases in parts for case in cases),
}
"""How the parts of a section, the oldest first, become one."""
