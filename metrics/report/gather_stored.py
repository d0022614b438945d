"""What was imported of a report's period and of those before it, from the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from hotline.core.figures import Comparison
from hotline.metrics.report.compared import Between, compared, counted
from hotline.metrics.report.data import Period
from hotline.metrics.report.periods import bounds
from hotline.metrics.report.stored import Imported, imported_of, with_earlier
from hotline.store.database import Sessions
from hotline.store.imported import ImportedFigures

COMPARED: Final = (Comparison.BEFORE, Comparison.YEAR_BEFORE)


class StoredImports:
    """The imports of a site."""

    def __init__(self, sessions: Sessions, zone: ZoneInfo) -> None:
        self._store, self._zone = ImportedFigures(sessions), zone

    async def of(self, period: Period, until: datetime | None, given: Mapping[str, Any]) -> Imported:
        """The sections of a period (``until``: as far as it has come) with their earlier counts.

        ``given``: those of a data file, which come first.
        """
        zone = self._zone
        found = await self._within(bounds(period, zone), counted(period, until, zone))
        found.give(given)
        spans = [compared(period, until, zone, to) for to in COMPARED]
        before, ago = [await self._within(one, one) if one else Imported() for one in spans]
        with_earlier(found, before, ago, so_far=until is not None)
        return found

    async def accepted(self, periods: Sequence[Period]) -> list[int | None]:
        """How many requests were accepted (受理量) in each of these; None: not known of the whole of it."""
        spans = [bounds(one, self._zone) for one in periods]
        found = [await self._within(between, between) for between in spans]
        return [one.sections["accepted"].total if "accepted" in one.whole else None for one in found]

    async def _within(self, own: Between, now: Between) -> Imported:
        return imported_of(await self._store.sections(*own), own, now, self._zone)
