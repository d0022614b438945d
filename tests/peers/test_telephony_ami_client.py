"""The manager client against a scripted Asterisk: answers, epochs, and every way to lose the connection."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from hotline.core.clock import SystemClock
from hotline.telephony.ami import events as ev
from hotline.telephony.ami.client import AmiClient, AmiSettings
from hotline.telephony.ami.errors import (
    AmiDisconnected,
    AmiError,
    AmiLoginRefused,
    AmiOriginateFailed,
    AmiProtocolError,
    AmiRefused,
    AmiTimeout,
    AmiUnsafeValue,
)
from hotline.telephony.ami.feed import AmiFeed

WITHIN_SECONDS = 10.0

Headers = list[tuple[str, str]]


def packet(*lines: str) -> bytes:
    """One packet of these lines."""
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


HANGUP = packet(
    "Event: Hangup", "Timestamp: 1795242310.944590", "Channel: PJSIP/1-1", "CallerIDName: 张三\u2028😀",
    "Uniqueid: t1-1.1", "Linkedid: t1-1.0", "Cause: 16", "Cause-txt: Normal Clearing",
)  # fmt: skip


@dataclass
class Session:
    """One connection, from the scripted Asterisk's side."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    actions: list[Headers] = field(default_factory=list)

    def say(self, *lines: str) -> None:
        """Send one packet."""
        self.writer.write(packet(*lines))

    async def action(self) -> dict[str, str]:
        """The next action."""
        raw = await self.reader.readuntil(b"\r\n\r\n")
        headers = [
            (name, value)
            for name, _, value in (line.partition(": ") for line in raw.decode().split("\r\n")[:-2])
        ]
        self.actions.append(headers)
        return dict(headers)


Reply = Callable[[Session, dict[str, str]], None]


