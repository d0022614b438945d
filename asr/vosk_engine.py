"""Vosk behind the engine interface, for one worker process.

What is known of vosk 0.3.45 and minded here: a recogniser used by two threads aborts the process; an assert
of Kaldi's ends it too, so a model is tried in a process of its own (`trial`) before calls meet it;
audio above the model's rate is brought down inside, audio below it is refused, so it is resampled here; the
partial result of a stream without audio has no "partial"; times run on over utterances.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from hotline.asr.engine import Capabilities, EngineError, Heard
from hotline.asr.models import read_model
from hotline.asr.pcm import SAMPLE_BYTES, RateConverter
from hotline.asr.vosk_answers import VoskTexts, partial_text

PROBE_SECONDS: Final = 180.0  # the largest models are over a gigabyte, and disks may be slow


class VoskEngine:
    """A loaded Vosk model.

    Args:
        folder: the unpacked model.

    Raises:
        SetupError: the folder is no model.
        EngineError: Vosk does not load it. (A damaged file may instead end the process.)
    """

    def __init__(self, folder: Path) -> None:
        import vosk  # only where recognition happens: it brings 16 MB with it

        self._info = read_model(folder)
        self._vosk = vosk
        vosk.SetLogLevel(-1)
        try:
            self._model: Any = vosk.Model(str(folder))
        except Exception as error:  # vosk raises nothing narrower
            raise EngineError(
                f"Vosk does not load {folder}", retryable=False, hint="unpack the model's archive again"
            ) from error

    @property
    def name(self) -> str:
        """``vosk/`` and the model's name."""
        return f"vosk/{self._info.name}"

    @property
    def capabilities(self) -> Capabilities:
        """Word times always; a grammar with models built for it."""
        return Capabilities(self._info.sample_rate_hz, word_times=True, grammar=self._info.grammar)

    def open(
        self,
        sample_rate_hz: int,
        grammar: Sequence[str] | None = None,
        *,
        hot_words: Sequence[str] = (),
        wake: Callable[[], None] | None = None,
    ) -> VoskStream:
        """Begin a stream; it knows no hot words, and no ``wake``: ``push`` always answers at once."""
        if sample_rate_hz < 8_000:
            raise EngineError(f"audio of {sample_rate_hz} Hz is too coarse for speech", retryable=True)
        if grammar is not None and (not self._info.grammar or not grammar):
            # An empty list ends the process inside Vosk; a fixed graph ignores the list with a warning.
            grammar = None
        rate_hz = max(sample_rate_hz, self._info.sample_rate_hz)
        arguments: list[Any] = [self._model, float(rate_hz)]
        if grammar is not None:
            arguments.append(json.dumps([*grammar, "[unk]"], ensure_ascii=False))
        recogniser = self._vosk.KaldiRecognizer(*arguments)
        recogniser.SetWords(True)
        return VoskStream(recogniser, sample_rate_hz, RateConverter(sample_rate_hz, rate_hz))

    def close(self) -> None:
        """Release the model."""
        self._model = None


class VoskStream:
    """One recogniser and the clock of its audio."""

    behind_seconds = 0.0  # it answers within push

    def __init__(self, recogniser: Any, sample_rate_hz: int, converter: RateConverter) -> None:
        self._recogniser = recogniser
        self._bytes_per_second = sample_rate_hz * SAMPLE_BYTES
        self._converter = converter
        self._pushed_bytes = 0
        self._texts = VoskTexts()
        self._answer = ""  # the newest partial result

    @property
    def over(self) -> bool:
        """It ended."""
        return self._recogniser is None

    @property
    def _now_seconds(self) -> float:
        return self._pushed_bytes / self._bytes_per_second

    def push(self, pcm: bytes) -> list[Heard]:
        """Recognise; see `Stream`."""
        if self._recogniser is None:
            return []
        self._pushed_bytes += len(pcm)
        converted = self._converter.convert(pcm)
        return self._recognise(converted) if converted else []

    def flush(self) -> list[Heard]:
        """End the utterance; the recogniser starts the next one where the audio goes on."""
        if self._recogniser is None or not self._pushed_bytes:
            return []
        return self._texts.told_final(json.loads(self._recogniser.FinalResult()), self._now_seconds)

    def end(self) -> list[Heard]:
        """Flush and let the recogniser go."""
        heard: list[Heard] = []
        if self._recogniser is not None and (rest := self._converter.rest()):
            heard += self._recognise(rest)
        heard += self.flush()
        self.release()
        return heard

    def release(self) -> None:
        """Let the recogniser go."""
        self._recogniser = None

    def _recognise(self, pcm: bytes) -> list[Heard]:
        try:
            if self._recogniser.AcceptWaveform(pcm):
                self._answer = ""
                return self._texts.told_final(json.loads(self._recogniser.Result()), self._now_seconds)
            answer = self._recogniser.PartialResult()
        except Exception as error:  # vosk raises nothing narrower
            raise EngineError("Vosk gave up on a stream", retryable=True) from error
        if answer == self._answer:
            return []  # nearly always: its text grows some times a second
        self._answer = answer
        text = partial_text(json.loads(answer))
        if not self._texts.is_new(text):
            return []
        start = self._texts.partial_start if self._texts.partial else self._first_word_start()
        return [self._texts.told_partial(text, start)]

    def _first_word_start(self) -> float:
        """Where the utterance begins: asked once, because word times cost more than the text."""
        self._recogniser.SetPartialWords(True)
        words = json.loads(self._recogniser.PartialResult()).get("partial_result") or []
        self._recogniser.SetPartialWords(False)
        return min(float(words[0]["start"]), self._now_seconds) if words else self._now_seconds


def open_engine(folder: Path) -> VoskEngine:
    """Load the engine: what a worker is told to call."""
    return VoskEngine(folder)
