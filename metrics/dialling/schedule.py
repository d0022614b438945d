"""When a test call is due. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta, tzinfo
from typing import Final

from hotline.config.dialling import TrialPlan

LATE: Final = timedelta(minutes=10)  # a call that could not begin by then is left out


def moments(plan: TrialPlan, after: datetime, until: datetime, zone: tzinfo) -> Iterator[datetime]:
    """The planned moments in (after, until], in order."""
    day = after.astimezone(zone).date()
    while day <= until.astimezone(zone).date():
        for at in _times(plan) if day.isoweekday() in plan.days else ():
            moment = datetime.combine(day, at, zone)
            if after < moment <= until:
                yield moment
        day += timedelta(days=1)


def _times(plan: TrialPlan) -> Iterable[time]:
    if plan.every_minutes is None:
        return sorted(plan.times)
    return (time(minute // 60, minute % 60) for minute in range(0, 24 * 60, plan.every_minutes))


class Waiting:
    """Test calls that are due and not yet begun: at most one for each plan, the longest due first."""

    def __init__(self, plans: Iterable[TrialPlan], began_at: datetime, zone: tzinfo) -> None:
        self.left_out = 0
        self._plans = {plan.name: plan for plan in plans}
        self._looked_at, self._zone = began_at, zone
        self._due: dict[str, datetime] = {}

    def look(self, now: datetime) -> None:
        """Note what has become due since the last look; a clock set back makes nothing due twice."""
        for name, plan in self._plans.items() if now > self._looked_at else ():
            for moment in moments(plan, max(self._looked_at, now - LATE), now, self._zone):
                self.left_out += name in self._due
                self._due[name] = moment
        self._looked_at = max(self._looked_at, now)
        for name in [name for name, moment in self._due.items() if now - moment > LATE]:
            self.left_out += 1
            del self._due[name]

    def take(self) -> TrialPlan | None:
        """The one that has been due the longest; it is due no longer."""
        if not self._due:
            return None
        name = min(self._due, key=lambda one: self._due[one])
        del self._due[name]
        return self._plans[name]
