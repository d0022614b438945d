"""The agents' desk: signing in and out of queues, breaks, wrap-up, forced states, by way of Asterisk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from hotline.config.schema import Agent, Site
from hotline.core.clock import Clock
from hotline.core.errors import ExchangeUnreachable, IllegalState, UnknownName
from hotline.core.events import AgentForced, AgentState
from hotline.core.views import AgentView
from hotline.queue.agents.seats import Actions
from hotline.queue.exchange import Exchange
from hotline.telephony.ami.errors import AmiError, AmiRefused

SEEN_SECONDS = 2.0

ALREADY = ("already there", "not there")
"""What Asterisk answers when the wish is the present state; that is no error to the agent."""


class Desk:
    """What an agent may do about being available. See ``core.ports.AgentDesk``."""

    def __init__(self, site: Site, actions: Actions, exchange: Exchange, clock: Clock) -> None:
        self._agents = {agent.id: agent for agent in site.agents}
        self._actions, self._clock = actions, clock
        self._seats = exchange.seats
        self._table = exchange.agents

    async def sign_in(self, agent: str, queues: Collection[str] | None = None) -> AgentView:
        """Make the agent a member of ``queues`` (None: all of the skills) and of no other, ready at once."""
        seat = self._agent(agent)
        wanted = set(seat.skills) if queues is None else set(queues)
        if not seat.skills:
            raise IllegalState(
                f"agent {agent} has no skills",
                hint="give the agent skills in the site file",
                code="no_skills",
            )
        if not wanted or not wanted <= set(seat.skills):
            skills = ", ".join(seat.skills)
            raise IllegalState(
                f"agent {agent} cannot serve these queues",
                hint=f"one or more of: {skills}",
                code="foreign_queue",
            )
        there = self._table.seat(agent)
        for queue in sorted(set(there.queues) - wanted):
            await self._ask("QueueRemove", {"Queue": queue, "Interface": _interface(seat)})
        for queue in sorted(wanted):
            await self._ask(
                "QueueAdd",
                {
                    "Queue": queue,
                    "Interface": _interface(seat),
                    "MemberName": seat.id,
                    "Penalty": str(seat.skills[queue] - 1),
                    "Paused": "false",
                    "StateInterface": _interface(seat),
                },
            )
        # a member that was there already keeps its pause, over a restart of Asterisk too
        return await self._paused(agent, None, lambda: wanted == set(there.queues) and not there.paused)

    async def sign_out(self, agent: str) -> AgentView:
        """Take the agent out of every queue; a talk that goes on is not touched."""
        seat = self._agent(agent)
        for queue in sorted(set(self._table.seat(agent).queues) | set(seat.skills)):
            await self._ask("QueueRemove", {"Queue": queue, "Interface": _interface(seat)})
        return await self._seen(agent, lambda: not self._table.seat(agent).queues)

    async def pause(self, agent: str, reason: str) -> AgentView:
        """No new calls for the agent, for ``reason``, until ``resume``; what goes on is finished first."""
        self._signed_in(agent)
        return await self._paused(agent, reason, lambda: self._table.seat(agent).break_reason == reason)

    async def resume(self, agent: str) -> AgentView:
        """New calls again: takes back a break that waits for the wrap-up's end; else ends either."""
        self._signed_in(agent)
        seat = self._table.seat(agent)
        if seat.break_reason is not None and seat.wrap_up is not None:
            return await self._paused(agent, seat.wrap_up.reason, lambda: seat.break_reason is None)
        return await self._paused(agent, None, lambda: not seat.paused)

    async def end_wrap_up(self, agent: str) -> AgentView:
        """Done before the time: new calls again, or the break that was asked for."""
        self._agent(agent)
        seat = self._table.seat(agent)
        if seat.state is not AgentState.WRAP_UP:
            raise IllegalState(
                f"agent {agent} is in no wrap-up", hint="it begins when a call ends", code="no_wrap_up"
            )
        if seat.held_wrap_up is not None and seat.break_reason is None:
            return await self._paused(agent, None, lambda: seat.state is not AgentState.WRAP_UP)
        self._seats.tell(self._table.end_wrap_up(agent, self._clock.now()))
        return await self._seen(agent, lambda: seat.state is not AgentState.WRAP_UP)

    async def extend_wrap_up(self, agent: str, seconds: int) -> AgentView:
        """More time, up to the queue's ``wrap_up_max_seconds``."""
        self._agent(agent)
        self._seats.tell(self._table.extend_wrap_up(agent, seconds, self._clock.now()))
        return self._table.view(agent)

    async def force(self, agent: str, state: AgentState, reason: str, *, by: str) -> AgentView:
        """A supervisor's word: READY, PAUSED for ``reason``, or SIGNED_OUT."""
        if state is AgentState.SIGNED_OUT:
            work = self.sign_out(agent)
        elif state is AgentState.PAUSED:
            work = self.pause(agent, reason)
        elif state is AgentState.READY:
            work = self._free(agent)
        else:
            raise IllegalState(f"nobody can be forced to be {state}", hint="ready, paused or signed_out")
        view = await work
        self._seats.publish(AgentForced(agent, self._clock.now(), state, reason, by))
        return view

    async def _free(self, agent: str) -> AgentView:
        """Neither break nor wrap-up."""
        self._signed_in(agent)
        seat = self._table.seat(agent)
        await self._paused(agent, None, lambda: not seat.paused)
        self._seats.tell(self._table.end_wrap_up(agent, self._clock.now()))
        return self._table.view(agent)

    async def _paused(self, agent: str, reason: str | None, reached: Callable[[], bool]) -> AgentView:
        """Have the agent paused for ``reason`` (None: not), and wait until that is seen."""
        async with self._seats.turn(agent):
            await self._carried_out("QueuePause", self._seats.pause(agent, reason))
            return await self._seen(agent, reached)

    def _signed_in(self, agent: str) -> None:
        self._agent(agent)
        if not self._table.seat(agent).queues:
            raise IllegalState(
                f"agent {agent} is not signed in", hint="sign in first", code="agent_signed_out"
            )

    async def _seen(self, agent: str, reached: Callable[[], bool]) -> AgentView:
        """The agent as the exchange's events show it: they come on another way than the answer did."""
        return await self._seats.until(agent, reached, SEEN_SECONDS)

    def _agent(self, agent: str) -> Agent:
        try:
            return self._agents[agent]
        except KeyError:
            raise UnknownName(f"no agent {agent}", hint="agents are listed in the site file") from None

    async def _ask(self, name: str, fields: dict[str, str]) -> None:
        """Send one action. Its effect comes back as an event that was written before the answer."""
        await self._carried_out(name, self._actions.action(name, fields))

    async def _carried_out(self, name: str, asked: Awaitable[object]) -> None:
        try:
            await asked
        except AmiRefused as error:
            if not any(words in str(error).lower() for words in ALREADY):
                raise IllegalState(
                    f"the exchange refused {name}: {error}", code="exchange_refused"
                ) from error
        except AmiError as error:
            raise ExchangeUnreachable(
                "the exchange cannot be reached", hint="the calls go on; try again in a moment"
            ) from error


def _interface(seat: Agent) -> str:
    return f"PJSIP/{seat.extension}"
