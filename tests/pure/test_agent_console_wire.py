"""The console's JSON: masked, in UTC, never failing on odd text."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.agent_console.wire import dump, event_frame, event_name, mask_name, mask_number, moment, to_json
from hotline.core.events import CallStarted, Envelope, Outcome, Side, TranscriptSegment
from hotline.core.views import DayFigures, LineFigures

AT = datetime(2026, 11, 2, 9, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("13812341234", "138****1234"),
        ("+8613812341234", "+86138****1234"),
        ("02112345678", "021****5678"),
        ("87654321", "8*****21"),
        ("12315", "****5"),
        ("1", "*"),
        ("", ""),
    ],
)
def test_a_caller_number_shows_its_ends_only(number: str, masked: str) -> None:
    """Mobile, landline and short numbers are masked as people know it."""
    assert mask_number(number) == masked


@given(st.text(min_size=1, max_size=20))
def test_no_number_is_shown_whole(number: str) -> None:
    """Whatever comes as a number, some of it is hidden, and its length stays."""
    masked = mask_number(number)
    assert len(masked) == len(number)
    assert "*" in masked


def test_a_number_sent_as_a_name_is_masked_too() -> None:
    """Phones that put the number into the display name do not get around the mask."""
    assert mask_name("13812341234") == "138****1234"
    assert mask_name("张三 138 1234 1234") == "张三 138 1****1234"
    assert mask_name("王女士") == "王女士"


def test_an_event_frame_has_name_number_and_masked_data() -> None:
    """The frame of a call's start is as docs/console-api.md says."""
    event = CallStarted("n1-1.2", AT, "12345", "12345", "13812341234", "13812341234")
    frame = json.loads(event_frame(Envelope(7, event)))
    assert frame == {
        "type": "event",
        "seq": 7,
        "name": "call_started",
        "data": {
            "call_id": "n1-1.2",
            "at": "2026-11-02T01:00:00.123Z",
            "line": "12345",
            "did": "12345",
            "caller_number": "138****1234",
            "caller_name": "138****1234",
            "language": "",
            "callback_of": None,
        },
    }


def test_enums_dates_tuples_and_dicts_become_plain_json() -> None:
    """Figures keep their names; keys that are enums give their value."""
    line = LineFigures("12345", "热线", None, 2, 1, 1, 0, {Outcome.ANSWERED: 1, Outcome.ABANDONED: 1})
    data = to_json(DayFigures(date(2026, 11, 2), 15, line, (line,)))
    assert data["day"] == "2026-11-02"
    assert data["lines"][0]["outcomes"] == {"answered": 1, "abandoned": 1}
    assert data["total"]["answer_rate"] is None


def test_a_number_json_cannot_say_becomes_null() -> None:
    """NaN and infinities never reach a page, whose JSON.parse would refuse the frame."""
    assert to_json((float("nan"), float("inf"), 0.5)) == [None, None, 0.5]


def test_a_naive_moment_is_refused() -> None:
    """A time without a zone is a mistake of ours, not something to guess about."""
    with pytest.raises(ValueError, match="aware"):
        moment(datetime(2026, 11, 2, 9, 0))


def test_an_unknown_type_is_refused() -> None:
    """Nothing is sent as its repr."""
    with pytest.raises(TypeError, match="object"):
        to_json(object())


@given(st.text(max_size=50))
def test_any_text_survives_the_wire(text: str) -> None:
    """Line separators, emoji and control characters arrive as they were."""
    assert json.loads(dump({"text": text}).encode().decode())["text"] == text


def test_a_lone_surrogate_does_not_break_the_frame() -> None:
    """Half a character from a broken name is escaped; the frame can still be encoded."""
    frame = dump({"name": "张\ud83d"})
    assert json.loads(frame.encode())["name"] == "张\ud83d"


def test_event_names_are_snake_case() -> None:
    """Class names become what the page switches on."""
    assert event_name(TranscriptSegment.__name__) == "transcript_segment"
    assert moment(datetime(2026, 11, 2, tzinfo=UTC)) == "2026-11-02T00:00:00Z"
    assert to_json(Side.CALLER) == "caller"
