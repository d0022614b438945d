"""Prompts as sound files, ready before Asterisk asks for them.

Each is ``<sounds>/zh/hotline/<name>.wav`` (8 kHz) and ``.wav16`` (16 kHz): under these names Asterisk looks
for signed 16-bit WAV of those rates (its ``formats/format_wav.c``). What was made is noted with a digest of
all that went into it: a second start makes nothing, and a file put by hand in the place of ours stays.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hotline.config.schema import Site
from hotline.config.system_prompts import SYSTEM_PROMPTS
from hotline.core.errors import SetupError
from hotline.speech.espeak import ENGLISH_VOICE, RATE_WPM_RANGE, EspeakError, synthesise
from hotline.speech.resample import resample
from hotline.speech.segment import is_spoken
from hotline.speech.voice import Speech, Voice
from hotline.speech.voices import PROMPT_RATE_WPM, PROMPT_VARIANT
from hotline.speech.wav import write_wav
from hotline.telephony.asterisk_config.prompts import fallback_prompt, sound, static_prompts

__all__ = ["LANGUAGE", "Made", "PromptFiles", "Spoken", "characters", "prompts_of", "say_slowly"]

LANGUAGE = "zh"
FORMATS = {".wav": 8000, ".wav16": 16000}  # extension -> sample rate in Hz
CHARACTERS_A_MINUTE = 130  # the old follow 120 to 140
ENGLISH_WORDS_A_MINUTE = 120  # for foreigners whose English is no better than ours
PEAK = 0.6 * 32767  # loud enough on a poor line, far from clipping in A-law
RECIPE = 1  # counted up when the same words would come out as another sound
_SHORT = 8  # so few characters end before their tempo is felt; they are said at the menus' usual rate

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Spoken:
    """One sentence and where its sound goes.

    Attributes:
        sound: path below ``<sounds>/zh/``, without extension.
        recording: a WAV file that takes the place of the voice.
        english: an English voice says it.
    """

    sound: str
    text: str
    recording: Path | None = None
    english: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """What ``PromptFiles.prepare`` did: how many sentences it made, and how many were there already."""

    made: int
    kept: int


def prompts_of(site: Site) -> list[Spoken]:
    """Return everything that a site's callers may hear.

    The site's own prompts, what menus say by themselves, and what the dialplan says without us; a site's
    prompt stands in for one of the others by its name (``config.system_prompts``).
    """
    own = {prompt.name: prompt for prompt in site.prompts}
    said = {sound(name): Spoken(sound(name), text) for name, text in SYSTEM_PROMPTS.items()}
    said |= {path: Spoken(path, text) for path, text in static_prompts(site).items()}
    takes_place_of = {_own_name(site, path): path for path in said}
    for name, prompt in own.items():
        path = takes_place_of.get(name, sound(name))
        said[path] = Spoken(path, prompt.text, prompt.recording, prompt.english)
    return list(said.values())


def _own_name(site: Site, path: str) -> str:
    """Return the prompt name by which a site replaces the sound at ``path``."""
    for menu in site.menus:
        if path == sound(fallback_prompt(menu.name)):
            return f"fallback-{menu.name}"
    return path.rpartition("/")[2].lstrip("_").replace("_", "-")


class PromptFiles:
    """The sound files of one site.

    Args:
        site: whose prompts.
        sounds_dir: Asterisk's sounds folder.
    """

    def __init__(self, site: Site, sounds_dir: Path) -> None:
        self._prompts = prompts_of(site)
        self._folder = sounds_dir / LANGUAGE
        self._notes = self._folder / "hotline" / ".made.json"
        self._durations: dict[str, float] = {}

    def file(self, name: str) -> Path:
        """Return the 8 kHz file of the prompt ``name``."""
        return self._folder / f"{sound(name)}.wav"

    def duration_seconds(self, name: str) -> float:
        """Return how long the prompt ``name`` takes, read once; 0 if its file cannot be read."""
        if name not in self._durations:
            try:
                with wave.open(str(self.file(name)), "rb") as file:
                    self._durations[name] = file.getnframes() / file.getframerate()
            except (OSError, EOFError, wave.Error):
                return 0.0
        return self._durations[name]

    async def prepare_off_loop(self, progress: Callable[[int, int], None] | None = None) -> Made:
        """Do `prepare` in a thread; ``progress`` is called there."""
        return await asyncio.to_thread(self.prepare, progress)

    def prepare(self, progress: Callable[[int, int], None] | None = None) -> Made:
        """Make every file that is missing or whose words or recording changed.

        Args:
            progress: called with how many sentences are done and how many there are.

        Raises:
            SetupError: if the folder cannot be written, a recording cannot be used, or there is no voice.
        """
        notes = self._read_notes()
        made = 0
        try:
            for done, spoken in enumerate(self._prompts):
                digest = _digest(spoken)
                if notes.get(spoken.sound) != digest or not self._there(spoken):
                    self._make(spoken)
                    notes[spoken.sound] = digest
                    made += 1
                if progress is not None:
                    progress(done + 1, len(self._prompts))
        except OSError as error:
            hint = "give asterisk.sounds_dir a folder that this user may write to"
            raise SetupError(f"prompts cannot be written to {self._folder}: {error}", hint=hint) from error
        finally:
            if made:
                self._write_notes(notes)
        _log.info("prompts ready: %d made, %d kept", made, len(self._prompts) - made)
        return Made(made, len(self._prompts) - made)

    def _there(self, spoken: Spoken) -> bool:
        return all((self._folder / (spoken.sound + extension)).is_file() for extension in FORMATS)

    def _make(self, spoken: Spoken) -> None:
        samples, rate_hz = _sound_of(spoken)
        for extension, wanted_hz in FORMATS.items():
            file = self._folder / (spoken.sound + extension)
            file.parent.mkdir(parents=True, exist_ok=True)
            draft = file.with_name(f".{file.name}.{os.getpid()}")
            try:
                write_wav(draft, resample(samples, rate_hz, wanted_hz), wanted_hz)
                draft.replace(file)  # in one step: Asterisk may be playing it
            finally:
                draft.unlink(missing_ok=True)

    def _read_notes(self) -> dict[str, str]:
        try:
            notes = json.loads(self._notes.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {str(key): str(value) for key, value in notes.items()} if isinstance(notes, dict) else {}

    def _write_notes(self, notes: dict[str, str]) -> None:
        draft = self._notes.with_name(f"{self._notes.name}.{os.getpid()}")
        try:
            draft.write_text(json.dumps(notes, indent=0, sort_keys=True), encoding="utf-8")
            draft.replace(self._notes)
        except OSError:
            _log.warning("what prompts were made cannot be noted in %s: they will be made again", self._notes)


def characters(text: str) -> int:
    """Return how many characters of ``text`` are said."""
    return sum(map(is_spoken, text))


def say_slowly(text: str) -> Speech:
    """Say a prompt at about 130 characters a minute, pauses included.

    Raises:
        EspeakError: if there is no voice.
        ValueError: if nothing in the text can be said.
    """
    rate_wpm = PROMPT_RATE_WPM
    speech = Voice(PROMPT_VARIANT, rate_wpm).say(text)
    if characters(text) < _SHORT:
        return speech
    for _ in range(2):  # pauses do not stretch in proportion: the second step lands within some percent
        tempo = 60 * characters(text) / speech.duration_seconds
        rate_wpm = min(max(round(rate_wpm * CHARACTERS_A_MINUTE / tempo), RATE_WPM_RANGE[0]), 160)
        speech = Voice(PROMPT_VARIANT, rate_wpm).say(text)
    return speech


def _digest(spoken: Spoken) -> str:
    parts = [str(RECIPE), spoken.text, PROMPT_VARIANT, str(PROMPT_RATE_WPM), str(CHARACTERS_A_MINUTE)]
    if spoken.english:
        parts += [ENGLISH_VOICE, str(ENGLISH_WORDS_A_MINUTE)]
    if spoken.recording is not None:
        try:
            parts = [str(RECIPE), hashlib.sha256(spoken.recording.read_bytes()).hexdigest()]
        except OSError as error:
            raise _unusable(spoken.recording, error.strerror or str(error)) from error
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


def _sound_of(spoken: Spoken) -> tuple[npt.NDArray[np.int16], int]:
    if spoken.recording is not None:
        return _recorded(spoken.recording)
    try:
        samples, rate_hz = _say(spoken)
    except EspeakError as error:
        raise SetupError(f"no voice for the prompts: {error}") from error
    except ValueError as error:
        raise SetupError(
            f"the prompt {spoken.sound} cannot be said: {error}", hint="change its text"
        ) from error
    peak = float(np.abs(samples.astype(np.int32)).max(initial=1))
    return (samples * (PEAK / peak)).astype(np.int16), rate_hz


def _say(spoken: Spoken) -> tuple[npt.NDArray[np.int16], int]:
    if not spoken.english:
        speech = say_slowly(spoken.text)
        return speech.samples, speech.sample_rate_hz
    samples, rate_hz, _ = synthesise(
        spoken.text, voice=ENGLISH_VOICE, variant=PROMPT_VARIANT, rate_wpm=ENGLISH_WORDS_A_MINUTE
    )
    return samples, rate_hz


def _recorded(file: Path) -> tuple[npt.NDArray[np.int16], int]:
    """Read a recording of any rate and number of channels; its channels are mixed."""
    try:
        with wave.open(str(file), "rb") as opened:
            if opened.getsampwidth() != 2:
                raise _unusable(file, f"it has {8 * opened.getsampwidth()} bits")
            channels, rate_hz = opened.getnchannels(), opened.getframerate()
            data = np.frombuffer(opened.readframes(opened.getnframes()), "<i2")
    except (OSError, EOFError, wave.Error) as error:
        raise _unusable(file, str(error)) from error
    frames = data[: len(data) // channels * channels].reshape(-1, channels)
    return frames.mean(axis=1).astype(np.int16), rate_hz


def _unusable(file: Path, why: str) -> SetupError:
    return SetupError(f"the recording {file} cannot be used: {why}", hint="save it as 16-bit PCM WAV")
