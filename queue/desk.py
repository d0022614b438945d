"""The agents' desk: signing in and out of queues, pausing, resuming, by way of Asterisk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from hotline.config.schema import Agent, Site
from hotline.core.clock import Clock
from hotline.core.errors import ExchangeUnreachable, IllegalState, UnknownName
from hotline.core.events import AgentState
from hotline.core.views import AgentView
from hotline.queue.agents import AgentTable
from hotline.queue.exchange import Exchange
from hotline.telephony.ami.answers import AmiResponse
from hotline.telephony.ami.errors import AmiError, AmiRefused

SEEN_SECONDS = 2.0

ALREADY = ("already there", "not there")
"""What Asterisk answers when the wish is the present state; that is no error to the agent."""


class AmiActions(Protocol):
    """The part of the AMI client that the desk uses."""

    async def action(self, name: str, fields: Mapping[str, str | Sequence[str]]) -> AmiResponse: ...


class Desk:
    """What an agent may do about being available. See ``core.ports.AgentDesk``."""

    def __init__(self, site: Site, actions: AmiActions, exchange: Exchange, clock: Clock) -> None:
        self._agents = {agent.id: agent for agent in site.agents}
        self._actions, self._exchange, self._clock = actions, exchange, clock

    @property
    def _table(self) -> AgentTable:
        return self._exchange.agents

    async def sign_in(self, agent: str) -> AgentView:
        """Make the agent a member of every queue of his or her skills, ready at once."""
        seat = self._agent(agent)
        if not seat.skills:
            raise IllegalState(f"agent {agent} has no skills", hint="give the agent skills in the site file")
        for queue, level in seat.skills.items():
            await self._ask(
                "QueueAdd",
                {
                    "Queue": queue,
                    "Interface": _interface(seat),
                    "MemberName": seat.id,
                    "Penalty": str(level - 1),
                    "Paused": "false",
                    "StateInterface": _interface(seat),
                },
            )
        # a member that was there already keeps its pause, over a restart of Asterisk too
        await self._ask("QueuePause", {"Interface": _interface(seat), "Paused": "false"})
        there = self._table.seat(agent)
        return await self._seen(agent, lambda: set(seat.skills) <= there.queues and not there.paused)

    async def sign_out(self, agent: str) -> AgentView:
        """Take the agent out of every queue; a talk that goes on is not touched."""
        seat = self._agent(agent)
        for queue in sorted(self._table.seat(agent).queues | set(seat.skills)):
            await self._ask("QueueRemove", {"Queue": queue, "Interface": _interface(seat)})
        return await self._seen(agent, lambda: not self._table.seat(agent).queues)

    async def pause(self, agent: str, reason: str) -> AgentView:
        """No new calls for the agent, for ``reason``, until ``resume``."""
        return await self._pause(agent, reason)

    async def resume(self, agent: str) -> AgentView:
        """New calls again."""
        return await self._pause(agent, None)

    async def _pause(self, agent: str, reason: str | None) -> AgentView:
        seat = self._agent(agent)
        if self._table.view(agent).state is AgentState.SIGNED_OUT:
            raise IllegalState(f"agent {agent} is not signed in", hint="sign in first")
        fields = {"Interface": _interface(seat), "Paused": "true" if reason is not None else "false"}
        if reason is not None:
            fields["Reason"] = reason
        await self._ask("QueuePause", fields)
        return await self._seen(agent, lambda: self._table.seat(agent).paused == (reason is not None))

    async def _seen(self, agent: str, reached: Callable[[], bool]) -> AgentView:
        """The agent as the exchange's events show it: they come on another way than the answer did."""
        return await self._exchange.agent_until(agent, reached, SEEN_SECONDS)

    def _agent(self, agent: str) -> Agent:
        try:
            return self._agents[agent]
        except KeyError:
            raise UnknownName(f"no agent {agent}", hint="agents are listed in the site file") from None

    async def _ask(self, name: str, fields: dict[str, str]) -> None:
        """Send one action. Its effect comes back as an event that was written before the answer."""
        try:
            await self._actions.action(name, fields)
        except AmiRefused as error:
            if not any(words in str(error).lower() for words in ALREADY):
                raise IllegalState(f"the exchange refused {name}: {error}") from error
        except AmiError as error:
            raise ExchangeUnreachable(
                "the exchange cannot be reached", hint="the calls go on; try again in a moment"
            ) from error


def _interface(seat: Agent) -> str:
    return f"PJSIP/{seat.extension}"
