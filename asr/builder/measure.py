"""How well a model hears espeak's voices over a telephone: word errors by real recognition."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import vosk

from hotline.asr.builder.corpus import load_corpus
from hotline.asr.builder.utterances import HARD_VARIANTS, HELD_OUT_VARIANTS
from hotline.speech.g711 import alaw_decode, alaw_encode
from hotline.speech.pinyin import PinyinWord
from hotline.speech.scoring import WordScore, score_words
from hotline.speech.voice import Voice
from hotline.speech.voices import DEMO_VARIANTS

__all__ = [
    "Measurement",
    "Spoken",
    "measure",
    "recognise",
    "score_voices",
    "speak_dialogues",
    "speak_sentences",
]

_TELEPHONE_HZ = 8000
_CHUNK_SAMPLES = 1600  # 8000 Hz x 0.2 s
_SILENCE_SECONDS = 0.6
_RATES_WPM = (160, 175, 190)


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """A sentence on an A-law telephone: its words and its samples at 8 kHz, silence around them."""

    words: tuple[str, ...]
    samples: npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Measurement:
    """Words right of words spoken over an A-law telephone.

    Attributes:
        demo: every line of every scripted dialogue in each of the demo's voices.
        held_out: random sentences in ordinary voices kept out of training.
        unlike: the same in voices unlike the others, kept out as well.
        anything: meaningless word strings in the demo's voices.
    """

    demo: WordScore
    held_out: WordScore
    unlike: WordScore
    anything: WordScore


def measure(model_dir: Path, *, seed: int = 1) -> Measurement:
    """Return how well the model in ``model_dir`` hears; takes about half a minute."""
    return Measurement(
        demo=score_voices(model_dir, speak_dialogues(DEMO_VARIANTS, seed=seed, rates_wpm=_RATES_WPM)),
        held_out=score_voices(
            model_dir, speak_sentences(HELD_OUT_VARIANTS, count=30, seed=seed, rates_wpm=_RATES_WPM)
        ),
        unlike=score_voices(
            model_dir, speak_sentences(HARD_VARIANTS, count=30, seed=seed, rates_wpm=_RATES_WPM)
        ),
        anything=score_voices(
            model_dir, speak_word_strings(DEMO_VARIANTS, count=20, seed=seed, rates_wpm=_RATES_WPM)
        ),
    )


def speak_word_strings(
    variants: Sequence[str], *, count: int, seed: int, rates_wpm: Sequence[int]
) -> Iterator[Spoken]:
    """Yield ``count`` meaningless strings of words from each voice variant."""
    corpus = load_corpus()
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    for variant in variants:
        for _ in range(count):
            yield speak(corpus.random_words(rng), Voice(variant, rate_wpm=rng.choice(rates_wpm)))


def speak_sentences(
    variants: Sequence[str], *, count: int, seed: int, rates_wpm: Sequence[int]
) -> Iterator[Spoken]:
    """Yield ``count`` random sentences of the corpus from each voice variant."""
    corpus = load_corpus()
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    for variant in variants:
        for _ in range(count):
            yield speak(corpus.sentence(rng), Voice(variant, rate_wpm=rng.choice(rates_wpm)))


def speak_dialogues(variants: Sequence[str], *, seed: int, rates_wpm: Sequence[int]) -> Iterator[Spoken]:
    """Yield every line of every scripted dialogue from each voice variant."""
    corpus = load_corpus()
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    for variant in variants:
        for lines in corpus.dialogues.values():
            for line in lines:
                words = corpus.words_of(corpus.expand(line, rng))
                yield speak(words, Voice(variant, rate_wpm=rng.choice(rates_wpm)))


def speak(words: list[PinyinWord], voice: Voice) -> Spoken:
    """Return words said by a voice, through A-law."""
    speech = voice.say_words(words).at_rate(_TELEPHONE_HZ)
    samples = np.pad(speech.samples, int(_SILENCE_SECONDS * _TELEPHONE_HZ))
    return Spoken(tuple(word.text for word in words), alaw_decode(alaw_encode(samples)))


def recognise(model: vosk.Model, samples: npt.NDArray[np.int16], sample_rate_hz: int) -> list[str]:
    """Return the words a Vosk model hears in a recording."""
    recogniser = vosk.KaldiRecognizer(model, sample_rate_hz)
    heard: list[str] = []
    for start in range(0, len(samples), _CHUNK_SAMPLES):
        if recogniser.AcceptWaveform(samples[start : start + _CHUNK_SAMPLES].astype("<i2").tobytes()):
            heard += json.loads(recogniser.Result())["text"].split()
    heard += json.loads(recogniser.FinalResult())["text"].split()
    return heard


def score_voices(model_dir: Path, spoken: Iterator[Spoken]) -> WordScore:
    """Return the words right of the words spoken."""
    model = vosk.Model(str(model_dir))
    total = WordScore(0, 0, 0, 0, 0)
    for sentence in spoken:
        total += score_words(sentence.words, recognise(model, sentence.samples, _TELEPHONE_HZ))
    return total
