"""The protocol of FunASR's runtime in 2pass mode (github.com/modelscope/FunASR). Pure.

Sources: ``runtime/docs/websocket_protocol.md``, ``runtime/websocket/bin/websocket-server-2pass.cpp`` (the
runtime that its containers run) and ``runtime/python/websocket/funasr_wss_server.py``. Minded here, because
they differ:

* ``2pass-online`` holds only what is new since the one before; ``2pass-offline`` holds the whole utterance.
* ``is_final`` is true in the runtime's last answer only, in the Python server's every 2pass-offline answer.
* The Python server acknowledges the end by ``is_end``, if asked to; the runtime ignores that it is asked.
* ``timestamp`` is a text ``[[from, to], ...]`` in milliseconds of the stream (runtime), a list in those of
  the utterance (Python server), or the server's clock as a number (runtime, without stamps: no use here).
* The Python server counts messages: they must be of 60 ms each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from hotline.asr.engine import EngineError, Heard, Partial, Word
from hotline.asr.engine import Final as FinalText
from hotline.asr.pcm import SAMPLE_BYTES
from hotline.asr.remote.dialogue import Message
from hotline.asr.vosk_answers import MAX_TEXT_CHARACTERS, number_of, read_answer, seconds_within

FRAME_SECONDS: Final = 0.06
CHUNK_SIZE: Final = (5, 10, 5)  # x 60 ms: a partial text every 0.6 s, 0.3 s looked at before and after
CHUNK_INTERVAL: Final = 10
PAUSE_SECONDS: Final = (
    0.8  # of silence end an utterance (the runtime's VAD), so a final text is this late anyway
)
WORK_SECONDS: Final = 0.7  # and its second pass takes some time on a server that is well
ANSWERS_A_SECOND: Final = 40  # at most one or two to each 50 ms of audio
SPARE_ANSWERS: Final = 100
HOT_WORD_WEIGHT: Final = 20  # as in the protocol's own example


class FunAsrDialogue:
    """One stream with a FunASR server.

    Args:
        sample_rate_hz: 16000, or 8000 for a server with models for telephones.
        hot_words: words to hear more readily.
    """

    def __init__(self, sample_rate_hz: int, hot_words: Sequence[str] = ()) -> None:
        self._sample_rate_hz = sample_rate_hz
        self._hot_words = {word: HOT_WORD_WEIGHT for word in hot_words}
        self._frame_bytes = round(sample_rate_hz * FRAME_SECONDS) * SAMPLE_BYTES
        self._rest = bytearray()
        self._sent_bytes = 0
        self._answers = 0
        self._partial = ""
        self._partial_start = 0.0
        self._heard_until = 0.0  # of the stream's audio
        self._late_seconds = 0.0
        self._finals_say_so = False  # is_final is not kept for the last answer
        self._finished = False
        self._over = False

    @property
    def over(self) -> bool:
        """The end was acknowledged."""
        return self._over

    @property
    def owes(self) -> bool:
        """Words were told of an utterance that has no final text yet."""
        return bool(self._partial)

    @property
    def behind_seconds(self) -> float:
        """How late the newest final text was, beyond the time that each takes."""
        return self._late_seconds

    def hello(self) -> str:
        """The first message."""
        return json.dumps(
            {
                "mode": "2pass",
                "wav_name": "call",
                "wav_format": "pcm",
                "audio_fs": self._sample_rate_hz,
                "chunk_size": list(CHUNK_SIZE),
                "chunk_interval": CHUNK_INTERVAL,
                "is_speaking": True,
                "hotwords": json.dumps(self._hot_words, ensure_ascii=False) if self._hot_words else "",
                "itn": False,  # texts are kept as heard; this product writes them itself
            },
            ensure_ascii=False,
        )

    def audio(self, pcm: bytes) -> list[Message]:
        """Whole frames; what is left over waits for more."""
        if self._finished:
            return []
        self._rest += pcm
        whole = len(self._rest) - len(self._rest) % self._frame_bytes
        frames = [bytes(self._rest[at : at + self._frame_bytes]) for at in range(0, whole, self._frame_bytes)]
        del self._rest[:whole]
        self._sent_bytes += whole
        return list(frames)

    def finish(self) -> list[Message]:
        """What is left over, and the end."""
        if self._finished:
            return []
        self._finished = True
        rest = [bytes(self._rest)] if self._rest else []
        self._sent_bytes += len(self._rest)
        self._rest.clear()
        return [*rest, json.dumps({"is_speaking": False, "is_end": True})]

    def receive(self, answer: Message) -> list[Heard]:
        """Take an answer; one of a kind that is not known says nothing."""
        self._answers += 1
        if self._answers > SPARE_ANSWERS + ANSWERS_A_SECOND * self._now_seconds:
            raise EngineError("more answers than audio", retryable=True)
        found = read_answer(answer)
        text = found.get("text", "")
        if not isinstance(text, str) or len(text) > MAX_TEXT_CHARACTERS:
            raise EngineError("an answer whose text is no text of an utterance", retryable=True)
        mode = found.get("mode")
        heard: list[Heard] = []
        if mode == "2pass-online" and text:
            heard = [self._more(text)]
        elif mode == "2pass-offline":
            heard = self._utterance(text, found)
        self._note_end(found)
        if self._over and self._partial:  # acknowledged without a second pass: what was heard counts
            heard.append(self._final(self._partial, (), self._partial_start, self._now_seconds))
        return heard

    @property
    def _now_seconds(self) -> float:
        return self._sent_bytes / (self._sample_rate_hz * SAMPLE_BYTES)

    def _more(self, text: str) -> Partial:
        if not self._partial:
            begun = self._now_seconds - CHUNK_SIZE[1] * FRAME_SECONDS
            self._partial_start = max(self._heard_until, begun)
        self._partial += text
        if len(self._partial) > MAX_TEXT_CHARACTERS:
            raise EngineError("an utterance without end", retryable=True)
        return Partial(self._partial, self._partial_start)

    def _utterance(self, text: str, found: Mapping[str, Any]) -> list[Heard]:
        now = self._now_seconds
        spans, dated = self._spans(found)
        start = min(spans[0][0] if spans else self._partial_start, now)
        end = max(start, spans[-1][1] if spans else now)
        if dated:
            allowed = PAUSE_SECONDS + WORK_SECONDS
            self._late_seconds = 0.0 if self._finished else max(0.0, now - end - allowed)
        if not text and not self._partial:
            return []
        return [self._final(text, _words(text, spans), start, end)]

    def _final(self, text: str, words: tuple[Word, ...], start: float, end: float) -> FinalText:
        self._partial = ""
        self._heard_until = self._partial_start = end
        return FinalText(text, words, start, end, None)

    def _spans(self, found: Mapping[str, Any]) -> tuple[list[tuple[float, float]], bool]:
        """Each character's or word's from and to in seconds of the stream, and whether these are exact."""
        stamps = found.get("timestamp")
        if isinstance(stamps, str) and stamps:
            return self._seconds(read_stamps(stamps)), True
        if isinstance(stamps, list) and stamps:
            spans = self._seconds(stamps)
            begun = max(self._heard_until, self._now_seconds - PAUSE_SECONDS - spans[-1][1])
            return [(begun + start, begun + end) for start, end in spans], False
        start, end = number_of(found.get("start_time")), number_of(found.get("end_time"))
        if start is not None and end is not None and 0 <= start < end:
            return self._seconds([[start, end]]), True
        return [], False

    def _seconds(self, stamps: object) -> list[tuple[float, float]]:
        spans: list[tuple[float, float]] = []
        if not isinstance(stamps, list) or not stamps or len(stamps) > MAX_TEXT_CHARACTERS:
            raise EngineError("an answer whose timestamp is none", retryable=True)
        for one in stamps:
            if not isinstance(one, list) or len(one) != 2:
                raise EngineError("an answer whose timestamp is none", retryable=True)
            start, end = (seconds_within(value, self._now_seconds * 1000) / 1000 for value in one)
            start = max(start, spans[-1][0] if spans else 0.0)
            spans.append((start, max(start, end)))
        return spans

    def _note_end(self, found: Mapping[str, Any]) -> None:
        if found.get("is_final") is True and (not self._finished or "spk_name" in found):
            self._finals_say_so = True
        if self._finished:
            self._over = found.get("is_end") is True or (
                found.get("is_final") is True and not self._finals_say_so
            )


def read_stamps(text: str) -> object:
    """The runtime's stamps, which are JSON in a text.

    Raises:
        EngineError: they are not.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise EngineError("an answer whose timestamp is no JSON", retryable=True) from error


def _words(text: str, spans: Sequence[tuple[float, float]]) -> tuple[Word, ...]:
    """Words, where each character but punctuation has its time; English words and numbers do not fit."""
    spoken = [character for character in text if character.isalnum()]
    if len(spoken) != len(spans) or any(character.isascii() for character in spoken):
        return ()
    return tuple(Word(one, start, end, None) for one, (start, end) in zip(spoken, spans, strict=True))
