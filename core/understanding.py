"""What a call is about (通话要点): each point with the words it rests on and the rules that found it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from hotline.core.drafts import RequestType
from hotline.core.events import Side


class PointKind(StrEnum):
    """What a point says. The first three come at most once a call."""

    REQUEST_TYPE = "request_type"  # 咨询 … (``RequestType``)
    TOPIC = "topic"  # of the site's rules
    SUMMARY = "summary"
    NAME = "name"
    PLACE = "place"
    COMPANY = "company"
    AMOUNT = "amount"
    DATE = "date"
    CASE_NUMBER = "case_number"  # 办件编号: ours, of an earlier request
    ORDER_NUMBER = "order_number"  # 订单号: a shop's
    PHONE = "phone"
    URGENT = "urgent"
    ABUSIVE = "abusive"


@dataclass(frozen=True, slots=True, order=True)
class Cite:
    """An utterance that a point rests on."""

    side: Side
    utterance: int


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that was understood.

    Attributes:
        value: the type's or topic's name, the thing as it was said, or the summary.
        score: 0 to 1, how sure; comparable within a kind only.
        rules: what found it, as ``cue:怎么办理`` or ``line:12333``; the score follows from them.
        cites: never empty, in the order of the numbers.
    """

    kind: PointKind
    value: str
    score: float
    rules: tuple[str, ...]
    cites: tuple[Cite, ...]


@dataclass(frozen=True, slots=True)
class CallPoints:
    """All that was understood of a call so far.

    Attributes:
        revision: counts what was told of this call from 1, anew after a restart of the server.
        ended: the call is over; only a late text or a model can still change it.
        source: ``rules``, or the name of the model that had a part in it.
        dropped: parts of a model's answer that the call's words did not bear out.
    """

    call_id: str
    at: datetime
    revision: int
    ended: bool
    points: tuple[Point, ...]
    source: str = "rules"
    dropped: int = 0

    def of(self, kind: PointKind) -> tuple[Point, ...]:
        """The points of one kind, the surest first."""
        return tuple(point for point in self.points if point.kind is kind)

    def one(self, kind: PointKind) -> Point | None:
        """The surest point of a kind."""
        return next((point for point in self.points if point.kind is kind), None)

    @property
    def request_type(self) -> RequestType | None:
        """The type, if it is known."""
        point = self.one(PointKind.REQUEST_TYPE)
        return None if point is None else RequestType(point.value)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A value for a field of the draft that nobody has touched. ``field``: of `core.drafts.DraftFields`."""

    field: str
    value: str | bool
    cites: tuple[Cite, ...]


@dataclass(frozen=True, slots=True)
class Utterance:
    """A final text, as people write it where that is known, else as it was heard."""

    side: Side
    number: int
    text: str

    @property
    def cite(self) -> Cite:
        """How a point names it."""
        return Cite(self.side, self.number)


@dataclass(frozen=True, slots=True)
class HeardCall:
    """What there is to understand. ``lines``: the call's line and the headings above it, by id and number."""

    call_id: str
    lines: frozenset[str]
    utterances: tuple[Utterance, ...]


@dataclass(frozen=True, slots=True)
class Understood:
    """What came of it; see `CallPoints` for the fields."""

    points: tuple[Point, ...]
    source: str = "rules"
    dropped: int = 0


class Understanding(Protocol):
    """Something that understands calls: rules, or a model beside them. It never raises for what was said."""

    async def understand(self, call: HeardCall) -> Understood: ...
