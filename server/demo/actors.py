"""The people of the demo: citizens who call and agents who answer, each at a telephone of their own."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable
from typing import TypeVar

from hotline.core.errors import PeerError
from hotline.core.events import Side
from hotline.server.demo.console_client import ConsoleClient
from hotline.server.demo.conversation import (
    FAREWELL_SECONDS,
    CallFailed,
    Conversation,
    Stage,
)
from hotline.server.demo.speaking import Speaking
from hotline.speech.voice import Voice
from hotline.telephony.phone.call import Call
from hotline.telephony.phone.phone import Phone
from hotline.telephony.phone.states import CallRefused, CallStateError
from hotline.telephony.phone.transactions import Endpoint

T = TypeVar("T")
log = logging.getLogger(__name__)

#: How long the exchange may take to pick up, and the other side to put the receiver down.
PICK_UP_SECONDS = 15.0
PUT_DOWN_SECONDS = 10.0

#: A citizen presses a key when the voice has been quiet for so long, or after so long without listening on.
MENU_QUIET_SECONDS = 0.9
MENU_PATIENCE_SECONDS = (7.5, 10.0)

#: How long a citizen who means to give up lets the agent's phone ring: longer than a short abandon.
GIVING_UP_SECONDS = (5.5, 9.0)

#: How likely a citizen says how satisfied they are, and by which key: 5 is very satisfied.
OPINION_CHANCE = 0.7
OPINIONS = "5555444321"

#: How long an agent lets the phone ring.
RING_SECONDS = (0.8, 2.5)

#: A break between two calls.
BREAK_SECONDS = (15.0, 40.0)

#: What an agent says to a caller who is not of the play: a visitor with a telephone.
VISITOR_GREETING = "您好，请讲。"
VISITOR_SECONDS = 60.0


class CitizenActor:
    """Somebody who calls the hotline once.

    Args:
        stage: where the agent finds the play.
        conversation: the play.
        server: the exchange's SIP address.
        voice: how the citizen sounds.
        speaking: the synthesiser.
        patience_seconds: how long to wait for a person after the last key.
        rng: pauses and reactions.
    """

    def __init__(
        self,
        stage: Stage,
        conversation: Conversation,
        server: Endpoint,
        voice: Voice,
        speaking: Speaking,
        *,
        patience_seconds: float,
        rng: random.Random,
    ) -> None:
        self._stage = stage
        self._conversation = conversation
        self._server = server
        self._voice = voice
        self._speaking = speaking
        self._patience_seconds = patience_seconds
        self._rng = rng

    async def call(self) -> None:
        """Make the call from dialling to hanging up; what goes wrong is noted in the conversation."""
        conversation = self._conversation
        texts = [turn.text for turn in conversation.dialogue.turns if turn.side is Side.CALLER]
        lines = await self._speaking.lines(texts, self._voice)
        self._stage.enter(conversation)
        try:
            async with Phone(conversation.number, server=self._server) as phone:
                call = await phone.call(conversation.dialogue.dial)
                async with asyncio.timeout(PICK_UP_SECONDS):
                    await call.wait_answered()
                await _while_up(call, self._choose(call))
                if not await self._wait_for_agent(call):
                    return
                await _while_up(call, conversation.perform(Side.CALLER, call, lines, self._rng))
                if conversation.hangs_up is Side.CALLER:
                    await _part(call, ours=True)
                else:
                    await self._be_left(call)
        except CallRefused as refusal:
            conversation.fail(f"the exchange refused the call: {refusal.status} {refusal.reason}")
        except TimeoutError:
            conversation.fail("the exchange did not pick up")
        except (CallFailed, CallStateError, EOFError) as failure:
            conversation.fail(str(failure))
        finally:
            self._stage.leave(conversation)

    async def _choose(self, call: Call) -> None:
        """Listen to each menu for as long as it seems worth it, then press the key."""
        for key in self._conversation.dialogue.keys:
            try:
                async with asyncio.timeout(self._rng.uniform(*MENU_PATIENCE_SECONDS)):
                    await _next_quiet(call, MENU_QUIET_SECONDS)
            except TimeoutError:
                log.debug("a citizen presses a key before the menu has ended")
            await call.send_dtmf(key)

    async def _wait_for_agent(self, call: Call) -> bool:
        """Wait for a person; False when this citizen hung up instead, on purpose."""
        conversation = self._conversation
        awaited = conversation.rang if conversation.gives_up else conversation.answered
        try:
            async with asyncio.timeout(self._patience_seconds):
                await _while_up(call, awaited.wait())
        except TimeoutError:
            if not conversation.gives_up:
                raise CallFailed(f"no agent answered within {self._patience_seconds:.0f} s") from None
        if conversation.gives_up:
            await asyncio.sleep(self._rng.uniform(*GIVING_UP_SECONDS))
            await call.hangup()
            return False
        return True

    async def _be_left(self, call: Call) -> None:
        """The agent puts the receiver down. Asked how satisfied we are, we press a key, or hang up too."""
        try:
            async with asyncio.timeout(PUT_DOWN_SECONDS):
                await _while_up(call, self._hear_question(call))
        except TimeoutError:
            raise CallFailed("the other side's hanging up did not arrive") from None
        except (CallFailed, EOFError):
            return  # nobody is asked on this line
        if self._rng.random() < OPINION_CHANCE:
            await call.send_dtmf(self._rng.choice(OPINIONS))
            await asyncio.sleep(FAREWELL_SECONDS)
        await call.hangup()

    async def _hear_question(self, call: Call) -> None:
        await self._conversation.left.wait()
        began = asyncio.get_running_loop().time()
        while (call.heard.last_sound_at or 0.0) < began:
            await call.heard.wait_packet()


class AgentActor:
    """Somebody who sits at a seat: signs in by the console, answers the phone, signs out at the end.

    Args:
        stage: where the plays are.
        phone: the seat's telephone, open; the actor registers it.
        console: signed in to the console as this agent.
        voice: how the agent sounds.
        speaking: the synthesiser.
        rng: pauses and reactions.
        break_chance: how likely a short break is after a call.
    """

    def __init__(
        self,
        stage: Stage,
        phone: Phone,
        console: ConsoleClient,
        voice: Voice,
        speaking: Speaking,
        *,
        rng: random.Random,
        break_chance: float = 0.0,
    ) -> None:
        self._stage = stage
        self._phone = phone
        self._console = console
        self._voice = voice
        self._speaking = speaking
        self._rng = rng
        self._break_chance = break_chance

    async def begin(self) -> None:
        """Register the telephone and sign in to the queues.

        Raises:
            HotlineError: the exchange or the console refused.
        """
        await self._phone.register()
        await self._console.agent("sign-in")

    async def end(self) -> None:
        """Sign out of the queues."""
        await self._console.agent("sign-out")

    async def work(self) -> None:
        """Answer calls until cancelled or until the telephone is closed."""
        async for call in self._phone.incoming():
            await self._take(call)
            if self._rng.random() < self._break_chance:
                await self._take_a_break()

    async def _take(self, call: Call) -> None:
        """One call from its ring to its end."""
        conversation = self._stage.of_number(call.number)
        try:
            call.ring()
            if conversation is None:
                await self._receive_visitor(call)
                return
            conversation.rang.set()
            if conversation.gives_up:
                await call.wait_ended()  # away from the desk: the phone rings in vain
                return
            texts = [turn.text for turn in conversation.dialogue.turns if turn.side is Side.AGENT]
            async with asyncio.TaskGroup() as ringing:
                preparing = ringing.create_task(self._speaking.lines(texts, self._voice))
                ringing.create_task(asyncio.sleep(self._rng.uniform(*RING_SECONDS)))
            lines = preparing.result()
            await call.answer()
            conversation.answered.set()
            await _while_up(call, conversation.perform(Side.AGENT, call, lines, self._rng))
            await _part(call, ours=conversation.hangs_up is Side.AGENT)
            conversation.left.set()
        except CallStateError:
            log.debug("a caller was gone before the agent answered")
        except (CallFailed, EOFError) as failure:
            if conversation is not None:
                conversation.fail(str(failure))
        await (
            call.hangup()
        )  # not when cancelled: then the phone is about to be closed, which takes bounded time

    async def _receive_visitor(self, call: Call) -> None:
        """Somebody with a telephone of their own tries the demo: greet and listen."""
        greeting = await self._speaking.line(VISITOR_GREETING, self._voice)
        await call.answer()
        call.play(greeting.samples)
        try:
            async with asyncio.timeout(VISITOR_SECONDS):
                await call.wait_ended()
        except TimeoutError:
            log.info("a visitor's call is ended after %.0f s", VISITOR_SECONDS)

    async def _take_a_break(self) -> None:
        """Pause with the site's first reason, then be ready again."""
        try:
            await self._console.agent("pause", {"reason": self._console.pause_reasons[0]})
            await asyncio.sleep(self._rng.uniform(*BREAK_SECONDS))
            await self._console.agent("resume")
        except PeerError as refusal:  # e.g. a call came in between: the break has to wait
            log.info("a break was not granted: %s", refusal.message)


async def _while_up(call: Call, work: Awaitable[T]) -> T:
    """Await ``work``, unless the call ends first."""
    doing = asyncio.ensure_future(work)
    ending = asyncio.ensure_future(call.wait_ended())
    try:
        await asyncio.wait({doing, ending}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            return doing.result()
        raise CallFailed("the call ended too early")
    finally:
        doing.cancel()
        ending.cancel()
        await asyncio.gather(doing, ending, return_exceptions=True)


async def _part(call: Call, *, ours: bool) -> None:
    """Put the receiver down after a moment, or wait for the other side to do so."""
    if ours:
        await asyncio.sleep(FAREWELL_SECONDS)
        await call.hangup()
        return
    try:
        async with asyncio.timeout(PUT_DOWN_SECONDS):
            await call.wait_ended()
    except TimeoutError:
        raise CallFailed("the other side's hanging up did not arrive") from None


async def _next_quiet(call: Call, seconds: float) -> None:
    """Wait until something new has been said and then nothing for so long."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    while (call.heard.last_sound_at or 0.0) < start:
        await call.heard.wait_packet()
    await call.heard.wait_quiet(seconds)
