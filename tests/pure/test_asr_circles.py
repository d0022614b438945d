"""How long a recogniser may work on an answer, from what it was seen to need."""

from __future__ import annotations

from hotline.asr.circles import LEAST_SECONDS, TEXTS_SEEN, TIMES_LONGEST, Circles

WORKING_SECONDS = 5.0


def seen(*busy_seconds: float) -> Circles:
    circles = Circles()
    for _ in range(TEXTS_SEEN):
        circles.told()
    for one in busy_seconds:
        circles.answered(one)
    return circles


def test_nothing_is_concluded_before_there_were_texts() -> None:
    """The first work of a large model may be its longest."""
    circles = Circles()
    circles.answered(0.01)
    for _ in range(TEXTS_SEEN - 1):
        circles.told()
    assert circles.limit(WORKING_SECONDS) == WORKING_SECONDS
    circles.told()
    assert circles.limit(WORKING_SECONDS) == LEAST_SECONDS


def test_a_model_that_takes_long_is_given_long() -> None:
    """Some times its longest, and never more than any process at work."""
    assert seen(0.02, 0.3, 0.1).limit(WORKING_SECONDS) == TIMES_LONGEST * 0.3
    assert seen(2.0).limit(WORKING_SECONDS) == WORKING_SECONDS


def test_a_wrong_verdict_is_not_repeated_for_long() -> None:
    """Each one doubles the limit, up to that of any process at work."""
    circles = seen()
    limits = []
    for _ in range(5):
        circles.gave_up()
        limits.append(circles.limit(WORKING_SECONDS))
    assert limits == [1.0, 2.0, 4.0, 5.0, 5.0]
