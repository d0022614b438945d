"""The arithmetic of a ranking: cells against groups, groups against totals, totals against places. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from hotline.config.scoring import Group, Scheme
from hotline.metrics.report.data import Score

_CENT: Final = Decimal("0.01")


def score_slips(scores: Sequence[Score], scheme: Scheme | None) -> Iterator[str]:
    """What does not add up, a sentence each. ``scheme``: by which groups are made from cells, if known."""
    for score in scores:
        for group in scheme.groups if scheme is not None else ():
            yield from _group(score, group)
        total, summed = _exact(score.total), sum(map(_exact, score.groups.values()), Decimal(0))
        if score.groups and abs(total - summed) > _CENT:
            yield f"{score.name}总分为{total:.2f}，各项之和为{summed:.2f}"
        place = 1 + sum(_exact(other.total) > total for other in scores)
        if score.rank != place:
            yield f"{score.name}名次为{score.rank}，按总分应为{place}"


def _group(score: Score, group: Group) -> Iterator[str]:
    """A group's points are its cells' sum by its weight; what is printed of either is rounded."""
    cells, points = score.scores.get(group.name, {}), score.groups.get(group.name)
    for part in group.parts:
        if part.name in cells and _exact(cells[part.name]) > part.most:
            yield f"{score.name}{group.title}的{part.title}为{cells[part.name]:.2f}分，多于满分{part.most:f}"
    if points is None or any(part.name not in cells for part in group.parts):
        return
    worth = sum((_exact(cells[part.name]) for part in group.parts), Decimal(0)) * group.weight / 100
    rounding = _CENT / 2 * (1 + len(group.parts) * group.weight / 100)
    if abs(worth - _exact(points)) > rounding:
        yield f"{score.name}{group.title}为{points:.2f}，各项得分按权重计算为{worth:.2f}"


def _exact(points: float) -> Decimal:
    return Decimal(str(points))
