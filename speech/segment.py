"""Chinese text cut into the words of a list."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

__all__ = ["Segmenter", "is_spoken", "load_words"]


def is_spoken(character: str) -> bool:
    """Return whether ``character`` is said aloud: a letter, Chinese character or digit, not punctuation."""
    return character.isalnum()


def load_words(path: Path) -> list[str]:
    """Return the words of a text file: the first column of each line; ``#`` starts a comment."""
    words = []
    for line in path.read_text(encoding="utf-8").splitlines():
        columns = line.partition("#")[0].split()
        if columns:
            words.append(columns[0])
    return words


class Segmenter:
    """Cuts text into words of ``words``, preferring few unknown characters, then few (so: long) words.

    A character that no word covers comes out alone. Punctuation and spaces separate words and are dropped.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(word for word in words if word)
        self._longest = max(map(len, self._words), default=1)

    def __contains__(self, word: object) -> bool:
        return word in self._words

    def cut(self, text: str) -> list[str]:
        """Return the words of ``text`` in order."""
        words: list[str] = []
        for run in self._runs(text):
            words.extend(self._cut_run(run))
        return words

    def unknown(self, text: str) -> list[str]:
        """Return the characters of ``text`` that no word of the list covers."""
        return [word for word in self.cut(text) if word not in self._words]

    @staticmethod
    def _runs(text: str) -> list[str]:
        return "".join(character if is_spoken(character) else " " for character in text).split()

    def _cut_run(self, run: str) -> list[str]:
        # best[i]: (unknown characters, words) of the best cut of run[i:], and the length of its first word.
        best: list[tuple[tuple[int, int], int]] = [((0, 0), 0)] * (len(run) + 1)
        for start in range(len(run) - 1, -1, -1):
            options = []
            for length in range(1, min(self._longest, len(run) - start) + 1):
                known = run[start : start + length] in self._words
                if known or length == 1:
                    unknown, count = best[start + length][0]
                    options.append(((unknown + (not known), count + 1), -length))
            cost, negative_length = min(options)
            best[start] = (cost, -negative_length)
        words = []
        start = 0
        while start < len(run):
            length = best[start][1]
            words.append(run[start : start + length])
            start += length
        return words
