"""One call as its two actors share it: whose turn it is, what has been said and when, and what went wrong.

The two sit at two telephones with the real exchange between them. They agree about turns here, as actors do,
but each speaks only after having really heard the other: a call whose sound does not arrive fails.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

from hotline.core.events import Side
from hotline.server.demo.dialogues import Dialogue
from hotline.server.demo.speaking import SpokenLine
from hotline.telephony.phone.call import Call

#: Between the end of one side's sentence and the other's first word.
THINKING_SECONDS = (0.35, 0.8)

#: After goodbye, before the receiver is down.
FAREWELL_SECONDS = 1.0

#: What a sentence takes at most, and how late its sound may come over.
TURN_SECONDS = 30.0
CROSSING_SECONDS = 1.0


class CallFailed(Exception):
    """A call did not go as it must. The text says how, for the person at the keyboard."""


@dataclass(frozen=True, slots=True)
class SaidWord:
    """A word that was really spoken, and the loop's time at which its sound had ended."""

    text: str
    said_at: float


class Conversation:
    """A dialogue being acted out.

    Attributes:
        number: the caller's number: the agent's phone shows it, so the agent knows which play is on.
        dialogue: what is said.
        gives_up: nobody picks up the agent's phone, and after a while the citizen hangs up.
        hangs_up: which side puts the receiver down first.
        failure: what went wrong first, or None.
        said: the words of each side, in order.
    """

    def __init__(self, number: str, dialogue: Dialogue, *, gives_up: bool, hangs_up: Side) -> None:
        self.number = number
        self.dialogue = dialogue
        self.gives_up = gives_up
        self.hangs_up = hangs_up
        self.failure: str | None = None
        self.said: dict[Side, list[SaidWord]] = {Side.CALLER: [], Side.AGENT: []}
        self.rang = asyncio.Event()
        self.answered = asyncio.Event()
        self.left = asyncio.Event()  # the agent has put the receiver down
        self._started: list[float] = []  # by turn: when its first frame went out
        self._finished = 0
        self._changed = asyncio.Event()

    def fail(self, reason: str) -> None:
        """Note what went wrong; the first reason counts."""
        if self.failure is None:
            self.failure = reason
        self._wake()

    async def perform(self, side: Side, call: Call, lines: list[SpokenLine], rng: random.Random) -> None:
        """Speak and listen in turn to the end of the dialogue.

        Args:
            side: who we are.
            call: our telephone's call.
            lines: our sentences, in order.
            rng: how long we think.

        Raises:
            CallFailed: the other side was not heard, or took too long.
        """
        ours = iter(lines)
        for number, turn in enumerate(self.dialogue.turns):
            if turn.side is side:
                await asyncio.sleep(rng.uniform(*THINKING_SECONDS))
                await self._say(side, call, next(ours))
            else:
                await self._hear(number, side, call)

    async def _say(self, side: Side, call: Call, line: SpokenLine) -> None:
        loop = asyncio.get_running_loop()
        self._started.append(loop.time())
        clip = call.play(line.samples)
        await clip.done()
        for word in line.words:
            said_at = clip.sent_at(word.end_seconds)
            if said_at is not None:
                self.said[side].append(SaidWord(word.text, said_at))
        if clip.stopped:
            raise CallFailed("the call ended in the middle of a sentence")
        self._finished += 1
        self._wake()

    async def _hear(self, number: int, side: Side, call: Call) -> None:
        """Wait for the other side's turn to end, and make sure that we heard some of it."""
        try:
            async with asyncio.timeout(TURN_SECONDS):
                while self._finished <= number:
                    if self.failure is not None:
                        raise CallFailed(self.failure)
                    await self._changed.wait()
        except TimeoutError:
            raise CallFailed(f"the {_other(side)} did not speak in turn") from None
        try:
            async with asyncio.timeout(CROSSING_SECONDS):
                while (call.heard.last_sound_at or 0.0) < self._started[number]:
                    await call.heard.wait_packet()
        except (TimeoutError, EOFError):
            raise CallFailed(f"the {_other(side)}'s voice did not reach the {side}") from None

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class Stage:
    """The conversations going on, by the caller's number. Bounded by the demo's number of calls at once."""

    def __init__(self) -> None:
        self._conversations: dict[str, Conversation] = {}

    def enter(self, conversation: Conversation) -> None:
        """A citizen is about to dial."""
        self._conversations[conversation.number] = conversation

    def leave(self, conversation: Conversation) -> None:
        """The call is over."""
        self._conversations.pop(conversation.number, None)

    def of_number(self, number: str) -> Conversation | None:
        """What the caller with this number is here for; None for a caller who is no actor."""
        return self._conversations.get(number)


def _other(side: Side) -> Side:
    return Side.AGENT if side is Side.CALLER else Side.CALLER
