"""Phrases in an utterance, and what stands before them. Pure; microseconds an utterance."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from hotline.asr.text import UNCLEAR
from hotline.config.understanding import GAP

MAX_CHARACTERS: Final = 600  # of an utterance that are looked at: two minutes of fast speech
GAP_CHARACTERS: Final = 6
BREAKS: Final = ",。.!?;:、~"
"""What ends a clause in a text that has punctuation."""

_FILLERS: Final = "来要想在说什么人有去再我给谁你您被太"
_BREAK: Final = re.compile(f"[{re.escape(BREAKS)}]")
_LONG_NUMBER: Final = re.compile("[0-9][0-9-]{6,}")
_DIGITS: Final = str.maketrans("〇零○一幺二两三四五六七八九", "00011223456789")


def plain(text: str) -> str:
    """One form of every text: half-width, lower case, no spaces; what was not understood is a break."""
    folded = unicodedata.normalize("NFKC", text[: 2 * MAX_CHARACTERS].replace(UNCLEAR, "。")).casefold()
    return "".join(one for one in folded if one.isprintable() and one != " ")[:MAX_CHARACTERS]


def digitised(text: str) -> str:
    """The text with every single Chinese digit as 0-9; every character keeps its place."""
    return text.translate(_DIGITS)


def without_numbers(text: str) -> str:
    """The text with every number of seven digits and more left out: telephones, cards, identity cards."""
    for hit in reversed(list(_LONG_NUMBER.finditer(digitised(text)))):
        text = f"{text[: hit.start()]}（号码）{text[hit.end() :]}"
    return text


@dataclass(frozen=True, slots=True)
class Match:
    """A phrase at ``text[start:end]``."""

    phrase: str
    start: int
    end: int


class PhraseBook:
    """Finds phrases; of two of which one lies in the other, only the longer (if it has no gap)."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._by_first: defaultdict[str, list[tuple[str, re.Pattern[str] | None]]] = defaultdict(list)
        for phrase in sorted({plain(one) if GAP not in one else one for one in phrases}, key=len):
            pattern = None
            if GAP in phrase:
                gap = f"[^{re.escape(BREAKS)}]{{0,{GAP_CHARACTERS}}}?"
                pattern = re.compile(gap.join(re.escape(plain(part)) for part in phrase.split(GAP)))
            self._by_first[phrase[0]].append((phrase, pattern))

    def find(self, text: str) -> list[Match]:
        """Every phrase of a `plain` text, by its place."""
        found: list[Match] = []
        for start, character in enumerate(text):
            for phrase, pattern in self._by_first.get(character, ()):
                if pattern is None:
                    if text.startswith(phrase, start):
                        found.append(Match(phrase, start, start + len(phrase)))
                elif hit := pattern.match(text, start):
                    found.append(Match(phrase, start, hit.end()))
        return [one for one in found if not any(_inside(one, other) for other in found)]


class Before:
    """Whether certain words stand close before a place, in the same clause.

    Args:
        words: those words.
        characters: how far back they may begin.
        fillers: only such characters may stand between them and the place.
    """

    def __init__(self, words: Collection[str], characters: int, *, fillers: bool) -> None:
        self._characters = characters
        between = f"[{_FILLERS}]*" if fillers else ".*"
        longest_first = sorted(words, key=len, reverse=True)
        self._pattern = re.compile(f"(?:{'|'.join(map(re.escape, longest_first))}){between}$")

    def __call__(self, text: str, start: int) -> bool:
        """Whether they stand before ``text[start]``."""
        window = text[max(0, start - self._characters) : start]
        return self._pattern.search(_BREAK.split(window)[-1]) is not None


def _inside(one: Match, other: Match) -> bool:
    longer = other.end - other.start > one.end - one.start and GAP not in other.phrase
    return longer and other.start <= one.start and one.end <= other.end
