"""How units are scored, as data: groups with weights, parts with the rule that turns a figure into points.

A part's rule is its ``kind``; r is the unit's figure in percent::

    share      full x r / 100
    slope      full - slope x (target - r)
    threshold  full where r >= target; below it full x r / target, or nothing
    points     the points as given; of several (one for each test call) their mean

Points never leave ``floor`` to ``cap``: 0 to ``full`` unless the part says otherwise.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from hotline.config.section import Name, Section, Text

Points = Annotated[Decimal, Field(ge=0, le=1000)]
Percent = Annotated[Decimal, Field(ge=0, le=100)]
Decimals = Annotated[int, Field(ge=0, le=6)]


class PartKind(StrEnum):
    """The rule of a part."""

    SHARE = "share"
    SLOPE = "slope"
    THRESHOLD = "threshold"
    POINTS = "points"


class Below(StrEnum):
    """What a part with a threshold gives below it."""

    IN_PROPORTION = "in proportion"
    NOTHING = "nothing"


class Part(Section):
    """One cell of a unit's score: what it is called, how many points it has and by which rule."""

    name: Name
    title: Text
    full: Annotated[Decimal, Field(gt=0, le=1000)]
    kind: PartKind
    target: Annotated[Decimal, Field(gt=0, le=100)] | None = None  # percent; of slope and threshold
    slope: Annotated[Decimal, Field(gt=0, le=1000)] | None = None  # points for each percentage point
    below: Below | None = None  # of threshold; in proportion when absent
    floor: Points = Decimal(0)
    cap: Points | None = None  # full when absent

    @property
    def most(self) -> Decimal:
        """The points that it never exceeds."""
        return self.full if self.cap is None else self.cap

    @model_validator(mode="after")
    def _keys_of_its_kind(self) -> Self:
        wanted = {PartKind.SLOPE: {"target", "slope"}, PartKind.THRESHOLD: {"target"}}.get(self.kind, set())
        possible = wanted | ({"below"} if self.kind is PartKind.THRESHOLD else set())
        given = {key for key in ("target", "slope", "below") if getattr(self, key) is not None}
        if wanted - given:
            raise ValueError(f"kind: {self.kind} needs {' and '.join(sorted(wanted - given))}")
        if given - possible:
            raise ValueError(f"kind: {self.kind} has no {' and no '.join(sorted(given - possible))}")
        if self.floor > self.most:
            raise ValueError("floor is above cap; give a lower floor")
        return self


class Group(Section):
    """Parts that are summed, and what the sum weighs in the total."""

    name: Name
    title: Text
    weight: Annotated[Decimal, Field(gt=0, le=100)]  # percent
    parts: Annotated[tuple[Part, ...], Field(min_length=1, max_length=50)]

    @model_validator(mode="after")
    def _parts_once(self) -> Self:
        _once("part", [part.name for part in self.parts])
        return self


class ScoringRounding(Section):
    """How many decimals are kept, half up."""

    percent: Decimals = 2  # of the figures that points are computed from
    cells: Decimals | None = 2  # of each part's points, which are what a group sums; empty: not rounded
    groups: Decimals = 2  # of each group's weighted sum, which are what the total adds


class Scheme(Section):
    """A whole scheme, known by its name."""

    name: Name
    title: Text
    rounding: ScoringRounding = ScoringRounding()
    groups: Annotated[tuple[Group, ...], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _once("group", [group.name for group in self.groups])
        if "name" in {group.name for group in self.groups}:
            raise ValueError('no group can be called "name": units have a name beside their groups')
        weights = sum(group.weight for group in self.groups)
        if weights != 100:
            raise ValueError(
                f"the weights of the groups sum to {weights}; they are percent of the total: 100"
            )
        return self


class ScoringSection(Section):
    """The site's own schemes, beside those that the product brings: held here, or in files of one each."""

    schemes: Annotated[tuple[Scheme, ...], Field(max_length=50)] = ()
    files: Annotated[tuple[Path, ...], Field(max_length=50)] = ()


def _once(what: str, names: list[str]) -> None:
    again = [name for name, count in Counter(names).items() if count > 1]
    if again:
        raise ValueError(f'{what} "{again[0]}" is given twice; keep one of them')
