"""What it means that words were said: the one rule by which texts are searched and marked. Pure.

A text is compared by its letters alone: Chinese characters, Latin letters and digits, in one width and
case. Punctuation and spaces do not count, since nobody says them. Words separated by spaces must all be
said in the same call, each somewhere; words in quotation marks one after the other.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

from hotline.core.errors import UsageError

LONGEST_QUERY: Final = 80  # characters
MOST_TERMS: Final = 8

_TERM: Final = re.compile(r'["“”]([^"“”]*)["“”]?|([^\s"“”]+)')


@dataclass(frozen=True, slots=True)
class Letters:
    """The letters of a text. ``places[i]`` is where letter ``i`` stands in it."""

    text: str
    places: tuple[int, ...]


def letters(text: str) -> Letters:
    """The letters of ``text``, folded to one width and case."""
    found = [(folded, place) for place, character in enumerate(text) if (folded := _folded(character))]
    return Letters("".join(folded for folded, _ in found), tuple(place for _, place in found))


@lru_cache(maxsize=20_000)
def _folded(character: str) -> str:
    """A letter in its usual width and case; empty for what is no letter."""
    wide = unicodedata.normalize("NFKC", character).lower()
    one = wide if len(wide) == 1 else character
    return one if (one.isascii() and one.isalnum()) or "\u3400" <= one <= "\u9fff" else ""


def terms(query: str) -> tuple[str, ...]:
    """What is asked for, each as letters, the longest first.

    Raises:
        UsageError: nothing to search for, too much, or no word of two letters.
    """
    if len(query) > LONGEST_QUERY:
        raise UsageError("the words are too many", hint=f"at most {LONGEST_QUERY} characters")
    asked = (letters(quoted or word).text for quoted, word in _TERM.findall(query))
    found = sorted({term for term in asked if term}, key=lambda term: (-len(term), term))
    if not found or len(found[0]) < 2:
        raise UsageError("there is too little to search for", hint="give a word of two characters or more")
    if len(found) > MOST_TERMS:
        raise UsageError("the words are too many", hint=f"at most {MOST_TERMS} words")
    return tuple(found)


def pairs(folded: str) -> set[str]:
    """Every two letters that follow each other. Whoever says ``folded`` says all of them."""
    return {one + other for one, other in pairwise(folded)}


def marks(text: str, wanted: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """Where the terms stand in ``text``: from and up to, in characters (code points), apart and in order."""
    whole = letters(text)
    spans: list[tuple[int, int]] = []
    for term in wanted:
        at = whole.text.find(term)
        while at >= 0:
            spans.append((whole.places[at], whole.places[at + len(term) - 1] + 1))
            at = whole.text.find(term, at + 1)
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)
