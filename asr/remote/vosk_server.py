"""The protocol of vosk-server (github.com/alphacep/vosk-server, ``websocket/asr_server.py``). Pure.

The server makes a recogniser at the first audio. It answers every message but the configuration exactly
once, in order; so how far behind it is is known to the chunk. It knows the end by ``{"eof" : 1}`` to the
letter: written otherwise it is taken for audio. It has no answer that says "no". Any client may have it load
another model for all by ``"model"``, which is never sent here.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from typing import Final

from hotline.asr.engine import EngineError, Heard
from hotline.asr.pcm import SAMPLE_BYTES
from hotline.asr.remote.dialogue import Message
from hotline.asr.vosk_answers import VoskTexts, partial_text, read_answer

END_OF_AUDIO: Final = '{"eof" : 1}'


class VoskServerDialogue:
    """One stream with a vosk-server.

    Args:
        sample_rate_hz: of the audio to come.
        grammar: words to expect; a server whose model has a fixed graph ignores them.
    """

    def __init__(self, sample_rate_hz: int, grammar: Sequence[str] = ()) -> None:
        self._sample_rate_hz = sample_rate_hz
        self._grammar = list(grammar)
        self._texts = VoskTexts()
        self._unanswered: deque[float] = deque()  # seconds of audio in each message; bounded by who sends
        self._answered_seconds = 0.0
        self._finished = False

    @property
    def over(self) -> bool:
        """The last message is answered."""
        return self._finished and not self._unanswered

    @property
    def owes(self) -> bool:
        """A message is not answered yet: the last one's answer holds the last text."""
        return bool(self._unanswered)

    @property
    def behind_seconds(self) -> float:
        """The audio that is not answered yet."""
        return sum(self._unanswered)

    def hello(self) -> str:
        """The configuration; the server does not answer it."""
        config: dict[str, object] = {"sample_rate": self._sample_rate_hz, "words": True}
        if self._grammar:
            config["phrase_list"] = [*self._grammar, "[unk]"]
        return json.dumps({"config": config}, ensure_ascii=False)

    def audio(self, pcm: bytes) -> list[Message]:
        """One message; it will be answered."""
        if not pcm or self._finished:
            return []
        self._unanswered.append(len(pcm) / (self._sample_rate_hz * SAMPLE_BYTES))
        return [pcm]

    def finish(self) -> list[Message]:
        """The end; its answer is the final text, and the server closes."""
        if self._finished:
            return []
        self._finished = True
        self._unanswered.append(0.0)
        return [END_OF_AUDIO]

    def receive(self, answer: Message) -> list[Heard]:
        """The answer to the oldest message that has none."""
        found = read_answer(answer)
        if not self._unanswered:
            raise EngineError("an answer to nothing", retryable=True)
        self._answered_seconds += self._unanswered.popleft()
        if "partial" in found:
            text = partial_text(found)
            if not self._texts.is_new(text):
                return []
            return [self._texts.told_partial(text, self._answered_seconds)]
        if "text" not in found:
            raise EngineError("an answer without a text", retryable=True)
        return self._texts.told_final(found, self._answered_seconds)
