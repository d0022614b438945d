"""The shipped small model in the real Vosk: what it hears and what it must not hear."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import vosk

import hotline.asr.builder.measure as measure
from hotline.asr.builder.build import BuildProgress, build_model
from hotline.asr.builder.corpus import load_corpus
from hotline.asr.builder.filler import UNKNOWN_WORD
from hotline.asr.builder.measure import (
    Spoken,
    outside_sentences,
    recognise,
    score_characters,
    score_outside,
    score_voices,
    speak_dialogues,
    speak_numbers,
    speak_outside,
    speak_sentences,
)
from hotline.asr.builder.network import TrainingPlan
from hotline.asr.builder.sounds import DTMF_HZ
from hotline.asr.builder.utterances import HARD_VARIANTS, HELD_OUT_VARIANTS
from hotline.asr.text import UNCLEAR
from hotline.asr.transcribe import transcribe
from hotline.asr.vosk_engine import VoskEngine
from hotline.core.errors import SetupError
from hotline.speech.g711 import alaw_decode, alaw_encode, ulaw_decode, ulaw_encode
from hotline.speech.resample import resample
from hotline.speech.scoring import score_words
from hotline.speech.voice import Voice
from hotline.speech.voices import AGENT_VARIANTS, CALLER_VARIANTS

MODEL_DIR = Path(measure.__file__).resolve().parents[1] / "small_model"
RATES_WPM = (160, 175, 190)
UNHEARD = HELD_OUT_VARIANTS[:3]
Samples = npt.NDArray[np.int16]

SENTENCE = "您好，我要投诉，健身房关门了，会员卡不退钱。"
WORDS = ["您好", "我", "要", "投诉", "健身房", "关门", "了", "会员卡", "不退钱"]

vosk.SetLogLevel(-1)


@pytest.fixture(scope="module", name="model")
def fixture_model() -> vosk.Model:
    """The shipped model, loaded by Vosk."""
    return vosk.Model(str(MODEL_DIR))


def say(variant: str = "m3", rate_hz: int = 8000) -> Samples:
    """Return the sentence in a voice, with a second of silence on both sides."""
    return np.pad(Voice(variant).say(SENTENCE).at_rate(rate_hz).samples, rate_hz)


def test_it_is_small_and_says_what_it_is() -> None:
    """Under two megabytes, with the words it knows (400 and more), its rate and its licence beside it."""
    description = json.loads((MODEL_DIR / "model.json").read_text(encoding="utf-8"))
    assert description["licence"] == "Apache-2.0"
    assert description["sample_rate_hz"] == 8000
    assert description["words"] == list(load_corpus().readings)
    assert len(description["words"]) >= 400
    assert sum(path.stat().st_size for path in MODEL_DIR.rglob("*") if path.is_file()) < 2_000_000
    assert "espeak" in (MODEL_DIR / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "variants", [HELD_OUT_VARIANTS, HARD_VARIANTS], ids=["ordinary", "unlike the others"]
)
def test_voices_it_never_heard(variants: tuple[str, ...]) -> None:
    """Sentences in voices kept out of training, over A-law: few characters are wrong."""
    spoken = list(speak_sentences(variants, count=12, seed=41, rates_wpm=RATES_WPM))
    score = score_characters(MODEL_DIR, iter(spoken))
    assert score.spoken > 600
    assert score.word_error_rate < 0.05


def test_numbers_in_voices_it_never_heard() -> None:
    """Telephone and identity numbers, amounts, dates and times, digit by digit: few are wrong."""
    voices = (*HELD_OUT_VARIANTS, *HARD_VARIANTS)
    score = score_voices(MODEL_DIR, speak_numbers(voices, count=12, seed=44, rates_wpm=RATES_WPM))
    assert score.spoken > 1000
    assert score.word_error_rate < 0.05


def test_speech_outside_its_words_is_owned_to_be_unclear() -> None:
    """What people say elsewhere, in voices it never heard, is the unknown word, hardly ever other words."""
    sentences = outside_sentences("held_out")
    score = score_outside(MODEL_DIR, speak_outside(UNHEARD, sentences, seed=45, rates_wpm=RATES_WPM))
    assert score.sentences == len(UNHEARD) * len(sentences)
    assert score.unclear > 0.9 * score.sentences
    assert score.invented < 0.15 * score.characters


def test_hotline_speech_is_not_unclear(model: vosk.Model) -> None:
    """In the same voices, what the word list holds is hardly ever given up as unknown."""
    words = unknown = 0
    for spoken in speak_sentences(UNHEARD, count=20, seed=46, rates_wpm=RATES_WPM):
        words += len(spoken.words)
        unknown += recognise(model, spoken.samples, 8000).count(UNKNOWN_WORD)
    assert words > 250
    assert unknown < 0.02 * words


def test_people_read_that_it_was_unclear() -> None:
    """A sentence outside the list is read as 〈听不清〉; those before and after it are whole."""
    said = ["您好，请讲。", "红烧排骨要炖一个钟头。", "好的，谢谢您。"]
    speech = [np.pad(Voice("m8").say(sentence).at_rate(8000).samples, (4000, 8000)) for sentence in said]
    pcm = a_law(np.concatenate(speech)).astype("<i2").tobytes()
    texts = [final.text for final in transcribe(VoskEngine(MODEL_DIR), pcm, 8000)]
    assert texts[0] == "您好请讲"
    assert UNCLEAR in "".join(texts[1:-1])
    assert texts[-1] == "好的谢谢您"


@pytest.mark.parametrize("variants", [CALLER_VARIANTS[:2], AGENT_VARIANTS[:1]], ids=["callers", "agents"])
def test_the_demo_is_heard_word_for_word(variants: tuple[str, ...]) -> None:
    """Scripted dialogues in the demo's voices, over A-law: hardly a word in five hundred is wrong."""
    score = score_voices(MODEL_DIR, speak_dialogues(variants, seed=43, rates_wpm=RATES_WPM))
    assert score.spoken > 900
    assert score.word_error_rate < 0.002


