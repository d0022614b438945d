"""Counts of periods, by bucket and group: what measures are made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hotline.config.schema import Site
from hotline.core.clock import Clock
from hotline.core.figures import Dimension
from hotline.metrics.measures.dimensions import Grouping, groupings, only_of
from hotline.store.counting import Counting
from hotline.store.counts import Count
from hotline.store.database import Sessions
from hotline.store.tally import Tally, Wanted, add


class Tallies(Protocol):
    """Adds up counts, all at one moment (the store's ``Counting``)."""

    async def tallies(self, wanted: Sequence[Wanted]) -> list[Tally]: ...


def counting_of(site: Site, sessions: Sessions) -> Counting:
    """The counts of a site's database."""
    return Counting(sessions)


@dataclass(frozen=True, slots=True)
class Summed:
    """Sums of counts of one period, a bucket at a time.

    Attributes:
        total: of everything asked for, every row once.
        groups: by group; a row may be in several of them (a line and its parent).
    """

    total: list[dict[str, int]]
    groups: dict[str, list[dict[str, int]]]


class Summing:
    """Counts of one site.

    Args:
        site: its lines, queues, agents and norms.
        counting: where the rows are.
        clock: how far states of agents that go on have come.
    """

    def __init__(self, site: Site, counting: Tallies, clock: Clock) -> None:
        self.site = site
        self.groupings: dict[Dimension, Grouping] = groupings(site)
        self._counting, self._clock = counting, clock

    async def sums(
        self,
        counts: Iterable[Count],
        periods: Sequence[tuple[datetime, ...]],
        by: Dimension | None = None,
        only: Mapping[Dimension, str] | None = None,
    ) -> list[Summed]:
        """Sums of each period, which is given by the edges of its buckets.

        Raises:
            UsageError: ``only`` names a group that there is not.
        """
        narrowed = only_of(self.groupings, only or {})
        grouping = self.groupings[by] if by is not None else None
        split = grouping.dim if grouping is not None else None
        within, now, wanted = self.site.figures.answer_within_seconds, self._clock.now(), tuple(counts)
        asked = [Wanted(wanted, edges, within, now, None, narrowed) for edges in periods]
        if split is not None:
            asked += [Wanted(wanted, edges, within, now, split, narrowed) for edges in periods]
        found = await self._counting.tallies(asked)
        totals, parts = found[: len(periods)], found[-len(periods) :]
        inside = narrowed.get(split) if split is not None and only and by in only else None
        return [
            Summed(
                _buckets(total, len(edges) - 1).get("", [{} for _ in edges[1:]]),
                {} if grouping is None else _grouped(part, len(edges) - 1, grouping, inside),
            )
            for total, part, edges in zip(totals, parts, periods, strict=True)
        ]


def _buckets(tally: Tally, size: int) -> dict[str, list[dict[str, int]]]:
    found: dict[str, list[dict[str, int]]] = {}
    for (bucket, key), sums in tally.items():
        found.setdefault(key, [{} for _ in range(size)])[bucket] = sums
    return found


def _grouped(
    tally: Tally, size: int, grouping: Grouping, inside: frozenset[str] | None
) -> dict[str, list[dict[str, int]]]:
    """Rows put into their groups, of which those alone that lie wholly ``inside``, if given."""
    merged: Tally = {}
    for (bucket, value), sums in tally.items():
        for group in grouping.groups_of(value):
            add(merged, bucket, group, sums.items())
    found = {group: [{} for _ in range(size)] for group in grouping.known} if grouping.listed else {}
    found |= _buckets(merged, size)
    if inside is not None:
        found = {group: sums for group, sums in found.items() if grouping.members(group) <= inside}
    return found
