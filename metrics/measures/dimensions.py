"""What figures are told apart by: which rows belong to which group, and what the groups are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from hotline.config.schema import Site
from hotline.core.errors import UsageError
from hotline.core.figures import Dimension
from hotline.core.names import parted
from hotline.store.counts import PHONE, Dim


@dataclass(frozen=True, slots=True)
class Group:
    """A group's name, and the group above it."""

    name: str
    parent: str | None = None


@dataclass(frozen=True)
class Grouping:
    """How rows are put into groups.

    Attributes:
        dim: what rows say of themselves.
        known: the groups that the site names, in its order.
        of_value: the groups of a value of ``dim``; a value that is not there is a group of its own name.
        open: whether other groups than the known ones make sense (a line of last year's site file).
        listed: whether known groups are shown without any row.
        several: whether a value is several names in one (``core.names``), each a group.
    """

    dim: Dim
    known: Mapping[str, Group]
    of_value: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    open: bool = True
    listed: bool = True
    several: bool = False

    def groups_of(self, value: str = "") -> tuple[str, ...]:
        """The groups that a row with this value counts in."""
        if self.several:
            return parted(value)
        return self.of_value.get(value, (value,) if self.open else ())

    @cached_property
    def alike(self) -> Mapping[str, str]:
        """Values of the very same groups, each with the first of them: agents of the same skills."""
        first: dict[tuple[str, ...], str] = {}
        return {value: first.setdefault(groups, value) for value, groups in self.of_value.items()}

    def members(self, group: str) -> frozenset[str]:
        """The values of a group's rows."""
        found = {value for value, groups in self.of_value.items() if group in groups}
        return frozenset(found | ({group} if self.open else set()))

    def group(self, key: str) -> Group:
        """What a group is called."""
        return self.known.get(key, Group(key))


def groupings(site: Site) -> dict[Dimension, Grouping]:
    """Every dimension of a site."""
    lines = {line.id: Group(line.name, line.parent) for line in site.lines}
    upward = {line.id: tuple(one.id for one in site.upward(line)) for line in site.lines}
    queues = {queue.name: Group(queue.title) for queue in site.queues}
    skills = {agent.id: tuple(agent.skills) for agent in site.agents}
    return {
        Dimension.LINE: Grouping(Dim.LINE, lines, upward),
        Dimension.QUEUE: Grouping(Dim.QUEUE, queues),
        Dimension.SKILL: Grouping(Dim.AGENT, queues, skills, open=False),
        Dimension.AGENT: Grouping(Dim.AGENT, {one.id: Group(one.name) for one in site.agents}, listed=False),
        Dimension.LANGUAGE: Grouping(Dim.LANGUAGE, {}),
        Dimension.CALLER_LIST: Grouping(
            Dim.CALLER_LISTS, {one.name: Group(one.title) for one in site.caller_lists}, several=True
        ),
        Dimension.CHANNEL: Grouping(Dim.CHANNEL, {PHONE: Group("电话")}),
        Dimension.UNIT: Grouping(Dim.UNIT, {}),
    }


def only_of(
    groupings: Mapping[Dimension, Grouping], only: Mapping[Dimension, str]
) -> dict[Dim, frozenset[str]]:
    """The values that rows of all these groups have.

    Raises:
        UsageError: there is no such group.
    """
    found: dict[Dim, frozenset[str]] = {}
    for dimension, key in only.items():
        grouping = groupings[dimension]
        if not grouping.open and key not in grouping.known:
            names = ", ".join(grouping.known)
            raise UsageError(f"no {dimension.value} {key}", hint=f"one of: {names}")
        members = grouping.members(key)
        found[grouping.dim] = found.get(grouping.dim, members) & members
    return found
