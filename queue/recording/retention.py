"""How long recordings are kept: by line, as the site says, for ever when on hold."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
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
    undeletable: int = 0  # not of these: their files could not be deleted, so their rows stay too
    why: str = ""  # the first of those could not be

    def plus(self, batch: Sequence[RecordingRecord], unlinked: _Unlinked) -> Pruned:
        """With a further batch; batches come oldest first."""
        return Pruned(
            self.recordings + len(batch),
            self.size_bytes + sum(one.size_bytes for one in batch),
            self.oldest or (batch[0].started_at if batch else None),
            batch[-1].started_at if batch else self.newest,
            self.files_gone + unlinked.gone,
            self.undeletable + len(unlinked.failed),
            self.why or unlinked.why,
        )

    def __str__(self) -> str:
        failed = f", {self.undeletable} could not be deleted ({self.why})" if self.undeletable else ""
        if self.oldest is None or self.newest is None:
            return f"nothing{failed}"
        period = f"{self.oldest:%Y-%m-%d} to {self.newest:%Y-%m-%d}"
        gone = f", {self.files_gone} of them without a file" if self.files_gone else ""
        return f"{self.recordings} recordings of {period}, {self.size_bytes} bytes{gone}{failed}"


@dataclass(slots=True)
class _Unlinked:
    """What became of a batch's files."""

    gone: int = 0  # were not there any more
    failed: set[str] = field(default_factory=set)  # paths that could not be deleted
    why: str = ""


class Retention:
    """Deletes recordings whose time is over."""

    def __init__(self, site: Site, store: RecordingStore, audit: AuditLog, clock: Clock) -> None:
        self._site, self._store, self._audit, self._clock = site, store, audit, clock

    async def prune(self, user: str, *, dry_run: bool = False) -> Pruned:
        """Delete what is too old, file before row, and write what was deleted into the audit log.

        A file that cannot be deleted keeps its row and is counted; all others are deleted nevertheless.

        Args:
            user: who does it, for the audit log.
            dry_run: only count.

        Raises:
            SQLAlchemyError: the database cannot be had.
        """
        now = self._clock.now()
        default = now - timedelta(days=self._site.recording.keep_days)
        by_line = {
            line.id: now - timedelta(days=line.keep_days) for line in self._site.lines if line.keep_days
        }
        pruned, last = Pruned(), None
        while batch := await self._store.due(by_line, default, BATCH, last):
            last = batch[-1]
            if dry_run:
                pruned = pruned.plus(batch, _Unlinked())
                continue
            unlinked = await asyncio.to_thread(_unlink, self._site.data_dir, [one.path for one in batch])
            deleted = [one for one in batch if one.path not in unlinked.failed]
            await self._store.delete([one.call_id for one in deleted])
            told = Pruned().plus(deleted, unlinked)
            await self._audit.record(user, "recordings_prune", "recordings", str(told))
            pruned = pruned.plus(deleted, unlinked)
        return pruned


def _unlink(data_dir: Path, paths: Sequence[str]) -> _Unlinked:
    """Delete files, each whatever becomes of the others."""
    done = _Unlinked()
    for path in paths:
        try:
            (data_dir / path).unlink()
        except FileNotFoundError:
            done.gone += 1
        except OSError as error:
            done.failed.add(path)
            done.why = done.why or str(error.strerror)
    return done
