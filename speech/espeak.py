"""libespeak-ng through ctypes: samples with the word and phoneme events they came from.

Source: espeak-ng's ``speak_lib.h`` (struct espeak_EVENT, enum espeak_EVENT_TYPE, espeak_Initialize).
The library keeps one voice and one set of parameters per process and is not thread-safe: every use holds one
lock. It also keeps a little state (the phase of its waves) from one sentence to the next, so samples repeat
exactly only from the start of a process.
"""

from __future__ import annotations

import ctypes
import os
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from hotline.core.errors import HotlineError, SetupError

__all__ = ["EspeakError", "EspeakEvent", "EspeakMissingError", "synthesise", "variants"]

LIBRARY_NAME = "libespeak-ng.so.1"
MANDARIN_PINYIN_VOICE = "cmn-latn-pinyin"
ENGLISH_VOICE = "en"

_OUTPUT_SYNCHRONOUS = 2
_INIT_PHONEME_EVENTS = 0x0001
_INIT_DONT_EXIT = 0x8000
_PARAMETER_RATE = 1
_PARAMETER_PITCH = 3
_PARAMETER_PITCH_RANGE = 4
_CHARS_UTF8 = 1
_POSITION_CHARACTER = 1
_EVENT_LIST_TERMINATED = 0
_EVENT_WORD = 1
_EVENT_END = 5
_EVENT_PHONEME = 7

RATE_WPM_RANGE = (80, 450)
PITCH_RANGE = (0, 99)


class EspeakError(HotlineError):
    """libespeak-ng refused to do what was asked of it."""


