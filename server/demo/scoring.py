"""How right and how quick the text of a call was: words heard against words spoken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hotline.asr.text import UNCLEAR
from hotline.server.demo.conversation import SaidWord
from hotline.server.demo.watching import ShownText
from hotline.speech.numbers import spell_out_numbers
from hotline.speech.segment import Segmenter


@dataclass(frozen=True, slots=True)
class SideScore:
    """One side of a call.

    Attributes:
        spoken: words said.
        right: those that stand in the final text, in order.
        added: words in the final text that were not said.
        latencies_seconds: of the right words, from the end of the word's sound at the speaker to the first
            text on the page that held it in its place.
    """

    spoken: int
    right: int
    added: int
    latencies_seconds: tuple[float, ...]


def score_side(said: Sequence[SaidWord], shown: Iterable[ShownText], segmenter: Segmenter) -> SideScore:
    """Align the final texts of one side with what it said, and look up when each word first appeared."""
    by_utterance: dict[int, list[ShownText]] = {}
    for text in shown:
        by_utterance.setdefault(text.utterance, []).append(text)
    heard: list[tuple[str, int, int]] = []  # word, utterance, its place in the utterance
    for utterance, texts in sorted(by_utterance.items()):
        last = max(texts, key=lambda text: (text.final, text.revision))
        words = cut(last.text, segmenter)
        heard += [(word, utterance, place) for place, word in enumerate(words)]
    pairs = align([word.text for word in said], [word for word, _, _ in heard])
    latencies = []
    for said_index, heard_index in pairs:
        word, utterance, place = heard[heard_index]
        first = first_shown(by_utterance[utterance], word, place, segmenter)
        latencies.append(first - said[said_index].said_at)
    return SideScore(len(said), len(pairs), len(heard) - len(pairs), tuple(latencies))


def first_shown(texts: Sequence[ShownText], word: str, place: int, segmenter: Segmenter) -> float:
    """When the word first stood at its place in a text of the utterance and stayed."""
    first = texts[-1].at
    for text in sorted(texts, key=lambda text: text.revision, reverse=True):
        words = cut(text.text, segmenter)
        if place >= len(words) or words[place] != word:
            break
        first = text.at
    return first


def cut(text: str, segmenter: Segmenter) -> list[str]:
    """A text's words; numbers in digits are read out again, what was unclear is left out."""
    return segmenter.cut(spell_out_numbers(text.replace(UNCLEAR, " ")))


def align(spoken: Sequence[str], heard: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of places (spoken, heard) that hold the same word in the cheapest edit (Levenshtein)."""
    costs = [list(range(len(heard) + 1))]
    for i, expected in enumerate(spoken, start=1):
        above = costs[-1]
        row = [i]
        for j, word in enumerate(heard, start=1):
            row.append(min(above[j - 1] + (word != expected), above[j] + 1, row[j - 1] + 1))
        costs.append(row)
    pairs = []
    i, j = len(spoken), len(heard)
    while i and j:
        same = spoken[i - 1] == heard[j - 1]
        if costs[i][j] == costs[i - 1][j - 1] + (not same):
            if same:
                pairs.append((i - 1, j - 1))
            i, j = i - 1, j - 1
        elif costs[i][j] == costs[i - 1][j] + 1:
            i -= 1
        else:
            j -= 1
    return pairs[::-1]
