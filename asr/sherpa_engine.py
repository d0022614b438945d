"""Streaming models of sherpa-onnx behind the engine interface: ``pip install 'hotline12345[sherpa]'``.

A model is a folder with tokens.txt and ONNX files as its makers publish them. Minded here: a stream has its
own recogniser state but all share the model; times within an utterance count from its own start; what is no
model ends the process (checked in `probe_sherpa`, in a process of its own); hot words are known to
transducers only, and only by beam search.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hotline.asr.engine import Capabilities, EngineError, Heard, Partial, Word
from hotline.asr.engine import Final as FinalText
from hotline.asr.models import has_content, is_vosk
from hotline.asr.pcm import SAMPLE_BYTES, RateConverter
from hotline.asr.text import join_words
from hotline.core.errors import SetupError

if TYPE_CHECKING:
    from hotline.asr.engines import EngineOrder

PAUSE_SECONDS: Final = 0.8  # of silence end an utterance
LONG_SECONDS: Final = 2.4  # of silence when nothing was said
UTTERANCE_SECONDS: Final = 20.0  # the longest
PROBE_SECONDS: Final = 180.0
TAIL_SECONDS: Final = 0.6  # of silence after the end, so that the last frames are decoded
_T_ONE_FRAMES: Final = 10
"""The library counts a chunk of so many frames as one: starts of utterances are a tenth of what they are, and
speech seems shorter than the pause after it, so that only the first rule ends an utterance."""
_FULL_SCALE: Final = 32768.0
_MEND: Final = "unpack its archive again, or set family"


class SherpaEngine:
    """A loaded sherpa-onnx model.

    Args:
        folder: of the model.
        family: as in `config.engines.SherpaFamily`.
        threads: for the network.
        hot_words: streams will have some; transducers are then searched in the way that knows them.

    Raises:
        SetupError: the package or a file is missing.
    """

    def __init__(
        self, folder: Path, family: str = "auto", *, threads: int = 1, hot_words: bool = False
    ) -> None:
        self._name = folder.name
        files = find_files(folder, family)
        self._hot_words = hot_words and "joiner" in files
        self._rate_hz = 8_000 if family == "t-one-ctc" else 16_000
        try:
            import numpy
            import sherpa_onnx  # only where it is wanted: an optional package
        except ImportError as error:
            raise SetupError(
                f"sherpa engines need the package {error.name}", hint="pip install 'hotline12345[sherpa]'"
            ) from error
        self._numpy = numpy
        make = {
            "transducer": sherpa_onnx.OnlineRecognizer.from_transducer,
            "paraformer": sherpa_onnx.OnlineRecognizer.from_paraformer,
            "zipformer2-ctc": sherpa_onnx.OnlineRecognizer.from_zipformer2_ctc,
            "wenet-ctc": sherpa_onnx.OnlineRecognizer.from_wenet_ctc,
            "t-one-ctc": sherpa_onnx.OnlineRecognizer.from_t_one_ctc,
        }[family_of(files, family)]
        options: dict[str, Any] = {name: str(path) for name, path in files.items()}
        if "bpe_vocab" in options:
            options["modeling_unit"] = "cjkchar+bpe"
        if self._hot_words:
            options["decoding_method"] = "modified_beam_search"
        self._recogniser: Any = make(
            num_threads=threads,
            enable_endpoint_detection=True,
            rule1_min_trailing_silence=PAUSE_SECONDS if family == "t-one-ctc" else LONG_SECONDS,
            rule2_min_trailing_silence=PAUSE_SECONDS,
            rule3_min_utterance_length=UTTERANCE_SECONDS,
            **options,
        )

    @property
    def name(self) -> str:
        """``sherpa/`` and the model's name."""
        return f"sherpa/{self._name}"

    @property
    def capabilities(self) -> Capabilities:
        """Hot words with transducers."""
        return Capabilities(self._rate_hz, word_times=True, grammar=False, hot_words=self._hot_words)

    def open(
        self,
        sample_rate_hz: int,
        grammar: Sequence[str] | None = None,
        *,
        hot_words: Sequence[str] = (),
        wake: Callable[[], None] | None = None,
    ) -> SherpaStream:
        """Begin a stream; it knows no grammar, and needs no ``wake``."""
        words = "/".join(hot_words) if self._hot_words else ""
        stream = self._recogniser.create_stream(words) if words else self._recogniser.create_stream()
        converter = RateConverter(sample_rate_hz, self._rate_hz)
        frames = _T_ONE_FRAMES if self._rate_hz == 8_000 else 1
        return SherpaStream(self._recogniser, stream, self._numpy, converter, self._rate_hz, frames)

    def close(self) -> None:
        """Release the model."""
        self._recogniser = None


