"""What is said with a recogniser on another machine: no sockets, no clocks, used by one thread.

for message in [dialogue.hello(), *dialogue.audio(pcm), *dialogue.finish()]: ...  # send these in this order
for heard in dialogue.receive(answer): ...                                        # Partial and Final texts
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hotline.asr.engine import Heard

Message = str | bytes
"""A WebSocket message: text or binary."""


class Dialogue(Protocol):
    """One stream of audio with a server, at the rate that the server was promised."""

    @property
    def over(self) -> bool:
        """The last answer came."""
        ...

    @property
    def owes(self) -> bool:
        """Something was said that is not a final text yet, as far as can be told from the answers."""
        ...

    @property
    def behind_seconds(self) -> float:
        """Audio that was handed over and is not recognised yet, as far as the answers tell."""
        ...

    def hello(self) -> Message:
        """The first message."""
        ...

    def audio(self, pcm: bytes) -> Sequence[Message]:
        """Messages that carry 16-bit mono samples."""
        ...

    def finish(self) -> Sequence[Message]:
        """Messages that say that no audio follows."""
        ...

    def receive(self, answer: Message) -> Sequence[Heard]:
        """Take an answer; return what is new in it.

        Raises:
            EngineError: this is no answer of such a server.
        """
        ...
