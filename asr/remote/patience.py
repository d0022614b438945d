"""How much voice a server has left unanswered. Pure: moments are given.

A server that takes audio and answers nothing may be dead, or hear nobody: its silence alone says nothing. Nor
do its answers to the protocol's pings: they come from the WebSocket, not from the recogniser. So what counts
is voice: sound that is loud, and louder than what sounded a moment before, as syllables are and noise that
lasts is not. It is about six tenths of what somebody says who speaks on. Music and a busy tone may be taken
for voice; that costs a leg its engine, not its words.
"""

from __future__ import annotations

from typing import Final

from hotline.asr.pcm import SAMPLE_BYTES

BLOCK_SECONDS: Final = 0.06  # looked at together; shorter than a syllable
LEAST_PEAK: Final = 2_000  # of 32767: -24 dB; telephones carry speech with peaks of -15 to -5 dB
OVER_NOISE: Final = 3.0  # 10 dB above the noise
NOISE_RISE: Final = 3.0  # a second: noise that begins counts for 4 s, between syllables it is found again
NOISE_LEAST: Final = 40.0  # a quiet line's
FORGOTTEN_SHARE: Final = 0.2  # of the time without voice: what bangs now and then never adds up


class Unanswered:
    """The voice in one stream's audio since the server's last answer.

    Args:
        sample_rate_hz: of the 16-bit mono samples.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self._rate_hz = sample_rate_hz
        self._block_bytes = round(sample_rate_hz * BLOCK_SECONDS) * SAMPLE_BYTES
        self._noise = NOISE_LEAST
        self._voice_seconds = 0.0
        self._since = 0.0  # when the first of it was said

    def seconds(self, now: float) -> float:
        """Of voice, and no more than there was time to answer: held audio is said all at once."""
        return min(self._voice_seconds, now - self._since) if self._voice_seconds else 0.0

    def said(self, pcm: bytes, now: float) -> None:
        """Audio is on its way to the server."""
        for at in range(0, len(pcm), self._block_bytes):
            samples = memoryview(pcm)[at : at + self._block_bytes].cast("h")
            seconds = len(samples) / self._rate_hz
            peak = max(max(samples), -min(samples))
            self._noise = max(NOISE_LEAST, min(peak, self._noise * NOISE_RISE**seconds))
            if peak < max(LEAST_PEAK, OVER_NOISE * self._noise):
                self._voice_seconds = max(0.0, self._voice_seconds - FORGOTTEN_SHARE * seconds)
                continue
            if not self._voice_seconds:
                self._since = now
            self._voice_seconds += seconds

    def answered(self) -> None:
        """Something came from the server, whatever it says."""
        self._voice_seconds = 0.0
