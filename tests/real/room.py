"""A server with everybody at work on one exchange: seats, a supervisor's page, a citizen, one outside."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from hotline.config.samples import path as sample
from hotline.core.errors import PeerError
from hotline.telephony.phone.call import Call
from hotline.telephony.phone.phone import Phone
from tests.fixtures.ports import free_port
from tests.real.serving import Seat, ServerProcess, Watcher, citizen, serving, write_site
from tests.real.tones import hears, tone

CALLER, AGENT, OTHER, CHIEF, MUSIC = 600.0, 900.0, 1100.0, 1300.0, 1500.0
ALL = (CALLER, AGENT, OTHER, CHIEF, MUSIC)
HUM_SECONDS = 60


@dataclass
class Room:
    """A supervisor's page, three agents' seats (the supervisor's among them), and a citizen."""

    server: ServerProcess
    page: Watcher
    agent: Seat
    other: Seat
    chief: Seat
    caller: Phone
    outside: Phone
    stack: AsyncExitStack

    def state(self, agent: str) -> str:
        """What the supervisor's page says of an agent."""
        return next(str(one["state"]) for one in self.page.live["agents"] if one["agent"] == agent)

    def waiting(self) -> list[str]:
        """The calls that wait, as the supervisor's page shows them."""
        return [str(one["call_id"]) for one in self.page.live["waiting"]]

    async def talk(self, seat: Seat | None = None, phone: Phone | None = None, *pitches: float) -> Talk:
        """A citizen rings 12333 and an agent answers (the first ones if no others are named); both hum."""
        seat, phone, pitches = seat or self.agent, phone or self.caller, pitches or (CALLER, AGENT)
        call = await phone.call("12333")
        leg = await asyncio.wait_for(seat.next_call(), 20)
        await leg.answer()
        await call.wait_answered()
        answered = await self.page.event("call_answered", agent=seat.agent)
        self.page.events.remove(answered)
        call_id = answered["call_id"]
        hum(call, pitches[0])
        hum(leg, pitches[1])
        await hears(call, pitches[1], of=(*ALL, *pitches))
        await hears(leg, pitches[0], of=(*ALL, *pitches))
        return Talk(self, call_id, call, leg)


@dataclass
class Talk:
    """One call, and what may be done with it."""

    room: Room
    call_id: str
    call: Call
    leg: Call

    async def do(self, action: str, body: dict[str, Any] | None = None, *, by: Seat | None = None) -> Any:
        """Ask the console for something about this call."""
        return await (by or self.room.agent).console.post(f"/api/call/{self.call_id}/{action}", body)

    async def supervise(self, action: str, *, by: Seat | None = None) -> Any:
        """Ask the console for something as a supervisor."""
        return await (by or self.room.chief).console.post(f"/api/supervise/{self.call_id}/{action}")

    async def over(self) -> None:
        """The caller hangs up; nothing of the call is left."""
        await self.call.hangup()
        await self.room.page.event("call_ended", call_id=self.call_id)
        await self.room.page.until(lambda: not self.room.page.live["calls"])


def hum(call: Call, pitch: float) -> None:
    """Hum from now on."""
    call.play(tone(HUM_SECONDS, pitch))


async def picked_up(phone: Phone, pitch: float) -> Call:
    """The next call of this phone, answered and hummed into."""
    call = await asyncio.wait_for(phone.next_call(), 20)
    await call.answer()
    hum(call, pitch)
    return call


@asynccontextmanager
async def open_room(
    folder: Path, *, words: bool = False, buttons: bool = False, **sections: Any
) -> AsyncIterator[Room]:
    """A server with everybody at work.

    ``words``: people will speak, so hearing is on. ``buttons``: the first agent's phone obeys NOTIFY.
    ``sections``: of the site file, in place of the demo's.
    """
    port = free_port()
    agents = yaml.safe_load(sample("demo").read_text(encoding="utf-8"))["agents"]
    for one in agents:
        one["remote_control"] = "notify" if buttons and one["id"] == "1005" else "none"
    lines = yaml.safe_load(sample("demo").read_text(encoding="utf-8"))["lines"]
    next(line for line in lines if line["id"] == "12333")["language"] = "yue"
    changes: dict[str, Any] = ({"lines": lines} if words else {"asr": {"enabled": False}}) | sections
    file = write_site(
        folder,
        agents=agents,
        transfer={
            "trunk": f"PJSIP/trunk/sip:{{number}}@127.0.0.1:{port}",
            "numbers": [{"name": "公安报警", "number": 110, "emergency": True}],
        },
        **changes,
    )
    _hold_music(folder)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(file))
        await server.add_user("chief", role="supervisor", agent="2001")
        for agent in ("1005", "1006", "1003"):
            await server.add_user(agent, agent=agent)
        page = await stack.enter_async_context(Watcher(server))
        seat = await stack.enter_async_context(Seat(server, "1005", buttons=buttons))
        other = await stack.enter_async_context(Seat(server, "1003", sign_in=False))
        chief = await stack.enter_async_context(Seat(server, "2001", sign_in=False, user="chief"))
        caller = await stack.enter_async_context(citizen(server.site, "13800001234"))
        outside = Phone(
            "110", server=(server.site.asterisk.host, server.site.asterisk.sip_port), local_port=port
        )
        await stack.enter_async_context(outside)
        yield Room(server, page, seat, other, chief, caller, outside, stack)


def _hold_music(folder: Path) -> None:
    """The music is a pitch too."""
    music = folder / "data/asterisk/data/moh"
    music.mkdir(parents=True)
    with wave.open(str(music / "hum.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(tone(30, MUSIC).tobytes())


async def refused(work: Any, status: int, code: str) -> None:
    """The console says no, in these words."""
    with pytest.raises(PeerError, match=f"{status} {code}"):
        await work
