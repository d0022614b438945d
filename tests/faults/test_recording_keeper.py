"""Recordings survive whatever happens to the server between the end of a call and its kept file."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from hotline.core.events import CallEnded
from hotline.queue.recording import keeper as recording_keeper
from hotline.queue.recording import retention
from hotline.store.models import QueueEntry
from hotline.store.recording_file import RecordingReader, stored_sha256, write_recording
from hotline.store.recordings import RecordingRecord
from tests.fixtures.recordings import ANSWERED, CALL, Archive, archive_in
from tests.fixtures.sounds import channels, heard

KEY = "a key of at least thirty-two characters"


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[Archive]:
    async with archive_in(tmp_path) as made:
        yield made


async def check_kept(archive: Archive, key: str | None = None) -> None:
    """One row, one whole file that fits it, no raw file."""
    row = await archive.store.one(CALL)
    assert row is not None
    path = archive.site.data_dir / row.path
    assert archive.files == [path]
    assert (row.size_bytes, row.sha256) == (path.stat().st_size, stored_sha256(path))
    assert (row.started_at, row.duration_ms, row.encrypted) == (ANSWERED, 3000, key is not None)
    with RecordingReader(path, key) as reader:
        left, right = channels(reader.read(0, reader.size_bytes))
    assert heard(left, 500) == [(0.0, 3.0)]
    assert heard(right, 1100) == [(0.0, 2.0)]
    assert archive.raw == []


@pytest.mark.parametrize("key", [None, KEY], ids=["plain", "sealed"])
async def test_an_ended_call_is_kept(archive: Archive, key: str | None) -> None:
    """Raw files become one recording with its row, and are gone."""
    archive.record()
    assert await archive.keeper(key).sweep() is False
    await check_kept(archive, key)


async def test_a_call_that_goes_on_is_left_alone(archive: Archive) -> None:
    """While a channel of the call is there, nothing of its files is touched."""
    archive.record()
    archive.manager.call_ids = {CALL}
    await archive.keeper().sweep()
    assert len(archive.raw) == 2 and archive.files == []


async def test_a_call_whose_last_channel_is_about_to_go_is_looked_at_again(archive: Archive) -> None:
    """Its end is told a moment before the exchange's list is without it: that costs no minute."""
    archive.record()
    archive.manager.call_ids = {CALL}
    work = asyncio.create_task(archive.keeper().run())

    async def until(reached: Callable[[], bool]) -> None:
        while not reached():  # noqa: ASYNC110 - neither counters nor folders tell
            await asyncio.sleep(0.01)

    try:
        async with asyncio.timeout(10):
            await until(lambda: archive.manager.asked == 1)
            archive.bus.publish(CallEnded(CALL, ANSWERED))
            await until(lambda: archive.manager.asked == 2)
            archive.manager.call_ids = set()
            await until(lambda: archive.raw == [])
    finally:
        work.cancel()
        await asyncio.wait({work})
    await check_kept(archive)


async def test_nothing_is_taken_for_ended_while_asterisk_cannot_be_asked(archive: Archive) -> None:
    """A lost link is no reason to cut a recording short."""
    archive.record()
    archive.manager.call_ids = None
    keeper = archive.keeper()
    await keeper.sweep()
    assert len(archive.raw) == 2 and archive.files == []
    archive.manager.call_ids = set()
    await keeper.sweep()
    await check_kept(archive)


async def test_files_written_a_moment_ago_are_waited_for(archive: Archive) -> None:
    """Asterisk ends a file a moment after the call: it is read when it has been still for two seconds."""
    archive.record()
    archive.clock.advance(-9)
    keeper = archive.keeper()
    assert await keeper.sweep() is True
    assert archive.files == []
    archive.clock.advance(2)
    assert await keeper.sweep() is False
    await check_kept(archive)


async def test_of_a_callback_nothing_is_kept_without_the_citizens_own_voice(archive: Archive) -> None:
    """The agent alone, waiting for a citizen who does not answer or may not be recorded, is deleted."""
    back = "node1-callback-8001-1793581200000.1"
    archive.record(back, caller=False)
    archive.record(CALL, caller=False)
    await archive.keeper().sweep()
    assert archive.raw == [] and await archive.store.one(back) is None
    assert await archive.store.one(CALL) is not None, "a call whose caller's file was lost is kept as it is"


async def test_a_caller_nobody_answered_leaves_nothing(archive: Archive) -> None:
    """What was said while waiting in vain is deleted."""
    archive.record(answered=False)
    await archive.keeper().sweep()
    assert archive.raw == [] and archive.files == []
    assert await archive.store.one(CALL) is None


async def crash(*_: Any, **__: Any) -> None:
    raise SystemExit


