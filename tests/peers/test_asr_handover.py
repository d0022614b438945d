"""Calls heard by an engine on another machine, and by the next one when it fails: the whole hearing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from typer.testing import CliRunner

from hotline.asr.cli import app
from hotline.asr.engines import EngineOrder
from hotline.config.engines import EngineSection
from hotline.config.samples import path as sample
from hotline.core.events import EngineChanged, Event, LegLost, LegTapped, Side, TranscriptSegment
from hotline.speech.wav import write_wav
from tests.fixtures.asr import ENGINE, ROOT, eventually, final_text, frames, hearing_room
from tests.fixtures.engine_peers import Fault, Peer, funasr_peer, vosk_server_peer

CALLER = "call1-caller.1"
LOCAL = EngineOrder(ENGINE, name="local")


@pytest.fixture(autouse=True)
def workers_find_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker processes import the scripted engine from here."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
def peers() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def city(peer: Peer) -> EngineOrder:
    return EngineOrder("vosk-server", name="city", url=peer.url)


def changed(event: Event) -> bool:
    return isinstance(event, EngineChanged) and event.side is Side.CALLER


async def test_a_call_is_heard_by_a_server_elsewhere(tmp_path: Path, peers: ExitStack) -> None:
    """Its text comes while they speak, bears its name, and the last words are kept at the end."""
    peer = peers.enter_context(vosk_server_peer())
    async with hearing_room(tmp_path, engines=[city(peer), LOCAL]) as room:
        room.answer()
        tap = await room.exchange.tap(CALLER)
        await tap.say(1, 2, 3)
        await room.heard.wait(final_text(Side.CALLER, "一二三"))
        await tap.play(frames(6, 0.1))
        await room.heard.wait(lambda e: isinstance(e, TranscriptSegment) and e.text == "六")
        room.talk_ends()
        room.call_ends()
        await room.heard.wait(final_text(Side.CALLER, "六"))
        assert {e.engine for e in room.heard.of(LegTapped) if isinstance(e, LegTapped)} == {"city"}
        assert room.heard.of(EngineChanged, LegLost) == []


async def test_a_server_that_drops_a_call_loses_no_word_of_it(tmp_path: Path, peers: ExitStack) -> None:
    """The next engine hears the open utterance from its beginning; the change is told, and no gap."""
    peer = peers.enter_context(vosk_server_peer(Fault.DROPS))
    async with hearing_room(tmp_path, engines=[city(peer), LOCAL]) as room:
        room.answer()
        tap = await room.exchange.tap(CALLER)
        await tap.say(1, 2, 3, 4, 5, 6, 7, 8)
        await room.heard.wait(final_text(Side.CALLER, "一二三四五六七八"))
        (event,) = [e for e in room.heard.of(EngineChanged) if changed(e)]
        assert isinstance(event, EngineChanged)
        assert (event.engine, event.reason) == ("local", "failed")
        texts = await room.hearing.transcripts.of_call("call1")
        assert [one.text for one in texts if one.side is Side.CALLER] == ["一二三四五六七八"]
        assert room.heard.of(LegLost) == []
        await eventually(lambda: room.hearing.stats.counts["handovers"] >= 1)


async def test_a_server_that_is_not_there_delays_nothing(tmp_path: Path) -> None:
    """The start succeeds, and calls are heard by the next engine from their first word."""
    nowhere = EngineOrder("funasr", name="city", url="ws://127.0.0.1:9")
    async with hearing_room(tmp_path, engines=[nowhere, LOCAL]) as room:
        room.answer()
        tap = await room.exchange.tap(CALLER)
        await tap.say(4, 2)
        await room.heard.wait(final_text(Side.CALLER, "四二"))
        assert len(await room.heard.wait(changed)) == 1


async def test_last_words_that_a_server_does_not_tell_are_heard_here(
    tmp_path: Path, peers: ExitStack
) -> None:
    """A server that is silent after the end costs a call's end at most some seconds, and no word."""
    peer = peers.enter_context(funasr_peer(Fault.LATE))
    late = EngineOrder("funasr", name="city", url=peer.url)
    async with hearing_room(tmp_path, engines=[late, LOCAL]) as room:
        room.answer()
        tap = await room.exchange.tap(CALLER)
        await tap.play(frames(7, 0.3))
        await room.heard.wait(lambda e: isinstance(e, TranscriptSegment) and e.text == "七")
        room.talk_ends()
        room.call_ends()
        await room.heard.wait(final_text(Side.CALLER, "七"))
        await eventually(lambda: room.hearing.stats.counts["answers_late"] == 1)


