"""The actors' voices: what is to be said as telephone sound, with the place of every word."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from hotline.speech.segment import Segmenter
from hotline.speech.voice import Voice
from hotline.telephony.phone.codec import Samples

TELEPHONE_RATE_HZ = 8000

#: Lines kept ready; the least recently used go. A line of 4 s takes 64 kB, so at most about 25 MB.
MAX_KEPT = 400


@dataclass(frozen=True, slots=True)
class PlacedWord:
    """A word of a line and where its sound ends."""

    text: str
    end_seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class SpokenLine:
    """A line ready to be played: int16 samples at 8 kHz and its words."""

    samples: Samples
    words: tuple[PlacedWord, ...]


class Speaking:
    """Synthesises lines off the event loop and keeps them, because the same are said again and again."""

    def __init__(self, segmenter: Segmenter) -> None:
        self._segmenter = segmenter
        self._kept: OrderedDict[tuple[str, Voice], SpokenLine] = OrderedDict()

    async def line(self, text: str, voice: Voice) -> SpokenLine:
        """One line in one voice."""
        key = (text, voice)
        if key not in self._kept:
            self._kept[key] = await asyncio.to_thread(self._synthesise, text, voice)
            if len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept[key]

    async def lines(self, texts: list[str], voice: Voice) -> list[SpokenLine]:
        """Several lines in one voice."""
        return [await self.line(text, voice) for text in texts]

    def _synthesise(self, text: str, voice: Voice) -> SpokenLine:
        speech = voice.say(text, segmenter=self._segmenter).at_rate(TELEPHONE_RATE_HZ)
        words = tuple(PlacedWord(word.text, word.end_sample / TELEPHONE_RATE_HZ) for word in speech.words)
        return SpokenLine(speech.samples, words)
