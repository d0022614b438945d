"""From a unit's figures to its score, so that every number can be worked out again from the printed ones.

The order of rounding, each half up:

1. a figure in percent is the published one, with two decimals;
2. each part's points are computed from it, kept between floor and cap, and rounded to a cell of two decimals;
3. a group sums its cells as printed, the sum is weighted and rounded to two decimals;
4. the total adds the groups as printed, and nothing is rounded again.

Thus a printed table adds up for whoever does it by hand: 18.98 + 10.00 + 9.98 + 10.00 + 9.24 + 30.00 = 88.20,
of which 60 % are 52.92. (The published example comes out the same with cells that are not rounded before they
are summed; a scheme that wants it so says ``cells: null``.)
Binary floats would not do: 30 x 99.95 % is 29.985 and must become 29.99.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from hotline.config.scoring import Below, Group, Part, PartKind, Scheme, ScoringRounding

Marks = Mapping[str, Mapping[str, tuple[Decimal, ...]]]
"""Group -> part -> what was given: one figure, or points of several test calls."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What is scored: a sub-centre, a bureau, a district, with its figures of the period."""

    name: str
    marks: Marks


@dataclass(frozen=True, slots=True)
class Cell:
    """A part's points and how they came about: ``20 - 0.2 x (95 - 89.89) = 18.978 -> 18.98``."""

    points: Decimal
    formula: str


@dataclass(frozen=True, slots=True)
class GroupScore:
    """A group's cells by part, and their weighted sum."""

    cells: Mapping[str, Cell]
    points: Decimal
    formula: str


@dataclass(frozen=True, slots=True)
class UnitScore:
    """A unit's groups by name, their sum, and its place: equal totals share one (1, 1, 3)."""

    name: str
    rank: int
    groups: Mapping[str, GroupScore]
    total: Decimal
    formula: str


def ranking(scheme: Scheme, units: Sequence[Unit]) -> list[UnitScore]:
    """Score every unit, best first; of equals the first given comes first."""
    scored = [
        (unit, {group.name: _group(group, unit, scheme.rounding) for group in scheme.groups})
        for unit in units
    ]
    totals = [sum((group.points for group in groups.values()), Decimal(0)) for _, groups in scored]
    scores = [
        UnitScore(unit.name, 1 + sum(other > total for other in totals), groups, total, _total(groups, total))
        for (unit, groups), total in zip(scored, totals, strict=True)
    ]
    return sorted(scores, key=lambda score: score.rank)


def as_row(score: UnitScore, *, explain: bool = False) -> dict[str, Any]:
    """A unit's score as a row for programs; with ``explain`` each number's formula beside it."""
    row: dict[str, Any] = {
        "name": score.name,
        "rank": score.rank,
        "scores": {
            name: {part: float(cell.points) for part, cell in group.cells.items()}
            for name, group in score.groups.items()
        },
        "groups": {name: float(group.points) for name, group in score.groups.items()},
        "total": float(score.total),
    }
    if explain:
        row["formulas"] = {
            "scores": {
                name: {part: cell.formula for part, cell in group.cells.items()}
                for name, group in score.groups.items()
            },
            "groups": {name: group.formula for name, group in score.groups.items()},
            "total": score.formula,
        }
    return row


def half_up(value: Decimal, decimals: int) -> Decimal:
    """Round as people do: 0.125 to two decimals is 0.13."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def _total(groups: Mapping[str, GroupScore], total: Decimal) -> str:
    return f"{' + '.join(str(group.points) for group in groups.values())} = {total}"


def _group(group: Group, unit: Unit, rounding: ScoringRounding) -> GroupScore:
    marks = unit.marks[group.name]
    cells = {part.name: _cell(part, marks[part.name], rounding) for part in group.parts}
    weighted = sum((cell.points for cell in cells.values()), Decimal(0)) * group.weight / 100
    points = half_up(weighted, rounding.groups)
    summed = " + ".join(str(cell.points) for cell in cells.values())
    formula = f"({summed}) × {_plain(group.weight)} % = {_plain(weighted)}{_becomes(weighted, points)}"
    return GroupScore(cells, points, formula)


def _cell(part: Part, given: tuple[Decimal, ...], rounding: ScoringRounding) -> Cell:
    with localcontext() as context:
        context.prec = 40  # a quotient is cut off far beyond any cell
        said, exact = _rule(part, given, rounding)
    kept = min(max(exact, part.floor), part.most)
    bound = "" if kept == exact else f", {'at least' if kept > exact else 'at most'} {_plain(kept)}"
    points = kept if rounding.cells is None else half_up(kept, rounding.cells)
    return Cell(points, f"{said}{bound}{_becomes(kept, points)}")


def _rule(part: Part, given: tuple[Decimal, ...], rounding: ScoringRounding) -> tuple[str, Decimal]:
    """The part's rule with its numbers, and what comes of it before bounds and rounding."""
    if part.kind is PartKind.POINTS:
        mean = sum(given, Decimal(0)) / len(given)
        if len(given) == 1:
            return f"{_plain(mean)} as given", mean
        return f"({' + '.join(map(_plain, given))}) / {len(given)} = {_plain(mean)}", mean
    rate, full = half_up(given[0], rounding.percent), _plain(part.full)
    if part.kind is PartKind.SHARE:
        points = part.full * rate / 100
        return f"{full} × {rate} % = {_plain(points)}", points
    target = part.target or Decimal(100)  # the scheme has been checked: slope and threshold have one
    if part.kind is PartKind.SLOPE:
        slope = part.slope or Decimal(0)
        points = part.full - slope * (target - rate)
        return f"{full} - {_plain(slope)} × ({_plain(target)} - {rate}) = {_plain(points)}", points
    if rate >= target:
        return f"{rate} >= {_plain(target)}: {full}", part.full
    if part.below is Below.NOTHING:
        return f"{rate} < {_plain(target)}: 0", Decimal(0)
    points = part.full * rate / target
    return f"{rate} < {_plain(target)}: {full} × {rate} / {_plain(target)} = {_plain(points)}", points


def _becomes(exact: Decimal, rounded: Decimal) -> str:
    return "" if exact == rounded else f" → {rounded}"


def _plain(value: Decimal) -> str:
    """A number without needless zeros, at most six decimals: enough to see which way it was rounded."""
    text = f"{half_up(value, 6):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
