"""Whether a call of the demo went as it must: what the people lived through against what the page showed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from hotline.agent_console.wire import mask_number
from hotline.core.events import Outcome, Side
from hotline.server.demo.conversation import Conversation
from hotline.server.demo.scoring import SideScore, score_side
from hotline.server.demo.watching import ShownCall, Watch
from hotline.speech.segment import Segmenter

#: After the receiver is down: for the last text to become final, and for the ledger to be closed.
SETTLE_SECONDS = 10.0
QUIET_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class CallReport:
    """One call as the demo tells of it.

    Attributes:
        caller: the masked number.
        dialled: the number dialled.
        line: the line it arrived on.
        path: titles of the menu choices.
        outcome: how the server closed it; empty if it never did.
        meant: the citizen hung up on purpose, so that it is no failure that nobody answered.
        failure: what went wrong; empty if nothing did.
        scores: the text of each side.
    """

    caller: str
    name: str
    dialled: str
    line: str
    path: tuple[str, ...]
    agent: str
    wait_seconds: float
    talk_seconds: float
    outcome: str
    meant: bool
    failure: str
    scores: dict[Side, SideScore]

    @property
    def answered(self) -> bool:
        """Whether a person answered."""
        return self.outcome == Outcome.ANSWERED


async def judge(conversation: Conversation, watch: Watch, segmenter: Segmenter) -> CallReport:
    """Wait until the page shows the end of a call that is over, and judge it."""
    caller = mask_number(conversation.number)
    shown = await _settled(watch, caller)
    if shown is None:
        shown = ShownCall(caller=caller, line="")
        conversation.fail("the console never showed the call")
    scores = {
        side: score_side(conversation.said[side], shown.texts[side], segmenter) if shown.texts[side] else
        SideScore(len(conversation.said[side]), 0, 0, ())
        for side in Side
    }  # fmt: skip
    report = CallReport(
        caller=caller,
        name=conversation.dialogue.name,
        dialled=conversation.dialogue.dial,
        line=shown.line,
        path=shown.path,
        agent=shown.agent,
        wait_seconds=shown.wait_seconds,
        talk_seconds=shown.talk_seconds,
        outcome=shown.outcome,
        meant=conversation.gives_up and not conversation.answered.is_set(),
        failure=_failure(conversation, shown, scores),
        scores=scores,
    )
    watch.forget(shown)
    return report


async def _settled(watch: Watch, caller: str) -> ShownCall | None:
    """The call once its row is closed and its text is final; what there is of it when that takes too long."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(SETTLE_SECONDS):
            while True:
                shown = watch.of_caller(caller)
                if shown is not None and shown.ended.is_set() and shown.outcome and shown.settled:
                    quiet = loop.time() - shown.changed_at
                    if quiet >= QUIET_SECONDS:
                        return shown
                    await watch.wait_change(QUIET_SECONDS - quiet)
                else:
                    await watch.wait_change(SETTLE_SECONDS)
    except TimeoutError:
        return watch.of_caller(caller)


def _failure(conversation: Conversation, shown: ShownCall, scores: dict[Side, SideScore]) -> str:
    if conversation.failure is not None:
        return conversation.failure
    expected = conversation.dialogue.line
    if shown.line != expected:
        return f"arrived on line {shown.line or '?'} instead of {expected}"
    if conversation.gives_up and not conversation.answered.is_set():
        left = (Outcome.ABANDONED, Outcome.SHORT_ABANDON)
        return "" if shown.outcome in left else f"closed as {shown.outcome or 'nothing'}, not as abandoned"
    if shown.outcome != Outcome.ANSWERED:
        return f"closed as {shown.outcome or 'nothing'}, not as answered"
    silent = [side.value for side in Side if not scores[side].right]
    return f"no right word of the {' and the '.join(silent)}" if silent else ""