class EspeakMissingError(EspeakError, SetupError):
    """libespeak-ng, or a voice of it, is not on this machine."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, hint="install Debian's package libespeak-ng1 (apt install libespeak-ng1)")


@dataclass(frozen=True, slots=True)
class EspeakEvent:
    """What begins at one sample.

    Attributes:
        kind: ``word``, ``phone`` or ``end`` (of a clause).
        sample: index into the samples of the same synthesis.
        text_position: 0-based character in the text given.
        phone: espeak's mnemonic, for a phone; those that begin with ``_`` are pauses and boundaries.
    """

    kind: Literal["word", "phone", "end"]
    sample: int
    text_position: int
    phone: str = ""


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class _Library:
    """The loaded library; one in a process, used under ``_lock``."""

    def __init__(self) -> None:
        try:
            self._c: Any = ctypes.CDLL(LIBRARY_NAME)
        except OSError as error:
            raise EspeakMissingError(f"{LIBRARY_NAME} cannot be loaded") from error
        self._c.espeak_Info.restype = ctypes.c_char_p
        self._c.espeak_Synth.argtypes = [
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.c_uint,
            ctypes.c_int,
            ctypes.c_uint,
            ctypes.c_uint,
            ctypes.c_void_p,
            ctypes.c_void_p,
        ]
        self.sample_rate_hz = int(
            self._c.espeak_Initialize(_OUTPUT_SYNCHRONOUS, 0, None, _INIT_PHONEME_EVENTS | _INIT_DONT_EXIT)
        )
        if self.sample_rate_hz <= 0:
            raise EspeakMissingError("espeak-ng's data cannot be read")
        self._chunks: list[npt.NDArray[np.int16]] = []
        self._events: list[EspeakEvent] = []
        self._callback = _Callback(self._receive)  # kept: the library holds only the pointer
        self._c.espeak_SetSynthCallback(self._callback)
        self._voice: str | None = None

    def variants_folder(self) -> Path:
        """Return where the voice variants' files lie."""
        path = ctypes.c_char_p()
        self._c.espeak_Info(ctypes.byref(path))
        return Path(os.fsdecode(path.value or b"")) / "voices" / "!v"

    def synthesise(
        self, pinyin: str, voice: str, rate_wpm: int, pitch: int, pitch_range: int
    ) -> tuple[npt.NDArray[np.int16], list[EspeakEvent]]:
        """Say ``pinyin``; return the samples and the events."""
        if voice != self._voice:
            if self._c.espeak_SetVoiceByName(voice.encode()) != 0:
                self._voice = None
                raise EspeakMissingError(f"espeak-ng has no voice {voice!r}")
            self._voice = voice
        self._c.espeak_SetParameter(_PARAMETER_RATE, rate_wpm, 0)
        self._c.espeak_SetParameter(_PARAMETER_PITCH, pitch, 0)
        self._c.espeak_SetParameter(_PARAMETER_PITCH_RANGE, pitch_range, 0)
        self._chunks, self._events = [], []
        text = pinyin.encode()
        status = self._c.espeak_Synth(text, len(text) + 1, 0, _POSITION_CHARACTER, 0, _CHARS_UTF8, None, None)
        chunks, events = self._chunks, self._events
        self._chunks, self._events = [], []
        if status != 0:
            raise EspeakError(f"espeak_Synth failed with status {status}")
        return (np.concatenate(chunks) if chunks else np.zeros(0, np.int16)), events

    def _receive(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self._chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while events[index].type != _EVENT_LIST_TERMINATED:
            event = events[index]
            index += 1
            position = max(event.text_position - 1, 0)
            if event.type == _EVENT_PHONEME:
                phone = event.id.decode("utf-8", "replace")
                self._events.append(EspeakEvent("phone", event.sample, position, phone))
            elif event.type == _EVENT_WORD and event.length > 0:
                self._events.append(EspeakEvent("word", event.sample, position))
            elif event.type == _EVENT_END:
                self._events.append(EspeakEvent("end", event.sample, position))
        return 0


_lock = threading.Lock()
_library: _Library | None = None
os.register_at_fork(after_in_child=lambda: _forget_after_fork())


def _forget_after_fork() -> None:
    # A lock held by another thread of the parent would stay locked for ever in the child.
    global _lock
    _lock = threading.Lock()


def _loaded() -> _Library:
    global _library
    if _library is None:
        _library = _Library()
    return _library


@lru_cache(maxsize=1)
def variants() -> frozenset[str]:
    """Return the names of the voice variants installed (``f3``, ``m1``, ...).

    Raises:
        EspeakMissingError: if libespeak-ng is not installed.
    """
    with _lock:
        folder = _loaded().variants_folder()
    return frozenset(path.name for path in folder.iterdir()) if folder.is_dir() else frozenset()


def synthesise(
    text: str,
    *,
    voice: str = MANDARIN_PINYIN_VOICE,
    variant: str = "",
    rate_wpm: int = 175,
    pitch: int = 50,
    pitch_range: int = 50,
) -> tuple[npt.NDArray[np.int16], int, list[EspeakEvent]]:
    """Say a text; return int16 mono samples, their rate in Hz and the events in order.

    Args:
        text: for the Mandarin voice numbered pinyin, words separated by spaces, ``,`` and ``.`` for pauses.
        voice: of the language.
        variant: a name from `variants`; empty for espeak's plain voice.
        rate_wpm: espeak's words a minute, 80-450.
        pitch: 0-99, 50 is the voice's own.
        pitch_range: 0-99, 50 is the voice's own.

    Raises:
        EspeakMissingError: if libespeak-ng, the voice or the variant is not installed.
        ValueError: if a parameter is out of its range.
    """
    if not RATE_WPM_RANGE[0] <= rate_wpm <= RATE_WPM_RANGE[1]:
        raise ValueError(f"rate_wpm {rate_wpm} is outside {RATE_WPM_RANGE[0]}-{RATE_WPM_RANGE[1]}")
    for name, value in (("pitch", pitch), ("pitch_range", pitch_range)):
        if not PITCH_RANGE[0] <= value <= PITCH_RANGE[1]:
            raise ValueError(f"{name} {value} is outside {PITCH_RANGE[0]}-{PITCH_RANGE[1]}")
    # espeak falls back to the plain voice silently when a variant is unknown.
    if variant and variant not in variants():
        raise EspeakMissingError(f"espeak-ng has no voice variant {variant!r}")
    named = f"{voice}+{variant}" if variant else voice
    with _lock:
        library = _loaded()
        samples, events = library.synthesise(text, named, rate_wpm, pitch, pitch_range)
        return samples, library.sample_rate_hz, events
