"""What an agent does with a live call, by the exchange's own means: it holds when this server is gone.

Every action is one of Asterisk's features pressed on the agent's channel (transfer, enquiry, three-way, hold)
or one of its manager's actions. The call never leaves its bridge but by a transfer, so app_queue's books stay
right.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from hotline.core.control import Asker, CallVerb, Target, TargetKind
from hotline.core.errors import HotlineError, IllegalState, UnknownName
from hotline.core.events import AgentState, ConsultState
from hotline.core.views import (
    AgentTarget,
    CallView,
    EmergencyTarget,
    OutsideTarget,
    QueueTarget,
    Targets,
)
from hotline.queue.control.acting import Acting, OnCall
from hotline.queue.control.legs import Leg, Talk
from hotline.queue.control.live_talks import MUTED
from hotline.queue.control.numbers import dialled
from hotline.telephony.ami.wire import escape_variable
from hotline.telephony.asterisk_config.callback import NAME as CALLBACK
from hotline.telephony.asterisk_config.callback import PURPOSE
from hotline.telephony.asterisk_config.features import CONSULT_COMPLETE, HOLD, THREE_WAY
from hotline.telephony.asterisk_config.transfer import NAME as TRANSFER
from hotline.telephony.asterisk_config.transfer import OUTSIDE_RING_SECONDS, QUEUE_PREFIX

log = logging.getLogger(__name__)

JOIN_TRIES: Final = 3
JOIN_SECONDS: Final = 2.0  # for the exchange to join all three
ASK_TIMES, ASK_SECONDS = 4, 1.5
"""How often an enquiry is asked for, and how long each time is given: more than TRANSFER_FAILED takes."""


class Control:
    """The CallControl port. ``aclose`` ends what it still waits for; calls go on."""

    def __init__(self, acting: Acting) -> None:
        self._acting, self._site = acting, acting.site
        self._emergencies: set[asyncio.Task[None]] = set()
        self._verbs: dict[CallVerb, Callable[[OnCall], Awaitable[None]]] = {
            CallVerb.ANSWER: self._answer,
            CallVerb.HANGUP: self._hang_up,
            CallVerb.HOLD: self._hold,
            CallVerb.UNHOLD: acting.off_hold,
            CallVerb.MUTE: lambda on: self._mute(on, True),
            CallVerb.UNMUTE: lambda on: self._mute(on, False),
            CallVerb.CONSULT_COMPLETE: self._complete,
            CallVerb.CONSULT_CANCEL: self._cancel,
            CallVerb.THREE_WAY: self._three_way,
            CallVerb.THREE_WAY_DROP: self._drop_third,
        }

    async def aclose(self) -> None:
        """Wait for no emergency service any more; the agent's keys still join it."""
        for task in self._emergencies:
            task.cancel()
        await asyncio.gather(*self._emergencies, return_exceptions=True)

    async def do(self, who: Asker, call_id: str, verb: CallVerb) -> CallView:
        """One of the verbs, on the phone that has the call."""

        async def act() -> CallView:
            on = self._acting.on_call(who, call_id)
            await self._verbs[verb](on)
            return on.view

        return await self._acting.once(who, call_id, verb, act)

    async def transfer(self, who: Asker, call_id: str, target: Target) -> CallView:
        """Hand the caller over at once."""

        async def act() -> CallView:
            on = self._talking(who, call_id)
            await self._acting.blind(on, await self._exten(target, on))
            return on.view

        return await self._acting.once(who, call_id, target, act)

    async def consult(self, who: Asker, call_id: str, target: Target) -> CallView:
        """Ask somebody while the caller hears music."""

        async def act() -> CallView:
            on = self._talking(who, call_id)
            if target.kind is TargetKind.QUEUE:
                raise IllegalState(
                    "a queue cannot be asked",
                    hint="hand the call over, or ask an agent",
                    code="queue_not_asked",
                )
            await self._ask_party(on, await self._exten(target, on))
            return on.view

        return await self._acting.once(who, call_id, ("consult", target), act)

    async def emergency(self, who: Asker, call_id: str, service: str) -> CallView:
        """Ask an emergency service and join it with the caller as soon as it answers.

        Whomever else the agent asks must wait; a third party stays, and talks with the caller meanwhile.
        """
        number = next((one.number for one in self.targets().emergency if one.service == service), None)
        if number is None:
            raise UnknownName(
                f"no emergency service {service}", hint="they are listed under transfer.numbers"
            )

        async def act() -> CallView:
            on = self._acting.on_call(who, call_id)
            if _state(on.talk) is not ConsultState.THREE_WAY:
                if on.talk.consult is not None and on.talk.consult.asking is on.leg:
                    await self._cancel(on)
                on = self._talking(who, call_id)
            await self._ask_party(on, number)
            task = asyncio.create_task(self._join_when_answered(on, service, number), name="emergency")
            self._emergencies.add(task)
            task.add_done_callback(self._emergencies.discard)
            return on.view

        return await self._acting.once(who, call_id, ("emergency", service), act)

    async def call_back(self, who: Asker, call_id: str, number: str, line: str) -> None:
        """Ring the agent's phone, then the number, over the trunk: a call of its own, of the same line."""
        if self._site.transfer.trunk is None:
            raise IllegalState(
                "this site dials nobody outside",
                hint="set transfer.trunk in the site file",
                code="nobody_outside",
            )
        agent = await self._acting.free_phone(who.agent or "")
        shown = self._site.line_of_did("12345") or self._site.lines[0]
        variables = {
            "HOTLINE_CALLBACK_OF": call_id,
            "HOTLINE_CALLBACK_AGENT": agent.id,
            "HOTLINE_CALLBACK_FROM": shown.number or "",
            "__HOTLINE_LINE": line,  # __: whoever the citizen is handed on to knows it too
        }
        fields = {
            "Context": CALLBACK,
            "Exten": dialled(number),
            "Priority": "1",
            "CallerID": f"<{number}>",
            "Variable": [f"{name}={escape_variable(text)}" for name, text in variables.items()],
        }
        await self._acting.ring(agent, PURPOSE, fields)

    def targets(self) -> Targets:
        """Everybody in the site file a call may go to, as they are now."""
        live = self._acting.talks.live()
        seats = {seat.agent: seat for seat in live.agents}
        state = {agent: seat.state for agent, seat in seats.items()}
        numbers = self._site.transfer.numbers
        return Targets(
            agents=tuple(
                AgentTarget(one.id, one.name, one.extension, state.get(one.id, AgentState.SIGNED_OUT))
                for one in self._site.agents
            ),
            queues=tuple(
                QueueTarget(
                    queue.name,
                    queue.title,
                    sum(waiting.queue == queue.name for waiting in live.waiting),
                    sum(seat.state is AgentState.READY and queue.name in seat.queues for seat in live.agents),
                )
                for queue in self._site.queues
            ),
            outside=tuple(OutsideTarget(one.name, one.number) for one in numbers if not one.emergency),
            emergency=tuple(
                EmergencyTarget(one.emergency_service, one.name, one.number)
                for one in numbers
                if one.emergency_service is not None
            ),
        )

    async def _answer(self, on: OnCall) -> None:
        if on.leg.up:
            return
        if not self._has_remote_control(on):
            raise IllegalState(
                "this phone cannot be answered from here",
                hint="lift its handset, or set remote_control: notify if it knows NOTIFY",
                code="answer_by_hand",
            )
        await self._acting.notify(on.leg, "talk")
        await self._acting.settle(on.view.call_id, lambda _: on.leg.up, "the answer")

    async def _hang_up(self, on: OnCall) -> None:
        """The caller goes too, but for a three-way talk: then those who are left stay together."""
        await self._drop(on, on.leg)

    async def _drop_third(self, on: OnCall) -> None:
        if _state(on.talk) is not ConsultState.THREE_WAY:
            raise IllegalState("there are no three in this talk", code="not_three_way")
        third = on.talk.talkers[-1]
        if third is on.leg:
            raise IllegalState("this phone is the third party", hint="hang up to leave", code="third_party")
        await self._drop(on, third)

    async def _drop(self, on: OnCall, leg: Leg) -> None:
        """End a phone's channel."""
        await self._acting.ask("Hangup", {"Channel": leg.uniqueid})
        await self._acting.settle(
            on.view.call_id,
            lambda talk: leg.uniqueid not in (one.uniqueid for one in talk.phones),
            "the hang-up",
        )

    async def _hold(self, on: OnCall) -> None:
        if on.talk.held:
            return
        self._must_talk(on)
        if self._has_remote_control(on):
            await self._acting.notify(on.leg, "hold")
        else:
            await self._acting.key(on.leg, HOLD)
        await self._acting.settle(on.view.call_id, lambda talk: talk.held, "the hold")

    async def _mute(self, on: OnCall, muted: bool) -> None:
        if not on.leg.up:
            raise IllegalState("nobody talks yet", hint="answer first", code="not_talking")
        state = {"Direction": "in", "State": "on" if muted else "off"}
        await self._acting.ask("MuteAudio", {"Channel": on.leg.uniqueid, **state})
        value = "1" if muted else "0"
        await self._acting.ask("Setvar", {"Channel": on.leg.uniqueid, "Variable": MUTED, "Value": value})
        self._acting.talks.set_muted(on.leg, muted)

    async def _complete(self, on: OnCall) -> None:
        self._must_ask(on)
        await self._acting.key(on.leg, CONSULT_COMPLETE)
        gone = on.leg.uniqueid
        await self._acting.settle(
            on.view.call_id, lambda talk: gone not in (leg.uniqueid for leg in talk.phones), "the transfer"
        )

    async def _cancel(self, on: OnCall) -> None:
        self._must_ask(on)
        await self._acting.ask("CancelAtxfer", {"Channel": on.leg.uniqueid})
        await self._acting.settle(
            on.view.call_id, lambda talk: talk.consult is None and on.leg in talk.talkers, "the way back"
        )

    async def _three_way(self, on: OnCall) -> None:
        if _state(on.talk) is ConsultState.THREE_WAY:
            return
        self._must_ask(on)
        if _state(on.talk) is ConsultState.RINGING:
            raise IllegalState(
                "the one asked has not answered", hint="join them when they have", code="target_rings"
            )
        await self._acting.key(on.leg, THREE_WAY)
        await self._acting.settle(
            on.view.call_id, lambda talk: _state(talk) is ConsultState.THREE_WAY, "the three-way talk"
        )

    async def _ask_party(self, on: OnCall, exten: str) -> None:
        """Begin an enquiry. Asterisk loses the wish while it says that the one before came to nothing."""
        await self._acting.off_hold(on)
        talks, call_id = self._acting.talks, on.view.call_id
        begun = (ConsultState.RINGING, ConsultState.TALKING)
        for _ in range(ASK_TIMES):
            await self._acting.ask(
                "Atxfer", {"Channel": on.leg.uniqueid, "Exten": exten, "Context": TRANSFER}
            )
            if await talks.until(lambda: _state(talks.talk(call_id)) in begun, ASK_SECONDS):
                return
        raise IllegalState(
            "the enquiry did not come about", hint="look at the call and try again", code="did_not_happen"
        )

    async def _join_when_answered(self, on: OnCall, service: str, number: str) -> None:
        """Three-way as soon as the service answers; given up when it does not, or the agent goes back."""
        call_id, talks = on.view.call_id, self._acting.talks

        def state() -> ConsultState | None:
            consult = talks.talk(call_id).consult
            return consult.state if consult is not None and consult.target == number else None

        if not await talks.until(lambda: state() is not ConsultState.RINGING, OUTSIDE_RING_SECONDS):
            return
        for _ in range(JOIN_TRIES):
            if state() is not ConsultState.TALKING:
                return  # joined, or the agent went back, or one of them hung up
            with suppress(HotlineError):  # the link may be back in a moment
                await self._acting.key(on.leg, THREE_WAY)
            await talks.until(lambda: state() is not ConsultState.TALKING, JOIN_SECONDS)
        if state() is ConsultState.TALKING:
            log.error("call %s: an emergency service answered and could not be joined", call_id)
            self._acting.talks.not_joined(call_id, on.agent, service)

    async def _exten(self, target: Target, on: OnCall) -> str:
        """What to dial in the transfer context."""
        match target.kind:
            case TargetKind.AGENT:
                if target.value == on.agent:
                    raise IllegalState(
                        "that is the agent who has the call", hint="choose somebody else", code="own_target"
                    )
                return (await self._acting.free_phone(target.value)).extension
            case TargetKind.QUEUE if target.value in {queue.name for queue in self._site.queues}:
                return QUEUE_PREFIX + target.value
            case TargetKind.NUMBER if target.value in {one.number for one in self._site.transfer.numbers}:
                return target.value
        raise UnknownName(f"no {target.kind.value} {target.value} to hand calls to", hint="see /api/targets")

    def _talking(self, who: Asker, call_id: str) -> OnCall:
        on = self._acting.on_call(who, call_id)
        self._must_talk(on)
        return on

    def _must_talk(self, on: OnCall) -> None:
        if _state(on.talk) is ConsultState.THREE_WAY:
            hint = "let the third party leave first"
            raise IllegalState("three are in this talk", hint=hint, code="three_way")
        if on.talk.consult is not None:
            hint = "complete or cancel it first"
            raise IllegalState("an enquiry is under way", hint=hint, code="enquiry_under_way")
        if on.leg not in on.talk.talkers:
            raise IllegalState(
                "nobody talks with the caller on this phone", hint="answer first", code="not_talking"
            )

    def _must_ask(self, on: OnCall) -> None:
        if _state(on.talk) is ConsultState.THREE_WAY:
            hint = "hang up to leave the two together, or let the third party leave"
            raise IllegalState("all three talk already", hint=hint, code="three_way")
        if on.talk.consult is None or on.talk.consult.asking is not on.leg:
            raise IllegalState("no enquiry is under way", hint="ask somebody first", code="no_enquiry")

    def _has_remote_control(self, on: OnCall) -> bool:
        agent = self._acting.agents.get(on.agent)
        return agent is not None and agent.remote_control == "notify"


def _state(talk: Talk) -> ConsultState | None:
    return talk.consult.state if talk.consult else None
