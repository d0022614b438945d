"""A recogniser on another machine behind the engine interface.

Opening a stream takes no time: what is pushed waits until there is a connection. Answers are fetched by
``push(b"")`` after ``wake``; see `asr/engine.py`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from hotline.asr.engine import END_SECONDS, Capabilities, EngineError, Heard, LateAnswer
from hotline.asr.pcm import SAMPLE_BYTES, RateConverter
from hotline.asr.remote.dialogue import Dialogue
from hotline.asr.remote.funasr import FunAsrDialogue
from hotline.asr.remote.line import Address, Line, LineThread
from hotline.asr.remote.patience import Unanswered
from hotline.asr.remote.vosk_server import VoskServerDialogue
from hotline.core.errors import PeerError

PROBE_SECONDS: Final = 8.0
ANSWER_SECONDS: Final = 2.0  # of voice until a server that is well says something: FunASR every 0.6 s
OWED_SECONDS: Final = 1.0  # of voice at the end without an answer: there were words in it
DEAD_SECONDS: Final = 12.0  # of voice without any answer: the stream is of no use, whoever else there is
FUNASR_SUBPROTOCOL: Final = "binary"  # the Python server refuses clients that do not offer it


@dataclass(frozen=True, slots=True)
class RemoteKind:
    """What distinguishes one protocol's engine from another's."""

    kind: str
    capabilities: Capabilities
    begin: Callable[[int, Sequence[str], Sequence[str]], Dialogue]  # rate, grammar, hot words


def vosk_server(sample_rate_hz: int) -> RemoteKind:
    """A vosk-server."""
    return RemoteKind(
        "vosk-server",
        Capabilities(sample_rate_hz, word_times=True, grammar=True),
        lambda rate_hz, grammar, hot_words: VoskServerDialogue(rate_hz, grammar),
    )


def funasr(sample_rate_hz: int) -> RemoteKind:
    """A FunASR runtime."""
    return RemoteKind(
        "funasr",
        Capabilities(sample_rate_hz, word_times=True, grammar=False, hot_words=True),
        lambda rate_hz, grammar, hot_words: FunAsrDialogue(rate_hz, hot_words),
    )


class RemoteEngine:
    """A server that recognises.

    Args:
        kind: which protocol.
        address: where.

    Raises:
        SetupError: the certificates to verify it with cannot be read.
    """

    def __init__(self, kind: RemoteKind, address: Address) -> None:
        self._kind, self._address = kind, address
        self._tls = address.tls()
        self._thread = LineThread()

    @property
    def name(self) -> str:
        """Its kind and host."""
        return f"{self._kind.kind}/{self._address.shown}"

    @property
    def capabilities(self) -> Capabilities:
        """As its protocol allows."""
        return self._kind.capabilities

    def open(
        self,
        sample_rate_hz: int,
        grammar: Sequence[str] | None = None,
        *,
        hot_words: Sequence[str] = (),
        wake: Callable[[], None] | None = None,
    ) -> RemoteStream:
        """Begin a stream; it connects in the background."""
        rate_hz = self._kind.capabilities.model_rate_hz
        dialogue = self._kind.begin(rate_hz, grammar or (), hot_words)
        line = Line(self._address, self._tls, rate_hz * SAMPLE_BYTES, wake or _nothing, self._thread)
        line.send([dialogue.hello()])
        self._thread.begin(line)
        return RemoteStream(dialogue, line, sample_rate_hz, rate_hz, self.name)

    def close(self) -> None:
        """End all connections."""
        self._thread.close()


class RemoteStream:
    """One stream of a server.

    Args:
        dialogue: what is said.
        line: the connection.
        from_hz: the rate of what is pushed.
        to_hz: the rate that the server was promised.
        name: of the engine.
    """

    def __init__(self, dialogue: Dialogue, line: Line, from_hz: int, to_hz: int, name: str) -> None:
        self._dialogue, self._line, self._name = dialogue, line, name
        self._converter = RateConverter(from_hz, to_hz)
        self._unanswered = Unanswered(from_hz)
        self._ended_at: float | None = None
        self._failed: EngineError | None = None
        self._over = False

    @property
    def over(self) -> bool:
        """The last text came, or was waited for."""
        return self._over

    @property
    def acknowledged(self) -> bool:
        """The server said that it heard to the end."""
        return self._dialogue.over

    @property
    def behind_seconds(self) -> float:
        """What is unsent or unanswered, as far as the protocol and the voice in the audio tell."""
        silent = self._unanswered.seconds(time.monotonic()) - ANSWER_SECONDS
        return max(self._line.unsent_seconds, self._dialogue.behind_seconds, silent)

    def push(self, pcm: bytes) -> list[Heard]:
        """Send audio and fetch what was answered; see `Stream`."""
        if self._over:
            return []
        if pcm and self._ended_at is None:
            self._unanswered.said(pcm, time.monotonic())
            self._line.send(self._dialogue.audio(self._converter.convert(pcm)))
        return self._fetch()

    def flush(self) -> list[Heard]:
        """The server ends utterances by its own rules."""
        return self._fetch()

    def end(self) -> list[Heard]:
        """Say that no audio follows; the last texts come later."""
        if self._ended_at is None and not self._over:
            self._ended_at = time.monotonic()
            self._line.send([*self._dialogue.audio(self._converter.rest()), *self._dialogue.finish()])
            self._line.later(END_SECONDS + 0.01)  # a timer may be early by a little
        return self._fetch()

    def _fetch(self) -> list[Heard]:
        if self._over:
            return []
        unsent = self._line.unsent_seconds > 0 or not self._line.connected
        failure = self._line.failure  # looked at before the answers: those that came first count
        heard: list[Heard] = []
        try:
            for answer in self._line.answers():
                self._unanswered.answered()
                heard += self._dialogue.receive(answer)
            silent_seconds = self._unanswered.seconds(time.monotonic())
            owes = unsent or self._dialogue.owes or silent_seconds > OWED_SECONDS
            self._judge(failure, owes=owes, dead=self._ended_at is None and silent_seconds > DEAD_SECONDS)
        except EngineError as error:
            self._failed = self._failed or type(error)(f"{self._name}: {error}", retryable=True)
            self._line.later(0)  # what was heard before is told first; then the next call raises
        if self._failed is not None and not heard:
            self.release()
            raise self._failed
        return heard

    def _judge(self, failure: str, *, owes: bool, dead: bool) -> None:
        """Whether anything can still come."""
        late = self._ended_at is not None and time.monotonic() - self._ended_at >= END_SECONDS
        if self._dialogue.over or (late and not owes and not failure):
            self.release()
        elif failure:
            raise EngineError(failure, retryable=True)
        elif late:
            raise LateAnswer("the last text did not come in time", retryable=True)
        elif dead:
            raise EngineError("takes audio and answers nothing", retryable=True)

    def release(self) -> None:
        """Close the connection."""
        self._over = True
        self._line.close()


def probe(engine: RemoteEngine, *, timeout_seconds: float = PROBE_SECONDS) -> str:
    """Have a server hear a moment of silence; return one line about it.

    Raises:
        PeerError: it does not answer as such a server does.
    """
    news = threading.Event()
    began = time.monotonic()
    try:
        stream = engine.open(16_000, wake=news.set)
        stream.push(bytes(16_000))  # half a second of silence
        stream.end()
        while not stream.over:
            left = began + timeout_seconds - time.monotonic()
            if left <= 0 or not news.wait(left):
                raise PeerError(f"{engine.name} did not answer within {timeout_seconds:g} s")
            news.clear()
            stream.push(b"")
    except EngineError as error:
        raise PeerError(str(error), hint="is it running there, and is this its address?") from error
    finally:
        engine.close()
    if not stream.acknowledged:
        return f"{engine.name} is there; it says nothing to silence"
    return f"{engine.name} answers in {(time.monotonic() - began) * 1000:.0f} ms"


def _nothing() -> None:
    """Nobody waits for news."""
