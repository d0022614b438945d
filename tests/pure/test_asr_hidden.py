"""What is said while a recording is paused is not written down."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hotline.asr.hidden import HiddenTimes

TIMES = st.floats(0, 100)


@given(begin=TIMES, length=st.floats(0.1, 50), start=TIMES, spoken=st.floats(0.01, 20))
def test_an_utterance_is_hidden_if_any_of_it_falls_into_a_pause(
    begin: float, length: float, start: float, spoken: float
) -> None:
    """Whole or not at all: half a number is still a number."""
    hidden = HiddenTimes()
    assert not hidden.touch(start, start + spoken)
    hidden.begin(begin)
    assert hidden.touch(start, start + spoken) == (start + spoken > begin)
    hidden.end(begin + length)
    assert hidden.touch(start, start + spoken) == (start < begin + length and start + spoken > begin)


def test_told_twice_changes_nothing() -> None:
    """A pause told again (after a restart) keeps its beginning; an end without a beginning is nothing."""
    hidden = HiddenTimes()
    hidden.end(5)
    hidden.begin(10)
    hidden.begin(20)
    assert hidden.touch(11, 12) and not hidden.touch(1, 6)
