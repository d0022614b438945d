"""Chinese text as words with numbered pinyin: 社保卡 is ``she4bao3ka3``.

espeak's own reading of Chinese characters picks wrong syllables, so text reaches it as pinyin: tone digits
1-5, 5 the neutral tone, ``v`` for ü.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hotline.speech.numbers import OneReading, spell_out_numbers
from hotline.speech.segment import Segmenter, is_spoken, load_words

__all__ = ["PinyinWord", "is_numbered_pinyin", "text_to_pinyin", "word_to_pinyin"]

_SYLLABLE = r"[a-zü]{1,6}[1-5]"
_PINYIN_WORD = re.compile(rf"(?:{_SYLLABLE})+")
_PINYIN_TEXT = re.compile(rf"\s*(?:{_SYLLABLE})+(?:[\s,.]+(?:{_SYLLABLE})+)*[\s,.]*")

_LONGEST_PHRASE = 5
_SHORT_PAUSES = frozenset("，,、；;：:")
_LONG_PAUSES = frozenset("。.！!？?…\n")

# How the letters of a block (A栋), a plate or a product name sound in Chinese speech.
_LETTER_READINGS = (
    "ei1 bi4 xi1 di4 yi4 ai2fu5 ji4 ei2chi5 ai4 jie4 kai4 ai2lou5 ai2mu5 "
    "en1 ou1 pi4 kou1 a4 ai2si5 ti4 you1 wei1 da2bu5liu5 ai2ke5si5 wai4 zei4"
)
_LETTERS = dict(zip("abcdefghijklmnopqrstuvwxyz", _LETTER_READINGS.split(), strict=True))
# Syllables that pypinyin gives and espeak cannot say.
_RESPELT = {"n": "en", "ng": "en", "m": "en", "hm": "heng", "hng": "heng", "ê": "ei", "yo": "you"}


@dataclass(frozen=True, slots=True)
class PinyinWord:
    """One word to say, and the pause after it.

    Attributes:
        text: as written, e.g. 社保卡.
        pinyin: numbered syllables run together, e.g. ``she4bao3ka3``.
        pause: what follows: nothing, ``,`` (short) or ``.`` (long).
    """

    text: str
    pinyin: str
    pause: str = ""


def is_numbered_pinyin(text: str) -> bool:
    """Return whether ``text`` is numbered pinyin already, such as ``she4bao3 ka3``."""
    return bool(_PINYIN_TEXT.fullmatch(text))


def word_to_pinyin(word: str) -> str:
    """Return the numbered pinyin of one Chinese word, letters spelt; empty if nothing in it can be said."""
    syllables = []
    from pypinyin import Style, lazy_pinyin  # half a second of dictionaries: only for who speaks

    for syllable in lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True, errors=_spell_letters):
        for part in syllable.split():
            base, tone = (part[:-1], part[-1]) if part[-1].isdigit() else (part, "5")
            syllables.append(_RESPELT.get(base, base) + tone)
    return "".join(syllables)


def _spell_letters(unknown: str) -> str:
    """Return the readings of the letters in ``unknown``, with spaces between them."""
    return " ".join(_LETTERS[character] for character in unknown.lower() if character in _LETTERS)


def text_to_pinyin(
    text: str,
    *,
    segmenter: Segmenter | None = None,
    readings: Mapping[str, str] | None = None,
    one: OneReading = "yi",
) -> list[PinyinWord]:
    """Return the words of ``text`` with their pinyin; text that is numbered pinyin already is only split.

    Args:
        text: Chinese text, digits and Latin letters allowed, or numbered pinyin.
        segmenter: the word list to cut by; without one, words of hotline prompts and pypinyin's phrases.
        readings: pinyin of words whose usual reading is not wanted.
        one: how a 1 is said in a number read digit by digit.
    """
    if is_numbered_pinyin(text):
        return _split_pinyin(text)
    words: list[PinyinWord] = []
    for clause, pause in _clauses(spell_out_numbers(text, one=one)):
        cut = (segmenter or _general_segmenter()).cut(clause)
        spoken = []
        for word in cut:
            pinyin = (readings or {}).get(word) or word_to_pinyin(word)
            if pinyin:
                spoken.append(PinyinWord(word, pinyin))
        if spoken and pause:
            spoken[-1] = PinyinWord(spoken[-1].text, spoken[-1].pinyin, pause)
        words.extend(spoken)
    return words


def _split_pinyin(text: str) -> list[PinyinWord]:
    words = []
    for match in re.finditer(rf"((?:{_SYLLABLE})+)\s*([,.]?)", text):
        words.append(PinyinWord(match[1], match[1].replace("ü", "v"), match[2]))
    return words


@lru_cache(maxsize=1)
def _general_segmenter() -> Segmenter:
    """Return the cut for text of any kind: the words of hotline prompts, and pypinyin's phrases."""
    from pypinyin.constants import PHRASES_DICT

    prompt_words = load_words(Path(__file__).with_name("words.txt"))
    return Segmenter([*prompt_words, *(phrase for phrase in PHRASES_DICT if len(phrase) <= _LONGEST_PHRASE)])


def _clauses(text: str) -> list[tuple[str, str]]:
    """Return the clauses of ``text``, each with the pause its punctuation asks for."""
    clauses: list[tuple[str, str]] = []
    start = 0
    for position, character in enumerate(text):
        pause = "," if character in _SHORT_PAUSES else "." if character in _LONG_PAUSES else ""
        if pause:
            clauses.append((text[start:position], pause))
            start = position + 1
    clauses.append((text[start:], ""))
    return [(clause, pause) for clause, pause in clauses if any(map(is_spoken, clause))]
