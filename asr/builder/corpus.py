"""The sentences that are said: patterns of ``data/sentences.yaml`` turned into words with pauses.

A pattern is text with ``{slot}``, ``[said or left out]`` and ``(this|that)``. `Corpus.sentence` draws one at
random; what it draws is the training text of the acoustic model (spoken) and of the word bigram (counted).
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hotline.core.errors import HotlineError
from hotline.speech.pinyin import PinyinWord, text_to_pinyin, word_to_pinyin
from hotline.speech.segment import Segmenter

__all__ = ["DATA_DIR", "Corpus", "CorpusError", "load_corpus"]

DATA_DIR = Path(__file__).parent / "data"

_CHOICE = re.compile(r"\(([^()\[\]{}]*)\)")
_OPTIONAL = re.compile(r"\[([^()\[\]{}]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")
_DEEPEST_NESTING = 12
_DIALOGUE_SHARE = 0.4
_SPEAKER = re.compile(r"^[AC]: ")


class CorpusError(HotlineError):
    """The word list or the sentence patterns are wrong."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Words, slots and patterns, checked against one another.

    Attributes:
        readings: each word's numbered pinyin, in the order of the word list.
        slots: choices by slot name.
        groups: single sentences of agents and citizens, by what they are about.
        dialogues: whole calls, by title, as patterns in the order spoken, agent first.
    """

    readings: dict[str, str]
    slots: dict[str, tuple[str, ...]]
    groups: dict[str, tuple[str, ...]]
    dialogues: dict[str, tuple[str, ...]]
    segmenter: Segmenter

    @property
    def patterns(self) -> tuple[str, ...]:
        """All single sentences."""
        return tuple(pattern for group in self.groups.values() for pattern in group)

    def sentence(self, rng: random.Random) -> list[PinyinWord]:
        """Return a random sentence: a line of a dialogue, or a single pattern."""
        if rng.random() < _DIALOGUE_SHARE:
            lines = self.dialogues[rng.choice(list(self.dialogues))]
            return self.words_of(self.expand(rng.choice(lines), rng))
        return self.words_of(self.expand(rng.choice(self.patterns), rng))

    def random_words(self, rng: random.Random) -> list[PinyinWord]:
        """Return a meaningless string of words, so that every word is heard beside many others."""
        words = rng.choices(list(self.readings), k=rng.randint(3, 8))
        return [PinyinWord(word, self.readings[word], "," if rng.random() < 0.1 else "") for word in words]

    def expand(self, pattern: str, rng: random.Random) -> str:
        """Return ``pattern`` with a random choice at every slot, option and alternative."""
        text = pattern
        for _ in range(_DEEPEST_NESTING):
            text, slots = _SLOT.subn(lambda match: rng.choice(self._choices(match[1], pattern)), text)
            text, choices = _CHOICE.subn(lambda match: rng.choice(match[1].split("|")), text)
            text, options = _OPTIONAL.subn(lambda match: match[1] if rng.random() < 0.5 else "", text)
            if not (slots or choices or options):
                return text
        raise CorpusError(f"the pattern {pattern!r} never ends", hint="a slot must not hold itself")

    def words_of(self, text: str) -> list[PinyinWord]:
        """Return the words of ``text``.

        Raises:
            CorpusError: if a character of it is in no word of the list.
        """
        unknown = self.segmenter.unknown(text)
        if unknown:
            raise CorpusError(
                f"{''.join(unknown)!r} in {text!r} is in no word", hint="add the word to words.txt"
            )
        return text_to_pinyin(text, segmenter=self.segmenter, readings=self.readings)

    def _choices(self, slot: str, pattern: str) -> tuple[str, ...]:
        try:
            return self.slots[slot]
        except KeyError:
            raise CorpusError(f"the pattern {pattern!r} names an unknown slot {slot!r}") from None


def load_readings(path: Path) -> dict[str, str]:
    """Return the words of a word list with their pinyin: the second column, or pypinyin's reading."""
    readings: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        columns = line.partition("#")[0].split()
        if columns:
            readings[columns[0]] = columns[1] if len(columns) > 1 else word_to_pinyin(columns[0])
    return readings


def load_corpus(folder: Path = DATA_DIR) -> Corpus:
    """Read ``words.txt`` and ``sentences.yaml`` of a folder.

    Raises:
        CorpusError: if a pattern names an unknown slot, never ends, or holds text that is in no word.
    """
    readings = load_readings(folder / "words.txt")
    data: dict[str, Any] = yaml.safe_load((folder / "sentences.yaml").read_text(encoding="utf-8"))
    corpus = Corpus(
        readings=readings,
        slots={name: tuple(choices) for name, choices in data["slots"].items()},
        groups={name: tuple(patterns) for name, patterns in data["patterns"].items()},
        dialogues={
            title: tuple(_SPEAKER.sub("", line) for line in lines)
            for title, lines in data["dialogues"].items()
        },
        segmenter=Segmenter(readings),
    )
    _check(corpus)
    return corpus


def _check(corpus: Corpus) -> None:
    """Draw each pattern some times: enough to meet every slot and every alternative that is wrong."""
    rng = random.Random(0)  # noqa: S311 - not for secrets
    for choices in corpus.slots.values():
        for choice in choices:
            corpus.words_of(corpus.expand(choice, rng))
    lines = [line for dialogue in corpus.dialogues.values() for line in dialogue]
    for pattern in (*corpus.patterns, *lines):
        for _ in range(1 + 3 * pattern.count("|")):
            corpus.words_of(corpus.expand(pattern, rng))
