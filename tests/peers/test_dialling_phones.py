"""Test calls between two phones on loopback: what is measured is what the other phone did."""

from __future__ import annotations

import asyncio
import json
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.config.dialling import DiallingSection, TrialPlan
from hotline.core.clock import Clock, ManualClock, SystemClock
from hotline.core.errors import IllegalState, PeerError, UsageError
from hotline.core.trials import TrialCall, TrialMarks, TrialOrder, TrialResult
from hotline.metrics.dialling.desk import TrialDesk
from hotline.metrics.dialling.dialler import dial
from hotline.store.database import open_engine, sessions_of
from hotline.store.trials import TrialStore
from hotline.telephony.phone.call import Call
from hotline.telephony.phone.phone import Phone
from hotline.telephony.phone.states import CallStateError
from tests.fixtures.console import SITE, running_console
from tests.fixtures.migrated import upgrade
from tests.peers.test_telephony_phone_calls import tone

CALLER = "12345999"


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    made = open_engine(f"sqlite+aiosqlite:///{tmp_path}/hotline.db")
    await upgrade(made)
    yield made
    await made.dispose()


@asynccontextmanager
async def somebody(act: Callable[[Call], Awaitable[None]]) -> AsyncIterator[tuple[str, int]]:
    """A phone that does ``act`` with each call; its address."""
    async with Phone("12315") as phone:

        async def serve() -> None:
            async for call in phone.incoming():
                await act(call)

        task = asyncio.create_task(serve())
        try:
            yield "127.0.0.1", phone.port
        finally:
            task.cancel()
            await asyncio.wait({task})


async def answers_late_and_speaks(call: Call) -> None:
    """Rings for 0.6 s, answers, is quiet for 0.4 s, says something for a second, waits for a key, hums on."""
    call.ring()
    await asyncio.sleep(0.6)  # the measured time itself
    await call.answer()
    await asyncio.sleep(0.4)
    await call.play(tone(1.0)).done()
    assert await call.wait_digits(1) == "2"
    await call.play(tone(0.5)).done()
    await call.hangup()


async def test_what_is_measured_is_what_the_other_side_did() -> None:
    """Ring to answer, first sound, the key after the prompt, loudness; and their hang-up ends it."""
    async with somebody(answers_late_and_speaks) as server:
        heard = await dial(TrialOrder("12315", keys="2", seconds=20), server, CALLER)
    assert (heard.result, heard.status) == (TrialResult.ANSWERED, 200)
    assert heard.answer_seconds == pytest.approx(0.6, abs=0.35)
    assert heard.first_sound == pytest.approx(0.4, abs=0.3)
    ((key, pressed_after),) = heard.keys
    assert key == "2" and pressed_after > 2.3, "the prompt was over after 1.4 s, and quiet for 1.2"
    assert heard.up_seconds < 15, "they hung up"
    loud = np.abs(heard.samples.astype(int)) > 4000
    assert loud.any()


async def rejects(call: Call) -> None:
    call.reject(486)


async def only_rings(call: Call) -> None:
    call.ring()
    await call.wait_ended()


@pytest.mark.parametrize(
    ("act", "result", "status"),
    [(rejects, TrialResult.REFUSED, 486), (only_rings, TrialResult.NO_ANSWER, 408)],
)
async def test_a_call_that_nobody_takes(
    act: Callable[[Call], Awaitable[None]], result: TrialResult, status: int
) -> None:
    """Busy says so; one that only rings is given up after its time."""
    async with somebody(act) as server:
        heard = await dial(TrialOrder("12315", ring_seconds=1), server, CALLER)
    assert (heard.result, heard.status, heard.answer_seconds) == (result, status, None)
    assert len(heard.samples) == 0


async def test_a_number_that_cannot_be_dialled_fails_without_a_fault() -> None:
    """A server whose name nobody knows."""
    heard = await dial(TrialOrder("12315"), ("no-such-host.invalid", 5060), CALLER)
    assert heard.result is TrialResult.FAILED


class Scribe:
    """Stands in for the recogniser."""

    def __init__(self, text: str | None) -> None:
        self._text = text

    async def __call__(self, wav: Path) -> str:
        assert await asyncio.to_thread(wav.stat)
        if self._text is None:
            raise PeerError("no model")
        return self._text


async def speaks(call: Call) -> None:
    await call.answer()
    await call.play(tone(0.6)).done()
    try:
        await call.hangup()
    except CallStateError:
        pass


