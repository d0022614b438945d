"""Listening to recordings and pausing them, as a browser does it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from hotline.agent_console import recordings_api
from hotline.config.schema import RecordingSection
from hotline.core.errors import ExchangeUnreachable, IllegalState
from hotline.core.events import Outcome
from hotline.store.database import sessions_of
from hotline.store.models import Call, QueueEntry
from hotline.store.recording_archive import RecordingArchive
from hotline.store.recording_file import RecordingReader, key_id, write_recording
from hotline.store.recordings import RecordingRecord
from tests.fixtures.console import (
    AT,
    OLD_KEY,
    RECORDING_KEY,
    RECORDING_KEYS,
    SITE,
    ConsoleUnderTest,
    answered,
    running_console,
)

SOUND = bytes(range(256)) * 700
CALL = "node1-1.1"


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[ConsoleUnderTest]:
    site = SITE.model_copy(update={"recording": RecordingSection(agents_listen=True)})
    async with running_console(tmp_path, site=site) as running:
        yield running


async def record(
    console: ConsoleUnderTest,
    folder: Path,
    call_id: str = CALL,
    *,
    agent: str = "a1",
    sealed: bool = True,
    key: str = RECORDING_KEY,
) -> Path:
    """A past call of ``agent`` with its recording, which began 40 ms after the ledger's answer."""
    async with sessions_of(console.engine).begin() as session:
        session.add(
            Call(
                call_id=call_id, node="n1", line="12345", did="12345", caller_number="13812341234",
                caller_name="", started_at=AT, ended_at=AT,
            )
        )  # fmt: skip
        session.add(
            QueueEntry(
                entry_id=f"{call_id}:12345:1", node="n1", uniqueid=call_id, queue="12345", visit=1,
                call_id=call_id, line="12345", source="live", joined_at=AT, closed_at=AT,
                answered_at=AT, outcome=Outcome.ANSWERED.value, agent=agent,
            )
        )  # fmt: skip
    path = folder / f"{call_id}.sealed"
    written = write_recording(path, len(SOUND), [SOUND], key if sealed else None)
    started_at = AT + timedelta(milliseconds=40)
    await console.recordings.add(
        RecordingRecord(
            call_id, "12345", started_at, 11_000, written.size_bytes, written.sha256, sealed, path.name,
            bytes([1, 2, 3, 200, 201, 202]), key_id=key_id(key) if sealed else "",
        )
    )  # fmt: skip
    return path


async def audited(console: ConsoleUnderTest) -> list[tuple[str, str, str]]:
    rows = [(row.user, row.action, row.subject) for row in await console.audit.recent()]
    return [row for row in reversed(rows) if row[1].startswith("recording")]


def code_of(response: httpx.Response) -> str:
    return str(response.json()["error"]["code"])


async def test_a_recording_is_listed_and_heard_whole(console: ConsoleUnderTest, tmp_path: Path) -> None:
    """The call says that it has one; the sound comes whole, unsealed, and the listening is written down."""
    await record(console, tmp_path)
    boss = await console.user("boss", "supervisor")
    (row,) = (await boss.get("/api/calls")).json()["calls"]
    assert row["has_recording"] is True
    response = await boss.get(f"/api/calls/{CALL}/recording")
    assert (response.status_code, response.content) == (200, SOUND)
    assert response.headers["content-type"] == "audio/wav"
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["cache-control"] == "no-store"
    assert await audited(console) == [("boss", "recording_listen", CALL)]


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [("bytes=0-", 0, None), ("bytes=0-0", 0, 1), ("bytes=65530-65545", 65530, 65546), ("bytes=-7", -7, None),
     ("bytes=1000-99999999", 1000, None)],
)  # fmt: skip
async def test_parts_are_heard(
    console: ConsoleUnderTest, tmp_path: Path, wanted: str, start: int, end: int | None
) -> None:
    """A browser that jumps gets the part it asks for, wherever the seals' borders lie."""
    await record(console, tmp_path)
    boss = await console.user("boss", "supervisor")
    response = await boss.get(f"/api/calls/{CALL}/recording", headers={"Range": wanted})
    assert response.status_code == 206
    assert response.content == SOUND[start:end]
    first = start % len(SOUND)
    told = f"bytes {first}-{first + len(response.content) - 1}/{len(SOUND)}"
    assert response.headers["content-range"] == told


