"""Understanding by rules: a call that goes on, utterance by utterance, and a whole call at once."""

from __future__ import annotations

from itertools import islice
from typing import Final

from hotline.asr.understanding.ear import Alarm, Ear, HeardUtterance
from hotline.asr.understanding.judging import judge
from hotline.core.events import Side
from hotline.core.understanding import Cite, HeardCall, Understood, Utterance

LOOK_BACK: Final = 4  # utterances in which a question is looked for that this one answers
MOST_UTTERANCES: Final = 1_000  # an hour of talk; of a longer call the earliest are forgotten


class CallReading:
    """A call as it is heard. A text costs about 0.1 ms, whatever is said.

    A text that replaces an earlier one under its number is heard anew; an empty one takes it back.
    """

    def __init__(self, ear: Ear, lines: frozenset[str] = frozenset()) -> None:
        self.lines = lines
        self._ear = ear
        self._heard: dict[Cite, HeardUtterance] = {}

    @property
    def size(self) -> int:
        """How many texts it rests on."""
        return len(self._heard)

    def take(self, utterance: Utterance) -> tuple[Alarm, ...]:
        """Take in a final text; what alarms in it."""
        if not utterance.text:
            self._heard.pop(utterance.cite, None)
            return ()
        others = (one.utterance for one in reversed(self._heard.values()))
        before = [one for one in islice(others, LOOK_BACK) if one.cite != utterance.cite]
        asked = _last(before, Side.AGENT if utterance.side is Side.CALLER else Side.CALLER)
        heard = self._ear.hear(utterance, asked, _last(before, utterance.side))
        self._heard[utterance.cite] = heard
        if len(self._heard) > MOST_UTTERANCES:
            del self._heard[next(iter(self._heard))]
        return heard.alarms

    def understood(self, *, ended: bool) -> Understood:
        """What the call is about as far as it was heard."""
        return Understood(tuple(judge(self._ear, list(self._heard.values()), self.lines, ended=ended)))

    def heard(self, call_id: str) -> HeardCall:
        """All that was said."""
        return HeardCall(call_id, self.lines, tuple(one.utterance for one in self._heard.values()))


class RulesUnderstanding:
    """The default `Understanding`: no network, no model, the same answer every time."""

    def __init__(self, ear: Ear) -> None:
        self.ear = ear

    async def understand(self, call: HeardCall) -> Understood:
        """Hear the whole call."""
        reading = CallReading(self.ear, call.lines)
        for utterance in call.utterances:
            reading.take(utterance)
        return reading.understood(ended=True)


def _last(utterances: list[Utterance], side: Side) -> str:
    """What that side said last; ``utterances``: the newest first."""
    return next((one.text for one in utterances if one.side is side), "")