async def test_a_full_server_leaves_further_voices_to_the_next_engine(
    tmp_path: Path, peers: ExitStack
) -> None:
    """Its limit is the whole server's, divided among the workers."""
    peer = peers.enter_context(vosk_server_peer())
    one_leg = replace(city(peer), legs_max=1)
    async with hearing_room(tmp_path, engines=[one_leg, LOCAL]) as room:
        room.answer()
        caller, agent = await room.exchange.tap(CALLER), await room.exchange.tap("agent.1")
        await caller.say(1)
        await room.heard.wait(final_text(Side.CALLER, "一"))
        await agent.say(2)
        await room.heard.wait(final_text(Side.AGENT, "二"))
        (event,) = room.heard.of(EngineChanged)
        assert isinstance(event, EngineChanged)
        assert (event.side, event.engine, event.reason) == (Side.AGENT, "local", "full")
        assert peer.connections == 1


def test_engines_legs_are_divided_among_workers() -> None:
    """All of them together, and no more."""
    shares = [replace(LOCAL, legs_max=10).share(worker, 4).legs_max for worker in range(4)]
    assert shares == [3, 3, 2, 2]
    assert LOCAL.share(0, 4).legs_max is None


async def test_a_key_is_told_to_the_server_and_to_nobody_on_the_machine(
    tmp_path: Path, peers: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker's arguments can be read by everybody: the key is not among them."""
    monkeypatch.setenv("CITY_KEY", "geheim-7")
    peer = peers.enter_context(vosk_server_peer())
    engine = {"name": "city", "kind": "vosk-server", "url": peer.url, "key": {"env": "CITY_KEY"}}
    sections = (EngineSection.model_validate(engine),)
    async with hearing_room(tmp_path, engine=None, site_engines=sections) as room:
        room.answer()
        tap = await room.exchange.tap(CALLER)
        await tap.say(5)
        await room.heard.wait(final_text(Side.CALLER, "五"))
        assert peer.keys[0] == "Bearer geheim-7"
        for pid in room.hearing.pool.pids:
            assert "geheim-7" not in " ".join(psutil.Process(pid).cmdline())


async def test_a_lines_hot_words_reach_the_engine(tmp_path: Path, peers: ExitStack) -> None:
    """Those of the site and those of the line that was called."""
    peer = peers.enter_context(funasr_peer())
    engine = {"name": "city", "kind": "funasr", "url": peer.url}
    sections = (EngineSection.model_validate(engine),)
    async with hearing_room(
        tmp_path, engine=None, site_engines=sections, hot_words=("社保卡",), line_words=("公积金",)
    ) as room:
        room.answer()
        tap = await room.exchange.tap(CALLER)
        await tap.say(5)
        await room.heard.wait(final_text(Side.CALLER, "五。"))
        assert list(json.loads(peer.configs[0]["hotwords"])) == ["社保卡", "公积金"]


def test_the_command_line_transcribes_with_an_engine_of_the_site(tmp_path: Path, peers: ExitStack) -> None:
    """By its name; a name that is none says which there are."""
    peer = peers.enter_context(vosk_server_peer())
    engine = f"{{name: city, kind: vosk-server, url: '{peer.url}'}}"
    site = tmp_path / "site.yaml"
    site.write_text(Path(sample("demo")).read_text("utf-8") + f"\nasr: {{engines: [{engine}]}}\n", "utf-8")
    wav = tmp_path / "said.wav"
    write_wav(wav, np.repeat(np.array([1, 2, 0], "<i2"), 3_200), 16_000)
    run = CliRunner().invoke
    done = run(app, ["transcribe", str(wav), "--site", str(site), "--engine", "city", "--format", "json"])
    assert done.exit_code == 0, done.output
    whole = json.loads(done.stdout)
    assert whole["model"] == "city"
    assert [segment["text"] for segment in whole["segments"]] == ["一二"]
    wrong = run(app, ["transcribe", str(wav), "--site", str(site), "--engine", "town"])
    assert wrong.exit_code == 2
    assert "its engines: city" in wrong.output
