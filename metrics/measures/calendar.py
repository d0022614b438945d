"""Periods of the site's calendar: cut into hours, days, weeks, ...; the period before; the year before."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from hotline.core.errors import UsageError
from hotline.core.figures import Comparison, Grain

MOST_POINTS: Final = 3_000
MONTHS: Final = {Grain.MONTH: 1, Grain.QUARTER: 3, Grain.YEAR: 12}
SECONDS: Final = {Grain.QUARTER_HOUR: 900, Grain.HOUR: 3600}


def midnight(zone: ZoneInfo, day: date) -> datetime:
    """The first moment of a day in ``zone``, in UTC; where the clock skips midnight, when it goes on."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def moment(zone: ZoneInfo, text: str, *, end: bool = False) -> datetime:
    """A day or a moment as typed, in ``zone``; the end of a period given as a day includes that day.

    Raises:
        UsageError: neither ``2026-11-02`` nor ``2026-11-02T08:30``.
    """
    try:
        if len(text) == len("2026-11-02"):
            day = date.fromisoformat(text) + timedelta(days=1 if end else 0)
            return datetime.combine(day, time(), zone)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UsageError(
            f"not a day or a moment: {text}", hint="write 2026-11-02 or 2026-11-02T08:30"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=zone)


def edges(zone: ZoneInfo, start: datetime, end: datetime, grain: Grain | None) -> tuple[datetime, ...]:
    """The bounds of the parts of [start, end), in UTC; the first and the last part may be cut short.

    Raises:
        UsageError: the period is empty, or there would be more parts than `MOST_POINTS`.
    """
    if end <= start:
        raise UsageError("the period is empty", hint="--to must be later than --from")
    found = [start.astimezone(UTC)]
    while grain is not None and (later := _next(zone, found[-1], grain)) < end:
        found.append(later)
        if len(found) > MOST_POINTS:
            raise UsageError(
                f"more than {MOST_POINTS} points", hint="ask for a shorter period, or a coarser grain"
            )
    return (*found, end.astimezone(UTC))


def _next(zone: ZoneInfo, moment: datetime, grain: Grain) -> datetime:
    """When the part that ``moment`` lies in ends."""
    local = moment.astimezone(zone)
    if grain in SECONDS:
        # of the local clock, whose offset from UTC may not be whole hours; an offset changes at an hour
        size = SECONDS[grain]
        into = (local.minute * 60 + local.second) % size + local.microsecond / 1_000_000
        return moment + timedelta(seconds=size - into)
    day = local.date()
    if grain is Grain.DAY:
        return midnight(zone, day + timedelta(days=1))
    if grain is Grain.WEEK:
        return midnight(zone, day + timedelta(days=7 - day.weekday()))
    size = MONTHS[grain]
    first = day.replace(month=(day.month - 1) // size * size + 1, day=1)
    return midnight(zone, _months_on(first, size))


def _months_on(day: date, months: int) -> date:
    """The same day of another month; where there is none (29 to 31), the first of the next."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    try:
        return day.replace(year=year, month=month + 1)
    except ValueError:
        return _months_on(day.replace(day=1), months + 1)


def begins(zone: ZoneInfo, moment: datetime, part: Grain) -> bool:
    """Whether a day, a week, a month, a quarter or a year begins at ``moment``; nothing smaller ever does."""
    local = moment.astimezone(zone)
    day = local.date()
    if part in SECONDS or moment != midnight(zone, day):
        return False
    if part is Grain.WEEK:
        return day.weekday() == 0
    return part is Grain.DAY or (day.day == 1 and (day.month - 1) % MONTHS[part] == 0)


def is_part_of(zone: ZoneInfo, start: datetime, end: datetime, part: Grain) -> bool:
    """Whether [start, end) is one day, week, ... or the beginning of one."""
    return begins(zone, start, part) and end <= _next(zone, start.astimezone(UTC), part)


def _smallest_part(zone: ZoneInfo, start: datetime, end: datetime) -> Grain | None:
    """The smallest part of the calendar that a period is, or is the beginning of."""
    parts = (Grain.DAY, Grain.WEEK, *MONTHS)
    return next((part for part in parts if is_part_of(zone, start, end, part)), None)


class Shift:
    """Moves moments to the period that another is compared with.

    环比 of a part (a month, a day, ...) and of its beginning is the part before, from its beginning on:
    of the 1st to the 20th those of the month before. Of any other period it is the one before of the same
    length: as many months for one of whole months, as many days for one of whole days. 同比 is the same days
    and times of the year before (a leap day has none and becomes empty), of a week that 52 weeks before.

    Args:
        zone: whose calendar it is.
        start: when the period begins; ``end``: when it ends.
        part: what it is cut into, or is (the beginning of) one of; None: as its days say.
        to: what it is compared with.
    """

    def __init__(
        self, zone: ZoneInfo, start: datetime, end: datetime, part: Grain | None, to: Comparison
    ) -> None:
        self._zone = zone
        self._months, self._days, self._time = 0, 0, timedelta()
        if part is None and not self._of_months(start, end):
            part = _smallest_part(zone, start, end)
        if to is Comparison.YEAR_BEFORE:
            self._months, self._days = (0, -364) if part is Grain.WEEK else (-12, 0)
        elif part in MONTHS:
            self._months = -MONTHS[part]
        elif part in SECONDS:
            self._time = -timedelta(seconds=SECONDS[part])
        elif part is not None:
            self._days = -1 if part is Grain.DAY else -7
        else:
            self._of_whole(start, end)

    def _of_months(self, start: datetime, end: datetime) -> bool:
        """Whether these are whole months."""
        return all(begins(self._zone, one, Grain.MONTH) for one in (start, end))

    def _of_whole(self, start: datetime, end: datetime) -> None:
        first, last = start.astimezone(self._zone), end.astimezone(self._zone)
        if self._of_months(start, end):
            self._months = (first.year - last.year) * 12 + first.month - last.month
        elif all(begins(self._zone, one, Grain.DAY) for one in (start, end)):
            self._days = (first.date() - last.date()).days
        else:
            self._time = start - end

    def __call__(self, moment: datetime) -> datetime:
        """Where a moment is moved to, in UTC; on a day that there is not, the beginning of the next."""
        if self._time:
            return moment + self._time
        local = moment.astimezone(self._zone)
        moved = _months_on(local.date(), self._months)
        day = moved + timedelta(days=self._days)
        if moved.day != local.day or local == midnight(self._zone, local.date()):
            return midnight(self._zone, day)
        return datetime.combine(day, local.time(), self._zone).astimezone(UTC)
