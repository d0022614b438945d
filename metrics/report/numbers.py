"""Percents, changes and how they are written. Rounding is half-up, to two decimals of a percent."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final

NOTHING: Final = "—"
"""What is written for nothing over nothing."""

_CENT: Final = Decimal("0.01")
Number = int | float


def rounded(value: Number | Decimal) -> float:
    """``value`` to two decimals, half up."""
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    return float(exact.quantize(_CENT, ROUND_HALF_UP))


def percent(part: Number, whole: Number) -> float | None:
    """``part`` of ``whole`` in percent; None for a whole of nothing."""
    return rounded(Decimal(str(part)) * 100 / Decimal(str(whole))) if whole else None


class Way(StrEnum):
    """Which way a figure went."""

    UP = "up"
    DOWN = "down"
    SAME = "same"
    FROM_ZERO = "from zero"  # no percent can be said of it


@dataclass(frozen=True, slots=True)
class Change:
    """How far a figure moved: ``amount`` is never negative, in percent or (rates) percentage points."""

    way: Way
    amount: float
    points: bool

    @property
    def signed(self) -> float | None:
        """With its sign; None where nothing can be said."""
        if self.way is Way.FROM_ZERO:
            return None
        return -self.amount if self.way is Way.DOWN else self.amount


def count_change(now: Number, before: Number | None) -> Change | None:
    """The change of a count in percent; None if the earlier count is not known."""
    if before is None:
        return None
    if before == 0:
        return Change(Way.FROM_ZERO if now else Way.SAME, 0.0, points=False)
    moved = rounded((Decimal(str(now)) - Decimal(str(before))) * 100 / Decimal(str(before)))
    return stated_change(moved)


def stated_change(moved: float | None) -> Change | None:
    """A change of a count that somebody else worked out, in percent."""
    return None if moved is None else Change(_way(moved), abs(moved), points=False)


def rate_change(now: float | None, before: float | None) -> Change | None:
    """The change of a rate, between two published percents, in percentage points."""
    if now is None or before is None:
        return None
    moved = rounded(Decimal(str(now)) - Decimal(str(before)))
    return Change(_way(moved), abs(moved), points=True)


def _way(moved: float) -> Way:
    return Way.UP if moved > 0 else Way.DOWN if moved < 0 else Way.SAME


def written_percent(value: float | None) -> str:
    """75.00%, or a dash."""
    return NOTHING if value is None else f"{value:,.2f}%"


def said_change(change: Change | None, label: str) -> str:
    """环比上升12.34%, 较上月同期持平, 环比提高0.51个百分点; empty where nothing is known."""
    if change is None:
        return ""
    if change.way is Way.SAME:
        return f"{label}持平"
    if change.way is Way.FROM_ZERO:
        return f"{earlier(label)}为0"
    if change.points:
        return f"{label}{'提高' if change.way is Way.UP else '降低'}{change.amount:.2f}个百分点"
    return f"{label}{'上升' if change.way is Way.UP else '下降'}{change.amount:,.2f}%"


def earlier(label: str) -> str:
    """The period that a change is taken of: 上期 of 环比, 上年同期 of 同比, 上月同期 of 较上月同期."""
    return {"环比": "上期", "同比": "上年同期"}.get(label, label.removeprefix("较"))
