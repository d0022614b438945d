"""How well a model hears espeak's voices over a telephone: errors by real recognition."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import vosk
import yaml

from hotline.asr.builder.corpus import DATA_DIR, load_corpus
from hotline.asr.builder.filler import UNKNOWN_WORD
from hotline.asr.builder.utterances import HARD_VARIANTS, HELD_OUT_VARIANTS
from hotline.speech.g711 import alaw_decode, alaw_encode
from hotline.speech.pinyin import PinyinWord, text_to_pinyin
from hotline.speech.scoring import WordScore, score_words
from hotline.speech.voice import Voice
from hotline.speech.voices import DEMO_VARIANTS

__all__ = [
    "Measurement",
    "OutsideScore",
    "Spoken",
    "measure",
    "outside_sentences",
    "recognise",
    "score_characters",
    "score_outside",
    "score_voices",
    "speak_dialogues",
    "speak_numbers",
    "speak_outside",
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
        held_out_characters: as `held_out`, counted in characters.
        numbers: telephone and identity numbers, amounts, dates and times, in voices kept out of training.
        outside: sentences of no hotline in voices kept out of training.
    """

    demo: WordScore
    held_out: WordScore
    unlike: WordScore
    anything: WordScore
    held_out_characters: WordScore
    numbers: WordScore
    outside: OutsideScore


@dataclass(frozen=True, slots=True)
class OutsideScore:
    """What a model makes of speech that is mostly outside its words.

    Attributes:
        sentences: said.
        unclear: sentences of them in which the unknown word was heard.
        characters: said.
        invented: characters of words heard that the sentence does not hold.
    """

    sentences: int
    unclear: int
    characters: int
    invented: int


def measure(model_dir: Path, *, seed: int = 1) -> Measurement:
    """Return how well the model in ``model_dir`` hears; takes about a minute."""
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
        held_out_characters=score_characters(
            model_dir, speak_sentences(HELD_OUT_VARIANTS, count=30, seed=seed, rates_wpm=_RATES_WPM)
        ),
        numbers=score_voices(
            model_dir, speak_numbers(HELD_OUT_VARIANTS, count=20, seed=seed, rates_wpm=_RATES_WPM)
        ),
        outside=score_outside(
            model_dir,
            speak_outside(HELD_OUT_VARIANTS, outside_sentences("held_out"), seed=seed, rates_wpm=_RATES_WPM),
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


def speak_numbers(
    variants: Sequence[str], *, count: int, seed: int, rates_wpm: Sequence[int]
) -> Iterator[Spoken]:
    """Yield ``count`` sentences about numbers from each voice variant."""
    corpus = load_corpus()
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    for variant in variants:
        for _ in range(count):
            words = corpus.words_of(corpus.expand(rng.choice(corpus.groups["numbers"]), rng))
            yield speak(words, Voice(variant, rate_wpm=rng.choice(rates_wpm)))


def outside_sentences(part: str) -> list[str]:
    """Return the sentences of ``data/outside.yaml`` under ``tuning`` or ``held_out``."""
    sentences: dict[str, list[str]] = yaml.safe_load((DATA_DIR / "outside.yaml").read_text(encoding="utf-8"))
    return sentences[part]


def speak_outside(
    variants: Sequence[str], sentences: Sequence[str], *, seed: int, rates_wpm: Sequence[int]
) -> Iterator[Spoken]:
    """Yield each sentence from each voice variant, cut into the words that the model knows and characters."""
    segmenter = load_corpus().segmenter
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    for variant in variants:
        for sentence in sentences:
            said = speak(text_to_pinyin(sentence), Voice(variant, rate_wpm=rng.choice(rates_wpm)))
            yield Spoken(tuple(segmenter.cut(sentence)), said.samples)


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


def score_characters(model_dir: Path, spoken: Iterator[Spoken]) -> WordScore:
    """Return the characters right of the characters spoken; the unknown word counts as one."""
    model = vosk.Model(str(model_dir))
    total = WordScore(0, 0, 0, 0, 0)
    for sentence in spoken:
        heard = recognise(model, sentence.samples, _TELEPHONE_HZ)
        total += score_words(_characters(sentence.words), _characters(heard))
    return total


def _characters(words: Sequence[str]) -> list[str]:
    return [part for word in words for part in ([word] if word == UNKNOWN_WORD else word)]


def score_outside(model_dir: Path, spoken: Iterator[Spoken]) -> OutsideScore:
    """Return how much of what was spoken was owned to be unclear, and how much was invented."""
    model = vosk.Model(str(model_dir))
    sentences = unclear = characters = invented = 0
    for sentence in spoken:
        heard = Counter(recognise(model, sentence.samples, _TELEPHONE_HZ))
        sentences += 1
        unclear += heard.pop(UNKNOWN_WORD, 0) > 0
        characters += sum(map(len, sentence.words))
        invented += sum(len(word) for word in (heard - Counter(sentence.words)).elements())
    return OutsideScore(sentences, unclear, characters, invented)
