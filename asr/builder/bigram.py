"""Word pairs: how likely each word follows another, from the corpus's own sentences.

Absolute discounting (Ney, Essen and Kneser, 1994): every pair seen gives up a fixed part of its count to all
the words.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log

__all__ = ["SENTENCE_END", "SENTENCE_START", "Bigram", "count_bigrams"]

SENTENCE_START = "<s>"
SENTENCE_END = "</s>"
_DISCOUNT = 0.7
_LEAST_BACKOFF = 0.1  # what unheard-of pairs get after any word, so that new sentences can be heard
_UNIFORM_SHARE = 0.3  # of the unigram: words that the patterns use seldom are not said seldom


@dataclass(frozen=True, slots=True)
class Bigram:
    """Costs, as negative natural logarithms.

    Attributes:
        pairs: by first word (or `SENTENCE_START`), the cost of each second word (or `SENTENCE_END`) seen.
        backoff: by first word, the cost of going on with any word.
        unigram: each word's cost (and `SENTENCE_END`'s) after backing off.
    """

    pairs: dict[str, dict[str, float]]
    backoff: dict[str, float]
    unigram: dict[str, float]

    def cost(self, first: str, second: str) -> float:
        """Return the cost of ``second`` after ``first``."""
        return self.pairs.get(first, {}).get(second, self.backoff[first] + self.unigram[second])


def count_bigrams(sentences: Iterable[Sequence[str]], vocabulary: Sequence[str]) -> Bigram:
    """Return the bigram of ``sentences``, whose words are all in ``vocabulary``."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for sentence in sentences:
        for first, second in zip((SENTENCE_START, *sentence), (*sentence, SENTENCE_END), strict=True):
            counts[first][second] += 1
    singles: Counter[str] = Counter()
    for seconds in counts.values():
        singles.update(seconds)
    ends = (*vocabulary, SENTENCE_END)
    total = sum(singles.values())
    chance = {
        word: _UNIFORM_SHARE / len(ends) + (1 - _UNIFORM_SHARE) * singles[word] / total for word in ends
    }
    pairs: dict[str, dict[str, float]] = {}
    backoff: dict[str, float] = {}
    for first in (SENTENCE_START, *vocabulary):
        seconds = counts[first]
        seen = sum(seconds.values())
        left = max(_DISCOUNT * len(seconds) / seen, _LEAST_BACKOFF) if seen else 1.0
        kept = sum(count - _DISCOUNT for count in seconds.values())
        pairs[first] = {
            second: -log((1 - left) * (count - _DISCOUNT) / kept + left * chance[second])
            for second, count in sorted(seconds.items())
        }
        backoff[first] = -log(left)
    return Bigram(pairs, backoff, {word: -log(chance[word]) for word in ends})
