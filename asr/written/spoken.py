"""A text as it was heard, with the pauses in it, and how a part of it is replaced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hotline.asr.engine import Word


class Span(NamedTuple):
    """``text[start:end]`` is written as ``written``."""

    start: int
    end: int
    written: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """A text and where its speaker paused.

    Attributes:
        pauses: place in the text (a pause of place 3 lies before its fourth character) -> seconds.
    """

    text: str
    pauses: Mapping[int, float] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str, words: Sequence[Word]) -> Spoken:
        """A final text with its words; without pauses where the words are not those of the text."""
        pauses: dict[int, float] = {}
        place, until = 0, None
        for word in words:
            while text[place : place + 1] == " ":
                place += 1
            if not text.startswith(word.text, place):
                if text.endswith(word.text, 0, place):  # several unclear words are one in the text
                    until = word.end_seconds
                    continue
                return cls(text)
            if until is not None:
                pauses[place] = word.start_seconds - until
            place, until = place + len(word.text), word.end_seconds
        return cls(text, pauses)

    def replaced(self, spans: Iterable[Span]) -> Spoken:
        """With every span as written; ``spans`` in order, none over another. Pauses inside one are gone."""
        parts: list[str] = []
        pauses: dict[int, float] = {}
        waiting = sorted(self.pauses.items())
        done = shift = kept = 0
        for span in (*spans, Span(len(self.text), len(self.text), "")):
            parts += (self.text[done : span.start], span.written)
            while kept < len(waiting) and waiting[kept][0] <= span.start:
                place, seconds = waiting[kept]
                if place >= done:
                    pauses[place + shift] = seconds
                kept += 1
            done = span.end
            shift += len(span.written) - (span.end - span.start)
        return Spoken("".join(parts), pauses)
