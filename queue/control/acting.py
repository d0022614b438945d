"""What acting on a live call has in common: asking the exchange, finding the phone, doing a thing once."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from weakref import WeakValueDictionary

from hotline.config.schema import Agent, Site
from hotline.core.clock import Clock
from hotline.core.control import Asker
from hotline.core.errors import ExchangeUnreachable, IllegalState, UnknownName
from hotline.core.views import CallView
from hotline.queue.control.legs import Leg, Talk
from hotline.queue.control.live_talks import LiveTalks
from hotline.telephony.ami.answers import AmiResponse
from hotline.telephony.ami.errors import AmiError, AmiRefused
from hotline.telephony.ami.wire import FieldValue
from hotline.telephony.asterisk_config.features import UNHOLD

RING_MILLISECONDS: Final = 30_000  # an agent's own phone
SETTLE_SECONDS: Final = 4.0  # for the exchange's events to show what an action did
AGAIN_SECONDS: Final = 2.0  # the same asked again so soon is a double click


class Actions(Protocol):
    """The part of the AMI client that acting uses."""

    async def action(self, name: str, fields: Mapping[str, FieldValue]) -> AmiResponse: ...


@dataclass(frozen=True, slots=True)
class OnCall:
    """A call to act on, and the agent's phone that has it."""

    view: CallView
    talk: Talk
    leg: Leg

    @property
    def agent(self) -> str:
        """Whose phone it is."""
        return self.leg.agent or ""


