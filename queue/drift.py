"""Is the live picture still what the exchange says? Asked every minute, mended where it is not, and counted.

Events tell everything, but one may be lost: in a fault of ours, of the link, of the exchange. What is asked
and what is believed are never of the same moment, so one difference says nothing; the same one twice, some
seconds apart, is drift. It is mended as after a lost link: by believing the exchange.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hotline.core.events import AgentState
from hotline.core.views import AgentView, LiveView
from hotline.queue.agents.seat import TALKS
from hotline.queue.agents.seats import UNREACHABLE, UP
from hotline.telephony.ami.errors import AmiError
from hotline.telephony.ami.events import CoreShowChannel, QueueMember, QueueSnapshot

log = logging.getLogger(__name__)

EVERY_SECONDS = 60.0
AGAIN_SECONDS = 12.0  # longer than live events, and queue_log's lines, are on their way
BETWEEN_CALLS = (AgentState.READY, AgentState.PAUSED)
OFF_CALLS = (*BETWEEN_CALLS, AgentState.SIGNED_OUT, AgentState.WRAP_UP, AgentState.UNREACHABLE)


class Kind(StrEnum):
    """What can differ; the name of its metric."""

    WAITING = "waiting"  # a caller waits in a queue, or does not
    CALL = "calls"  # a call is over
    DUTY = "agent_queues"  # which queues an agent serves
    BREAK = "agent_breaks"  # whether an agent is on a break
    PHONE = "agent_phones"  # whether an agent's phone can be reached
    TALK = "agent_talks"  # whether an agent is on a call


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the picture and the exchange see differently. ``subject``: call or agent, with queue."""

    kind: Kind
    subject: str


class Asked(Protocol):
    """The part of the AMI client that is asked."""

    async def queue_status(self) -> tuple[QueueSnapshot, ...]: ...
    async def core_show_channels(self) -> tuple[CoreShowChannel, ...]: ...


def differences(
    live: LiveView,
    queues: Sequence[QueueSnapshot],
    channels: Sequence[CoreShowChannel],
    call_of_channel: Callable[[str], str | None],
) -> set[Difference]:
    """Everything in which ``live`` and the exchange's own answers differ.

    Args:
        live: what is believed.
        queues: the site's queues, as the exchange has them.
        channels: everything that is alive in the exchange.
        call_of_channel: the call that a channel is believed to belong to.
    """
    alive = {channel.linkedid for channel in channels}
    alive |= {call for channel in channels if (call := call_of_channel(channel.uniqueid))}
    waiting = {
        f"{call_of_channel(entry.uniqueid) or entry.uniqueid} {entry.queue}"
        for queue in queues
        for entry in queue.entries
    }
    talking = {_phone_of(channel) for channel in channels if channel.state == UP}
    believed = {f"{caller.call_id} {caller.queue}" for caller in live.waiting}
    found = {Difference(Kind.WAITING, subject) for subject in waiting ^ believed}
    found |= {Difference(Kind.CALL, call.call_id) for call in live.calls if call.call_id not in alive}
    for agent in live.agents:
        serves = {
            queue.params.queue: member
            for queue in queues
            for member in queue.members
            if member.member_name == agent.agent
        }
        kinds = _of_agent(agent, serves, alive, talks=agent.extension in talking)
        found |= {Difference(kind, agent.agent) for kind in kinds}
    return found


def _phone_of(channel: CoreShowChannel) -> str:
    """Whose phone a channel is, by the extension: ``PJSIP/1001-0000002a``."""
    return channel.channel.partition("/")[2].rpartition("-")[0]


def _of_agent(agent: AgentView, serves: dict[str, QueueMember], alive: set[str], *, talks: bool) -> set[Kind]:
    """In what the exchange sees this agent differently. Breaks and phones show only between calls.

    ``talks``: a channel of the agent's phone is answered.
    """
    kinds = set()
    if set(agent.queues) != set(serves):
        kinds.add(Kind.DUTY)
    if agent.state not in OFF_CALLS and agent.call_id is not None and agent.call_id not in alive:
        kinds.add(Kind.TALK)
    if (agent.state in BETWEEN_CALLS and talks) or (agent.state in TALKS and not talks):
        kinds.add(Kind.TALK)
    if serves and agent.state in BETWEEN_CALLS:
        if (agent.state is AgentState.PAUSED) != any(member.paused for member in serves.values()):
            kinds.add(Kind.BREAK)
        if any(member.device_state in UNREACHABLE for member in serves.values()):
            kinds.add(Kind.PHONE)
    if serves and agent.state is AgentState.UNREACHABLE:
        if not any(member.device_state in UNREACHABLE for member in serves.values()):
            kinds.add(Kind.PHONE)
    return kinds


class DriftWatch:
    """Compares and mends.

    Args:
        exchange: who is asked.
        queues: the site's queues; others are not ours.
        live: gives the picture.
        call_of_channel: see ``differences``.
        mend: makes the picture believe the exchange.

    Attributes:
        checks: comparisons made.
        mended: differences that a mending removed, by kind.
        unmended: differences that it left.
    """

    def __init__(
        self,
        exchange: Asked,
        queues: set[str],
        live: Callable[[], LiveView],
        call_of_channel: Callable[[str], str | None],
        mend: Callable[[], Awaitable[object]],
        *,
        every_seconds: float = EVERY_SECONDS,
        again_seconds: float = AGAIN_SECONDS,
    ) -> None:
        self.checks = 0
        self.mended: Counter[Kind] = Counter()
        self.unmended = 0
        self._exchange, self._queues = exchange, queues
        self._live, self._call_of_channel, self._mend = live, call_of_channel, mend
        self.every_seconds, self.again_seconds = every_seconds, again_seconds

    async def run(self) -> None:
        """Check until cancelled."""
        while True:
            await asyncio.sleep(self.every_seconds)
            await self.check()

    async def check(self) -> None:
        """Compare, and mend what differs twice. Without a link there is nothing to compare."""
        try:
            lasting = await self._ask()
            if not lasting:
                return
            await asyncio.sleep(self.again_seconds)
            lasting &= await self._ask()
            if not lasting or not self._live().link_up:
                return
            await self._mend()
            left = lasting & await self._ask()
        except AmiError as error:
            log.info("the live picture could not be compared: %s", error)
            return
        kinds = Counter(difference.kind for difference in lasting - left)
        self.mended += kinds
        self.unmended += len(left)
        told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "none"
        log.warning("the live picture differed from the exchange; mended: %s; left: %d", told, len(left))

    async def _ask(self) -> set[Difference]:
        if not self._live().link_up:
            return set()
        queues = await self._exchange.queue_status()
        channels = await self._exchange.core_show_channels()
        ours = [queue for queue in queues if queue.params.queue in self._queues]
        self.checks += 1
        return differences(self._live(), ours, channels, self._call_of_channel)
