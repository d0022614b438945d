"""Words of a recogniser into text for people."""

from __future__ import annotations

from collections.abc import Iterable

UNCLEAR = "〈听不清〉"
"""Stands for speech that is outside the recogniser's vocabulary."""

_UNKNOWN_WORDS = frozenset({"[unk]", "<unk>", "<spoken_noise>", "<spn>"})
_SILENT_WORDS = frozenset({"<eps>", "[noise]", "<noise>", "<nsn>", "<sil>", "!sil", "<s>", "</s>"})


def readable_word(word: str) -> str:
    """A recogniser's word as people read it; empty for what is no speech."""
    lowered = word.lower()
    if lowered in _UNKNOWN_WORDS:
        return UNCLEAR
    return "" if lowered in _SILENT_WORDS else word


def join_words(words: Iterable[str]) -> str:
    """Words as one text: Chinese without spaces, a space between two words of Latin letters or digits.

    Unknown words become one `UNCLEAR`, however many follow each other.
    """
    text = ""
    last = ""
    for raw in words:
        word = readable_word(raw)
        if not word or (word == UNCLEAR and last == UNCLEAR):
            continue
        if last and _is_western(last[-1]) and _is_western(word[0]):
            text += " "
        text += word
        last = word
    return text


def _is_western(character: str) -> bool:
    return character.isalnum() and character < "\u2e80"  # CJK radicals begin there
