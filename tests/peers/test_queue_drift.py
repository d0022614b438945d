"""The live picture after lost events, against a scripted manager: found, mended, counted, no more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.config.schema import Site
from hotline.core.bus import MemoryBus
from hotline.core.events import AgentState, CallAnswered, CallEnded, CallerQueued, EntryClosed, LinkChanged
from hotline.queue.drift import Kind
from hotline.queue.exchange import Exchange
from hotline.telephony.ami import events as ami
from tests.peers.test_queue_exchange import (
    AGENT_UID,
    CONNECTED,
    NOW,
    UID,
    ScriptedManager,
    arrival,
    channel,
    engine,
    goodbye,
    on,
    rows,
    running,
    site,
    talk,
    until,
)

__all__ = ["engine", "site"]


class Drifting:
    """An exchange at work whose manager is compared at the test's word."""

    def __init__(self, manager: ScriptedManager, bus: MemoryBus, exchange: Exchange, queue_log: Path) -> None:
        self.manager, self.bus, self.exchange, self.queue_log = manager, bus, exchange, queue_log
        exchange.drift.again_seconds = 0

    async def heard(self, *news: ami.AmiNews, last: type[object]) -> None:
        self.manager.say(*news)
        await until(self.bus, last)

    @property
    def mended(self) -> dict[Kind, int]:
        return dict(self.exchange.drift.mended)


