"""The manager client and the FastAGI server beside the real Asterisk: what it really says, does and drops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from queue import Queue
from typing import TypeVar

import pytest

from hotline.core.clock import SystemClock
from hotline.telephony.ami import events as ev
from hotline.telephony.ami.client import AmiClient, AmiSettings
from hotline.telephony.ami.errors import AmiLoginRefused, AmiOriginateFailed, AmiRefused
from hotline.telephony.ami.feed import AmiFeed
from hotline.telephony.fastagi import FastAgiServer, Handler
from hotline.telephony.fastagi_errors import AgiCommandFailed, AgiHangup, AgiUnsafeValue
from hotline.telephony.fastagi_session import AgiSession
from tests.real.exchange import Exchange

WITHIN_SECONDS = 15.0
ECHO_AGENT = "Local/*43@hotline-agents/n"  # answers at once and listens
NAME = '张敏\u2028😀 \u0085,"(1)"'

News = TypeVar("News", bound=ev.AmiNews)


def settings_of(exchange: Exchange, secret: str = "") -> AmiSettings:
    """How to sign in to this Asterisk."""
    ami = exchange.site.asterisk.ami
    return AmiSettings(
        host=ami.host,
        port=ami.port,
        username=ami.user,
        secret=secret or exchange.secret("ami"),
        ping_interval_seconds=1.0,
    )


@asynccontextmanager
async def connected(exchange: Exchange) -> AsyncIterator[AmiClient]:
    """A client that is signed in."""
    client = AmiClient(settings_of(exchange), SystemClock())
    task = asyncio.create_task(client.run())
    try:
        await client.wait_connected(WITHIN_SECONDS)
        yield client
    finally:
        await client.aclose()
        await task


async def first(feed: AmiFeed, kind: type[News]) -> News:
    """The next news of this kind."""
    async with asyncio.timeout(WITHIN_SECONDS):
        async for news in feed:
            if isinstance(news, kind):
                return news
    raise AssertionError("the feed ended")


@contextmanager
def serving(exchange: Exchange, handler: Handler) -> Iterator[FastAgiServer]:
    """A menu server where the dialplan looks for it."""
    server = FastAgiServer(exchange.site.fastagi.host, exchange.site.fastagi.port, handler)
    server.start()
    try:
        yield server
    finally:
        assert server.stop(drain_seconds=WITHIN_SECONDS)


async def test_a_call_is_followed_from_queue_to_goodbye(asterisk: Exchange) -> None:
    """An agent with an awkward name signs in, answers and is left; each step is one typed event."""
    async with connected(asterisk) as client:
        with client.feed() as feed:
            await first(feed, ev.AmiConnected)
            await client.action(
                "QueueAdd", {"Queue": "12345", "Interface": ECHO_AGENT, "MemberName": NAME, "Penalty": "0"}
            )
            added = await first(feed, ev.QueueMemberAdded)
            assert (added.member_name, added.interface) == (NAME, ECHO_AGENT)
            await client.action(
                "QueuePause",
                {"Queue": "12345", "Interface": ECHO_AGENT, "Paused": "true", "Reason": "小休\u2028😀"},
            )
            paused = await first(feed, ev.QueueMemberPause)
            assert paused.paused and paused.paused_reason == "小休\u2028😀"
            caller = await client.originate(
                "Local/12345@hotline-in/n",
                application="Wait",
                data="30",
                variables={"X": 'a,CALLERID(num)=1 "'},
            )
            join = await first(feed, ev.QueueCallerJoin)
            assert (join.queue, join.position, join.count) == ("12345", 1, 1)

            queues = {one.params.queue: one for one in await client.queue_status()}
            assert [entry.uniqueid for entry in queues["12345"].entries] == [join.uniqueid]
            assert [member.paused_reason for member in queues["12345"].members] == ["小休\u2028😀"]
            channels = await client.core_show_channels()
            assert {channel.linkedid for channel in channels} == {join.linkedid}
            assert join.linkedid == caller.uniqueid

            await client.action("QueuePause", {"Queue": "12345", "Interface": ECHO_AGENT, "Paused": "false"})
            connect = await first(feed, ev.AgentConnect)
            assert (connect.linkedid, connect.member_name) == (join.linkedid, NAME)
            assert connect.ring_milliseconds % 1000 == 0 and connect.at >= join.at
            await client.action("Hangup", {"Channel": connect.channel})
            complete = await first(feed, ev.AgentComplete)
            assert complete.reason is ev.CompleteReason.CALLER and complete.interface == ECHO_AGENT
            assert complete.linkedid in (join.linkedid, "")  # Asterisk may have forgotten both channels
            assert client.counters.malformed_events == 0 and client.counters.reader_faults == 0


async def test_refusals_of_the_real_thing(asterisk: Exchange) -> None:
    """What Asterisk refuses is an error in its own words; the connection goes on."""
    async with connected(asterisk) as client:
        with pytest.raises(AmiRefused, match="Not there"):
            await client.action("QueueRemove", {"Queue": "12345", "Interface": "PJSIP/none"})
        with pytest.raises(AmiRefused, match="Permission denied"):
            await client.action("Command", {"Command": "core stop now"})
        with pytest.raises(AmiOriginateFailed):
            await client.originate("Local/none@no-such-context/n", application="Wait", data="1")
        assert client.connected


async def test_a_wrong_secret_is_refused(asterisk: Exchange) -> None:
    """The client says so instead of trying in silence."""
    client = AmiClient(settings_of(asterisk, secret="wrong"), SystemClock())
    task = asyncio.create_task(client.run())
    with pytest.raises(AmiLoginRefused, match="Authentication failed"):
        await client.wait_connected(WITHIN_SECONDS)
    await client.aclose()
    await task


async def test_a_restarted_asterisk_is_found_again(asterisk: Exchange) -> None:
    """Its end and its return are told as two epochs, and the second can be asked for the queues."""
    async with connected(asterisk) as client:
        with client.feed() as feed:
            assert (await first(feed, ev.AmiConnected)).epoch == 1
            await asterisk.local.stop()
            assert (await first(feed, ev.AmiLost)).epoch == 1
            await asterisk.local.start()
            assert (await first(feed, ev.AmiConnected)).epoch == 2
            assert {one.params.queue for one in await client.queue_status()} == {"12345", "12315", "12333"}


async def test_a_menu_is_driven_by_keys(asterisk: Exchange) -> None:
    """Two keys pressed at once end two prompts; values survive as they are; the call goes to its queue."""
    outcome: Queue[object] = Queue()

    def menu(session: AgiSession) -> None:
        try:
            with pytest.raises(AgiUnsafeValue):
                session.set_variable("HOTLINE_PATH", 'x"\nEXEC Hangup ""')
            session.set_variable("ODD", NAME)
            with pytest.raises(AgiCommandFailed):
                session.exec_app("NoSuchApplication")
            keys = [session.play_and_get_digit(["hotline/main", "no-such-file"], 5) for _ in range(2)]
            outcome.put((keys, session.get_variable("ODD"), session.linkedid, session.env))
            session.set_variable("HOTLINE_QUEUE", "12333")
            session.set_variable("HOTLINE_RESULT", "queue")
        except BaseException as error:
            outcome.put(error)
            raise

    with serving(asterisk, menu) as server:
        async with connected(asterisk) as client:
            with client.feed() as feed:
                await client.originate(
                    "Local/12315@hotline-in/n", application="SendDTMF", data="ww20wwwwwwww"
                )
                result = await asyncio.to_thread(outcome.get, timeout=WITHIN_SECONDS)
                assert isinstance(result, tuple), result
                keys, odd, linkedid, env = result
                join = await first(feed, ev.QueueCallerJoin)
    assert keys == ["2", "0"] and odd == NAME
    assert (env.network_script, env.query["line"]) == ("menu", "12315")
    assert (join.queue, join.linkedid, join.uniqueid) == ("12333", linkedid, env.uniqueid)
    assert server.counters.finished == 1


async def test_a_caller_who_leaves_in_the_menu(asterisk: Exchange) -> None:
    """The hang-up reaches the handler while it waits for a key."""
    outcome: Queue[str] = Queue()

    def menu(session: AgiSession) -> None:
        outcome.put(session.env.channel)
        try:
            while True:
                session.play_and_get_digit(["hotline/main"], 30)
        except AgiHangup:
            outcome.put("left")
            raise

    with serving(asterisk, menu) as server:
        async with connected(asterisk) as client:
            await client.originate("Local/12315@hotline-in/n", application="Wait", data="30")
            channel = await asyncio.to_thread(outcome.get, timeout=WITHIN_SECONDS)
            await client.action("Hangup", {"Channel": channel})
            assert await asyncio.to_thread(outcome.get, timeout=WITHIN_SECONDS) == "left"
    assert server.counters.hangups == 1


async def test_a_handler_that_fails_leaves_the_caller_to_the_dialplan(asterisk: Exchange) -> None:
    """The fallback is told and the caller waits in the line's own queue all the same."""

    def menu(session: AgiSession) -> None:
        raise LookupError("a fault in the handler")

    with serving(asterisk, menu):
        async with connected(asterisk) as client:
            with client.feed() as feed:
                await client.originate("Local/12315@hotline-in/n", application="Wait", data="30")
                async with asyncio.timeout(WITHIN_SECONDS):
                    while (told := await first(feed, ev.UserEvent)).name != "HotlineFallback":
                        pass
                join = await first(feed, ev.QueueCallerJoin)
    assert told.fields["Line"] == "12315"
    assert join.queue == "12315" and join.linkedid == told.linkedid
