"""Prompts as sound files: made once, slow enough, replaced by recordings, and never half written."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from hotline.config import samples
from hotline.config.loading import load_site
from hotline.config.menus import Prompt
from hotline.config.schema import Site
from hotline.core.errors import SetupError
from hotline.ivr.prompts import FORMATS, Made, PromptFiles, Spoken, characters, prompts_of, say_slowly
from hotline.speech.wav import read_wav, write_wav

DEMO = load_site(samples.path("demo"), {})
ONE = Site.model_validate(
    {
        "lines": [{"id": "1", "name": "线", "dids": ["1"]}],
        "queues": [{"name": "1", "title": "队"}],
        "prompts": [{"name": "hello", "text": "您好，欢迎致电政务服务便民热线。"}],
    }
)


def with_prompt(prompt: dict[str, object]) -> Site:
    return ONE.model_copy(update={"prompts": (Prompt.model_validate(prompt),)})


def test_every_prompt_is_there_in_both_rates(tmp_path: Path) -> None:
    """Menus', the product's and the dialplan's prompts lie there in 8 and 16 kHz, loud and not clipped."""
    made = PromptFiles(DEMO, tmp_path).prepare()
    assert made == Made(made=len(prompts_of(DEMO)), kept=0)
    folder = tmp_path / "zh" / "hotline"
    for name in ("main", "consumer", "notice", "progress", "invalid-key", "to-person", "_please_wait"):
        lengths = []
        for extension, rate_hz in FORMATS.items():
            samples_read, rate = read_wav(folder / f"{name}{extension}")
            assert rate == rate_hz
            assert 6000 < np.abs(samples_read.astype(np.int32)).max() < 32000
            lengths.append(len(samples_read) / rate)
        assert lengths[0] == pytest.approx(lengths[1], abs=0.01)


def test_a_second_start_makes_nothing(tmp_path: Path) -> None:
    """What is there and has not changed is kept, even where a person has put another sound in its place."""
    PromptFiles(ONE, tmp_path).prepare()
    own = tmp_path / "zh" / "hotline" / "hello.wav"
    write_wav(own, np.ones(800, np.int16), 8000)
    assert PromptFiles(ONE, tmp_path).prepare().made == 0
    assert len(read_wav(own)[0]) == 800


def test_what_changed_or_went_is_made_again(tmp_path: Path) -> None:
    """New words make one new file; so does a file that was deleted, and a lost note makes all."""
    PromptFiles(ONE, tmp_path).prepare()
    seconds = PromptFiles(ONE, tmp_path).duration_seconds("hello")
    longer = with_prompt({"name": "hello", "text": "您好，欢迎致电政务服务便民热线，请稍候。"})
    files = PromptFiles(longer, tmp_path)
    assert files.prepare().made == 1
    assert files.duration_seconds("hello") > seconds
    (tmp_path / "zh" / "hotline" / "hello.wav16").unlink()
    assert PromptFiles(longer, tmp_path).prepare().made == 1
    (tmp_path / "zh" / "hotline" / ".made.json").write_text("[broken", encoding="utf-8")
    assert PromptFiles(longer, tmp_path).prepare().kept == 0
    assert PromptFiles(longer, tmp_path).prepare().made == 0


@pytest.mark.parametrize("text", [p.text for p in DEMO.prompts])
def test_prompts_are_slow_enough_for_the_old(text: str) -> None:
    """Between 120 and 140 characters a minute, pauses included."""
    assert 120 <= 60 * characters(text) / say_slowly(text).duration_seconds <= 140


def test_a_recording_takes_the_place_of_the_voice(tmp_path: Path) -> None:
    """A stereo recording of 44.1 kHz is mixed and brought to both rates; a new take of it is noticed."""
    recording = tmp_path / "take.wav"
    site = with_prompt({"name": "hello", "text": "您好", "recording": recording})
    record(recording, seconds=2.0)
    files = PromptFiles(site, tmp_path / "sounds")
    files.prepare()
    assert files.duration_seconds("hello") == pytest.approx(2.0, abs=0.01)
    heard, rate = read_wav(files.file("hello"))
    assert rate == 8000
    spectrum = np.abs(np.fft.rfft(heard.astype(np.float64)))
    assert np.argmax(spectrum) / files.duration_seconds("hello") == pytest.approx(440, abs=2)
    record(recording, seconds=3.0)
    again = PromptFiles(site, tmp_path / "sounds")
    assert again.prepare().made == 1
    assert again.duration_seconds("hello") == pytest.approx(3.0, abs=0.01)


