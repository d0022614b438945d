"""The second pass on SQLite and sealed recordings, with the real small model as the larger one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pytest

from hotline.asr.models import SMALL_MODEL
from hotline.asr.second_pass import Idleness, SecondPass, sound_begins
from hotline.asr.written.lines import LineWriters
from hotline.config.schema import Line, Queue, SecondPassSection, Site
from hotline.config.wording import Correction
from hotline.core.clock import ManualClock
from hotline.core.events import Side
from hotline.core.views import SecondState
from hotline.queue.recording.join import wav_header
from hotline.speech.g711 import alaw_encode
from hotline.speech.voice import Voice
from hotline.store.database import Sessions, open_engine, sessions_of
from hotline.store.recording_archive import RecordingArchive
from hotline.store.recording_file import RecordingDamaged, key_id, write_recording
from hotline.store.recordings import RecordingRecord, RecordingStore
from hotline.store.second_texts import ATTEMPTS, SecondTextStore
from tests.fixtures.console import FakePicture
from tests.fixtures.migrated import upgrade

AT = datetime(2026, 11, 2, 15, 0, tzinfo=UTC)  # 23:00 in Shanghai
KEY = "the key of recordings in these tests"
SECTION = SecondPassSection(model=SMALL_MODEL)
SITE = Site(
    queues=(Queue(name="12345", title="综合"),),
    lines=(
        Line(
            id="12345", name="热线", number="12345", dids=("12345",),
            corrections=(Correction(heard="社保卡", meant="社会保障卡"),),
        ),
    )
)  # fmt: skip


class Night:
    """A second pass, and all that it works on."""

    def __init__(self, folder: Path, sessions: Sessions) -> None:
        self.folder = folder
        self.recordings = RecordingStore(sessions)
        self.texts = SecondTextStore(sessions)
        self.picture = FakePicture()
        self.clock = ManualClock(AT)
        self.archive = RecordingArchive(self.recordings, folder, lambda: {key_id(KEY): KEY})

    def second_pass(self, section: SecondPassSection = SECTION) -> SecondPass:
        idleness = Idleness(section, ZoneInfo("Asia/Shanghai"), lambda: 0.1)
        writers = LineWriters(SITE)
        return SecondPass(
            section, idleness, self.picture, self.texts, self.archive, self.clock, writers
        )  # fmt: skip

    async def record(self, call_id: str, sound: bytes, *, minutes_ago: int = 10) -> Path:
        """Keep a sealed recording of two channels of A-law."""
        path = self.folder / f"{call_id}.sealed"
        whole = wav_header(len(sound) // 2) + sound
        written = write_recording(path, len(whole), [whole], KEY)
        await self.recordings.add(
            RecordingRecord(
                call_id, "12345", AT - timedelta(minutes=minutes_ago), len(sound) // 16,
                written.size_bytes, written.sha256, True, path.name, key_id=key_id(KEY),
            )
        )  # fmt: skip
        return path


@pytest.fixture
async def night(tmp_path: Path) -> AsyncIterator[Night]:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path}/hotline.db")
    await upgrade(engine)
    yield Night(tmp_path, sessions_of(engine))
    await engine.dispose()


def conversation() -> bytes:
    """The caller speaks, then the agent."""
    caller, agent = spoken("f3", "我想咨询社保卡怎么办理"), spoken("m1", "您好请问有什么可以帮您")
    pause = np.zeros(12_000, np.int16)
    left = np.concatenate([caller, pause, np.zeros_like(agent), pause])
    right = np.concatenate([np.zeros_like(caller), pause, agent, pause])
    both = np.empty((len(left), 2), np.uint8)
    both[:, 0] = np.frombuffer(alaw_encode(left), np.uint8)
    both[:, 1] = np.frombuffer(alaw_encode(right), np.uint8)
    return both.tobytes()


def spoken(voice: str, text: str) -> npt.NDArray[np.int16]:
    return Voice(voice).say(text).at_rate(8000).samples


async def test_a_sealed_recording_is_decoded_into_both_sides(night: Night) -> None:
    """Each side's words come from the own channel, in order, and the recording is done once and for all."""
    await night.record("c1", conversation())
    second = night.second_pass()
    assert await second.step()
    found = await night.texts.of_call("c1")
    assert found is not None and found.state is SecondState.DONE
    assert found.model == SMALL_MODEL.name
    heard = {side: "".join(one.text for one in found.segments if one.side is side) for side in Side}
    assert "社保卡" in heard[Side.CALLER] and "您好" not in heard[Side.CALLER]
    assert "帮您" in heard[Side.AGENT] and "社保卡" not in heard[Side.AGENT]
    written = "".join(one.written for one in found.segments if one.side is Side.CALLER)
    assert "社会保障卡" in written and written[-1] in "。？"  # as the line's live texts are written
    assert found.segments[0].side is Side.CALLER
    assert found.segments[-1].start_seconds > found.segments[0].end_seconds
    assert not await second.step()  # nothing is left
    await second.aclose()