def a_desk(
    tmp_path: Path,
    engine: AsyncEngine,
    server: tuple[str, int],
    text: str | None = "您好",
    clock: Clock | None = None,
) -> TrialDesk:
    """A desk whose one plan rings that phone."""
    via = f"{server[0]}:{server[1]}"
    plan = TrialPlan(name="市场", number="12315", unit="湘乡市", via=via, seconds=10, every_minutes=5)
    dialling = DiallingSection(calls=(plan,), keep_days=2)
    site = SITE.model_copy(update={"data_dir": tmp_path, "test_dialling": dialling})
    return TrialDesk(site, TrialStore(sessions_of(engine)), clock or SystemClock(), Scribe(text))


async def until(desk: TrialDesk, holds: Callable[[list[TrialCall]], bool]) -> None:
    """Wait until it holds of what is kept: that a test call is over nobody is told, pages ask again."""
    async with asyncio.timeout(20):
        while True:
            if holds(await desk.newest(10, None)):
                return
            await asyncio.sleep(0.05)


async def test_a_test_call_is_kept_with_its_sound_text_and_marks(tmp_path: Path, engine: AsyncEngine) -> None:
    """The sound for the server's user alone; marks stay when more is learnt."""
    async with somebody(speaks) as server:
        desk = a_desk(tmp_path, engine, server)
        order = desk.plan("市场")
        assert order is not None and desk.plan("no such") is None
        trial = await desk.call(order)
    assert (trial.result, trial.text, trial.has_sound) == (TrialResult.ANSWERED, "您好", True)
    assert trial.level_dbfs == pytest.approx(-15.3, abs=1), "a sine of 8000 of 32768"
    file = desk.sounds.path(trial.trial_id)
    mode = await asyncio.to_thread(lambda: (file.stat().st_mode, file.parent.stat().st_mode))
    assert [stat.S_IMODE(one) for one in mode] == [0o600, 0o700]
    wav = await desk.sound(trial.trial_id)
    assert wav is not None and wav[:4] == b"RIFF"
    marked = await desk.mark(trial.trial_id, TrialMarks(menu=9, note="好"), "chief")
    assert marked is not None and marked.marks.menu == 9 and marked.marked_by == "chief"
    await desk.store.save(replace(trial, text="您好！"))
    (kept,) = await desk.newest(10, None)
    assert (kept.text, kept.marks, kept.order.unit) == ("您好！", TrialMarks(menu=9, note="好"), "湘乡市")
    assert await desk.mark("20261102010000-00000000", TrialMarks(), "chief") is None


async def test_a_sound_that_nobody_can_write_down_is_kept_all_the_same(
    tmp_path: Path, engine: AsyncEngine
) -> None:
    """The recogniser has no model."""
    async with somebody(speaks) as server:
        desk = a_desk(tmp_path, engine, server, text=None)
        trial = await desk.call(replace(desk.plan("市场") or TrialOrder("1"), name=""))
    assert trial.text is None and await desk.sound(trial.trial_id) is not None


async def test_old_sounds_are_deleted_and_figures_stay(tmp_path: Path, engine: AsyncEngine) -> None:
    """After ``keep_days``, with the next test call."""
    clock = ManualClock(wall=SystemClock().now())
    async with somebody(speaks) as server:
        desk = a_desk(tmp_path, engine, server, clock=clock)
        order = desk.plan("市场")
        assert order is not None
        old = await desk.call(order)
        clock.advance(timedelta(days=2, minutes=1).total_seconds())
        new = await desk.call(order)
    assert not await asyncio.to_thread(desk.sounds.path(old.trial_id).exists)
    kept = {trial.trial_id: trial.has_sound for trial in await desk.newest(10, None)}
    assert kept == {old.trial_id: False, new.trial_id: True}


async def test_there_is_one_test_call_at_a_time_and_never_an_emergency(
    tmp_path: Path, engine: AsyncEngine
) -> None:
    """Who asks while one goes on is told to wait; the next can be asked for when it is over."""
    answering = asyncio.Event()

    async def holds(call: Call) -> None:
        await call.answer()
        answering.set()
        await call.wait_ended()

    async with somebody(holds) as server:
        desk = a_desk(tmp_path, engine, server)
        order = replace(desk.plan("市场") or TrialOrder("1"), seconds=2)
        running = asyncio.create_task(desk.run())
        desk.begin(order)
        with pytest.raises(IllegalState, match="test call"):
            desk.begin(order)
        await asyncio.wait_for(answering.wait(), 10)
        with pytest.raises(IllegalState, match="test call"):
            await desk.call(order)
        with pytest.raises(UsageError, match="emergency"):
            desk.begin(replace(order, number="119"))
        await until(desk, lambda kept: len(kept) == 1)
        running.cancel()
        await asyncio.wait({running})
    assert desk.faults == 0


