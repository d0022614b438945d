"""How many agents days to come need: what may be asked, and the answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from hotline.core.errors import HotlineError


class TooLittleHistory(HotlineError):
    """The past tells too little of days to come."""


@dataclass(frozen=True, slots=True)
class StaffingQuestion:
    """Which days, and what is supposed of them; what is None comes from the site or its own history.

    Attributes:
        day: the first of ``days`` days, of the site's zone.
        line: its calls and those of the lines under it; None: the whole hotline.
        target: the share to be answered within ``within_seconds``, 0 to 1; the site's norm when None.
        aht_seconds: handling time; that of the same hour in the last weeks when None.
        patience_seconds: mean time until callers give up; as in the last weeks when None.
        shrinkage: the share of rostered time that agents are away.
        volume: how many calls come over how many are expected: 1.2 is a fifth more.
    """

    day: date
    days: int = 1
    line: str | None = None
    target: float | None = None
    within_seconds: float | None = None
    aht_seconds: float | None = None
    patience_seconds: float | None = None
    shrinkage: float = 0.0
    volume: float = 1.0


@dataclass(frozen=True, slots=True)
class StaffingQuarter:
    """A quarter hour.

    Attributes:
        calls: expected.
        needed: agents at work by Erlang C: as if nobody gave up.
        needed_patience: by Erlang A, with callers' patience; None where none is known.
        rostered: ``needed`` with room for those away.
        planned: agents whose shift covers the whole quarter hour; None without shifts and roster.
        gap: planned - rostered; below 0 agents are missing.
        planned_service: share answered in time with those planned who are not away, by Erlang A where
            patience is known.
    """

    starts: datetime
    calls: float
    aht_seconds: float
    needed: int
    needed_patience: int | None
    rostered: int
    planned: int | None
    gap: int | None
    planned_service: float | None


@dataclass(frozen=True, slots=True)
class StaffingDay:
    """A day of the forecast. ``kind``: ordinary, holiday or made_up (a weekend that is worked, 调休).

    ``published``: whether the year's holidays are known; where not, the day goes by its weekday.
    """

    day: date
    kind: str
    published: bool
    calls: float


@dataclass(frozen=True, slots=True)
class ForecastErrors:
    """How wrong forecasts of the last ``weeks`` weeks would have been, as shares of the calls that came.

    ``wape``: differences without their sign, by quarter hour; ``day_wape``: by day; ``bias``: above 0 too
    many were expected. ``naive_``: the same of taking the week before for a forecast.
    """

    weeks: int
    wape: float
    day_wape: float
    bias: float
    naive_wape: float
    naive_day_wape: float
    naive_bias: float


@dataclass(frozen=True, slots=True)
class StaffingPlan:
    """The answer, with everything it rests on.

    Attributes:
        history_from, history_days: the days the forecast rests on.
        errors: None with too little history to look back on.
        problems: rows of the roster that were passed over.
    """

    line: str | None
    target: float
    within_seconds: float
    patience_seconds: float | None
    shrinkage: float
    volume: float
    history_from: date
    history_days: int
    errors: ForecastErrors | None
    days: tuple[StaffingDay, ...]
    quarters: tuple[StaffingQuarter, ...]
    problems: tuple[str, ...] = ()