class FakeAsterisk:
    """A manager interface that lets users in, answers pings, and does as `replies` say with the rest."""

    def __init__(self) -> None:
        self.replies: dict[str, Reply] = {"Login": self.let_in, "Ping": self.pong}
        self.sessions: list[Session] = []
        self.arrived = asyncio.Condition()
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and drop everybody."""
        assert self._server is not None
        self._server.close()
        for session in self.sessions:
            session.writer.transport.abort()
        await self._server.wait_closed()

    async def session(self, number: int) -> Session:
        """The connection of this number, from 1, once it is there."""
        async with asyncio.timeout(WITHIN_SECONDS), self.arrived:
            await self.arrived.wait_for(lambda: len(self.sessions) >= number)
        return self.sessions[number - 1]

    @staticmethod
    def let_in(session: Session, action: dict[str, str]) -> None:
        """Accept the secret, and be fully booted."""
        if action["Secret"] != "right":
            session.say(
                "Response: Error", f"ActionID: {action['ActionID']}", "Message: Authentication failed"
            )
            return
        session.say(
            "Response: Success", f"ActionID: {action['ActionID']}", "Message: Authentication accepted"
        )
        session.say("Event: FullyBooted", "Privilege: system,all", "Status: Fully Booted")

    @staticmethod
    def pong(session: Session, action: dict[str, str]) -> None:
        """Answer a ping."""
        session.say("Response: Success", f"ActionID: {action['ActionID']}", "Ping: Pong")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(reader, writer)
        self.sessions.append(session)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        async with self.arrived:
            self.arrived.notify_all()
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                action = await session.action()
                reply = self.replies.get(action["Action"])
                if reply is not None:
                    reply(session, action)
        writer.close()


@pytest.fixture
async def asterisk() -> AsyncIterator[FakeAsterisk]:
    """A scripted Asterisk that listens."""
    asterisk = FakeAsterisk()
    await asterisk.start()
    yield asterisk
    await asterisk.stop()


def at_once() -> Iterator[float]:
    """A back-off that keeps a test short."""
    while True:
        yield 0.01


@asynccontextmanager
async def running(
    asterisk: FakeAsterisk, *, connected: bool = True, wrong_secret: str = "", **settings: float | int
) -> AsyncIterator[AmiClient]:
    """A client of the scripted Asterisk, running."""
    client = AmiClient(
        AmiSettings(username="hotline", secret=wrong_secret or "right", port=asterisk.port, **settings),  # type: ignore[arg-type]
        SystemClock(),
        backoff=at_once,
    )
    task = asyncio.create_task(client.run())
    try:
        if connected:
            await client.wait_connected(WITHIN_SECONDS)
        yield client
    finally:
        await client.aclose()
        await task


async def following(feed: AmiFeed) -> ev.AmiNews:
    """The next item of a feed."""
    async with asyncio.timeout(WITHIN_SECONDS):
        return await anext(feed)


async def test_it_logs_in_and_hands_over_events(asterisk: FakeAsterisk) -> None:
    """The connection is announced first, then come its events, whole and in order."""
    async with running(asterisk, connected=False) as client:
        assert not client.connected
        with client.feed() as feed:
            first = await following(feed)
            assert isinstance(first, ev.AmiConnected)
            assert (first.epoch, first.version) == (1, "11.0.0") and client.connected
            session = await asterisk.session(1)
            session.writer.write(HANGUP)
            hangup = await following(feed)
        assert isinstance(hangup, ev.Hangup)
        assert (hangup.linkedid, hangup.caller_name) == ("t1-1.0", "张三\u2028😀")
        assert hangup.at == datetime(2026, 11, 21, 6, 25, 10, 944590, tzinfo=UTC)
    assert dict(session.actions[0])["Username"] == "hotline"


async def test_an_action_gets_its_own_answer(asterisk: FakeAsterisk) -> None:
    """Answers are matched by their id, also when they come in another order."""
    held: list[dict[str, str]] = []

    def both_backwards(session: Session, action: dict[str, str]) -> None:
        held.append(action)
        if len(held) == 2:
            for one in reversed(held):
                session.say(
                    "Response: Success", f"ActionID: {one['ActionID']}", f"Message: paused {one['Interface']}"
                )

    asterisk.replies["QueuePause"] = both_backwards
    async with running(asterisk) as client:
        first, second = await asyncio.gather(
            client.action("QueuePause", {"Interface": "PJSIP/1"}),
            client.action("QueuePause", {"Interface": "PJSIP/2"}),
        )
    assert (first.message, second.message) == ("paused PJSIP/1", "paused PJSIP/2")


async def test_a_refusal_carries_asterisks_words(asterisk: FakeAsterisk) -> None:
    """An error response is an exception with the reason in it; the connection goes on."""
    asterisk.replies["QueueRemove"] = lambda session, action: session.say(
        "Response: Error", f"ActionID: {action['ActionID']}", "Message: Unable to remove interface: Not there"
    )
    async with running(asterisk) as client:
        with pytest.raises(AmiRefused, match="Not there") as caught:
            await client.action("QueueRemove", {"Queue": "12315", "Interface": "x"})
        assert caught.value.action == "QueueRemove" and client.connected


async def test_an_unsafe_value_never_leaves(asterisk: FakeAsterisk) -> None:
    """A line break in a name is refused before anything is sent."""
    async with running(asterisk) as client:
        with pytest.raises(AmiUnsafeValue, match="'MemberName'"):
            await client.action("QueueAdd", {"MemberName": "张\r\nPenalty: 9"})
        assert not any(dict(a)["Action"] == "QueueAdd" for s in asterisk.sessions for a in s.actions)


async def test_a_list_is_collected_to_its_end(asterisk: FakeAsterisk) -> None:
    """Events of the list and events of the world come mixed; each goes where it belongs."""

    def status(session: Session, action: dict[str, str]) -> None:
        mine = f"ActionID: {action['ActionID']}"
        session.say("Response: Success", mine, "EventList: start", "Message: Queue status will follow")
        session.say("Event: QueueParams", "Queue: 12333", "Calls: 0", mine)
        session.say("Event: QueueParams", "Queue: 12315", "Strategy: rrmemory", "Calls: 2", "Weight: 3", mine)
        session.writer.write(HANGUP)
        session.say(
            "Event: QueueMember", "Queue: 12315", "Name: 李四", "Location: PJSIP/1001", "Status: 1",
            "Paused: 1", "PausedReason: 小休", mine,
        )  # fmt: skip
        for position in (2, 1):
            session.say(
                "Event: QueueEntry", "Queue: 12315", f"Position: {position}", "Channel: x", "Wait: 7",
                f"Uniqueid: u{position}", mine,
            )  # fmt: skip
        session.say("Event: QueueEntry", "Queue: 12315", "Position: none", mine)
        session.say("Event: QueueStatusComplete", mine, "EventList: Complete", "ListItems: 5")

    asterisk.replies["QueueStatus"] = status
    async with running(asterisk) as client:
        with client.feed() as feed:
            assert isinstance(await following(feed), ev.AmiConnected)
            busy, idle = await client.queue_status()
            assert isinstance(await following(feed), ev.Hangup)
        assert (busy.params.queue, busy.params.strategy, busy.params.weight) == ("12315", "rrmemory", 3)
        assert [member.paused_reason for member in busy.members] == ["小休"]
        assert [(entry.position, entry.uniqueid) for entry in busy.entries] == [(1, "u1"), (2, "u2")]
        assert idle.params.queue == "12333" and not idle.members and not idle.entries
        assert client.counters.malformed_events == 1


async def test_channels_are_listed(asterisk: FakeAsterisk) -> None:
    """CoreShowChannels becomes channels with a duration in seconds."""

    def channels(session: Session, action: dict[str, str]) -> None:
        mine = f"ActionID: {action['ActionID']}"
        session.say("Response: Success", mine, "EventList: start")
        session.say(
            "Event: CoreShowChannel", mine, "Channel: PJSIP/1-1", "ChannelStateDesc: Up", "Uniqueid: u",
            "Linkedid: l", "Application: Queue", "Duration: 01:02:03", "BridgeId: b",
        )  # fmt: skip
        session.say("Event: CoreShowChannelsComplete", mine, "EventList: Complete")

    asterisk.replies["CoreShowChannels"] = channels
    async with running(asterisk) as client:
        [channel] = await client.core_show_channels()
    assert (channel.linkedid, channel.application, channel.duration_seconds) == ("l", "Queue", 3723)


async def test_a_list_without_end_is_given_up(asterisk: FakeAsterisk) -> None:
    """A list that never completes is a timeout; one beyond the limit is refused, not collected."""

    def endless(session: Session, action: dict[str, str]) -> None:
        session.say("Response: Success", f"ActionID: {action['ActionID']}", "EventList: start")
        for _ in range(int(action.get("Max", "1"))):
            session.say("Event: QueueParams", "Queue: 1", "Calls: 0", f"ActionID: {action['ActionID']}")

    asterisk.replies["QueueStatus"] = endless
    async with running(asterisk, action_timeout_seconds=0.3, list_limit=100) as client:
        with pytest.raises(AmiTimeout, match="QueueStatus within"):
            await client.listing("QueueStatus")
        with pytest.raises(AmiProtocolError, match="more than 100 entries"):
            await client.listing("QueueStatus", {"Max": "500"})
        assert client.connected


def originate_reply(outcome: str) -> Reply:
    """An Asterisk that begins each call and ends it so."""

    def reply(session: Session, action: dict[str, str]) -> None:
        mine = f"ActionID: {action['ActionID']}"
        session.say("Response: Success", mine, "Message: Originate successfully queued")
        session.writer.write(HANGUP)
        reason = "4" if outcome == "Success" else "0"
        uniqueid = "u9" if outcome == "Success" else "<null>"
        session.say(
            "Event: OriginateResponse",
            mine,
            f"Response: {outcome}",
            f"Reason: {reason}",
            f"Uniqueid: {uniqueid}",
        )

    return reply


async def test_an_originate_waits_for_the_call(asterisk: FakeAsterisk) -> None:
    """Not the queueing of the call but its outcome is the answer; variables are written safely."""
    asterisk.replies["Originate"] = originate_reply("Success")
    async with running(asterisk) as client:
        response = await client.originate(
            "Local/1@x", application="Echo", variables={"A": "x,B=9", "C": "2"}, ring_timeout_seconds=7
        )
    assert response.succeeded and response.uniqueid == "u9"
    headers = next(a for a in asterisk.sessions[0].actions if ("Action", "Originate") in a)
    assert [value for name, value in headers if name == "Variable"] == ["A=x\\,B=9", "C=2"]
    assert ("Timeout", "7000") in headers and ("Async", "true") in headers


async def test_a_call_that_fails_is_an_error(asterisk: FakeAsterisk) -> None:
    """A channel that does not exist is an exception with Asterisk's reason."""
    asterisk.replies["Originate"] = originate_reply("Failure")
    async with running(asterisk) as client:
        with pytest.raises(AmiOriginateFailed) as caught:
            await client.originate("Local/nope@x", context="in", exten="s")
        assert caught.value.response.reason == 0
        with pytest.raises(ValueError, match="application, or a context"):
            await client.originate("Local/1@x")


