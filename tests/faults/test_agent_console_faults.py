"""The console against pages that misbehave, networks that break and rooms that fail."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode

from hotline.agent_console import gate as gate_module
from hotline.agent_console import server as server_module
from hotline.agent_console import sockets as sockets_module
from hotline.agent_console.identity import COOKIE
from hotline.core.events import CallStarted, LinkChanged
from tests.fixtures.console import (
    AT,
    PASSWORD,
    WAIT_SECONDS,
    ConsoleUnderTest,
    answered,
    running_console,
    says,
)


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[ConsoleUnderTest]:
    async with running_console(tmp_path) as running:
        yield running


NONSENSE = {
    "not json": "hello",
    "half of json": '{"type":"hello","topics":["agent"',
    "not an object": '["hello"]',
    "another type": '{"type":"subscribe","topics":["agent"]}',
    "no topics": '{"type":"hello","topics":[]}',
    "an unknown topic": '{"type":"hello","topics":["everything"]}',
    "an unknown key": '{"type":"hello","topics":["agent"],"role":"supervisor"}',
    "a number as text": '{"type":"hello","topics":["agent"],"last_seq":"5"}',
    "a negative number": '{"type":"hello","topics":["agent"],"last_seq":-1}',
    "a number beyond reason": '{"type":"hello","topics":["agent"],"last_seq":1e300}',
    "deep nesting": "[" * 4000,
    "over 4 KiB": json.dumps({"type": "hello", "topics": ["agent"], "boot_id": "x" * 4096}),
    "empty": "",
}


@pytest.mark.parametrize("frame", NONSENSE.values(), ids=NONSENSE.keys())
async def test_a_hello_that_makes_no_sense_closes_with_4400(console: ConsoleUnderTest, frame: str) -> None:
    """Whatever is wrong with it, the page is told so, and the next page is served."""
    zhang = await console.user("zhang", agent="a1")
    async with console.page(zhang) as page:
        await page.socket.send(frame)
        assert await page.close_code() == 4400
    async with console.page(zhang) as page:
        await page.hello("agent")
        await page.until("snapshot")


async def test_a_binary_frame_closes_with_4400(console: ConsoleUnderTest) -> None:
    """All frames are text."""
    async with console.page(await console.user("zhang")) as page:
        await page.socket.send(b'{"type":"hello","topics":["agent"]}')
        assert await page.close_code() == 4400


async def test_a_frame_beyond_16_kib_is_not_even_read(console: ConsoleUnderTest) -> None:
    """The socket closes with 1009 before the frame is in memory."""
    async with console.page(await console.user("zhang")) as page:
        await page.socket.send("x" * 20_000)
        assert await page.close_code() == 1009


async def test_text_that_is_not_utf8_closes_with_1007(
    console: ConsoleUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    """As the WebSocket standard asks."""
    caplog.set_level(logging.CRITICAL, "uvicorn.error")
    async with console.page(await console.user("zhang")) as page:
        page.socket.protocol.send_frame(Frame(Opcode.TEXT, b"\xff\xfe"))
        page.socket.transport.write(b"".join(page.socket.protocol.data_to_send()))
        assert await page.close_code() == 1007


async def test_a_page_that_never_says_hello_is_let_go(
    console: ConsoleUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silence closes with 4400 after the time for a hello."""
    monkeypatch.setattr(sockets_module, "HELLO_SECONDS", 0.1)
    async with console.page(await console.user("zhang")) as page:
        assert await page.close_code() == 4400


async def test_a_page_that_goes_on_talking_is_closed(console: ConsoleUnderTest) -> None:
    """After hello a page has nothing to say."""
    async with console.page(await console.user("zhang")) as page:
        await page.hello("agent")
        await page.until("snapshot")
        await page.hello("agent")
        assert await page.close_code() == 4400


async def test_a_page_that_breaks_off_amid_the_push_harms_nobody(console: ConsoleUnderTest) -> None:
    """Connections reset while text is pushed leave the others' text whole, and no page behind."""
    zhang = await console.user("zhang", agent="a1")
    console.publish(answered("c1", "a1"))
    async with console.page(zhang) as steady:
        await steady.hello("agent")
        await steady.until("snapshot")
        for round_number in range(5):
            async with console.page(zhang) as broken:
                await broken.hello("agent")
                await broken.until("snapshot")
                console.publish(*(says("c1", f"{round_number}-{n}") for n in range(50)))
                broken.socket.transport.abort()
        said = [text for _, text in await steady.texts(250)]
        assert said == [f"{r}-{n}" for r in range(5) for n in range(50)]
        hub = console.server.app.state.room.hub
        async with asyncio.timeout(WAIT_SECONDS):
            while len(hub.consoles) > 1:
                console.publish(LinkChanged(AT, True, ""))
                await steady.until("event")


