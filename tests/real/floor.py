"""A call centre on a real Asterisk without a server of ours: callers, agents' phones, and someone outside.

Agents serve their queues as members named by their id, as they do when they sign in by the console.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hotline.config.schema import OutsideNumber, Site, TransferSection
from hotline.core.clock import SystemClock
from hotline.telephony.ami.client import AmiClient, AmiSettings
from hotline.telephony.phone.call import Call
from hotline.telephony.phone.phone import Phone
from tests.fixtures.ports import free_port
from tests.real.exchange import Exchange, StartAsterisk, site_on_free_ports

WITHIN_SECONDS = 15.0
OUTSIDE = "110"


def site_with_outside(folder: Path) -> Site:
    """The small test site, no wrap-up, and one number outside, whose phone is at ``outside_port``."""
    site = site_on_free_ports(folder)
    return site.model_copy(
        update={
            "queues": tuple(queue.model_copy(update={"wrap_up_seconds": 0}) for queue in site.queues),
            "transfer": TransferSection(
                trunk=f"PJSIP/trunk/sip:{{number}}@127.0.0.1:{free_port()}",
                numbers=(OutsideNumber(name="公安报警", number=OUTSIDE, emergency=True),),
            ),
        }
    )


def outside_port(site: Site) -> int:
    """Where the number outside is reached."""
    return int((site.transfer.trunk or "").rpartition(":")[2])


@dataclass
class Floor:
    """Everybody on the floor.

    Attributes:
        phones: the agents' phones, by agent id, all registered.
        outside: the phone behind the number outside.
        ami: a manager of our own.
    """

    exchange: Exchange
    ami: AmiClient
    outside: Phone
    phones: dict[str, Phone] = field(default_factory=dict)

    def interface(self, agent: str) -> str:
        """The agent's phone as a queue knows it."""
        return f"PJSIP/{self.phones[agent].username}"

    async def serve(self, agent: str, *queues: str, interface: str = "") -> None:
        """Let the agent serve these queues, by their phone or by another way to reach them."""
        for queue in queues:
            await self.ami.action(
                "QueueAdd",
                {
                    "Queue": queue,
                    "Interface": interface or self.interface(agent),
                    "MemberName": agent,
                    "StateInterface": self.interface(agent),
                },
            )

    async def channel_of(self, agent: str) -> str:
        """The name of the newest channel at the agent's phone, once it is joined with another.

        A phone's answer reaches Asterisk some milliseconds before the two are joined; until then a channel
        cannot be transferred.
        """
        async with asyncio.timeout(WITHIN_SECONDS):
            while True:
                channels = await self.ami.core_show_channels()
                mine = [one for one in channels if one.channel.startswith(self.interface(agent) + "-")]
                newest = max(mine, key=lambda one: one.channel)
                if newest.bridge_id:
                    return newest.channel

    async def blind_transfer(self, agent: str, target: str) -> None:
        """What the console does when the agent hands the call on unannounced."""
        fields = {"Channel": await self.channel_of(agent), "Context": "hotline-transfer", "Exten": target}
        await self.ami.action("BlindTransfer", fields)

    async def plug_in_anew(self, agent: str) -> None:
        """Let the agent's phone come back at another address.

        An Asterisk that was killed knows the old one from its database, and takes the phone for unavailable
        until something about it changes: the next qualify, or this.
        """
        await self.phones.pop(agent).aclose()
        await self.plug_in(agent)

    async def plug_in(self, agent: str) -> None:
        """Register the agent's phone."""
        site = self.exchange.site
        extension = next(one.extension for one in site.agents if one.id == agent)
        server = (site.asterisk.host, site.asterisk.sip_port)
        phone = Phone(extension, self.exchange.secret(f"agent-{agent}"), server=server, max_calls=2)
        self.phones[agent] = phone
        await phone.open()
        await phone.register()

    async def unplug(self) -> None:
        """Close every agent's phone."""
        await asyncio.gather(*(phone.aclose() for phone in self.phones.values()))

    def caller(self, number: str = "13800000001") -> Phone:
        """A citizen's phone, to be opened."""
        asterisk = self.exchange.site.asterisk
        return Phone(number, server=(asterisk.host, asterisk.sip_port), max_calls=2)


async def ringing(phone: Phone) -> Call:
    """The next call at this phone, ringing."""
    async with asyncio.timeout(WITHIN_SECONDS):
        call = await phone.next_call()
    call.ring()
    return call


async def answered(phone: Phone) -> Call:
    """The next call at this phone, answered at once."""
    call = await ringing(phone)
    await call.answer()
    return call


@asynccontextmanager
async def open_floor(start: StartAsterisk, site: Site) -> AsyncIterator[Floor]:
    """Asterisk, the agents' phones and the phone outside; ``site`` comes from `site_with_outside`."""
    exchange = await start(site)
    server = (site.asterisk.host, site.asterisk.sip_port)
    ami = site.asterisk.ami
    settings = AmiSettings(username=ami.user, secret=exchange.secret("ami"), host=ami.host, port=ami.port)
    async with AsyncExitStack() as stack:
        client = AmiClient(settings, SystemClock())
        running = asyncio.create_task(client.run())
        stack.push_async_callback(asyncio.wait, {running})
        stack.push_async_callback(client.aclose)
        await client.wait_connected(WITHIN_SECONDS)
        outside = Phone(OUTSIDE, server=server, local_port=outside_port(site))
        floor = Floor(exchange, client, await stack.enter_async_context(outside))
        stack.push_async_callback(floor.unplug)
        for agent in site.agents:
            await floor.plug_in(agent.id)
        yield floor
