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
from hotline.store.counts import Count, Dim, Origin
from hotline.store.database import Sessions
from hotline.store.rolled import Calendar
from hotline.store.wanted import Tally, Wanted, add, begin_of, slot_of


class Tallies(Protocol):
    """Adds up counts, all at one moment (the store's ``Counting``)."""

    async def tallies(self, wanted: Sequence[Wanted]) -> list[Tally]: ...


def counting_of(site: Site, sessions: Sessions, *, limited: bool = False) -> Counting:
    """The counts of a site's database; ``limited``: given up after as long as the site says."""
    return Counting(sessions, calendar_of(site), site.figures.count_seconds if limited else None)


def calendar_of(site: Site) -> Calendar:
    """The days of a site, and the norm that they are summed up with."""
    return Calendar(site.zone, site.figures.answer_within_seconds)


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
        wholes, places = together(periods)
        by_dims, alike = ((split,), grouping.alike) if split and grouping else ((), {})
        asked = [Wanted(wanted, edges, within, now, by_dims, narrowed, alike) for edges in wholes]
        by_agent = split is Dim.AGENT and any(one.origin is not Origin.AGENT_TIMES for one in wanted)
        if by_agent or split in (Dim.CHANNEL, Dim.UNIT):  # some rows are of the whole alone
            asked += [Wanted(wanted, edges, within, now, (), narrowed) for edges in wholes]
        found = await self._counting.tallies(asked)
        parts, totals = (
            [
                _cut(of_wholes[whole], first, len(edges) - 1)
                for (whole, first), edges in zip(places, periods, strict=True)
            ]
            for of_wholes in (found[: len(wholes)], found[-len(wholes) :])
        )
        inside = narrowed.get(split) if split is not None and only and by in only else None
        return [
            Summed(
                _by_bucket(total, len(edges) - 1),
                {} if grouping is None else _grouped(part, len(edges) - 1, grouping, inside),
            )
            for total, part, edges in zip(totals, parts, periods, strict=True)
        ]


def together(
    periods: Sequence[tuple[datetime, ...]],
) -> tuple[list[tuple[datetime, ...]], list[tuple[int, int]]]:
    """Periods that overlap and are cut alike as one: a year's months and those before each are 13 months.

    Returns:
        Periods that hold them all, and of each which of these holds it, and from which bucket on.
    """
    wholes: list[tuple[datetime, ...]] = []
    held_by: list[int] = []
    for edges in periods:
        place = next((at for at, whole in enumerate(wholes) if _cut_alike(whole, edges)), len(wholes))
        if place == len(wholes):
            wholes.append(edges)
        else:
            wholes[place] = tuple(sorted({*wholes[place], *edges}))
        held_by.append(place)
    return wholes, [(at, wholes[at].index(edges[0])) for at, edges in zip(held_by, periods, strict=True)]


def _cut_alike(one: tuple[datetime, ...], other: tuple[datetime, ...]) -> bool:
    """Whether the two overlap, with the same edges there, all of which may be inner ones (see `Wanted`)."""
    low, high = max(one[0], other[0]), min(one[-1], other[-1])
    common = [{edge for edge in edges if low <= edge <= high} for edges in (one, other)]
    if low >= high or common[0] != common[1] or any(begin_of(slot_of(edge)) != edge for edge in (low, high)):
        return False
    return all(
        tuple(sorted({*edges})) == edges for edges in (one, other)
    )  # a leap day has none a year before


def _cut(tally: Tally, first: int, size: int) -> Tally:
    """The sums of so many buckets, from one on."""
    if first == 0 and all(bucket < size for bucket, _ in tally):
        return tally
    return {(at - first, key): sums for (at, key), sums in tally.items() if first <= at < first + size}


def _by_bucket(tally: Tally, size: int) -> list[dict[str, int]]:
    """The sums of all rows, however they are told apart."""
    merged: Tally = {}
    for (bucket, _), sums in tally.items():
        add(merged, bucket, (), sums.items())
    return [merged.get((bucket, ()), {}) for bucket in range(size)]


def _grouped(
    tally: Tally, size: int, grouping: Grouping, inside: frozenset[str] | None
) -> dict[str, list[dict[str, int]]]:
    """Rows put into their groups, of which those alone that lie wholly ``inside``, if given.

    In the site's order, then those that it does not know, by name.
    """
    merged: Tally = {}
    found: dict[str, list[dict[str, int]]] = {}
    if grouping.listed:
        found = {group: [{} for _ in range(size)] for group in grouping.known}
    for (bucket, value), sums in tally.items():
        for group in grouping.groups_of(*value):
            add(merged, bucket, (group,), sums.items())
    for (bucket, (group,)), sums in merged.items():
        if group not in found:
            found[group] = [{} for _ in range(size)]
        found[group][bucket] = sums
    if inside is not None:
        found = {group: sums for group, sums in found.items() if grouping.members(group) <= inside}
    places = {group: place for place, group in enumerate(grouping.known)}
    return {
        group: found[group] for group in sorted(found, key=lambda one: (places.get(one, len(places)), one))
    }