def mu_law(samples: Samples) -> Samples:
    """Through mu-law and back."""
    return ulaw_decode(ulaw_encode(samples))


def a_law(samples: Samples) -> Samples:
    """Through A-law and back."""
    return alaw_decode(alaw_encode(samples))


def quiet(samples: Samples) -> Samples:
    """20 dB down, through A-law."""
    return a_law((samples * 0.1).astype(np.int16))


def noisy(samples: Samples) -> Samples:
    """With white noise about 25 dB below the voice."""
    noise = np.random.default_rng(3).standard_normal(len(samples)) * 250
    return np.clip(samples + noise, -32768, 32767).astype(np.int16)


@pytest.mark.parametrize("line", [a_law, mu_law, quiet, noisy])
@pytest.mark.parametrize("rate_hz", [8000, 16000])
def test_telephone_lines(model: vosk.Model, line: Callable[[Samples], Samples], rate_hz: int) -> None:
    """Companded, quiet and noisy lines, at 8 kHz and as a tap's 16 kHz, give the sentence word for word."""
    heard = recognise(model, resample(line(say()), 8000, rate_hz), rate_hz)
    assert heard == WORDS


def tone(*hertz: float, on: float = 1.0, off: float = 0.0) -> Samples:
    """Return 8 s of tones at 8 kHz, on and off for so many seconds each."""
    time = np.arange(64000) / 8000
    sounding = (time % (on + off)) < on
    return (sounding * sum(6000 * np.sin(2 * np.pi * each * time) for each in hertz)).astype(np.int16)


NOT_SPEECH = {
    "digital zero": np.zeros(64000, np.int16),
    "A-law silence": alaw_decode(b"\xd5" * 64000),
    "line noise": (np.random.default_rng(1).standard_normal(64000) * 60).astype(np.int16),
    "loud noise": (np.random.default_rng(2).standard_normal(64000) * 1500).astype(np.int16),
    "dial tone": tone(450),
    "ring-back": tone(450, on=1.0, off=4.0),
    "busy": tone(450, on=0.35, off=0.35),
    "milliwatt": tone(1000),
    "American ring-back": tone(440, 480, on=2.0, off=4.0),
    **{f"key {key}": tone(*pair, on=0.1, off=0.4) for key, pair in DTMF_HZ.items() if key in "0123456789*#"},
}


@pytest.mark.parametrize("sound", list(NOT_SPEECH))
def test_no_words_where_nobody_speaks(model: vosk.Model, sound: str) -> None:
    """Silence, noise, call tones and keys are heard as nothing."""
    assert recognise(model, a_law(NOT_SPEECH[sound]), 8000) == []