async def test_no_answer_is_a_timeout_and_a_late_one_is_dropped(asterisk: FakeAsterisk) -> None:
    """Nothing waits for ever, and an answer that comes after all disturbs nothing."""
    late: list[str] = []
    asterisk.replies["QueuePause"] = lambda session, action: late.append(action["ActionID"])
    async with running(asterisk, action_timeout_seconds=0.2) as client:
        with pytest.raises(AmiTimeout):
            await client.action("QueuePause", {"Interface": "x"})
        session = await asterisk.session(1)
        session.say("Response: Success", f"ActionID: {late[0]}")
        with client.feed() as feed:
            await following(feed)
            session.writer.write(HANGUP)
            assert isinstance(await following(feed), ev.Hangup)
        assert client.counters.unmatched_answers == 1


async def test_everything_pending_fails_when_the_connection_goes(asterisk: FakeAsterisk) -> None:
    """No caller is left waiting: answers, lists and calls fail at once with the reason."""
    arrived = asyncio.Semaphore(0)
    for name in ("QueuePause", "QueueStatus", "Originate"):
        asterisk.replies[name] = lambda session, action: arrived.release()
    async with running(asterisk, action_timeout_seconds=60) as client:
        waiting = [
            asyncio.ensure_future(coroutine)
            for coroutine in (
                client.action("QueuePause", {"Interface": "x"}),
                client.listing("QueueStatus"),
                client.originate("Local/1", application="Echo"),
            )
        ]
        async with asyncio.timeout(WITHIN_SECONDS):
            for _ in waiting:
                await arrived.acquire()
            asterisk.sessions[0].writer.transport.abort()
            results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(result, AmiDisconnected) for result in results)