async def test_a_call_stops_it_at_once(night: Night) -> None:
    """With a call the process is gone within moments; the recording is done later, no failure counted."""
    silence = b"\xd5" * (16_000 * 3600)
    await night.record("c1", silence)
    second = night.second_pass()
    working = asyncio.create_task(second.step())
    await second.busy.wait()
    night.picture.talk("c2", "a1")
    async with asyncio.timeout(2):
        assert not await working
    assert not second.busy.is_set()
    record = await night.texts.next_recording(AT - timedelta(days=1))
    assert record is not None and record.call_id == "c1"
    await night.record("c1", conversation())
    assert not await second.step()  # the call goes on
    night.picture.view = replace(night.picture.view, calls=())
    assert await second.step()
    found = await night.texts.of_call("c1")
    assert found is not None and found.state is SecondState.DONE
    await second.aclose()


async def test_a_damaged_recording_is_given_up_after_some_tries(night: Night) -> None:
    """It is tried again, behind the others, and not for ever; the others are not kept from their turn."""
    broken = await night.record("c1", conversation(), minutes_ago=5)
    data = bytearray(broken.read_bytes())
    data[len(data) // 2] ^= 1
    broken.write_bytes(data)
    await night.record("c2", conversation())
    second = night.second_pass()
    for _ in range(ATTEMPTS + 1):
        assert await second.step()
    assert not await second.step()
    states = [await night.texts.of_call(call_id) for call_id in ("c1", "c2")]
    assert [one and one.state for one in states] == [SecondState.FAILED, SecondState.DONE]
    await second.aclose()


async def test_an_attempt_that_ended_with_the_server_counts(night: Night) -> None:
    """A recording that takes the machine down each time is not begun for ever."""
    await night.record("c1", b"\xd5" * 16_000)
    since = AT - timedelta(days=1)
    for _ in range(ATTEMPTS):
        assert await night.texts.next_recording(since) is not None
        await night.texts.begin("c1", "large", AT)
    assert await night.texts.next_recording(since) is None


async def test_a_model_that_does_not_load_costs_no_recording_a_try(night: Night) -> None:
    """The recordings wait until somebody has mended the model."""
    await night.record("c1", conversation())
    model = night.folder / "model"
    for name in ("am/final.mdl", "conf/mfcc.conf", "graph/HCLG.fst", "graph/words.txt"):
        (model / name).parent.mkdir(parents=True, exist_ok=True)
        (model / name).write_text("no model")
    second = night.second_pass(SecondPassSection(model=model))
    for _ in range(ATTEMPTS + 1):
        assert not await second.step()
    assert await night.texts.next_recording(AT - timedelta(days=1)) is not None
    await second.aclose()


@pytest.mark.parametrize(
    ("starts", "ends", "hour", "idle"),
    [(22, 6, 23, True), (22, 6, 5, True), (22, 6, 6, False), (1, 6, 23, False), (0, 0, 12, True)],
)
def test_it_keeps_to_its_hours(starts: int, ends: int, hour: int, idle: bool) -> None:
    """The hours are the site's, over midnight too."""
    section = SecondPassSection(model=SMALL_MODEL, starts=time(starts), ends=time(ends))
    idleness = Idleness(section, ZoneInfo("Asia/Shanghai"), lambda: 0.1)
    now = datetime(2026, 11, 2, hour, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert idleness.may_begin(now, 0) is idle


def test_it_waits_for_a_quiet_machine() -> None:
    """Load keeps it from beginning; a call more than allowed also from going on."""
    section = SecondPassSection(model=SMALL_MODEL, load_limit=0.5, max_calls=2)
    busy = Idleness(section, ZoneInfo("UTC"), lambda: 0.6)
    assert (busy.may_begin(AT, 0), busy.may_go_on(2), busy.may_go_on(3)) == (False, True, False)


def test_only_two_channels_of_alaw_are_sound() -> None:
    """Whatever else lies where a recording should be is told apart from it."""
    assert sound_begins(wav_header(5)) == len(wav_header(5))
    for other in (b"", b"RIFF", b"not a recording at all", b"RIFF" + bytes(100)):
        with pytest.raises(RecordingDamaged):
            sound_begins(other)