class SherpaStream:
    """One stream and the clock of its audio."""

    behind_seconds = 0.0  # it answers within push

    def __init__(
        self, recogniser: Any, stream: Any, numpy: Any, converter: RateConverter, rate_hz: int, frames: int
    ) -> None:
        self._recogniser, self._stream, self._numpy = recogniser, stream, numpy
        self._converter, self._rate_hz, self._frames = converter, rate_hz, frames
        self._pushed_bytes = 0  # at the model's rate
        self._partial = ""
        self._partial_start = 0.0

    @property
    def over(self) -> bool:
        """It ended."""
        return self._stream is None

    def push(self, pcm: bytes) -> list[Heard]:
        """Recognise; see `Stream`."""
        if self._stream is None:
            return []
        converted = self._converter.convert(pcm)
        return self._recognise(converted) if converted else []

    def flush(self) -> list[Heard]:
        """End the utterance as far as it is decoded."""
        if self._stream is None:
            return []
        heard = self._final()
        self._recogniser.reset(self._stream)
        return heard

    def end(self) -> list[Heard]:
        """Decode what is left and let the stream go."""
        if self._stream is None:
            return []
        tail = bytes(round(TAIL_SECONDS * self._rate_hz) * SAMPLE_BYTES)
        heard = self._recognise(self._converter.rest() + tail)
        self._stream.input_finished()
        self._decode()
        heard += self._final()
        self.release()
        return heard

    def release(self) -> None:
        """Let the stream go."""
        self._stream = None

    @property
    def _now_seconds(self) -> float:
        return self._pushed_bytes / (self._rate_hz * SAMPLE_BYTES)

    def _recognise(self, pcm: bytes) -> list[Heard]:
        self._pushed_bytes += len(pcm)
        samples = self._numpy.frombuffer(pcm, "<i2").astype("float32") / _FULL_SCALE
        try:
            self._stream.accept_waveform(self._rate_hz, samples)
            self._decode()
            if self._recogniser.is_endpoint(self._stream):
                heard = self._final()
                self._recogniser.reset(self._stream)
                return heard
            result = self._recogniser.get_result_all(self._stream)
        except Exception as error:  # the library raises nothing narrower
            raise EngineError("sherpa gave up on a stream", retryable=True) from error
        text = _readable(result.text)
        if text == self._partial:
            return []
        if not self._partial:
            words = self._words(result)
            self._partial_start = words[0].start_seconds if words else self._now_seconds
        self._partial = text
        return [Partial(text, self._partial_start)]

    def _decode(self) -> None:
        while self._recogniser.is_ready(self._stream):
            self._recogniser.decode_stream(self._stream)

    def _final(self) -> list[Heard]:
        result = self._recogniser.get_result_all(self._stream)
        had_partial, self._partial = bool(self._partial), ""
        text, now = _readable(result.text), self._now_seconds
        if not text:
            return [FinalText("", (), self._partial_start, now, None)] if had_partial else []
        words = self._words(result)
        start = words[0].start_seconds if words else min(self._partial_start, now)
        return [FinalText(text, words, start, now if not words else words[-1].end_seconds, None)]

    def _words(self, result: Any) -> tuple[Word, ...]:
        """Tokens with their times: each lasts until the next."""
        now = self._now_seconds
        begun = result.start_time * self._frames
        starts = [min(begun + at, now) for at in result.timestamps]
        ends = [*starts[1:], min(starts[-1] + 0.2, now)] if starts else []
        return tuple(
            Word(token.strip(), start, max(start, end), None)
            for token, start, end in zip(result.tokens, starts, ends, strict=False)
            if token.strip()
        )


def _readable(text: str) -> str:
    return join_words(text.split())


def find_files(folder: Path, family: str) -> dict[str, Path]:
    """The files of a model, by the name of the library's argument.

    Raises:
        SetupError: something is missing; says what.
    """
    if not folder.is_dir():
        raise SetupError(f"no model folder at {folder}", hint="set model to a sherpa-onnx model's folder")
    files = {"tokens": folder / "tokens.txt"}
    if family.endswith("-ctc"):
        files["model"] = _newest(folder, "model")
    else:
        files["encoder"], files["decoder"] = _newest(folder, "encoder"), _newest(folder, "decoder")
        if family != "paraformer" and (family == "transducer" or any(folder.glob("joiner*.onnx"))):
            files["joiner"] = _newest(folder, "joiner")
    for path in files.values():
        if not has_content(path):
            raise SetupError(
                f"{folder} is no streaming sherpa-onnx model of this kind: no {path.name}, or an empty one",
                hint="it is a Vosk model: name it with kind: vosk" if is_vosk(folder) else _MEND,
            )
    if "joiner" in files and (folder / "bpe.vocab").is_file():
        files["bpe_vocab"] = folder / "bpe.vocab"
    return files


def family_of(files: dict[str, Path], family: str) -> str:
    """What ``auto`` stands for."""
    if family != "auto":
        return family
    return "transducer" if "joiner" in files else "paraformer"


def _newest(folder: Path, part: str) -> Path:
    """A part's file: the 8-bit one where there are two, which is twice as fast and hears as well."""
    found = sorted(folder.glob(f"{part}*.onnx"), key=lambda path: (".int8." not in path.name, path.name))
    return found[0] if found else folder / f"{part}.onnx"


def probe_sherpa(order: EngineOrder) -> str:
    """Try a model in a process that may crash; return one line about it.

    Raises:
        SetupError: it cannot be used.
    """
    find_files(Path(order.model), order.family)
    command = [sys.executable, "-m", "hotline.asr.sherpa_engine", json.dumps(asdict(order))]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=PROBE_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise SetupError(f"the model {order.model} did not load within {PROBE_SECONDS:g} s") from None
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise SetupError(
            f"the model {order.model} cannot be used: {said[-1] if said else 'loading it ended the process'}",
            hint=_MEND,
        )
    return done.stdout.strip()


def _try(order: dict[str, Any]) -> str:
    """Load the model and have it hear a moment of silence."""
    folder = Path(order["model"])
    engine = SherpaEngine(folder, order["family"], threads=order["threads"], hot_words=order["hot_words"])
    stream = engine.open(16_000)
    stream.push(bytes(32_000))
    stream.end()
    return f"{engine.name}: {engine.capabilities.model_rate_hz} Hz"


if __name__ == "__main__":
    print(_try(json.loads(sys.argv[1])))
