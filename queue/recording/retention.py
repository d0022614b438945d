"""How long recordings are kept: by line, as the site says, for ever when on hold."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from hotline.config.schema import Site
from hotline.core.clock import Clock
from hotline.store.audit import AuditLog
from hotline.store.recordings import RecordingRecord, RecordingStore

BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was deleted, or would be: how many recordings, of which period, how large."""

    recordings: int = 0
    size_bytes: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None
    files_gone: int = 0  # of these, whose file was not there any more

    def plus(self, batch: list[RecordingRecord], files_gone: int) -> Pruned:
        """With a further batch; batches come oldest first."""
        return Pruned(
            self.recordings + len(batch),
            self.size_bytes + sum(one.size_bytes for one in batch),
            self.oldest or batch[0].started_at,
            batch[-1].started_at,
            self.files_gone + files_gone,
        )

    def __str__(self) -> str:
        if self.oldest is None or self.newest is None:
            return "nothing"
        period = f"{self.oldest:%Y-%m-%d} to {self.newest:%Y-%m-%d}"
        gone = f", {self.files_gone} of them without a file" if self.files_gone else ""
        return f"{self.recordings} recordings of {period}, {self.size_bytes} bytes{gone}"


class Retention:
    """Deletes recordings whose time is over."""

    def __init__(self, site: Site, store: RecordingStore, audit: AuditLog, clock: Clock) -> None:
        self._site, self._store, self._audit, self._clock = site, store, audit, clock

    async def prune(self, user: str, *, dry_run: bool = False) -> Pruned:
        """Delete what is too old, file before row, and write what was deleted into the audit log.

        Args:
            user: who does it, for the audit log.
            dry_run: only count.

        Raises:
            OSError: a file cannot be deleted; it and its row stay.
            SQLAlchemyError: the database cannot be had.
        """
        now = self._clock.now()
        default = now - timedelta(days=self._site.recording.keep_days)
        by_line = {
            line.id: now - timedelta(days=line.keep_days) for line in self._site.lines if line.keep_days
        }
        pruned = Pruned()
        while True:
            limit = 1_000_000 if dry_run else BATCH
            batch = await self._store.due(by_line, default, limit)
            if not batch:
                break
            if dry_run:
                return pruned.plus(batch, 0)
            gone = await asyncio.to_thread(_unlink, [self._site.data_dir / one.path for one in batch])
            await self._store.delete([one.call_id for one in batch])
            deleted = Pruned().plus(batch, gone)
            await self._audit.record(user, "recordings_prune", "recordings", str(deleted))
            pruned = pruned.plus(batch, gone)
        return pruned


def _unlink(paths: list[Path]) -> int:
    """Delete files; how many were gone already."""
    gone = 0
    for path in paths:
        try:
            path.unlink()
        except FileNotFoundError:
            gone += 1
    return gone