@pytest.mark.parametrize("step", ["file", "row", "raw"])
async def test_a_crash_between_any_two_steps_loses_nothing(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Killed after the file, before the row or before the raw files go: the next start ends with the same."""
    archive.record()
    with monkeypatch.context() as patch:
        if step == "file":
            patch.setattr(recording_keeper, "write_recording", lambda *_: (_ for _ in ()).throw(SystemExit))
        elif step == "row":
            patch.setattr(archive.store, "add", crash)
        else:
            patch.setattr(recording_keeper, "_delete", lambda _: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            await archive.keeper().sweep()
    assert len(archive.raw) == 2, "raw files went before the recording was safe"
    await archive.keeper().sweep()
    await check_kept(archive)


async def test_a_full_disk_is_counted_told_and_tried_again(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The raw files stay, the metrics and the log say so without a number, other calls are still kept."""
    archive.record()
    archive.record("node1-1793581300.9")
    keeper = archive.keeper()

    def full(path: Path, *rest: Any) -> Any:
        if CALL in path.name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_recording(path, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(recording_keeper, "write_recording", full)
        await keeper.sweep()
    assert (keeper.counters.failures, keeper.counters.waiting, keeper.counters.kept) == (1, 1, 1)
    assert f"call {CALL}: its recording waits: No space left on device" in caplog.text
    assert len(archive.raw) == 2
    await keeper.sweep()
    assert (keeper.counters.waiting, keeper.counters.kept) == (0, 2)


async def test_a_locked_database_is_tried_again(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its row a recording does not count as kept: the raw files stay until the row is there."""
    archive.record()
    keeper = archive.keeper()

    async def locked(*_: Any) -> None:
        raise OperationalError("INSERT", {}, Exception("database is locked"))

    with monkeypatch.context() as patch:
        patch.setattr(archive.store, "add", locked)
        await keeper.sweep()
    assert len(archive.raw) == 2 and keeper.counters.waiting == 1
    await keeper.sweep()
    await check_kept(archive)


async def test_strange_files_are_not_touched(archive: Archive) -> None:
    """Whatever else lies in Asterisk's folder is none of our business."""
    archive.record()
    (archive.raw_dir / "voicemail.wav").write_bytes(b"x")
    await archive.keeper().sweep()
    assert archive.raw == ["voicemail.wav"]


async def test_retention_deletes_by_line_and_says_what(archive: Archive) -> None:
    """Older than the line keeps them: gone with their files, but for those on hold; the audit log tells."""
    for number, age_days in enumerate((10, 40, 100)):
        archive.record(f"node1-1793581200.{number}")
        await archive.keeper().sweep()
        row = await archive.store.one(f"node1-1793581200.{number}")
        assert row is not None
        await archive.store.add(
            replace(row, line="12315", started_at=archive.clock.now() - timedelta(days=age_days))
        )
    await archive.store.hold("node1-1793581200.2", True)
    would = await archive.retention.prune("a test", dry_run=True)
    assert (would.recordings, len(archive.files)) == (1, 3)
    done = await archive.retention.prune("a test")
    assert (done.recordings, done.files_gone) == (1, 0)
    assert await archive.store.one("node1-1793581200.1") is None
    assert len(archive.files) == 2
    (entry,) = await archive.audit.recent()
    assert (entry.action, entry.user) == ("recordings_prune", "a test")
    assert entry.detail == f"1 recordings of 2026-09-23 to 2026-09-23, {done.size_bytes} bytes"
    await archive.store.hold("node1-1793581200.2", False)
    archive.clock.advance(timedelta(days=25).total_seconds())
    for file in archive.files:
        file.unlink()
    assert (await archive.retention.prune("a test")).files_gone == 2
    assert (await archive.retention.prune("a test")).recordings == 0


async def test_a_file_that_cannot_be_deleted_holds_up_no_other(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its row stays with it and is told of; those that come after it in the same and in later batches go."""
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(5):
        archive.record(f"node1-1793581200.{number}")
    keeper = archive.keeper()
    await keeper.sweep()
    stuck = archive.site.data_dir / (await _row(archive, 0)).path
    stuck.unlink()
    stuck.mkdir()  # a folder cannot be unlinked, not even by root
    archive.clock.advance(timedelta(days=100).total_seconds())
    done = await archive.retention.prune("a test")
    assert (done.recordings, done.undeletable, archive.files) == (4, 1, [])
    assert "1 could not be deleted" in str(done)
    assert (await _row(archive, 0)).call_id == "node1-1793581200.0"
    await keeper._prune_daily()
    assert keeper.counters.failures == 1 and "1 old recordings could not be deleted" in caplog.text


async def _row(archive: Archive, number: int) -> RecordingRecord:
    row = await archive.store.one(f"node1-1793581200.{number}")
    assert row is not None
    return row


async def test_a_recording_that_lacks_much_of_its_talk_is_told(
    archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    """Asterisk's disk was full in mid-call: what there is is kept, and that it is not all is counted."""
    archive.record()
    archive.record("node1-1793581300.9")
    for call_id, seconds in ((CALL, 63), ("node1-1793581300.9", 4)):
        ended_at = ANSWERED + timedelta(seconds=seconds)
        async with archive.sessions.begin() as session:
            session.add(
                QueueEntry(
                    entry_id=f"{call_id}:12345:1", node="node1", uniqueid=call_id, queue="12345", visit=1,
                    call_id=call_id, line="12345", source="live", joined_at=ANSWERED, answered_at=ANSWERED,
                    closed_at=ended_at, outcome="answered", agent="a1",
                )
            )  # fmt: skip
    keeper = archive.keeper()
    await keeper.sweep()
    assert (keeper.counters.kept, keeper.counters.short) == (2, 1)
    assert f"call {CALL}: 60 s of its recording are missing" in caplog.text