async def test_supervisors_dial_read_listen_and_mark_over_http(tmp_path: Path, engine: AsyncEngine) -> None:
    """Agents may not; marks have their bounds; whatever was done stands in the audit log."""
    async with somebody(speaks) as server:
        desk = a_desk(tmp_path, engine, server)
        running = asyncio.create_task(desk.run())
        async with running_console(tmp_path, trials=desk) as console:
            agent = await console.user("zhang", agent="a1")
            chief = await console.user("chief", role="supervisor")
            for refused in (
                agent.get("/api/test-calls"),
                agent.post("/api/test-calls", json={"name": "市场"}),
            ):
                assert (await refused).status_code == 403
            codes = {
                '{"name": "no such"}': 404, "{}": 400, '{"number": "12a"}': 400, '{"number": "0110"}': 403,
                '{"name": "市场"}': 202,
            }  # fmt: skip
            for body, status in codes.items():
                answer = await chief.post("/api/test-calls", json=json.loads(body))
                assert answer.status_code == status, (body, answer.text)
            again = await chief.post("/api/test-calls", json={"name": "市场"})
            assert (again.status_code, again.json()["error"]["code"]) == (409, "busy")
            await until(desk, lambda kept: bool(kept and kept[0].text))
            (trial,) = (await chief.get("/api/test-calls")).json()["test_calls"]
            assert (trial["order"]["unit"], trial["result"], trial["text"]) == ("湘乡市", "answered", "您好")
            path = f"/api/test-calls/{trial['trial_id']}"
            sound = await chief.get(f"{path}/sound")
            assert sound.headers["content-type"] == "audio/wav" and sound.content[:4] == b"RIFF"
            assert (await agent.get(f"{path}/sound")).status_code == 403
            assert (await chief.post(f"{path}/marks", json={"menu": 11})).status_code == 400
            sheet = {"menu": 10.0, "manner": 37.5, "note": "耐心"}
            marked = await chief.post(f"{path}/marks", json=sheet)
            assert {part: points for part, points in marked.json()["marks"].items() if points} == sheet
            after = {"person_seconds": trial["spoken_seconds"] + 5}
            assert (await chief.post(f"{path}/marks", json=after)).status_code == 400, "the call was over"
            heard = sheet | {"person_seconds": 0.5}
            assert (await chief.post(f"{path}/marks", json=heard)).json()["marks"]["person_seconds"] == 0.5
            now = (await chief.get("/api/test-calls/now")).json()
            assert [plan["order"]["name"] for plan in now["plans"]] == ["市场"]
            assert (now["full_marks"]["manner"], now["shown_as"]) == (40, "12345999")
            (unit,) = (await chief.get("/api/test-calls/sums")).json()["sums"]
            assert (unit["key"], unit["calls"], unit["reached"], unit["marked"]) == ("湘乡市", 1, 1, 1)
            assert unit["reached_seconds"] == pytest.approx(trial["answer_seconds"] + 0.5, abs=0.006)
            for narrowed, there in {"unit=湘乡市": 1, "unit=韶山市": 0, "line=12315": 0}.items():
                assert len((await chief.get(f"/api/test-calls?{narrowed}")).json()["test_calls"]) == there
            assert (await chief.get("/api/test-calls?since=2026-11-02T08:00:00")).status_code == 400
            assert (await agent.get("/api/test-calls/sums")).status_code == 403
            absent = "/api/test-calls/20200101000000-00000000"
            assert (await chief.get(f"{absent}/sound")).status_code == 404
            assert (await chief.post(f"{absent}/marks", json={})).status_code == 404
            done = {row.action for row in await console.audit.recent()}
            assert {"test_call", "test_call_sound", "test_call_marks"} <= done
        running.cancel()
        await asyncio.wait({running})


async def run(*arguments: str) -> tuple[int, str, str]:
    """The command line."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from hotline.server.cli import main; main()", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_the_command_dials_prints_and_lists(tmp_path: Path) -> None:
    """One call by hand, as JSON; the list of the period, for people."""
    site = tmp_path / "site.yaml"
    site.write_text(
        f'data_dir: {tmp_path / "data"}\nlines: [{{id: "12345", name: 热线, number: 12345, dids: [12345]}}]\n'
        'queues: [{name: "12345", title: 综合}]\ntest_dialling: {transcribe: false}\n',
        encoding="utf-8",
    )
    async with somebody(speaks) as (host, port):
        code, out, err = await run(
            "dial", "12315", "--site", str(site), "--via", f"{host}:{port}", "--unit", "湘乡市",
            "--seconds", "10", "--format", "json",
        )  # fmt: skip
    assert code == 0, err
    row = json.loads(out)
    assert (row["result"], row["number"], row["unit"]) == ("answered", "12315", "湘乡市")
    code, out, _ = await run("test-calls", "--site", str(site), "--from", "2020-01-01", "--to", "2100-01-01")
    assert code == 0 and row["trial_id"] in out and "湘乡市" in out
