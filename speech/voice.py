"""A Mandarin voice: text in, samples with the place of every word and phone out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hotline.speech.espeak import EspeakEvent, synthesise
from hotline.speech.numbers import OneReading
from hotline.speech.pinyin import PinyinWord, text_to_pinyin
from hotline.speech.resample import resample
from hotline.speech.segment import Segmenter

__all__ = ["Speech", "SpokenPhone", "SpokenWord", "Voice"]


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word and the samples it takes, ``end_sample`` exclusive."""

    text: str
    pinyin: str
    start_sample: int
    end_sample: int


@dataclass(frozen=True, slots=True)
class SpokenPhone:
    """A phone (espeak's mnemonic; ``_...`` is a pause) and the samples it takes.

    Attributes:
        word: index into `Speech.words`, or -1 for the pause before a clause.
    """

    name: str
    word: int
    start_sample: int
    end_sample: int


@dataclass(frozen=True, slots=True, eq=False)
class Speech:
    """Mono sound and what is said in it.

    Attributes:
        samples: int16, shape (n,).
        sample_rate_hz: of ``samples`` and of every sample position.
    """

    samples: npt.NDArray[np.int16]
    sample_rate_hz: int
    words: tuple[SpokenWord, ...]
    phones: tuple[SpokenPhone, ...]

    @property
    def duration_seconds(self) -> float:
        """Length of the sound."""
        return len(self.samples) / self.sample_rate_hz

    @property
    def text(self) -> str:
        """The words with spaces between them."""
        return " ".join(word.text for word in self.words)

    def at_rate(self, sample_rate_hz: int) -> Speech:
        """Return the same speech at another sample rate, word and phone positions moved with it."""
        if sample_rate_hz == self.sample_rate_hz:
            return self
        samples = resample(self.samples, self.sample_rate_hz, sample_rate_hz)

        def moved(sample: int) -> int:
            return min(round(sample * sample_rate_hz / self.sample_rate_hz), len(samples))

        return Speech(
            samples,
            sample_rate_hz,
            tuple(
                SpokenWord(word.text, word.pinyin, moved(word.start_sample), moved(word.end_sample))
                for word in self.words
            ),
            tuple(
                SpokenPhone(phone.name, phone.word, moved(phone.start_sample), moved(phone.end_sample))
                for phone in self.phones
            ),
        )


@dataclass(frozen=True, slots=True)
class Voice:
    """A way of speaking.

    Attributes:
        variant: an espeak voice variant (see `hotline.speech.voices`); empty for the plain voice.
        rate_wpm: espeak's words a minute, 80-450; 175 says about four syllables a second.
        pitch: 0-99; 50 is the variant's own.
        one: how a 1 is said in a number read digit by digit.
    """

    variant: str = ""
    rate_wpm: int = 175
    pitch: int = 50
    one: OneReading = "yi"

    def say(self, text: str, *, segmenter: Segmenter | None = None) -> Speech:
        """Say Chinese text (or numbered pinyin) at espeak's own sample rate.

        Args:
            text: what to say; punctuation makes pauses.
            segmenter: the word list that decides what a word is in the result.

        Raises:
            EspeakMissingError: if libespeak-ng or the variant is not installed.
            ValueError: if nothing in ``text`` can be said or a parameter is out of range.
        """
        return self.say_words(text_to_pinyin(text, segmenter=segmenter, one=self.one))

    def say_words(self, words: list[PinyinWord]) -> Speech:
        """Say words whose pinyin is known already; see `say`."""
        if not words:
            raise ValueError("there is nothing to say in the text")
        pieces: list[str] = []
        positions: dict[int, int] = {}  # character in the pinyin text -> index of the word that starts there
        length = 0
        for index, word in enumerate(words):
            positions[length] = index
            piece = word.pinyin + word.pause
            pieces.append(piece)
            length += len(piece) + 1
        samples, rate_hz, events = synthesise(
            " ".join(pieces), variant=self.variant, rate_wpm=self.rate_wpm, pitch=self.pitch
        )
        return _align(words, positions, samples, rate_hz, events)


def _align(
    words: list[PinyinWord],
    positions: dict[int, int],
    samples: npt.NDArray[np.int16],
    rate_hz: int,
    events: list[EspeakEvent],
) -> Speech:
    """Turn espeak's stream of beginnings into words and phones with both ends."""
    phones: list[SpokenPhone] = []
    spans: dict[int, tuple[int, int]] = {}
    current = -1
    starts = [event for event in events if event.kind != "end"]
    for number, event in enumerate(starts):
        if event.kind == "word":
            current = positions.get(event.text_position, current)
            continue
        following = (later.sample for later in starts[number + 1 :] if later.kind == "phone")
        end = min(next(following, len(samples)), len(samples))
        if end <= event.sample:
            continue
        phones.append(SpokenPhone(event.phone, current, event.sample, end))
        if current >= 0 and not event.phone.startswith("_"):
            first, _ = spans.get(current, (event.sample, end))
            spans[current] = (first, end)
    spoken = []
    last_end = 0
    for index, word in enumerate(words):
        start, last_end = spans.get(index, (last_end, last_end))
        spoken.append(SpokenWord(word.text, word.pinyin, start, last_end))
    return Speech(samples, rate_hz, tuple(spoken), tuple(phones))