async def test_without_a_connection_actions_fail_at_once() -> None:
    """Nobody waits for a connection that may never come."""
    client = AmiClient(AmiSettings(username="a", secret="b"))
    with pytest.raises(AmiDisconnected):
        await client.action("Ping")
    await client.aclose()


async def test_it_comes_back_after_a_restart_of_asterisk(asterisk: FakeAsterisk) -> None:
    """The loss is told, then the new epoch; the server's absence between them is survived."""
    async with running(asterisk) as client:
        with client.feed() as feed:
            await following(feed)
            await asterisk.stop()
            lost = await following(feed)
            assert isinstance(lost, ev.AmiLost) and lost.epoch == 1 and not client.connected
            await asterisk.start()
            back = await following(feed)
            assert isinstance(back, ev.AmiConnected) and back.epoch == client.epoch == 2
        assert client.counters.connections == 2 and client.counters.failed_attempts >= 1


async def test_a_half_open_peer_is_noticed_and_left(asterisk: FakeAsterisk) -> None:
    """A peer that keeps the connection and says nothing is given up after one ping, and found again."""
    async with running(asterisk, ping_interval_seconds=0.1, action_timeout_seconds=0.3) as client:
        with client.feed() as feed:
            await following(feed)
            asterisk.replies["Ping"] = lambda session, action: None
            lost = await following(feed)
            assert isinstance(lost, ev.AmiLost) and "pings" in lost.reason
            asterisk.replies["Ping"] = asterisk.pong
            assert isinstance(await following(feed), ev.AmiConnected)
        assert client.counters.missed_pings == 1


async def test_a_busy_peer_is_not_taken_for_a_dead_one(asterisk: FakeAsterisk) -> None:
    """While events flow, a ping may go unanswered: but not three in a row."""

    def events_only(session: Session, action: dict[str, str]) -> None:
        session.writer.write(HANGUP)

    asterisk.replies["Ping"] = events_only
    async with running(asterisk, ping_interval_seconds=0.05, action_timeout_seconds=0.1) as client:
        with client.feed() as feed:
            await following(feed)
            heard = [await following(feed) for _ in range(4)]
    assert [type(news) for news in heard] == [ev.Hangup, ev.Hangup, ev.Hangup, ev.AmiLost]


