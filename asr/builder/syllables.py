"""Speech outside the word list: what other Chinese words sound like, syllable by syllable.

pypinyin's phrases (idioms, names, everyday words) are said to train the network on sounds in other company
than the hotline's; which phone follows which in their syllables is what the graph's unknown word is made of.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log

from hotline.speech.pinyin import PinyinWord, word_to_pinyin

__all__ = ["SyllableCosts", "common_syllables", "draw_phrases", "syllable_costs", "syllables_of"]

_SYLLABLE = re.compile(r"[a-z]+[1-5]")
_COUNTED_PHRASES = 6000
_LEAST_COUNT = 4  # rarer syllables are slips of the dictionary or sounds that espeak has no phone for
_LONGEST_PHRASE = 4  # characters
_LEAST_CHANCE = 0.002  # of any phone pair that occurs


@dataclass(frozen=True, slots=True)
class SyllableCosts:
    """A model of any syllables at all; costs are negative natural logarithms.

    Attributes:
        first: of each phone that begins a syllable.
        following: by phone, of each phone that follows it within a syllable.
        last: by phone, of ending the syllable after it.
    """

    first: dict[str, float]
    following: dict[str, dict[str, float]]
    last: dict[str, float]


def syllables_of(pinyin: str) -> list[str]:
    """Return the syllables of numbered pinyin that is run together."""
    return _SYLLABLE.findall(pinyin)


def common_syllables(seed: int) -> dict[str, int]:
    """Return how often each syllable that is not rare occurs in phrases drawn with ``seed``."""
    phrases = random.Random(seed).sample(_phrases(), _COUNTED_PHRASES)  # noqa: S311 - not for secrets
    counts = Counter(syllable for phrase in phrases for syllable in syllables_of(word_to_pinyin(phrase)))
    return {syllable: count for syllable, count in sorted(counts.items()) if count >= _LEAST_COUNT}


def draw_phrases(rng: random.Random, known: Mapping[str, object]) -> list[PinyinWord]:
    """Return one to four phrases, all of whose syllables are ``known``."""
    phrases = _phrases()
    wanted = rng.randint(1, 4)
    drawn: list[PinyinWord] = []
    while len(drawn) < wanted:
        phrase = rng.choice(phrases)
        pinyin = word_to_pinyin(phrase)
        if all(syllable in known for syllable in syllables_of(pinyin)):
            drawn.append(PinyinWord(phrase, pinyin, "," if rng.random() < 0.15 else ""))
    return drawn


def syllable_costs(pronunciations: Mapping[str, Sequence[str]], counts: Mapping[str, int]) -> SyllableCosts:
    """Return the costs of the syllables in ``counts``, said as ``pronunciations`` tells."""
    first: Counter[str] = Counter()
    pairs: defaultdict[str, Counter[str | None]] = defaultdict(Counter)
    for syllable, count in counts.items():
        said = pronunciations[syllable]
        if said:
            first[said[0]] += count
            for phone, after in zip(said, (*said[1:], None), strict=True):
                pairs[phone][after] += count
    following = {phone: _costs(after) for phone, after in pairs.items()}
    return SyllableCosts(
        first={phone: cost for phone, cost in _costs(first).items() if phone is not None},
        following={
            phone: {after: cost for after, cost in costs.items() if after is not None}
            for phone, costs in following.items()
        },
        last={phone: costs[None] for phone, costs in following.items() if None in costs},
    )


def _costs(counts: Mapping[str | None, int] | Mapping[str, int]) -> dict[str | None, float]:
    total = sum(counts.values())
    return {
        phone: -log(max(count / total, _LEAST_CHANCE)) for phone, count in sorted(counts.items(), key=str)
    }


@lru_cache(maxsize=1)
def _phrases() -> list[str]:
    from pypinyin.constants import PHRASES_DICT

    return [phrase for phrase in PHRASES_DICT if len(phrase) <= _LONGEST_PHRASE]