async def raw_page(
    console: ConsoleUnderTest, token: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A socket by hand, with a small receive buffer, that has said hello and got its snapshot."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.setblocking(False)
    await asyncio.get_running_loop().sock_connect(peer, ("127.0.0.1", console.server.port))
    reader, writer = await asyncio.open_connection(sock=peer, limit=4096)
    writer.write(
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Cookie: {COOKIE}={token}\r\n\r\n".encode()
    )
    assert b"101" in await reader.readuntil(b"\r\n\r\n")
    hello = b'{"type":"hello","topics":["agent"]}'
    writer.write(bytes([0x81, 0x80 | len(hello)]) + b"\0\0\0\0" + hello)
    while not (await reader.read(4096)).rstrip().endswith(b'"figures":null}'):
        pass
    return reader, writer


async def test_a_page_that_does_not_read_is_cut_off_alone(console: ConsoleUnderTest) -> None:
    """Its connection ends, with 4408 if it reads again; a page beside it gets every event."""
    zhang, li = await console.user("zhang", agent="a1"), await console.user("li", agent="a2")
    console.publish(answered("c1", "a1"))
    hub = console.server.app.state.room.hub
    async with console.page(zhang, max_queue=None) as steady:
        await steady.hello("agent")
        await steady.until("snapshot")
        reader, writer = await raw_page(console, zhang.cookies[COOKIE])
        sent = 0
        got: list[str] = []
        async with asyncio.timeout(60):
            while not hub.cut_off:
                console.publish(*(says("c1", f"{sent + n:06d}" + "很长的话" * 500) for n in range(10)))
                sent += 10
                got += [text[:6] for _, text in await steady.texts(10)]
        assert got == [f"{n:06d}" for n in range(sent)]
        tail = b""
        async with asyncio.timeout(WAIT_SECONDS):
            while chunk := await reader.read(65536):
                tail = (tail + chunk)[-200:]
        assert (4408).to_bytes(2, "big") + b"too slow" in tail
        writer.close()
        console.publish(says("c1", "还在"))
        assert [text for _, text in await steady.texts(1)] == ["还在"]
    assert (await li.get("/healthz")).json()["ok"]


async def test_a_page_that_never_reads_again_is_aborted(console: ConsoleUnderTest) -> None:
    """The server does not keep a dead connection and its megabytes for ever."""
    zhang = await console.user("zhang", agent="a1")
    console.publish(answered("c1", "a1"))
    hub = console.server.app.state.room.hub
    _, writer = await raw_page(console, zhang.cookies[COOKIE])
    connections = console.server._uvicorn.server_state.connections  # type: ignore[union-attr]
    async with asyncio.timeout(60):
        while not hub.cut_off:
            console.publish(*(says("c1", "很长的话" * 500) for _ in range(50)))
            await asyncio.sleep(0)
        stuck = [one for one in connections if getattr(one, "close_sent", False)]
        async with asyncio.timeout(WAIT_SECONDS):
            while stuck and stuck[0] in connections:
                console.publish(says("c1", "x"))
                await zhang.get("/healthz")
    writer.close()


async def test_the_server_stops_in_time_beside_stuck_peers(tmp_path: Path) -> None:
    """A page that does not read, a half request and a slow body do not hold the stop up."""
    async with running_console(tmp_path) as console:
        zhang = await console.user("zhang", agent="a1")
        console.publish(answered("c1", "a1"))
        _, stuck = await raw_page(console, zhang.cookies[COOKIE])
        hub = console.server.app.state.room.hub
        async with asyncio.timeout(60):
            while not hub.cut_off:
                console.publish(*(says("c1", "很长的话" * 500) for _ in range(50)))
                await asyncio.sleep(0)
        _, half = await asyncio.open_connection("127.0.0.1", console.server.port)
        half.write(b"GET /api/live HTTP/1.1\r\nHost:")
        _, slow = await asyncio.open_connection("127.0.0.1", console.server.port)
        slow.write(
            b"POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 100\r\n\r\n{"
        )
        await slow.drain()
        assert (await zhang.get("/healthz")).status_code == 200
        async with asyncio.timeout(8):
            await console.server.aclose()
        for writer in (stuck, half, slow):
            writer.close()


async def test_a_lost_feed_is_caught_up_from_the_buss_memory(console: ConsoleUnderTest) -> None:
    """More events in one go than the hub's feed holds: the pages get them all the same."""
    async with console.page(await console.user("chief", "supervisor"), max_queue=None) as page:
        await page.hello("agent")
        await page.until("snapshot")
        console.publish(*(says("c1", "x") for _ in range(10_001)), LinkChanged(AT, False, "end"))
        frame = await page.until("event")
        assert (frame["name"], frame["seq"]) == ("link_changed", 10_002)


async def test_events_lost_for_good_send_the_pages_home(tmp_path: Path) -> None:
    """When the bus has forgotten what the hub missed, pages come back and start anew."""
    async with running_console(tmp_path, history=50) as console:
        zhang = await console.user("zhang", agent="a1")
        async with console.page(zhang) as page:
            await page.hello("agent")
            await page.until("snapshot")
            console.publish(*(says("c1", "x") for _ in range(10_100)))
            assert await page.close_code() == 1012
        async with console.page(zhang) as page:
            await page.hello("agent")
            assert (await page.until("snapshot"))["seq"] == 10_100


async def test_a_broken_picture_restarts_the_push(
    console: ConsoleUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault while pushing ends the pages with 1012; once it is gone they are served again."""
    zhang = await console.user("zhang", agent="a1")
    async with console.page(zhang) as page:
        await page.hello("agent")
        await page.until("snapshot")
        good = console.picture.view
        with monkeypatch.context() as broken:
            broken.setattr(console.picture, "view", None)
            console.publish(CallStarted("c1", AT, "12345", "12345", "", ""))
            assert await page.close_code() == 1012
    assert console.picture.view is good
    async with asyncio.timeout(WAIT_SECONDS):
        while not (await zhang.get("/healthz")).json()["ok"]:
            pass
    async with console.page(zhang) as page:
        await page.hello("agent")
        await page.until("snapshot")
        console.publish(LinkChanged(AT, False, ""))
        assert (await page.until("event"))["name"] == "link_changed"


BAD_BODIES = {
    "not json": (b"{", 400, "bad_request"),
    "an unknown key": (b'{"user":"a","password":"b","admin":true}', 400, "bad_request"),
    "a missing key": (b'{"user":"a"}', 400, "bad_request"),
    "a wrong type": (b'{"user":["a"],"password":"b"}', 400, "bad_request"),
    "not an object": (b"[]", 400, "bad_request"),
    "deep nesting": (b"[" * 60_000, 400, "bad_request"),
    "not utf-8": (b'{"user":"\xff","password":"b"}', 400, "bad_request"),
    "a long name": (json.dumps({"user": "a" * 81, "password": "b"}).encode(), 400, "bad_request"),
    "too large": (b" " * 65_537, 413, "too_large"),
}


@pytest.mark.parametrize(("body", "status", "code"), BAD_BODIES.values(), ids=BAD_BODIES.keys())
async def test_a_bad_body_is_refused_in_the_one_shape(
    console: ConsoleUnderTest, body: bytes, status: int, code: str
) -> None:
    """A clear code, never a stack trace, never the values that were sent."""
    headers = {"Content-Type": "application/json"}
    response = await console.client().post("/api/session", content=body, headers=headers)
    assert response.status_code == status
    assert response.json()["error"]["code"] == code
    assert "Traceback" not in response.text


async def test_a_refused_body_does_not_repeat_the_password(console: ConsoleUnderTest) -> None:
    """Validation errors name the field, not its content."""
    response = await console.client().post(
        "/api/session", json={"user": 5, "password": "my secret", "x": "my secret"}
    )
    assert response.status_code == 400 and "my secret" not in response.text


async def test_a_body_without_a_length_is_bounded_too(console: ConsoleUnderTest) -> None:
    """Chunked bodies are counted as they come."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 4096

    headers = {"Content-Type": "application/json"}
    response = await console.client().post("/api/session", content=endless(), headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too_large")


async def test_a_form_is_no_json(console: ConsoleUnderTest) -> None:
    """What a foreign page could send without asking is refused by its type."""
    response = await console.client().post("/api/session", data={"user": "a", "password": "b"})
    assert (response.status_code, response.json()["error"]["code"]) == (415, "not_json")


async def test_a_body_that_trickles_is_given_up(
    console: ConsoleUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request whose body does not come ends with 408."""
    monkeypatch.setattr(gate_module, "BODY_SECONDS", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", console.server.port)
    writer.write(
        b"POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 100\r\n\r\n{"
    )
    async with asyncio.timeout(WAIT_SECONDS):
        assert b"408" in await reader.readline()
    writer.close()


@pytest.mark.parametrize(
    "earlier", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"], ids=["first", "later"]
)
async def test_a_head_that_trickles_is_given_up(
    console: ConsoleUnderTest, monkeypatch: pytest.MonkeyPatch, earlier: bytes
) -> None:
    """A connection that begins a request and does not end it is closed, also after one that went well."""
    monkeypatch.setattr(server_module, "HEAD_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", console.server.port)
    if earlier:
        writer.write(earlier)
        assert b"200" in await reader.readline()
    async with asyncio.timeout(WAIT_SECONDS):
        with contextlib.suppress(ConnectionError):
            writer.write(b"GET / HTTP/1.1\r\n")
            while await asyncio.wait_for(reader.read(4096), 1):
                writer.write(b"X-More: yes\r\n")
                await writer.drain()
    writer.close()


@pytest.mark.parametrize(
    "head",
    [
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ],
    ids=["garbage", "version", "long header", "tls", "half a handshake"],
)
async def test_what_is_not_http_is_refused(
    console: ConsoleUnderTest, head: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """A port scanner gets an error and the connection ends; the next request is served."""
    caplog.set_level(logging.CRITICAL, "uvicorn.error")
    reader, writer = await asyncio.open_connection("127.0.0.1", console.server.port)
    writer.write(head)
    writer.write_eof()
    async with asyncio.timeout(WAIT_SECONDS):
        answer = await reader.read()
    assert not answer.startswith(b"HTTP/1.1 2") and not answer.startswith(b"HTTP/1.1 101")
    writer.close()
    assert (await console.client().get("/healthz")).status_code == 200


async def test_an_unexpected_fault_tells_nothing_of_the_inside(
    console: ConsoleUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    """500 in the one shape, with the safe headers; the log has the rest."""
    zhang = await console.user("zhang")
    console.figures.fails = RuntimeError("inner workings")
    response = await zhang.get("/api/figures/today")
    assert (response.status_code, response.json()["error"]["code"]) == (500, "internal")
    assert "inner" not in response.text and "Traceback" not in response.text
    assert response.headers["x-frame-options"] == "DENY"
    assert "inner workings" in caplog.text


async def test_a_database_that_is_gone_is_said_so(console: ConsoleUnderTest) -> None:
    """503 for requests; a new socket is asked to come later; open pages stay."""
    zhang = await console.user("zhang", agent="a1")
    async with console.page(zhang) as page:
        await page.hello("agent")
        await page.until("snapshot")
        async with console.engine.begin() as connection:
            await connection.exec_driver_sql("ALTER TABLE sessions RENAME TO sessions_away")
        response = await zhang.get("/api/live")
        assert (response.status_code, response.json()["error"]["code"]) == (503, "database_unavailable")
        async with console.page(zhang) as other:
            assert await other.close_code() == 1013
        console.publish(LinkChanged(AT, False, ""))
        assert (await page.until("event"))["name"] == "link_changed"


async def test_there_is_one_socket_address(console: ConsoleUnderTest) -> None:
    """A WebSocket to anywhere else is refused in its handshake."""
    with pytest.raises(InvalidStatus) as caught:
        async with connect(f"ws://127.0.0.1:{console.server.port}/other", proxy=None):
            pass
    assert caught.value.response.status_code == 403


async def test_the_wrong_method_and_the_wrong_address_have_the_one_shape(console: ConsoleUnderTest) -> None:
    """404 and 405 are JSON under /api."""
    zhang = await console.user("zhang")
    wrong: list[tuple[httpx.Response, int]] = [
        (await zhang.get("/api/nothing"), 404),
        (await zhang.put("/api/session"), 405),
        (await zhang.get("/api/agent/sign-in"), 405),
        (await zhang.get("/api/calls?limit=0"), 400),
        (await zhang.get("/api/calls?before=2026-11-02T00:00:00"), 400),
        (await zhang.post("/"), 405),
    ]
    for response, status in wrong:
        assert response.status_code == status, response.request.url
        assert set(response.json()["error"]) == {"code", "message", "hint"}


async def test_nothing_secret_reaches_the_log(
    console: ConsoleUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither passwords nor cookies, numbers or text, at any level of ours or uvicorn's."""
    caplog.set_level(logging.DEBUG, "hotline")
    zhang = await console.user("zhang", agent="a1")
    await zhang.post("/api/session", json={"user": "zhang", "password": "wrong password"})
    await zhang.get("/api/live?token=query-secret")
    console.picture.talk("c1", "a1")
    async with console.page(zhang) as page:
        await page.hello("agent")
        await page.until("snapshot")
        console.publish(answered("c1", "a1"), says("c1", "身份证号"))
        await page.texts(1)
    for secret in (PASSWORD, "wrong password", zhang.cookies[COOKIE], "query-secret", "138", "身份证号"):
        assert secret not in caplog.text