@pytest.mark.parametrize("wanted", ["bytes=179200-", "bytes=5-2", "bytes=-", "lines=1-2", "bytes=0-1,5-6"])
async def test_parts_that_are_not_there(console: ConsoleUnderTest, tmp_path: Path, wanted: str) -> None:
    """A part beyond the end, or one that makes no sense, is 416 with the true size; nothing was heard."""
    await record(console, tmp_path)
    boss = await console.user("boss", "supervisor")
    response = await boss.get(f"/api/calls/{CALL}/recording", headers={"Range": wanted})
    assert (response.status_code, code_of(response)) == (416, "bad_range")
    assert response.headers["content-range"] == f"bytes */{len(SOUND)}"
    assert await audited(console) == []


async def test_each_listening_is_written_down_once(console: ConsoleUnderTest, tmp_path: Path) -> None:
    """Further parts belong to the listening; from the start again, or in another browser, is a new one."""
    await record(console, tmp_path)
    boss, other = await console.user("boss", "supervisor"), await console.user("chief", "supervisor")
    for wanted in ("bytes=0-99", "bytes=5000-5999", "bytes=0-"):
        await boss.get(f"/api/calls/{CALL}/recording", headers={"Range": wanted})
    await other.get(f"/api/calls/{CALL}/recording", headers={"Range": "bytes=5000-5999"})
    listened = [user for user, action, _ in await audited(console) if action == "recording_listen"]
    assert listened == ["boss", "boss", "chief"]


