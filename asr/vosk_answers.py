"""What Vosk answers, from the library or from a vosk-server, as Partial and Final texts. Pure.

The form of the answers is Vosk's own (vosk-api, ``src/recognizer.cc``): ``{"partial": text}``, and ``{"text":
text, "result": [{"word", "start", "end", "conf"}]}``. They may come from another machine, so nothing in them
is believed: what is of the wrong kind is an error, times are kept within the audio that was pushed.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

from hotline.asr.engine import EngineError, Heard, Partial, Word
from hotline.asr.engine import Final as FinalText
from hotline.asr.text import join_words, readable_word

MAX_TEXT_CHARACTERS: Final = 4_000  # of one utterance: ten minutes of the fastest speech


class VoskTexts:
    """The texts of one stream: what of each answer is news."""

    def __init__(self) -> None:
        self.partial = ""
        self.partial_start = 0.0

    def is_new(self, text: str) -> bool:
        """Whether a partial text says something that was not told yet."""
        return text != self.partial

    def told_partial(self, text: str, start_seconds: float) -> Partial:
        """A new partial text; ``start_seconds`` counts only for the first of an utterance."""
        if not self.partial:
            self.partial_start = start_seconds
        self.partial = text
        return Partial(text, self.partial_start)

    def told_final(self, answer: dict[str, Any], now_seconds: float) -> list[Heard]:
        """The utterance is over.

        Args:
            answer: as `read_answer` gives it.
            now_seconds: of the stream's audio.
        """
        had_partial, self.partial = bool(self.partial), ""
        words = tuple(_words(answer.get("result"), now_seconds))
        text = join_words(word.text for word in words) or join_words(_text(answer, "text").split())
        if not words:
            start = min(self.partial_start, now_seconds)
            return [FinalText(text, (), start, now_seconds, None)] if text or had_partial else []
        sure = [word.confidence for word in words if word.confidence is not None]
        mean = sum(sure) / len(sure) if sure else None
        return [FinalText(text, words, words[0].start_seconds, words[-1].end_seconds, mean)]


def read_answer(message: str | bytes) -> dict[str, Any]:
    """The JSON object of an answer.

    Raises:
        EngineError: it is none.
    """
    try:
        answer = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise EngineError("an answer that is no JSON", retryable=True) from error
    if not isinstance(answer, dict):
        raise EngineError("an answer that is no JSON object", retryable=True)
    return answer


def partial_text(answer: dict[str, Any]) -> str:
    """The text so far."""
    return join_words(_text(answer, "partial").split())


def _text(answer: dict[str, Any], key: str) -> str:
    text = answer.get(key, "")
    if not isinstance(text, str) or len(text) > MAX_TEXT_CHARACTERS:
        raise EngineError(f"an answer whose {key} is no text of an utterance", retryable=True)
    return text


def _words(found: object, now_seconds: float) -> list[Word]:
    if found is None:
        return []
    if not isinstance(found, list) or len(found) > MAX_TEXT_CHARACTERS:
        raise EngineError("an answer whose words are no list", retryable=True)
    words = []
    for one in found:
        if not isinstance(one, dict):
            raise EngineError("an answer with a word that is none", retryable=True)
        text = readable_word(_text(one, "word"))
        start = seconds_within(one.get("start"), now_seconds)
        end = max(start, seconds_within(one.get("end"), now_seconds))
        if text:
            words.append(Word(text, start, end, confidence_of(one.get("conf"))))
    return words


def seconds_within(value: object, latest: float) -> float:
    """A time of the stream's audio from outside; never negative, never later than ``latest``.

    Raises:
        EngineError: it is no number.
    """
    seconds = number_of(value)
    if seconds is None:
        raise EngineError("an answer with a time that is none", retryable=True)
    return min(max(0.0, seconds), latest)


def confidence_of(value: object) -> float | None:
    """0 to 1, or None for what is no confidence."""
    number = number_of(value)
    return None if number is None else min(1.0, max(0.0, number))


def number_of(value: object) -> float | None:
    """A finite number, or None."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