async def test_a_wrong_secret_is_said_once_and_tried_slowly(
    asterisk: FakeAsterisk, caplog: pytest.LogCaptureFixture
) -> None:
    """The error says what to check, holds no secret, and attempts keep their distance."""
    async with running(asterisk, connected=False, wrong_secret="wr0ng", refused_retry_seconds=0.2) as client:
        began = time.monotonic()
        with pytest.raises(AmiLoginRefused, match="check the manager user") as caught:
            await client.wait_connected(WITHIN_SECONDS)
        await asterisk.session(3)
        assert time.monotonic() - began >= 0.4
        assert not client.connected and isinstance(client.last_error, AmiLoginRefused)
    assert "Authentication failed" in str(caught.value)
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1 and "wr0ng" not in caplog.text and "wr0ng" not in repr(client.settings)


async def test_a_corrected_secret_is_found_without_a_restart(asterisk: FakeAsterisk) -> None:
    """Once Asterisk lets the user in, the client is in."""
    asterisk.replies["Login"] = lambda session, action: session.say(
        "Response: Error", f"ActionID: {action['ActionID']}", "Message: Authentication failed"
    )
    async with running(asterisk, connected=False, refused_retry_seconds=0.05) as client:
        await asterisk.session(1)
        with client.feed() as feed:
            asterisk.replies["Login"] = asterisk.let_in
            assert isinstance(await following(feed), ev.AmiConnected)
        assert client.last_error is None


async def test_an_asterisk_that_is_still_booting_is_waited_for(asterisk: FakeAsterisk) -> None:
    """Logged in is not enough: queues are there when Asterisk says that it is fully booted."""
    asterisk.replies["Login"] = lambda session, action: session.say(
        "Response: Success", f"ActionID: {action['ActionID']}"
    )
    async with running(asterisk, connected=False) as client:
        session = await asterisk.session(1)
        with client.feed() as feed:
            next_news = asyncio.ensure_future(following(feed))
            done, _ = await asyncio.wait({next_news}, timeout=0.2)
            assert not done and not client.connected
            session.say("Event: FullyBooted", "Status: Fully Booted")
            assert isinstance(await next_news, ev.AmiConnected)


async def test_a_user_who_may_not_hear_of_the_boot_is_served_all_the_same(asterisk: FakeAsterisk) -> None:
    """Without the right to system events the wait ends by itself."""
    asterisk.replies["Login"] = lambda session, action: session.say(
        "Response: Success", f"ActionID: {action['ActionID']}"
    )
    async with running(asterisk, boot_timeout_seconds=0.1) as client:
        assert client.connected


async def test_too_many_events_end_the_connection_and_are_counted(asterisk: FakeAsterisk) -> None:
    """When the loop cannot keep up, readers are told to compare; nothing is lost in silence."""
    async with running(asterisk, handoff_limit=100) as client:
        with client.feed() as feed:
            await following(feed)
            session = await asterisk.session(1)
            session.writer.write(HANGUP * 2000)
            await session.writer.drain()
            time.sleep(0.3)  # noqa: ASYNC251 - the loop is stuck: that is what is tested
            news = await following(feed)
            count = 0
            while isinstance(news, ev.Hangup):
                count += 1
                news = await following(feed)
            assert isinstance(news, ev.AmiLost) and "faster than 100" in news.reason
            assert count <= 100
            assert isinstance(await following(feed), ev.AmiConnected)
        assert client.counters.overflows == 1


async def test_a_slow_feed_loses_its_items_and_is_told(asterisk: FakeAsterisk) -> None:
    """A reader that does not read costs the others one reconnection, and itself a comparison."""
    async with running(asterisk) as client:
        with client.feed(limit=10) as slow:
            with client.feed() as quick:
                await following(quick)
                session = await asterisk.session(1)
                session.writer.write(HANGUP * 50)
                while not isinstance(await following(quick), ev.AmiLost):
                    pass
                assert isinstance(await following(quick), ev.AmiConnected)
            lost, back = await following(slow), await following(slow)
        assert isinstance(lost, ev.AmiLost) and "10 events behind" in lost.reason
        assert isinstance(back, ev.AmiConnected)
        assert client.counters.overflows == 1


