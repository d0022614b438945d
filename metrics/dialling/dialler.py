"""One test call by our own SIP phone: dial, measure, press keys, listen, hang up."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from hotline.core.errors import HotlineError
from hotline.core.trials import TrialOrder, TrialResult
from hotline.telephony.phone.call import Call
from hotline.telephony.phone.phone import Phone
from hotline.telephony.phone.states import CallRefused, CallStateError

QUIET_SECONDS: Final = 1.2  # a prompt is over once it has been quiet for so long
SAME_MOMENT: Final = 0.05  # rings and answers nearer than this are one message
PROMPT_SECONDS: Final = 15.0  # a key is pressed after so long, whatever is being said
NO_REPLY: Final = 408  # SIP: nobody said anything


@dataclass(slots=True)
class Heard:
    """What a call came to; seconds count from dialling, or from the answer where that is said.

    Attributes:
        rang_after, answered_after: None where it never did.
        first_sound: from the answer.
        up_seconds: from the answer to the end.
        keys: each key pressed, with its seconds from the answer.
        samples: int16 at 8 kHz, what the other side said.
    """

    result: TrialResult = TrialResult.FAILED
    status: int = 0
    rang_after: float | None = None
    answered_after: float | None = None
    first_sound: float | None = None
    up_seconds: float = 0.0
    keys: list[tuple[str, float]] = field(default_factory=list)
    samples: npt.NDArray[np.int16] = field(default_factory=lambda: np.zeros(0, np.int16))

    @property
    def answer_seconds(self) -> float | None:
        """From the first ring to the answer; from dialling where it was answered without ringing."""
        if self.answered_after is None:
            return None
        rang = self.rang_after if self.rang_after is not None else self.answered_after
        return self.answered_after - (rang if rang < self.answered_after - SAME_MOMENT else 0.0)


async def dial(order: TrialOrder, server: tuple[str, int], caller_number: str) -> Heard:
    """Make one call, which lasts ``order.ring_seconds`` and ``order.seconds`` at the most."""
    heard = Heard()
    loop = asyncio.get_running_loop()
    try:
        phone = Phone(
            caller_number,
            server=server,
            local_host=await asyncio.to_thread(_own_address, server),
            max_recorded_seconds=order.seconds + 5.0,
        )
        async with phone:
            call = await phone.call(order.number)
            began = loop.time()
            ringing = asyncio.create_task(_note_ring(call, heard, began))
            try:
                async with asyncio.timeout(order.ring_seconds):
                    await call.wait_answered()
                heard.answered_after = loop.time() - began
                heard.result, heard.status = TrialResult.ANSWERED, 200
                await _listen(call, order, heard)
            except TimeoutError:
                heard.result, heard.status = TrialResult.NO_ANSWER, NO_REPLY
            except CallRefused as refusal:
                heard.result, heard.status = TrialResult.REFUSED, refusal.status
            finally:
                ringing.cancel()
                await asyncio.wait({ringing})
                await call.hangup()
    except (OSError, HotlineError):  # no way to the server, a number that cannot be dialled
        heard.result = TrialResult.FAILED
    return heard


async def _note_ring(call: Call, heard: Heard, began: float) -> None:
    try:
        await call.wait_ringing()
    except CallRefused:
        return
    heard.rang_after = asyncio.get_running_loop().time() - began


async def _listen(call: Call, order: TrialOrder, heard: Heard) -> None:
    """Listen until the time is over or they hang up, pressing the keys on the way."""
    loop = asyncio.get_running_loop()
    answered = loop.time()
    ended = asyncio.create_task(call.wait_ended())
    pressing = asyncio.create_task(_press(call, order.keys, heard, answered))
    try:
        await asyncio.wait({ended}, timeout=order.seconds)
    finally:
        for task in (ended, pressing):
            task.cancel()
        await asyncio.wait({ended, pressing})
    heard.up_seconds = loop.time() - answered
    if call.heard.first_sound_at is not None:
        heard.first_sound = max(0.0, call.heard.first_sound_at - answered)
    heard.samples = call.heard.samples()


async def _press(call: Call, keys: str, heard: Heard, answered: float) -> None:
    loop = asyncio.get_running_loop()
    since = answered
    for key in keys:
        try:
            async with asyncio.timeout(PROMPT_SECONDS):
                await _prompt_is_over(call, since)
        except TimeoutError:
            pass  # it says nothing, or talks on: many menus take keys at any time
        except EOFError:
            return
        since = loop.time()
        heard.keys.append((key, since - answered))
        try:
            await call.send_dtmf(key)
        except CallStateError:  # it ended in this moment
            return


async def _prompt_is_over(call: Call, since: float) -> None:
    """Wait until something was said after ``since`` and it has been quiet; `EOFError` if the call ends."""
    loop = asyncio.get_running_loop()
    while True:
        last = call.heard.last_sound_at
        spoke = last is not None and last > since
        left = (last or 0.0) + QUIET_SECONDS - loop.time() if spoke else PROMPT_SECONDS
        if left <= 0:
            return
        try:
            async with asyncio.timeout(left):
                await call.heard.wait_packet()
        except TimeoutError:
            continue


def _own_address(server: tuple[str, int]) -> str:
    """The address of ours that the server answers to. Asking sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(server)
        return str(probe.getsockname()[0])
