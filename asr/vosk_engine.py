"""Vosk behind the engine interface, for one worker process.

What is known of vosk 0.3.45 and minded here: a recogniser used by two threads aborts the process; an assert
of Kaldi's ends it too, so a model is tried in a process of its own (`trial`) before calls meet it;
audio above the model's rate is brought down inside, audio below it is refused, so it is resampled here; the
partial result of a stream without audio has no "partial"; times run on over utterances.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hotline.asr.engine import Capabilities, EngineError, Heard, Partial, Word
from hotline.asr.engine import Final as FinalText
from hotline.asr.models import read_model
from hotline.asr.text import join_words, readable_word

if TYPE_CHECKING:
    from hotline.speech.resample import StreamResampler

SAMPLE_BYTES: Final = 2


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
        wake: Callable[[], None] | None = None,
    ) -> VoskStream:
        """Begin a stream; ``wake`` is not needed, ``push`` always answers at once."""
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
        resampler = None
        if rate_hz != sample_rate_hz:
            from hotline.speech.resample import StreamResampler

            resampler = StreamResampler(sample_rate_hz, rate_hz)
        return VoskStream(recogniser, sample_rate_hz, resampler)

    def close(self) -> None:
        """Release the model."""
        self._model = None


class VoskStream:
    """One recogniser and the clock of its audio."""

    def __init__(self, recogniser: Any, sample_rate_hz: int, resampler: StreamResampler | None) -> None:
        self._recogniser = recogniser
        self._bytes_per_second = sample_rate_hz * SAMPLE_BYTES
        self._resampler = resampler
        self._pushed_bytes = 0
        self._partial = ""
        self._partial_start = 0.0

    def push(self, pcm: bytes) -> list[Heard]:
        """Recognise; see `Stream`."""
        if not pcm or self._recogniser is None:
            return []
        self._pushed_bytes += len(pcm)
        if self._resampler is not None:
            pcm = self._raise_rate(pcm)
            if not pcm:
                return []
        return self._recognise(pcm)

    def flush(self) -> list[Heard]:
        """End the utterance; the recogniser starts the next one where the audio goes on."""
        if self._recogniser is None or not self._pushed_bytes:
            return []
        return self._final(json.loads(self._recogniser.FinalResult()))

    def end(self) -> list[Heard]:
        """Flush and let the recogniser go."""
        heard: list[Heard] = []
        if self._resampler is not None and self._pushed_bytes and self._recogniser is not None:
            if rest := self._raise_rate(b"", last=True):
                heard += self._recognise(rest)
        heard += self.flush()
        self._recogniser = None
        return heard

    def _recognise(self, pcm: bytes) -> list[Heard]:
        try:
            if self._recogniser.AcceptWaveform(pcm):
                return self._final(json.loads(self._recogniser.Result()))
            text = join_words(json.loads(self._recogniser.PartialResult()).get("partial", "").split())
        except Exception as error:  # vosk raises nothing narrower
            raise EngineError("Vosk gave up on a stream", retryable=True) from error
        if text == self._partial:
            return []
        if not self._partial:
            self._partial_start = self._first_word_start()
        self._partial = text
        return [Partial(text, self._partial_start)]

    def _first_word_start(self) -> float:
        """Where the utterance begins: asked once, because word times cost more than the text."""
        self._recogniser.SetPartialWords(True)
        words = json.loads(self._recogniser.PartialResult()).get("partial_result") or []
        self._recogniser.SetPartialWords(False)
        now = self._pushed_bytes / self._bytes_per_second
        return min(float(words[0]["start"]), now) if words else now

    def _final(self, result: dict[str, Any]) -> list[Heard]:
        had_partial, self._partial = bool(self._partial), ""
        spoken = [word for word in result.get("result", ()) if readable_word(word["word"])]
        text = join_words(word["word"] for word in spoken) or join_words(result.get("text", "").split())
        now = self._pushed_bytes / self._bytes_per_second
        if not text:
            return [FinalText("", (), self._partial_start, now, None)] if had_partial else []
        words = tuple(
            Word(readable_word(w["word"]), float(w["start"]), float(w["end"]), _clamp(w.get("conf")))
            for w in spoken
        )
        if not words:
            return [FinalText(text, (), self._partial_start, now, None)]
        sure = [word.confidence for word in words if word.confidence is not None]
        mean = sum(sure) / len(sure) if sure else None
        return [FinalText(text, words, words[0].start_seconds, words[-1].end_seconds, mean)]

    def _raise_rate(self, pcm: bytes, *, last: bool = False) -> bytes:
        import numpy as np

        assert self._resampler is not None  # noqa: S101 - for the type checker
        return self._resampler.push(np.frombuffer(pcm, "<i2"), last=last).astype("<i2").tobytes()


def _clamp(confidence: Any) -> float | None:
    if not isinstance(confidence, int | float) or math.isnan(confidence):
        return None
    return min(1.0, max(0.0, float(confidence)))


def open_engine(folder: Path) -> VoskEngine:
    """Load the engine: what a worker is told to call."""
    return VoskEngine(folder)