@pytest.fixture
async def drifting(site: Site, engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[Drifting]:
    manager, bus = ScriptedManager(), MemoryBus()
    manager.queues = (queue(),)
    async with running(site, engine, manager, bus, tmp_path / "queue_log") as exchange:
        manager.say(CONNECTED)
        await until(bus, LinkChanged)
        yield Drifting(manager, bus, exchange, tmp_path / "queue_log")


def queue(*callers: ami.QueueEntry, members: tuple[ami.QueueMember, ...] = ()) -> ami.QueueSnapshot:
    params = ami.QueueParams(
        at=NOW, queue="12315", max_callers=0, strategy="ringall", calls=len(callers), completed=0,
        abandoned=0, weight=0,
    )  # fmt: skip
    return ami.QueueSnapshot(params=params, members=members, entries=callers)


def caller() -> ami.QueueEntry:
    return ami.QueueEntry(
        at=NOW, queue="12315", position=1, channel="PJSIP/trunk-00000001", uniqueid=UID,
        caller_number="13800001234", caller_name="", wait_seconds=36_000, priority=0,
    )  # fmt: skip


def member(paused: str | None = None, state: ami.DeviceState = ami.DeviceState.NOT_INUSE) -> ami.QueueMember:
    return ami.QueueMember(
        at=NOW, queue="12315", member_name="1003", interface="PJSIP/1003", state_interface="PJSIP/1003",
        membership="dynamic", penalty=1, calls_taken=0, last_call_at=None, last_pause_at=None, login_at=None,
        in_call=False, device_state=state, paused=paused is not None, paused_reason=paused or "",
        wrapup_seconds=0,
    )  # fmt: skip


async def test_nothing_is_mended_while_nothing_differs(drifting: Drifting) -> None:
    """A caller waits, and the exchange says so."""
    await drifting.heard(*arrival(), last=CallerQueued)
    drifting.manager.queues, drifting.manager.channels = (queue(caller()),), (channel(),)
    await drifting.exchange.drift.check()
    assert drifting.exchange.drift.checks == 1 and drifting.mended == {}


async def test_a_caller_whose_arrival_was_lost_is_shown_and_counted(
    drifting: Drifting, engine: AsyncEngine
) -> None:
    """No event told of the caller; the row begins when the exchange says that the wait began."""
    drifting.manager.queues, drifting.manager.channels = (queue(caller()),), (channel(),)
    await drifting.exchange.drift.check()
    (waiting,) = drifting.exchange.live().waiting
    assert waiting.queue == "12315"
    assert drifting.mended == {Kind.WAITING: 1}
    await drifting.exchange.writer.settled()
    assert len(await rows(engine)) == 1


async def test_an_answer_that_was_lost_is_found_in_queue_log(drifting: Drifting, engine: AsyncEngine) -> None:
    """AgentConnect never came: the talk is there a check later, from the durable record."""
    ago = [replace(news, at=news.at - timedelta(minutes=1)) for news in arrival()]
    await drifting.heard(*ago, last=CallerQueued)
    epoch = int(time.time()) - 10
    drifting.queue_log.write_text(f"{epoch}|{UID}|12315|1003|CONNECT|4|{AGENT_UID}|3\n")
    drifting.manager.channels = (channel(), channel(AGENT_UID))
    await drifting.exchange.drift.check()
    await until(drifting.bus, CallAnswered)
    assert [call.agent for call in drifting.exchange.live().calls] == ["1003"]
    assert drifting.mended == {Kind.WAITING: 1} and drifting.exchange.drift.unmended == 0


async def test_an_end_that_was_lost_ends_the_call(drifting: Drifting, engine: AsyncEngine) -> None:
    """Neither AgentComplete nor Hangup came: call and agent are free after the check, the row is closed."""
    await drifting.heard(*arrival(), *talk(), last=CallAnswered)
    assert drifting.exchange.live().calls
    await drifting.exchange.drift.check()
    await until(drifting.bus, CallEnded)
    assert drifting.exchange.live().calls == () and drifting.mended[Kind.CALL] == 1
    assert drifting.exchange.agents.view("1003").state is AgentState.SIGNED_OUT
    await drifting.exchange.writer.settled()
    assert [row.outcome for row in await rows(engine)] == ["answered"]


def phone(uniqueid: str = AGENT_UID) -> ami.CoreShowChannel:
    """The channel of agent 1003's phone, answered."""
    return replace(channel(uniqueid), channel="PJSIP/1003-00000002")


async def test_an_agent_believed_free_who_talks_is_found(drifting: Drifting) -> None:
    """No event told that the phone was called and answered: calls offered to the agent would ring in vain."""
    drifting.manager.queues = (queue(members=(member(),)),)
    await drifting.exchange.drift.check()
    assert drifting.exchange.agents.view("1003").state is AgentState.READY
    drifting.manager.channels = (channel(), phone())
    before = drifting.exchange.drift.mended[Kind.TALK]
    await drifting.exchange.drift.check()
    assert drifting.exchange.agents.view("1003").state is AgentState.TALKING
    assert drifting.exchange.drift.mended[Kind.TALK] == before + 1


async def test_an_agent_whose_call_goes_on_without_them_is_found(drifting: Drifting) -> None:
    """Handed on to somebody else, and no event told: the caller still talks, the agent does not."""
    drifting.manager.queues = (queue(members=(member(),)),)
    await drifting.exchange.drift.check()
    fields = on(1, channel="PJSIP/1003-00000002", uniqueid=AGENT_UID)
    drifting.manager.say(ami.Newstate(**fields, state="Up"))  # type: ignore[arg-type]
    await until_state(drifting, AgentState.TALKING)
    drifting.manager.channels = (channel(),)
    await drifting.exchange.drift.check()
    assert drifting.exchange.agents.view("1003").state is AgentState.READY
    assert drifting.exchange.drift.mended[Kind.TALK] == 1


async def until_state(drifting: Drifting, state: AgentState) -> None:
    """Wait until agent 1003 is shown so."""
    seats = drifting.exchange.seats
    shown = await seats.until("1003", lambda: seats.table.view("1003").state is state, 5)
    assert shown.state is state


async def test_what_changed_between_asking_and_comparing_is_no_drift(drifting: Drifting) -> None:
    """The caller's events come after the first answer: the second one agrees and nothing is done."""
    drifting.manager.queues, drifting.manager.channels = (queue(caller()),), (channel(),)
    asked = drifting.manager.core_show_channels

    async def ask_then_hear() -> tuple[ami.CoreShowChannel, ...]:
        answer = await asked()
        if not drifting.exchange.live().waiting:
            drifting.manager.say(*arrival())
        return answer

    drifting.manager.core_show_channels = ask_then_hear  # type: ignore[method-assign]
    await drifting.exchange.drift.check()
    await until(drifting.bus, CallerQueued)
    await drifting.exchange.drift.check()
    assert drifting.mended == {} and drifting.exchange.drift.unmended == 0


@pytest.mark.parametrize(
    ("told", "state", "kind"),
    [
        (member(), AgentState.READY, Kind.DUTY),
        (member(paused="小休"), AgentState.PAUSED, Kind.DUTY),
    ],
)
async def test_an_agent_whose_sign_in_was_lost(
    drifting: Drifting, told: ami.QueueMember, state: AgentState, kind: Kind
) -> None:
    """The exchange has the agent in a queue; the page says signed out until the check."""
    drifting.manager.queues = (queue(members=(told,)),)
    assert drifting.exchange.agents.view("1003").state is AgentState.SIGNED_OUT
    await drifting.exchange.drift.check()
    assert drifting.exchange.agents.view("1003").state is state
    assert drifting.mended == {kind: 1}


@pytest.mark.parametrize(
    ("told", "state", "kind"),
    [
        (member(paused="小休"), AgentState.PAUSED, Kind.BREAK),
        (member(state=ami.DeviceState.UNAVAILABLE), AgentState.UNREACHABLE, Kind.PHONE),
    ],
)
async def test_a_break_or_a_lost_phone_that_nobody_told(
    drifting: Drifting, told: ami.QueueMember, state: AgentState, kind: Kind
) -> None:
    """And back again: both directions are found."""
    for now, expected in ((member(), AgentState.READY), (told, state), (member(), AgentState.READY)):
        drifting.manager.queues = (queue(members=(now,)),)
        await drifting.exchange.drift.check()
        assert drifting.exchange.agents.view("1003").state is expected
    assert drifting.mended == {Kind.DUTY: 1, kind: 2}


async def test_an_exchange_that_does_not_answer_is_left_alone(drifting: Drifting) -> None:
    """The check gives up quietly; the pings decide whether the link is to be given up."""
    drifting.manager.silent = True
    await drifting.exchange.drift.check()
    assert drifting.manager.reconnects == 0 and drifting.exchange.link_up


async def test_without_a_link_nothing_is_compared(drifting: Drifting) -> None:
    """The comparison at the next connection will do."""
    with drifting.bus.subscribe("test") as feed:
        drifting.manager.say(ami.AmiLost(at=NOW + timedelta(seconds=1), epoch=1, reason="gone"))
        assert isinstance((await anext(feed)).event, LinkChanged)
    drifting.manager.queues = (queue(caller()),)
    await drifting.exchange.drift.check()
    assert drifting.exchange.drift.checks == 0 and drifting.exchange.live().waiting == ()


async def test_events_that_come_while_the_picture_is_mended_wait_and_count(
    drifting: Drifting, engine: AsyncEngine
) -> None:
    """The mending asks; meanwhile the caller is answered and hangs up: the row has it all."""
    drifting.manager.queues, drifting.manager.channels = (queue(caller()),), (channel(),)
    asked = drifting.manager.core_show_channels
    times = 0

    async def talk_while_asked() -> tuple[ami.CoreShowChannel, ...]:
        nonlocal times
        times += 1
        if times == 3:  # after the two that found the difference: the mending's own
            drifting.manager.say(*talk(), *goodbye())
            for _ in range(5):
                await asyncio.sleep(0)  # who listens gets every chance to take them in too early
        return await asked()

    drifting.manager.core_show_channels = talk_while_asked  # type: ignore[method-assign]
    await drifting.exchange.drift.check()
    await until(drifting.bus, EntryClosed)
    await drifting.exchange.writer.settled()
    assert [(row.outcome, row.agent) for row in await rows(engine)] == [("answered", "1003")]
