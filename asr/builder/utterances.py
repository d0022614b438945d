"""Spoken training data: sentences said by espeak's voices, with the HMM state of every frame.

espeak tells where each phone begins, so nothing has to be aligned. The work is cut into shards; a shard is a
fresh process with a seed of its own, so that the same seed gives the same data whatever the number of
processes.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

from hotline.asr.builder.corpus import Corpus, load_corpus
from hotline.asr.builder.features import MFCC, FrameArray, compute_mfcc
from hotline.asr.builder.phones import SILENCE_PDF, PhoneSet
from hotline.asr.builder.sounds import not_speech, telephone
from hotline.asr.builder.syllables import draw_phrases
from hotline.core.errors import HotlineError
from hotline.speech.pinyin import PinyinWord
from hotline.speech.voice import Speech, SpokenPhone, Voice
from hotline.speech.voices import DEMO_VARIANTS

__all__ = ["HARD_VARIANTS", "HELD_OUT_VARIANTS", "TRAINING_VARIANTS", "Utterances", "collect_pronunciations"]

HELD_OUT_VARIANTS = ("m8", "f5", "Andy", "steph2", "belinda", "max")
"""Never trained on: ordinary voices, to measure with."""

HARD_VARIANTS = ("klatt2", "croak", "Mr serious", "robert", "Nguyen", "grandma")
"""Never trained on: voices unlike the others."""

TRAINING_VARIANTS = (
    "", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "f1", "f2", "f3", "f4",
    "Alex", "Andrea", "Annie", "Denis", "Diogo", "Gene", "Gene2", "Henrique", "Hugo", "Jacky", "Lee", "Marco",
    "Mario", "Michael", "Mike", "Storm", "adam", "anika", "announcer", "antonio", "aunty", "benjamin",
    "boris", "caleb", "david", "ed", "edward", "edward2", "gustave", "iven", "iven2", "iven3", "iven4",
    "john", "kaukovalta", "linda", "marcelo", "michel", "miguel", "pablo", "paul", "pedro", "quincy", "rob",
    "sandro", "shelby", "steph", "steph3", "victor", "zac", "klatt", "klatt3", "klatt4", "grandpa",
)  # fmt: skip
"""Voices learnt from; the distorted and whispering ones of espeak are left out."""

_SENTENCES_PER_SHARD = 320
_SHORT_PAUSE_SECONDS = 0.055  # a shorter one is the closure of the stop that follows
_RANDOM_WORDS_SHARE = 0.25
_OTHER_SPEECH_SHARE = 0.15
_DEMO_VOICE_SHARE = 0.33
_SENTENCES_PER_NOISE = 7


@dataclass(frozen=True, slots=True, eq=False)
class Utterances:
    """Frames of many utterances and the pdf each frame belongs to.

    Attributes:
        features: shape (frames, cepstra), utterance after utterance.
        pdfs: shape (frames,).
        lengths: frames of each utterance.
        seconds: sound heard.
    """

    features: FrameArray
    pdfs: npt.NDArray[np.int16]
    lengths: npt.NDArray[np.int64]
    seconds: float


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of the work, whole in itself: what is drawn depends on the seed and the number alone.

    Attributes:
        pronunciations: phones of each word of the list, and of each syllable that other speech may have.
    """

    seed: int
    number: int
    sentences: int
    pronunciations: dict[str, tuple[str, ...]]