def test_words_after_tones(model: vosk.Model) -> None:
    """Keys and ring-back just before the voice spoil none of it."""
    sound = np.concatenate([NOT_SPEECH["key 1"][:16000], NOT_SPEECH["ring-back"][:16000], say()])
    assert recognise(model, a_law(sound), 8000) == WORDS


def test_word_times_are_those_of_the_voice(model: vosk.Model) -> None:
    """Vosk's word times, with this model's frame rate, lie within 0.15 s of where espeak said the words."""
    speech = Voice("f1").say(SENTENCE, segmenter=load_corpus().segmenter).at_rate(8000)
    recogniser = vosk.KaldiRecognizer(model, 8000)
    recogniser.SetWords(True)
    recogniser.AcceptWaveform(np.pad(speech.samples, 4000).astype("<i2").tobytes())
    heard = json.loads(recogniser.FinalResult())["result"]
    assert [word["word"] for word in heard] == [word.text for word in speech.words]
    for word, spoken in zip(heard, speech.words, strict=True):
        assert word["start"] == pytest.approx(0.5 + spoken.start_sample / 8000, abs=0.15)
        assert word["end"] == pytest.approx(0.5 + spoken.end_sample / 8000, abs=0.15)
        assert 0.0 <= word["conf"] <= 1.0


def test_the_end_of_speech_is_noticed(model: vosk.Model) -> None:
    """Within a second of silence after the last word, Vosk closes the utterance by itself."""
    recogniser = vosk.KaldiRecognizer(model, 8000)
    speech = Voice("m1").say("好的，谢谢您。").at_rate(8000)
    sound = np.concatenate([speech.samples, np.zeros(8000, np.int16)]).astype("<i2").tobytes()
    closed = [recogniser.AcceptWaveform(sound[start : start + 320]) for start in range(0, len(sound), 320)]
    assert any(closed)
    assert json.loads(recogniser.Result())["text"] == "" or closed[-1]


def test_partials_grow(model: vosk.Model) -> None:
    """Text appears while the voice goes on, and its words seldom change afterwards."""
    recogniser = vosk.KaldiRecognizer(model, 8000)
    sound = say().astype("<i2").tobytes()
    partials = []
    for start in range(0, len(sound) - 16000, 1600):  # 1600 bytes: 8000 Hz x 100 ms x 2 bytes
        recogniser.AcceptWaveform(sound[start : start + 1600])
        partials.append(json.loads(recogniser.PartialResult()).get("partial", "").split())
    said = [partial for partial in partials if partial]
    assert len({len(partial) for partial in said}) >= 5
    kept = sum(later[: len(earlier)] == earlier for earlier, later in pairwise(said))
    assert kept >= 0.85 * (len(said) - 1)


def test_a_build_is_reproducible_and_loads(tmp_path: Path) -> None:
    """A quick build with the same seed writes the same bytes, reports its stages, and Vosk can use it."""
    stages: list[str] = []

    def note(progress: BuildProgress) -> None:
        stages.append(progress.stage)

    plan = TrainingPlan(hidden=(128,), epochs=6)
    for name in ("one", "two"):
        report = build_model(tmp_path / name, note, seed=7, sentences=200, plan=plan)
    assert list(dict.fromkeys(stages)) == ["speech", "training", "writing"]
    assert report.words == len(load_corpus().readings)
    one = tmp_path / "one"
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert [str(path) for path in files] == [
        "README.md", "am/final.mdl", "conf/mfcc.conf", "conf/model.conf", "graph/HCLG.fst",
        "graph/phones/word_boundary.int", "graph/words.txt", "model.json",
    ]  # fmt: skip
    for path in files:
        assert (one / path).read_bytes() == (tmp_path / "two" / path).read_bytes(), path
    model = vosk.Model(str(one))
    spoken: list[Spoken] = list(speak_sentences(("m1",), count=4, seed=5, rates_wpm=(175,)))
    total = sum(len(sentence.words) for sentence in spoken)
    right = sum(score_words(each.words, recognise(model, each.samples, 8000)).right for each in spoken)
    assert right > 0.5 * total


def test_a_build_replaces_models_only(tmp_path: Path) -> None:
    """A folder with something else in it is left alone."""
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(SetupError, match="no model of ours"):
        build_model(tmp_path)
    with pytest.raises(SetupError, match="is a file"):
        build_model(tmp_path / "letters.txt")
    assert (tmp_path / "letters.txt").read_text() == "dear"
