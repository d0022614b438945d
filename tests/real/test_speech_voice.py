"""espeak-ng says Mandarin and tells where each word is."""

from __future__ import annotations

import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from hotline.core.errors import SetupError
from hotline.speech import espeak
from hotline.speech.espeak import EspeakMissingError
from hotline.speech.resample import StreamResampler, resample
from hotline.speech.segment import Segmenter
from hotline.speech.voice import Speech, Voice
from hotline.speech.voices import (
    AGENT_VARIANTS,
    CALLER_VARIANTS,
    DEMO_VARIANTS,
    PROMPT_RATE_WPM,
    PROMPT_VARIANT,
)
from hotline.speech.wav import WavError, read_wav, write_wav

WORDS = Segmenter(["您好", "我", "要", "投诉", "健身房", "关门", "了"])


def test_words_lie_where_they_sound() -> None:
    """Words follow one another inside the sound, and the pause of a comma is quiet."""
    speech = Voice("f3").say("您好，我要投诉。", segmenter=WORDS)
    assert speech.text == "您好 我 要 投诉"
    edges = [edge for word in speech.words for edge in (word.start_sample, word.end_sample)]
    assert edges == sorted(edges)
    assert 0 <= edges[0] and edges[-1] <= len(speech.samples)
    hello, complaint = speech.words[0], speech.words[1]
    pause = speech.samples[hello.end_sample + 400 : complaint.start_sample - 400].astype(float)
    sound = speech.samples[hello.start_sample : hello.end_sample].astype(float)
    assert len(pause) > 1000
    assert np.sqrt(np.mean(pause**2)) < 0.1 * np.sqrt(np.mean(sound**2))


def test_phones_cover_the_sound_without_gaps() -> None:
    """Each phone begins where the last one ended, and belongs to the word it is part of."""
    speech = Voice("m1").say("社保卡怎么换")
    assert all(a.end_sample == b.start_sample for a, b in zip(speech.phones, speech.phones[1:], strict=False))
    said = "".join(
        phone.name for phone in speech.phones if phone.word == 0 and not phone.name.startswith("_")
    )
    assert said.startswith("s.")


def test_telephone_rate_keeps_the_places() -> None:
    """At 8 kHz the words lie at the same times."""
    speech = Voice("m2").say("健身房关门了", segmenter=WORDS)
    telephone = speech.at_rate(8000)
    assert telephone.sample_rate_hz == 8000
    assert telephone.duration_seconds == pytest.approx(speech.duration_seconds, abs=0.001)
    for before, after in zip(speech.words, telephone.words, strict=True):
        expected = before.end_sample / speech.sample_rate_hz
        assert after.end_sample / 8000 == pytest.approx(expected, abs=0.001)
    assert speech.at_rate(speech.sample_rate_hz) is speech


def test_voices_differ_and_rates_count() -> None:
    """Another variant sounds otherwise; a slower rate takes longer."""
    plain, other = (Voice(variant).say("您好").samples for variant in ("m1", "f4"))
    assert len(plain) != len(other) or not np.array_equal(plain, other)
    slow, quick = (Voice("m1", rate_wpm=rate).say("您好我要投诉").duration_seconds for rate in (120, 200))
    assert slow > 1.3 * quick


def test_prompts_are_slow_enough_for_the_old() -> None:
    """Menu prompts keep to 120-140 characters a minute."""
    text = "欢迎拨打政务服务热线投诉请按一咨询请按二其他问题请按零"
    speech = Voice(PROMPT_VARIANT, rate_wpm=PROMPT_RATE_WPM).say(text)
    assert 120 <= len(text) / speech.duration_seconds * 60 <= 140


def test_demo_voices_are_installed() -> None:
    """Every voice the demo names exists, and no one plays both sides."""
    assert set(DEMO_VARIANTS) <= espeak.variants()
    assert not set(CALLER_VARIANTS) & set(AGENT_VARIANTS)


def test_threads_share_the_library() -> None:
    """Threads that speak at once get their own words, though the library itself is not thread-safe."""
    texts = ["您好", "健身房关门了", "我要投诉"] * 8

    def say(text: str) -> Speech:
        return Voice("m3").say(text, segmenter=WORDS)

    alone = {text: len(say(text).samples) for text in set(texts)}
    with ThreadPoolExecutor(4) as pool:
        for text, speech in zip(texts, pool.map(say, texts), strict=True):
            assert "".join(word.text for word in speech.words) == text
            assert len(speech.samples) == pytest.approx(alone[text], rel=0.12)


def test_missing_library_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without libespeak-ng the error says which Debian package to install."""
    monkeypatch.setattr(espeak, "_library", None)
    monkeypatch.setattr(espeak, "LIBRARY_NAME", "libespeak-ng.so.0-absent")
    with pytest.raises(SetupError, match="libespeak-ng1"):
        Voice().say("您好")


def test_unknown_variant_is_refused() -> None:
    """Espeak itself would say nothing and use its plain voice."""
    with pytest.raises(EspeakMissingError, match="nobody"):
        Voice("nobody").say("您好")


@pytest.mark.parametrize(
    "voice", [Voice(rate_wpm=20), Voice(rate_wpm=900), Voice(pitch=-1), Voice(pitch=100)]
)
def test_impossible_voices_are_refused(voice: Voice) -> None:
    """A rate or pitch outside espeak's range is a ValueError, not a silent clamp."""
    with pytest.raises(ValueError, match="outside"):
        voice.say("您好")


@pytest.mark.parametrize("text", ["", "……", "\n", "😀"])
def test_nothing_to_say(text: str) -> None:
    """Text with nothing sayable in it is refused."""
    with pytest.raises(ValueError, match="nothing"):
        Voice().say(text)


def test_wav_files_come_back(tmp_path: Path) -> None:
    """What is written is read back, samples and rate."""
    samples = np.array([0, 1, -32768, 32767], np.int16)
    write_wav(tmp_path / "a.wav", samples, 8000)
    again, rate_hz = read_wav(tmp_path / "a.wav")
    assert again.tolist() == samples.tolist()
    assert rate_hz == 8000


def test_other_files_are_refused(tmp_path: Path) -> None:
    """Stereo, text and truncated files are named as such."""
    stereo = tmp_path / "stereo.wav"
    with wave.open(str(stereo), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(8))
    with pytest.raises(WavError, match="2 channels"):
        read_wav(stereo)
    for content in (b"", b"not a sound", stereo.read_bytes()[:20]):
        (tmp_path / "bad.wav").write_bytes(content)
        with pytest.raises(WavError, match="not a PCM WAV"):
            read_wav(tmp_path / "bad.wav")


def test_stream_resampling_matches_the_whole() -> None:
    """A stream resampled in 20 ms chunks is the recording resampled at once."""
    tone = (8000 * np.sin(np.arange(8000) * 0.2)).astype(np.int16)
    stream = StreamResampler(8000, 16000)
    pieces = [
        stream.push(tone[start : start + 160], last=start + 160 >= 8000) for start in range(0, 8000, 160)
    ]
    streamed, whole = np.concatenate(pieces), resample(tone, 8000, 16000)
    assert abs(len(streamed) - len(whole)) <= 1
    middle = slice(1000, 15000)
    assert np.abs(streamed[middle].astype(int) - whole[middle]).max() <= 2