def record(file: Path, seconds: float) -> None:
    """Write a tone of 440 Hz on the left channel only."""
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(int(44100 * seconds)) / 44100)).astype("<i2")
    with wave.open(str(file), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(44100)
        out.writeframes(np.column_stack([tone, np.zeros_like(tone)]).tobytes())


def test_a_site_replaces_the_products_own_words() -> None:
    """A prompt named like one of the product's, or like a menu's fallback, is said in its place."""
    prompts = [
        {"name": name, "text": f"自己的{name[0]}"} for name in ("invalid-key", "please-wait", "fallback-main")
    ]
    site = DEMO.model_copy(
        update={"prompts": DEMO.prompts + tuple(Prompt.model_validate(prompt) for prompt in prompts)}
    )
    said = {spoken.sound: spoken.text for spoken in prompts_of(site)}
    assert said["hotline/invalid-key"] == "自己的i"
    assert said["hotline/_please_wait"] == "自己的p"
    assert said["hotline/_fallback_main"] == "自己的f"
    assert len(said) == len(prompts_of(DEMO))


async def test_it_can_be_done_beside_the_loop_with_its_progress_told(tmp_path: Path) -> None:
    """Preparing off the loop reports each sentence as it is done."""
    told: list[tuple[int, int]] = []
    await PromptFiles(ONE, tmp_path).prepare_off_loop(lambda done, of: told.append((done, of)))
    count = len(prompts_of(ONE))
    assert told == [(done, count) for done in range(1, count + 1)]


def test_a_prompt_with_nothing_to_say_is_told(tmp_path: Path) -> None:
    """Punctuation alone cannot be spoken: one line that names the prompt."""
    with pytest.raises(SetupError, match="hello cannot be said"):
        PromptFiles(with_prompt({"name": "hello", "text": "。。。"}), tmp_path).prepare()


def test_a_recording_that_went_is_told(tmp_path: Path) -> None:
    """A recording deleted after the check is one line, not a crash."""
    site = with_prompt({"name": "hello", "text": "您好", "recording": tmp_path / "none.wav"})
    with pytest.raises(SetupError, match=r"none\.wav cannot be used"):
        PromptFiles(site, tmp_path).prepare()


def test_a_folder_that_cannot_be_written_is_told_and_leaves_no_pieces(tmp_path: Path) -> None:
    """Where the sounds folder is a file, or a sound's place is taken by a folder, the error says which."""
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="cannot be written"):
        PromptFiles(ONE, tmp_path / "file").prepare()
    folder = tmp_path / "sounds" / "zh" / "hotline"
    (folder / "hello.wav").mkdir(parents=True)
    with pytest.raises(SetupError, match="cannot be written"):
        PromptFiles(ONE, tmp_path / "sounds").prepare()
    assert not [path for path in folder.iterdir() if path.name.startswith(".hello")]


def test_no_voice_on_the_machine_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without libespeak-ng the error says what to install."""
    monkeypatch.setattr("hotline.speech.espeak.LIBRARY_NAME", "libnone.so.1")
    monkeypatch.setattr("hotline.speech.espeak._library", None)
    with pytest.raises(SetupError, match="libespeak-ng1"):
        PromptFiles(ONE, tmp_path).prepare()


def test_english_words_are_said_by_an_english_voice(tmp_path: Path) -> None:
    """At a pace of its own: the Mandarin voice would read nothing of it; another language makes it anew."""
    english = Prompt(name="hello", text="For English, press eight.", language="en")
    site = ONE.model_copy(update={"prompts": (english,)})
    files = PromptFiles(site, tmp_path)
    made = files.prepare().made
    assert made > 0 and 1.5 < files.duration_seconds("hello") < 4
    assert PromptFiles(site, tmp_path).prepare().made == 0
    chinese = english.model_copy(update={"language": "zh-CN", "text": "英语请按8。"})
    assert PromptFiles(site.model_copy(update={"prompts": (chinese,)}), tmp_path).prepare().made == 1


def test_a_prompt_that_is_not_there_takes_no_time(tmp_path: Path) -> None:
    """Asking for the length of a missing prompt is 0, not an error in the middle of a call."""
    assert PromptFiles(ONE, tmp_path).duration_seconds("none") == 0.0
    assert Spoken("hotline/x", "喂").recording is None