class Acting:
    """The common ground of CallControl and Supervision."""

    def __init__(self, site: Site, actions: Actions, talks: LiveTalks, clock: Clock) -> None:
        self.site, self.talks = site, talks
        self.agents: dict[str, Agent] = {agent.id: agent for agent in site.agents}
        self._actions, self._clock, self._count = actions, clock, itertools.count(1)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # while somebody acts
        self._last: dict[str, tuple[Hashable, float, CallView]] = {}  # call -> what was done last, when

    async def ask(self, name: str, fields: Mapping[str, FieldValue]) -> AmiResponse:
        """Have the exchange do something.

        Raises:
            IllegalState: it refused.
            ExchangeUnreachable: it cannot be asked.
        """
        try:
            return await self._actions.action(name, fields)
        except AmiRefused as error:
            raise IllegalState(
                f"the exchange refused: {error.reason}",
                hint="the call may have just ended or changed",
                code="exchange_refused",
            ) from error
        except AmiError as error:
            raise ExchangeUnreachable(
                "the exchange cannot be reached", hint="the calls go on; try again in a moment"
            ) from error

    def now(self) -> datetime:
        """The present."""
        return self._clock.now()

    async def key(self, leg: Leg, code: str) -> None:
        """Press keys on an agent's phone, as far as the exchange can tell."""
        for digit in code:
            await self.ask("PlayDTMF", {"Channel": leg.uniqueid, "Digit": digit, "Receive": "true"})

    def on_call(self, who: Asker, call_id: str) -> OnCall:
        """The call, and the phone that acts: the asker's own, or, for a supervisor, whoever's has the call.

        Raises:
            UnknownName: no such call, or not the asker's.
        """
        view = self.live_call(call_id)
        talk = self.talks.talk(call_id)
        leg = talk.leg_of(who.agent) if who.agent is not None else None
        if leg is None and who.supervisor:
            leg = talk.serving
        if leg is None:
            if who.supervisor:
                raise IllegalState(
                    "nobody talks with this caller now",
                    hint="wait until somebody answers",
                    code="nobody_talks",
                )
            raise UnknownName("there is no such call on your phone")
        return OnCall(view, talk, leg)

    def live_call(self, call_id: str) -> CallView:
        """A call that is alive.

        Raises:
            UnknownName: there is none.
        """
        view = self.talks.view(call_id)
        if view is None:
            raise UnknownName("there is no such call now")
        return view

    async def once(
        self, who: Asker, call_id: str, wish: Hashable, act: Callable[[], Awaitable[CallView]]
    ) -> CallView:
        """Do one thing at a time on a call; a wish repeated at once is answered without doing it again."""
        lock = self._locks.setdefault(call_id, asyncio.Lock())
        async with lock:
            now = self._clock.monotonic()
            self._last = {key: one for key, one in self._last.items() if now - one[1] < AGAIN_SECONDS}
            last = self._last.get(call_id)
            if last is not None and last[0] == (who, wish):
                return self.talks.view(call_id) or last[2]
            before = await act()
            view = self.talks.view(call_id) or before
            self._last[call_id] = ((who, wish), self._clock.monotonic(), view)
            return view

    async def settle(self, call_id: str, reached: Callable[[Talk], bool], what: str) -> None:
        """Wait until the exchange shows that it is done.

        Raises:
            IllegalState: it does not, in time.
        """
        if not await self.talks.until(lambda: reached(self.talks.talk(call_id)), SETTLE_SECONDS):
            raise IllegalState(
                f"{what} did not come about", hint="look at the call and try again", code="did_not_happen"
            )

    async def off_hold(self, on: OnCall) -> None:
        """Take the caller off hold, by whichever way the hold came."""
        if not on.talk.held:
            return
        if on.talk.caller is not None and on.talk.caller.held:
            await self.key(on.leg, UNHOLD)
        else:
            await self.notify(on.leg, "talk")
        await self.settle(on.view.call_id, lambda talk: not talk.held, "the end of the hold")

    async def notify(self, leg: Leg, event: str) -> None:
        """Tell an agent's phone to answer or resume (``talk``) or to hold (``hold``)."""
        await self.ask("PJSIPNotify", {"Channel": leg.channel, "Variable": f"Event={event}"})

    async def blind(self, on: OnCall, exten: str) -> None:
        """Hand the caller over to an extension of the transfer context."""
        await self.off_hold(on)
        fields = {"Channel": on.leg.uniqueid, "Context": "hotline-transfer", "Exten": exten}
        await self.ask("BlindTransfer", fields)
        gone = on.leg.uniqueid
        await self.settle(
            on.view.call_id, lambda talk: gone not in (leg.uniqueid for leg in talk.phones), "the transfer"
        )

    async def free_phone(self, agent: str, *, but_for: str = "") -> Agent:
        """The agent of the site file, if their phone can be rung now, as the exchange itself says.

        The agent table does not tell: the phone of somebody signed out may be there or not.

        Args:
            agent: whose.
            but_for: a channel of that phone that will be gone before it is rung.

        Raises:
            UnknownName: there is no such agent.
            IllegalState: the phone rings or is in use (``phone_busy``), or is gone (``phone_unreachable``).
            ExchangeUnreachable: the exchange cannot be asked.
        """
        if agent not in self.agents:
            raise UnknownName(f"there is no agent {agent}", hint="agents are listed in the site file")
        found = self.agents[agent]
        if any(leg.uniqueid != but_for for leg in self.talks.book.of_agent(agent)):
            hint = "try again when the call is over, or choose somebody else"
            raise IllegalState(f"the phone of {found.name} is in use", hint=hint, code="phone_busy")
        said = await self.ask("Getvar", {"Variable": f"PJSIP_DIAL_CONTACTS({found.extension})"})
        if not said.headers.get("Value"):
            raise _unreachable(found)
        return found

    async def ring(self, agent: Agent, purpose: str, fields: Mapping[str, FieldValue]) -> str:
        """Ring an agent's phone for something; the unique id of its channel, which says what for.

        Raises:
            IllegalState: it cannot be rung.
            ExchangeUnreachable: the exchange cannot be asked.
        """
        stamp = round(self.now().timestamp() * 1000)  # ids outlive a restart of this server
        node = self.site.site.node
        channel_id = f"{node}-{purpose}-{agent.extension}-{stamp}.{next(self._count)}"
        await self.ask(
            "Originate",
            {
                "Channel": f"PJSIP/{agent.extension}",
                "ChannelId": channel_id,
                "Timeout": str(RING_MILLISECONDS),
                "Async": "true",
                **fields,
            },
        )
        if not await self.talks.until(lambda: self.talks.book.leg(channel_id) is not None, SETTLE_SECONDS):
            raise _unreachable(agent)
        return channel_id


def _unreachable(agent: Agent) -> IllegalState:
    hint = "choose somebody else, or see that it is registered"
    return IllegalState(f"the phone of {agent.name} cannot be reached", hint=hint, code="phone_unreachable")
