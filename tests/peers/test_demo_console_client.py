"""The demo's client of the console, against the console: sign-in, the seat's actions, a broken line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hotline.core.errors import PeerError
from hotline.server.demo.console_client import ConsoleClient
from tests.fixtures.console import PASSWORD, ConsoleUnderTest, running_console, says

DEADLINE_SECONDS = 10.0


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[ConsoleUnderTest]:
    async with running_console(tmp_path) as running:
        await running.accounts.add("chief", "班长", "supervisor", None, PASSWORD, by="test")
        await running.accounts.add("a1", "张三", "agent", "a1", PASSWORD, by="test")
        yield running


class Cable:
    """A TCP cable to the console that can be pulled out."""

    def __init__(self, port: int) -> None:
        self.connections = 0
        self._port = port
        self._writers: list[asyncio.StreamWriter] = []
        self._pumps: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def plugged(self) -> AsyncIterator[str]:
        """The address at this end."""
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            self.pull()
            await asyncio.gather(*self._pumps, return_exceptions=True)

    def pull(self) -> None:
        """Cut every connection that stands, without goodbye."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers += [writer, far_writer]
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            pump = asyncio.create_task(self._pump(source, sink))
            self._pumps.add(pump)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        except OSError:
            pass  # the cable was pulled
        finally:
            sink.close()


async def next_text(frames: AsyncIterator[dict[str, Any]]) -> str:
    """The next transcript text."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        async for frame in frames:
            if frame["type"] == "event" and frame["name"] == "transcript_segment":
                return str(frame["data"]["text"])
    raise AssertionError("the frames ended")


async def test_signed_in_agent_uses_the_seat(console: ConsoleUnderTest) -> None:
    """Sign in, pause with a reason of the site, resume, sign out; the desk is asked in this order."""
    client = ConsoleClient(console.base, "a1")
    await client.sign_in(PASSWORD)
    await client.agent("sign-in")
    assert client.pause_reasons
    view = await client.agent("pause", {"reason": client.pause_reasons[0]})
    assert view["state"] == "paused"
    await client.agent("resume")
    await client.agent("sign-out")
    await client.sign_out()
    assert [asked for asked, _, _ in console.desk.asked] == ["sign_in", "pause", "resume", "sign_out"]
    with pytest.raises(PeerError, match="401"):
        await client.get("/api/live")


@pytest.mark.parametrize(("user", "password"), [("a1", "wrong password"), ("nobody", PASSWORD)])
async def test_refusals_are_told_with_their_code(console: ConsoleUnderTest, user: str, password: str) -> None:
    """A wrong password is an error with the console's own reason, not a traceback."""
    with pytest.raises(PeerError, match="401 wrong_credentials"):
        await ConsoleClient(console.base, user).sign_in(password)


async def test_console_that_is_not_there_is_an_error_of_one_line() -> None:
    """Nobody listens: a PeerError says so."""
    with pytest.raises(PeerError, match="does not answer"):
        await ConsoleClient("http://127.0.0.1:9", "a1").sign_in(PASSWORD)


async def test_frames_go_on_after_the_line_broke_and_none_is_missed(console: ConsoleUnderTest) -> None:
    """What was said while the cable was out comes after it is plugged in again, once and in order."""
    cable = Cable(console.server.port)
    async with cable.plugged() as url:
        client = ConsoleClient(url, "chief")
        await client.sign_in(PASSWORD)
        frames = client.frames(["calls"])
        async with asyncio.timeout(DEADLINE_SECONDS):
            assert (await anext(frames))["type"] == "welcome"
        before = cable.connections
        for number in range(3):
            console.publish(says("c1", f"第{number}句", utterance=number + 1))
            assert await next_text(frames) == f"第{number}句"
            cable.pull()
            console.publish(says("c1", f"断线{number}", utterance=number + 10))
            assert await next_text(frames) == f"断线{number}"
        assert cable.connections == before + 3
        await frames.aclose()


async def test_topic_that_is_not_ours_ends_the_frames_for_good(console: ConsoleUnderTest) -> None:
    """A close that coming back would not cure is raised, not tried again for ever."""
    client = ConsoleClient(console.base, "a1")
    await client.sign_in(PASSWORD)
    with pytest.raises(PeerError, match="4403"):
        async with asyncio.timeout(DEADLINE_SECONDS):
            async for _ in client.frames(["calls"]):
                pass
