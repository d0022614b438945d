"""What a recogniser is to the rest of the product: an engine that opens streams, and what a stream tells.

An engine is loaded once in a worker process. It opens one stream for each side of each call. A stream is used
by one thread; audio goes in, what was heard comes out:

    stream = engine.open(16000)
    for heard in stream.push(pcm): ...   # Partial texts, then the Final one, then the next utterance
    for heard in stream.flush(): ...     # what is pending is final now; the stream goes on
    for heard in stream.end(): ...       # likewise, and the stream is of no further use

Recognition on this machine answers within ``push``. An engine that asks another machine answers later: it
calls the ``wake`` it was given once there is something to fetch, and ``push(b"")`` fetches it. After ``end``
such a stream goes on answering like this until it is ``over``, which it is within `END_SECONDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final as Constant
from typing import Protocol

from hotline.core.errors import HotlineError

END_SECONDS: Constant = 1.5
"""How long an engine on another machine may take for its last texts."""


class EngineError(HotlineError):
    """Recognition failed.

    Attributes:
        retryable: another stream of the same engine may work; False when the engine itself is of no use.
    """

    def __init__(self, message: str, *, retryable: bool, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retryable = retryable


class LateAnswer(EngineError):
    """The last text of an engine on another machine did not come in time."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word and when it was said, in seconds of the stream's own audio, from its first sample.

    ``confidence`` is 0 to 1, None from engines that do not say.
    """

    text: str
    start_seconds: float
    end_seconds: float
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Partial:
    """The utterance as heard so far; replaced by the next Partial or Final.

    Attributes:
        text: for people: no spaces between Chinese words. Empty only to take back an earlier Partial.
        start_seconds: of the stream's audio, to where the utterance seems to begin.
    """

    text: str
    start_seconds: float


@dataclass(frozen=True, slots=True)
class Final:
    """An utterance for good. Its text is empty when all that was heard of it turned out to be nothing.

    Attributes:
        words: with their times; empty from engines without word times.
        start_seconds: of the stream's audio.
        end_seconds: likewise.
        confidence: 0 to 1; None from engines that do not say.
    """

    text: str
    words: tuple[Word, ...]
    start_seconds: float
    end_seconds: float
    confidence: float | None


Heard = Partial | Final


@dataclass(frozen=True, slots=True)
class Engaged:
    """Which engine of several hears from here on; what is not final yet is heard by it once more.

    Attributes:
        engine: its name.
        reason: why not the one before, or not the first: see `asr.chain`; empty when it is the first.
    """

    engine: str
    reason: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do.

    Attributes:
        model_rate_hz: the rate its model was made for. Streams accept other rates and convert.
        word_times: its finals have words with times.
        grammar: ``open`` takes a list of the words to expect.
        hot_words: ``open`` takes words to hear more readily than others.
    """

    model_rate_hz: int
    word_times: bool
    grammar: bool
    hot_words: bool = False


class Stream(Protocol):
    """One side of one call. All from one thread; every text in the order of speaking."""

    @property
    def over(self) -> bool:
        """Nothing more comes: at once after ``end`` on this machine, later from another."""
        ...

    @property
    def behind_seconds(self) -> float:
        """Audio that was pushed and is not recognised yet, as far as the engine lets know."""
        ...

    def push(self, pcm: bytes) -> Sequence[Heard]:
        """Take 16-bit signed little-endian mono samples; return what is known now and was not told yet.

        Raises:
            EngineError: the stream is of no further use.
        """
        ...

    def flush(self) -> Sequence[Heard]:
        """Make what is pending final, as at a pause; an engine elsewhere leaves that to its own rules."""
        ...

    def end(self) -> Sequence[Heard]:
        """Flush and release the stream; a second call returns nothing. See ``over``.

        Raises:
            EngineError: what was pending is not going to be told.
        """
        ...

    def release(self) -> None:
        """Let everything go at once; what was pending is not told. Idempotent."""
        ...


class Engine(Protocol):
    """A loaded model."""

    @property
    def name(self) -> str:
        """For people and metrics, such as ``vosk/hotline-small-cn``."""
        ...

    @property
    def capabilities(self) -> Capabilities: ...

    def open(
        self,
        sample_rate_hz: int,
        grammar: Sequence[str] | None = None,
        *,
        hot_words: Sequence[str] = (),
        wake: Callable[[], None] | None = None,
    ) -> Stream:
        """Begin a stream of audio at ``sample_rate_hz``.

        Args:
            sample_rate_hz: of what will be pushed: the true one, since a wrong one gives nonsense silently.
            grammar: words to expect, for an engine that can; None for its whole vocabulary.
            hot_words: words to hear more readily, for an engine that can.
            wake: called from any thread when ``push(b"")`` would return something.

        Raises:
            EngineError: there is no such stream.
        """
        ...

    def close(self) -> None:
        """Release the model; no stream is open any more."""
        ...