async def test_a_readers_fault_is_its_own(asterisk: FakeAsterisk) -> None:
    """An exception in one reader is counted; the others and the connection go on."""
    seen: list[ev.AmiNews] = []

    def broken(news: ev.AmiNews) -> None:
        raise LookupError("a fault in a reader")

    async with running(asterisk) as client:
        stop_broken = client.subscribe(broken)
        stop_seen = client.subscribe(seen.append)
        with client.feed() as feed:
            await following(feed)
            (await asterisk.session(1)).writer.write(HANGUP)
            assert isinstance(await following(feed), ev.Hangup)
        stop_broken()
        stop_broken()
        stop_seen()
        assert [type(news) for news in seen] == [ev.AmiConnected, ev.Hangup]
        assert client.counters.reader_faults == 2 and client.connected


async def test_malformed_and_unknown_events_are_counted_drops(asterisk: FakeAsterisk) -> None:
    """One bad event is one bad event."""
    async with running(asterisk) as client:
        with client.feed() as feed:
            await following(feed)
            session = await asterisk.session(1)
            session.say("Event: Hangup", "Channel: x")
            session.say("Event: RTCPSent", "SSRC: 1")
            session.writer.write(b"complete: nonsense\r\n\r\n")
            session.writer.write(HANGUP)
            assert isinstance(await following(feed), ev.Hangup)
        assert client.counters.malformed_events == 2 and client.counters.unknown_events == 1


@pytest.mark.parametrize("first", [b"220 smtp.example ESMTP\r\n", b"Event: " + b"x" * 400_000])
async def test_a_peer_that_talks_nonsense_is_tried_again(first: bytes) -> None:
    """Garbage and endless lines are a clear error and a new attempt, whatever the peer is."""
    attempts = asyncio.Semaphore(0)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        attempts.release()
        with contextlib.suppress(ConnectionError):
            writer.write(first)
            await writer.drain()
            await reader.read()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    client = AmiClient(
        AmiSettings(username="a", secret="b", port=server.sockets[0].getsockname()[1]), backoff=at_once
    )
    task = asyncio.create_task(client.run())
    async with asyncio.timeout(WITHIN_SECONDS):
        for _ in range(3):
            await attempts.acquire()
    assert isinstance(client.last_error, AmiProtocolError)
    await client.aclose()
    await task
    server.close()
    await server.wait_closed()


async def test_nobody_there_is_a_timeout_with_the_reason_behind_it() -> None:
    """Whoever waits for the connection learns why there is none."""
    client = AmiClient(AmiSettings(username="a", secret="b", port=1), backoff=at_once)
    task = asyncio.create_task(client.run())
    with pytest.raises(AmiTimeout) as caught:
        await client.wait_connected(0.3)
    assert isinstance(caught.value.__cause__, AmiError)
    await client.aclose()
    await client.aclose()
    await task


async def test_cancelling_leaves_nothing_behind(asterisk: FakeAsterisk) -> None:
    """A cancelled client closes its connection and thread, and tells its readers."""
    client = AmiClient(AmiSettings(username="a", secret="right", port=asterisk.port), backoff=at_once)
    task = asyncio.create_task(client.run())
    await client.wait_connected(WITHIN_SECONDS)
    seen: list[ev.AmiNews] = []
    client.subscribe(seen.append)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert isinstance(seen[-1], ev.AmiLost) and not client.connected


async def test_closing_while_connecting_is_prompt() -> None:
    """A peer that accepts and never greets does not hold up the end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        client = AmiClient(AmiSettings(username="a", secret="b", port=port, connect_timeout_seconds=60))
        task = asyncio.create_task(client.run())
        await asyncio.sleep(0)
        async with asyncio.timeout(2):
            await client.aclose()
            await task


async def test_actions_beyond_the_limit_wait_for_a_place(asterisk: FakeAsterisk) -> None:
    """Commands wait: no more than the limit are under way at a time, and all are answered."""
    under_way: list[dict[str, str]] = []
    most = 0

    def slowly(session: Session, action: dict[str, str]) -> None:
        nonlocal most
        under_way.append(action)
        most = max(most, len(under_way))
        asyncio.get_running_loop().call_later(0.01, finish, session)

    def finish(session: Session) -> None:
        session.say("Response: Success", f"ActionID: {under_way.pop(0)['ActionID']}")

    asterisk.replies["QueuePause"] = slowly
    async with running(asterisk, pending_limit=3) as client:
        answers = await asyncio.gather(*(client.action("QueuePause", {}) for _ in range(20)))
    assert len(answers) == 20 and most == 3