def collect_pronunciations(readings: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """Return each word's phones, as espeak's plain voice says it alone."""
    voice = Voice()
    pronunciations = {}
    for word, pinyin in readings.items():
        speech = voice.say_words([PinyinWord(word, pinyin)])
        pronunciations[word] = tuple(phone.name for phone in speech.phones if not phone.name.startswith("_"))
    return pronunciations


def plan_shards(pronunciations: dict[str, tuple[str, ...]], *, sentences: int, seed: int) -> list[Shard]:
    """Cut the work of ``sentences`` into shards of about the same size."""
    count = max(1, sentences // _SENTENCES_PER_SHARD)
    sizes = [sentences // count + (number < sentences % count) for number in range(count)]
    return [Shard(seed, number, size, pronunciations) for number, size in enumerate(sizes)]


def speak_shards(shards: Sequence[Shard], *, processes: int) -> Iterator[Utterances]:
    """Yield the training data shard by shard, in order, ``processes`` of them at work at once."""
    with (
        tempfile.TemporaryDirectory(prefix="hotline-speech-") as folder,
        ThreadPoolExecutor(processes) as pool,
    ):
        jobs = [
            pool.submit(_speak_in_process, shard, Path(folder) / f"{shard.number}.npz") for shard in shards
        ]
        try:
            for job in jobs:
                yield _load(job.result())
        finally:
            for job in jobs:
                job.cancel()


def _speak_in_process(shard: Shard, path: Path) -> Path:
    """Run this module as a program: espeak keeps state from sentence to sentence, a new process has none."""
    command = [sys.executable, "-m", "hotline.asr.builder.utterances", str(path)]
    done = subprocess.run(
        command, input=json.dumps(asdict(shard)), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        last_line = (done.stderr.strip() or "no message").splitlines()[-1]
        raise HotlineError(
            f"a process that synthesises speech failed with status {done.returncode}: {last_line}"
        )
    return path


def _load(path: Path) -> Utterances:
    with np.load(path) as arrays:
        lengths = arrays["lengths"]
        seconds = float(lengths.sum()) * MFCC.frame_shift_ms / 1000
        loaded = Utterances(arrays["features"], arrays["pdfs"], lengths, seconds)
    path.unlink()
    return loaded


def _main() -> None:
    """Read a shard from standard input, speak it, and write its arrays to the file named."""
    shard = Shard(**json.load(sys.stdin))
    spoken = speak_shard(shard)
    np.savez(sys.argv[1], features=spoken.features, pdfs=spoken.pdfs, lengths=spoken.lengths)


def speak_shard(shard: Shard) -> Utterances:
    """Say the sentences of one shard in this process, and some sounds that are no speech."""
    corpus = load_corpus()
    phones = PhoneSet(shard.pronunciations)
    text_rng = random.Random(shard.seed * 1000 + shard.number)  # noqa: S311 - not for secrets
    rng = np.random.default_rng([shard.seed, shard.number])
    features: list[FrameArray] = []
    pdfs: list[npt.NDArray[np.int16]] = []
    for _ in range(shard.sentences):
        samples, labels = _say(_draw(corpus, shard.pronunciations, text_rng), phones, rng)
        features.append(compute_mfcc(samples))
        pdfs.append(labels[MFCC.frame_centres(len(features[-1]))])
    for _ in range(max(shard.sentences // _SENTENCES_PER_NOISE, 8)):
        samples = not_speech(rng, MFCC.sample_rate_hz, rng.uniform(1.0, 4.0))
        features.append(compute_mfcc(samples))
        pdfs.append(np.full(len(features[-1]), SILENCE_PDF, np.int16))
    lengths = np.array([len(frames) for frames in features], np.int64)
    seconds = float(lengths.sum()) * MFCC.frame_shift_ms / 1000
    return Utterances(np.concatenate(features), np.concatenate(pdfs), lengths, seconds)


def _draw(corpus: Corpus, known: Mapping[str, object], rng: random.Random) -> list[PinyinWord]:
    kind = rng.random()
    if kind < _OTHER_SPEECH_SHARE:
        return draw_phrases(rng, known)
    if kind < _OTHER_SPEECH_SHARE + _RANDOM_WORDS_SHARE:
        return corpus.random_words(rng)
    return corpus.sentence(rng)


def _say(
    words: list[PinyinWord], phones: PhoneSet, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    """Return a random voice's samples of ``words`` on the telephone, and the pdf of every sample."""
    if rng.random() < _DEMO_VOICE_SHARE:
        variant = DEMO_VARIANTS[rng.integers(len(DEMO_VARIANTS))]
        rate, pitch, warp = rng.integers(140, 215), rng.integers(38, 63), rng.uniform(0.97, 1.03)
    else:
        variant = TRAINING_VARIANTS[rng.integers(len(TRAINING_VARIANTS))]
        rate, pitch, warp = rng.integers(125, 236), rng.integers(20, 81), rng.uniform(0.88, 1.13)
    speech = Voice(variant, rate_wpm=int(rate), pitch=int(pitch)).say_words(words)
    # A recording played at another speed is another throat: warp shifts all its frequencies.
    heard = soxr.resample(
        speech.samples.astype(np.float64), speech.sample_rate_hz, MFCC.sample_rate_hz * warp
    )
    labels = sample_pdfs(speech, len(heard) / len(speech.samples), len(heard), phones)
    lead, trail = (int(rng.uniform(0.05, 0.6) * MFCC.sample_rate_hz) for _ in range(2))
    return telephone(np.pad(heard, (lead, trail)), rng), np.pad(
        labels, (lead, trail)
    )  # pads with SILENCE_PDF


def sample_pdfs(speech: Speech, scale: float, count: int, phones: PhoneSet) -> npt.NDArray[np.int16]:
    """Return the pdf of each of ``count`` samples, which are ``speech`` stretched by ``scale``."""
    labels = np.full(count, SILENCE_PDF, np.int16)
    for phone, start, end in _join_short_pauses(speech.phones, speech.sample_rate_hz):
        states = phones.state_count(phone)
        for state in range(states):
            first = round((start + (end - start) * state / states) * scale)
            last = round((start + (end - start) * (state + 1) / states) * scale)
            labels[first:last] = phones.pdf(phone, state)
    return labels


def _join_short_pauses(spoken: Sequence[SpokenPhone], sample_rate_hz: int) -> Iterator[tuple[str, int, int]]:
    """Yield (phone, start, end) of what is no silence; a short pause is given to the phone after it."""
    pause_start: int | None = None
    for phone in spoken:
        if phone.name.startswith("_"):
            if pause_start is None:
                pause_start = phone.start_sample
            continue
        start = phone.start_sample
        if pause_start is not None and start - pause_start <= _SHORT_PAUSE_SECONDS * sample_rate_hz:
            start = pause_start
        pause_start = None
        yield phone.name, start, phone.end_sample


if __name__ == "__main__":
    _main()
