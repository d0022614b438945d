"""Kept recordings as those who listen see them: a row, its pauses, and the sound in parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hotline.core.errors import HotlineError
from hotline.core.events import Side
from hotline.store.recording_file import RecordingDamaged, RecordingReader, stored_sha256
from hotline.store.recordings import RecordingRecord, RecordingStore


@dataclass(frozen=True, slots=True)
class RecordingView:
    """What a page needs to draw and follow a recording.

    Attributes:
        seconds: how long it is.
        transcript_offset_seconds: add this to a time of the sound to get one of the transcript, whose clock
            begins when the ledger was told of the answer.
        pauses: from when to when nothing was recorded on purpose, on the sound's clock.
        levels: how loud each side is over time, 0 to 255, in equal steps.
        held: it is not deleted by age.
    """

    seconds: float
    transcript_offset_seconds: float
    pauses: tuple[tuple[float, float], ...]
    levels: dict[Side, tuple[int, ...]]
    held: bool


class RecordingArchive:
    """Recordings to listen to.

    Args:
        store: the rows.
        data_dir: the files' paths count from here.
        keys: gives the secrets of sealed files by their ids; asked only when one is opened.
    """

    def __init__(self, store: RecordingStore, data_dir: Path, keys: Callable[[], Mapping[str, str]]) -> None:
        self._store, self._data_dir, self._keys = store, data_dir, keys

    async def one(self, call_id: str) -> RecordingRecord | None:
        """The row of a call's recording."""
        return await self._store.one(call_id)

    async def view(self, record: RecordingRecord) -> RecordingView:
        """The recording as a page shows it."""
        seconds = record.duration_ms / 1000
        answered_at, _ = await self._store.talk(record.call_id)
        pauses = []
        for pause in await self._store.pauses(record.call_id):
            since = (pause.since - record.started_at).total_seconds()
            until = seconds if pause.until is None else (pause.until - record.started_at).total_seconds()
            pauses.append((max(0.0, since), min(seconds, until)))
        half = len(record.levels) // 2
        return RecordingView(
            seconds=seconds,
            transcript_offset_seconds=(
                record.started_at - (answered_at or record.started_at)
            ).total_seconds(),
            pauses=tuple(pauses),
            levels={Side.CALLER: tuple(record.levels[:half]), Side.AGENT: tuple(record.levels[half:])},
            held=record.held,
        )

    def open(self, record: RecordingRecord) -> RecordingReader:
        """The sound, to be read in parts. Reads files: call it on a thread.

        Raises:
            RecordingDamaged: it is not what was written, or its key cannot be had.
            FileNotFoundError: it was deleted.
        """
        key = None
        if record.encrypted:
            try:
                key = self._keys().get(record.key_id)
            except HotlineError as error:
                raise RecordingDamaged("the key of recordings cannot be had", hint=str(error)) from error
            if key is None:
                raise RecordingDamaged(
                    f"the recording is sealed with a key that is not here: {record.key_id or 'unknown'}",
                    hint="see recording.old_keys",
                )
        return RecordingReader(self._data_dir / record.path, key)

    async def unreadable(self) -> str:
        """What is wrong with the keys: how many recordings none of them opens; empty when all is well.

        Raises:
            HotlineError: the keys cannot be had.
        """
        sealed = await self._store.sealed()
        keys = self._keys() if sealed else {}
        lost = {key_id: count for key_id, count in sealed.items() if key_id not in keys}
        if not lost:
            return ""
        ids = ", ".join(sorted(key_id or "unknown" for key_id in lost))
        return (
            f"{sum(lost.values())} recordings are sealed with a key that is not here ({ids}): bring "
            "recording.key back from its copy, or name it under recording.old_keys"
        )

    def check(self, record: RecordingRecord) -> None:
        """See that the file is, to the last byte, the one that was written. Reads all of it.

        Raises:
            RecordingDamaged, FileNotFoundError: as ``open``.
        """
        if stored_sha256(self._data_dir / record.path) != record.sha256:
            raise RecordingDamaged("the recording's file was changed", hint="restore it from a backup")