async def test_nothing_is_heard_that_cannot_be_written_down(
    console: ConsoleUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the audit log cannot be written, not a byte goes out."""
    await record(console, tmp_path)
    boss = await console.user("boss", "supervisor")

    async def full(*_: str) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(console.audit, "record", full)
    response = await boss.get(f"/api/calls/{CALL}/recording")
    assert response.status_code == 500 and SOUND[:20] not in response.content


async def test_agents_hear_their_own_calls_where_the_site_allows(
    console: ConsoleUnderTest, tmp_path: Path
) -> None:
    """The own call can be heard; a colleague's is as if it were not there."""
    await record(console, tmp_path)
    mine, theirs = await console.user("zhang", agent="a1"), await console.user("li", agent="a2")
    assert (await mine.get(f"/api/calls/{CALL}/recording")).status_code == 200
    for path in ("recording", "recording/about"):
        response = await theirs.get(f"/api/calls/{CALL}/{path}")
        assert (response.status_code, code_of(response)) == (404, "not_found")
    assert (await console.client().get(f"/api/calls/{CALL}/recording")).status_code == 401


async def test_agents_hear_nothing_unless_the_site_allows(tmp_path: Path) -> None:
    """By default recordings are for supervisors."""
    async with running_console(tmp_path) as console:
        await record(console, tmp_path)
        mine, boss = await console.user("zhang", agent="a1"), await console.user("boss", "supervisor")
        assert (await mine.get("/api/site")).json()["agents_listen"] is False, "the page must not offer it"
        response = await mine.get(f"/api/calls/{CALL}/recording")
        assert (response.status_code, code_of(response)) == (403, "forbidden")
        assert (await boss.get(f"/api/calls/{CALL}/recording")).status_code == 200


async def test_the_player_is_told_what_it_needs(console: ConsoleUnderTest, tmp_path: Path) -> None:
    """Length, loudness of both sides, pauses, and how far sound and transcript lie apart."""
    await record(console, tmp_path)
    since = AT + timedelta(seconds=2.04)
    await console.recordings.begin_pause(CALL, since, "zhang")
    await console.recordings.end_pause(CALL, since + timedelta(seconds=3))
    await console.recordings.begin_pause(CALL, AT + timedelta(seconds=9.04), "zhang")
    boss = await console.user("boss", "supervisor")
    assert (await boss.get(f"/api/calls/{CALL}/recording/about")).json() == {
        "seconds": 11.0,
        "transcript_offset_seconds": 0.04,
        "pauses": [[2.0, 5.0], [9.0, 11.0]],
        "levels": {"caller": [1, 2, 3], "agent": [200, 201, 202]},
        "held": False,
    }
    assert await audited(console) == []


async def test_a_call_without_a_recording_says_so(console: ConsoleUnderTest, tmp_path: Path) -> None:
    """No row, or a file that is gone already, is 404 with a code of its own."""
    path = await record(console, tmp_path)
    boss = await console.user("boss", "supervisor")
    path.unlink()
    response = await boss.get(f"/api/calls/{CALL}/recording")
    assert (response.status_code, code_of(response)) == (404, "no_recording")
    await console.recordings.delete([CALL])
    response = await boss.get(f"/api/calls/{CALL}/recording/about")
    assert (response.status_code, code_of(response)) == (404, "no_recording")
    (row,) = (await boss.get("/api/calls")).json()["calls"]
    assert row["has_recording"] is False


@pytest.mark.parametrize("sealed", [True, False], ids=["sealed", "plain"])
async def test_a_changed_file_is_not_played(
    console: ConsoleUnderTest, tmp_path: Path, sealed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """One changed byte: the whole recording is refused with a clear error, and the log names the call."""
    path = await record(console, tmp_path, sealed=sealed)
    stored = bytearray(path.read_bytes())
    stored[70_000] ^= 1
    path.write_bytes(stored)
    boss = await console.user("boss", "supervisor")
    response = await boss.get(f"/api/calls/{CALL}/recording")
    assert (response.status_code, code_of(response)) == (500, "recording_damaged")
    assert f"the recording of call {CALL} cannot be played" in caplog.text


async def test_an_old_key_still_opens_and_a_lost_one_is_told(
    console: ConsoleUnderTest, tmp_path: Path
) -> None:
    """After a change of keys old recordings are heard; what no key opens is refused, and counted."""
    await record(console, tmp_path, key=OLD_KEY)
    await record(console, tmp_path, "node1-1.2", key="a key that was lost, and nobody has a copy")
    await record(console, tmp_path, "node1-1.3", sealed=False)
    boss = await console.user("boss", "supervisor")
    assert (await boss.get(f"/api/calls/{CALL}/recording")).content == SOUND
    response = await boss.get("/api/calls/node1-1.2/recording")
    assert (response.status_code, code_of(response)) == (500, "recording_damaged")
    assert "recording.old_keys" in response.json()["error"]["hint"]
    archive = RecordingArchive(console.recordings, tmp_path, lambda: RECORDING_KEYS)
    told = await archive.unreadable()
    assert told.startswith("1 recordings") and "recording.key" in told
    await console.recordings.delete(["node1-1.2"])
    assert await archive.unreadable() == ""


async def test_a_file_cut_off_while_it_is_played_ends_the_answer(tmp_path: Path) -> None:
    """The player gets what there is, and then the end, instead of a request that never ends."""
    path = tmp_path / "plain.wav"
    write_recording(path, len(SOUND), [SOUND], None)
    reader = RecordingReader(path, None)
    with path.open("r+b") as file:
        file.truncate(100_000)
    parts = [part async for part in recordings_api._stream(reader, 0, len(SOUND))]
    assert b"".join(parts) == SOUND[: len(b"".join(parts))] and parts


async def test_an_agent_pauses_the_own_call_only(console: ConsoleUnderTest) -> None:
    """Pause and resume go to the exchange with the user's name; another's call is not found."""
    mine, theirs = await console.user("zhang", agent="a1"), await console.user("li", agent="a2")
    boss = await console.user("boss", "supervisor")
    console.picture.talk("c1", "a1")
    console.publish(answered("c1", "a1"))
    for what in ("pause", "resume"):
        response = await mine.post(f"/api/call/c1/recording/{what}")
        assert (response.status_code, response.json()["call_id"]) == (200, "c1")
        assert code_of(await theirs.post(f"/api/call/c1/recording/{what}")) == "not_found"
        assert code_of(await boss.post(f"/api/call/c1/recording/{what}")) == "no_seat"
    assert console.recording_desk.asked == [("pause", "c1", "zhang"), ("resume", "c1", "zhang")]
    console.recording_desk.fails = IllegalState("this call is not recorded")
    assert code_of(await mine.post("/api/call/c1/recording/pause")) == "illegal_now"
    console.recording_desk.fails = ExchangeUnreachable("away")
    assert (await mine.post("/api/call/c1/recording/pause")).status_code == 503
