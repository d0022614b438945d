"""The tokens by which texts are found: every pair of letters, and the longer words of jieba's dictionary.

A token stands for letters that follow each other in the text, whatever is around them. So a text that holds
the query holds every token of the query, and the index misses nothing; what it finds too much is compared
letter by letter afterwards. The two-letter words of the dictionary are pairs, the longer ones are looked up
at every place, as jieba's full mode does: that gives each word of its search mode as well, whichever way a
sentence may be cut, and a name that no dictionary has is found by its pairs.

Only jieba's dictionary is read (350,000 words, in a third of a second); its own module would also load its
statistics, and keep a copy of every prefix.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from hotline.core.errors import SetupError
from hotline.core.text_search import letters, pairs

LONGEST_OF_DICTIONARY: Final = 6  # longer ones are put together of these, for which the index knows enough
SHORTEST: Final = 3  # the two-letter ones are pairs


class SearchWords:
    """Makes tokens.

    Args:
        dictionary: words of the language.
        own: the hotline's own, of any length.
    """

    def __init__(self, dictionary: Iterable[str], own: Iterable[str]) -> None:
        folded = {word for given in own if len(word := letters(given).text) >= SHORTEST}
        self._words = folded.union(word for word in dictionary if len(word) >= SHORTEST)
        self._longest = max(map(len, folded), default=0)
        self._longest = max(self._longest, LONGEST_OF_DICTIONARY)

    def tokens(self, text: str) -> set[str]:
        """The tokens of a text or a query, all of its letters, digits and small Latin letters."""
        whole = letters(text).text
        return pairs(whole) | self.words(whole)

    def words(self, folded: str) -> set[str]:
        """The words of three letters and more that stand anywhere in ``folded``."""
        known, longest, size = self._words, self._longest, len(folded)
        return {
            word
            for start in range(size - SHORTEST + 1)
            for end in range(start + SHORTEST, min(start + longest, size) + 1)
            if (word := folded[start:end]) in known
        }


class SearchWordsOnDemand:
    """The words of a site, read once, when they are first wanted, on a thread.

    Attributes:
        edition: which words they are; an index that was made with others is made anew.
    """

    def __init__(self, own: Iterable[str]) -> None:
        self._own = tuple(sorted(own))
        self.edition = hashlib.sha256("\n".join([_dictionary(), *self._own]).encode()).hexdigest()[:16]
        self._lock = asyncio.Lock()
        self._words: SearchWords | None = None

    async def get(self) -> SearchWords:
        """The words.

        Raises:
            SetupError: the dictionary is not installed.
        """
        async with self._lock:
            if self._words is None:
                self._words = await asyncio.to_thread(load_words, self._own)
            return self._words


def load_words(own: Iterable[str]) -> SearchWords:
    """Read jieba's dictionary; a line is a word, how often it occurs, and what part of speech it is.

    Raises:
        SetupError: it is not installed.
    """
    found = find_spec("jieba")
    if found is None or found.origin is None:
        raise SetupError("the package jieba is missing", hint="install hotline12345 with its dependencies")
    with Path(found.origin).with_name("dict.txt").open(encoding="utf-8") as lines:
        words = (line.partition(" ")[0] for line in lines)
        return SearchWords([word for word in words if SHORTEST <= len(word) <= LONGEST_OF_DICTIONARY], own)


def _dictionary() -> str:
    """Which dictionary is installed."""
    try:
        return version("jieba")
    except PackageNotFoundError:
        return ""
