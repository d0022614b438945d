"""When a server's silence means something, told from the audio that it was sent."""

from __future__ import annotations

from array import array
from random import Random

import pytest

from hotline.asr.remote.patience import Unanswered

RATE_HZ = 8_000
STEP_SECONDS = 0.04
STEP_BYTES = 640  # 8000 Hz x 40 ms x 2 bytes
TELEPHONE_LOUD = 6_000
LEAST_SLOW_SECONDS = 6.0  # of voice: a server is found slow after so much with the settings as they come


def noise(loudness: int, seconds: float) -> bytes:
    source = Random(1)
    return array(
        "h", (source.randint(-loudness, loudness) for _ in range(round(seconds * RATE_HZ)))
    ).tobytes()


def silence(seconds: float) -> bytes:
    return bytes(2 * round(seconds * RATE_HZ))


def talk(seconds: float, loudness: int = TELEPHONE_LOUD) -> bytes:
    """Four syllables a second over the noise of a line."""
    return (noise(loudness, 0.18) + noise(60, 0.07)) * round(seconds * 4)


def most(pcm: bytes, count: Unanswered | None = None) -> float:
    """The most voice that was ever unanswered while the audio came at the pace of speech."""
    count = count or Unanswered(RATE_HZ)
    found, now = 0.0, 1_000.0
    for at in range(0, len(pcm), STEP_BYTES):
        now += STEP_SECONDS
        count.said(pcm[at : at + STEP_BYTES], now)
        found = max(found, count.seconds(now))
    return found


def test_a_voice_that_nobody_answers_is_noticed_within_a_few_sentences() -> None:
    """Also one that pauses for breath, and one over a noisy line."""
    assert most(talk(12)) > LEAST_SLOW_SECONDS
    assert most((talk(4) + silence(2)) * 4) > LEAST_SLOW_SECONDS
    loud_line = (noise(TELEPHONE_LOUD, 0.18) + noise(600, 0.07)) * 48
    assert most(loud_line) > LEAST_SLOW_SECONDS


@pytest.mark.parametrize(
    "pcm",
    [
        silence(120),
        noise(900, 60),  # a hissing line
        silence(5) + noise(20_000, 60),  # a motorway, from when the window is opened
        talk(60, loudness=1_000),  # people in the room behind
        (noise(20_000, 0.1) + silence(2)) * 60,  # a hammer
        (noise(6_000, 1.0) + silence(4)) * 12,  # a ringing tone
        (talk(1) + silence(6)) * 20,  # "yes" now and then
    ],
    ids=["silence", "hiss", "motorway", "behind", "hammer", "ringing", "yes"],
)
def test_what_a_server_need_not_answer_never_adds_up(pcm: bytes) -> None:
    """Nobody speaks, or hardly: no server is taken for slow because it says nothing to that."""
    assert most(pcm) < LEAST_SLOW_SECONDS


def test_an_answer_settles_all_that_was_said() -> None:
    """Whatever it says."""
    count = Unanswered(RATE_HZ)
    assert most(talk(4), count) > 2
    count.answered()
    assert count.seconds(2_000.0) == 0


def test_held_audio_leaves_time_for_an_answer() -> None:
    """A server that takes over is told fifteen seconds at once: it is not behind at that moment."""
    count = Unanswered(RATE_HZ)
    count.said(talk(15), 5.0)
    assert count.seconds(5.0) == 0
    assert count.seconds(7.5) == 2.5
    assert count.seconds(60.0) > 8
