"""The small parts of the hearing: numbers of utterances, text, messages, when a process is frozen."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.asr.messages import Connected, Expect, Gone, Message, MessageReader, Ping, Pong, Told, pack
from hotline.asr.models import SMALL_MODEL, read_model
from hotline.asr.numbering import UtteranceCount, UtteranceNumbers
from hotline.asr.process_state import Activity, ProcessState
from hotline.asr.stats import AsrStats
from hotline.asr.tap_state import TRANSITIONS, TapEvent, TapState, after
from hotline.asr.text import UNCLEAR, join_words
from hotline.asr.worker_process import Watch, is_frozen
from hotline.core.errors import PeerError, SetupError
from hotline.core.events import Side, TranscriptSegment

AT = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)


def say(numbers: UtteranceNumbers, text: str, *, final: bool = False) -> TranscriptSegment | None:
    return numbers.number(
        text, final=final, start_seconds=1.0, end_seconds=2.0, confidence=0.5, at=AT, audio_at=AT
    )


def shown(segment: TranscriptSegment | None) -> tuple[int, int, str, bool, float | None]:
    assert segment is not None
    return segment.utterance, segment.revision, segment.text, segment.final, segment.confidence


def test_utterances_and_revisions_count_from_one() -> None:
    """A final text replaces its partial texts under the same number; the next utterance has the next."""
    numbers = UtteranceNumbers("c", Side.CALLER, UtteranceCount())
    assert shown(say(numbers, "您")) == (1, 1, "您", False, None)
    assert shown(say(numbers, "您好")) == (1, 2, "您好", False, None)
    assert shown(say(numbers, "您好", final=True)) == (1, 3, "您好", True, 0.5)
    assert shown(say(numbers, "再见", final=True)) == (2, 1, "再见", True, 0.5)


def test_a_text_that_says_nothing_new_is_not_sent() -> None:
    """The same partial text again, and silence, make no segment."""
    numbers = UtteranceNumbers("c", Side.CALLER, UtteranceCount())
    assert say(numbers, "") is None
    assert say(numbers, "", final=True) is None
    assert say(numbers, "您") is not None
    assert say(numbers, "您") is None


def test_an_utterance_that_turns_out_to_be_nothing_is_taken_back() -> None:
    """What was shown and is withdrawn ends with an empty final text, and its number is not used again."""
    numbers = UtteranceNumbers("c", Side.CALLER, UtteranceCount())
    say(numbers, "嗯")
    assert shown(say(numbers, "", final=True)) == (1, 2, "", True, 0.5)
    assert shown(say(numbers, "您")) == (2, 1, "您", False, None)


def test_what_was_heard_before_the_leg_was_lost_is_kept() -> None:
    """The last partial text becomes final, without a confidence, once."""
    numbers = UtteranceNumbers("c", Side.AGENT, UtteranceCount(7))
    say(numbers, "请讲")
    assert shown(numbers.cut_off(AT)) == (8, 2, "请讲", True, None)
    assert numbers.cut_off(AT) is None


def test_two_who_speak_at_once_on_one_side_never_mix() -> None:
    """Each utterance has a number and a speaker of its own, in whatever order their texts come."""
    count = UtteranceCount()
    first = UtteranceNumbers("c", Side.AGENT, count, "1005")
    second = UtteranceNumbers("c", Side.AGENT, count, "110")
    told = [say(first, "您好"), say(second, "这里"), say(second, "这里是", final=True)]
    told += [say(first, "您好请讲", final=True), say(second, "公安")]
    assert [(one.party, one.utterance, one.revision) for one in told if one is not None] == [
        ("1005", 1, 1), ("110", 2, 1), ("110", 2, 2), ("1005", 1, 2), ("110", 3, 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["您好", "我", "想"], "您好我想"),
        (["办", "ETC", "card", "吗"], "办ETC card吗"),
        (["[unk]", "<UNK>", "您好"], f"{UNCLEAR}您好"),
        (["<eps>", "[noise]"], ""),
        ([], ""),
    ],
)
def test_words_are_joined_as_chinese_is_written(words: list[str], text: str) -> None:
    """No spaces between Chinese words, one between Latin ones, unknown speech marked once."""
    assert join_words(words) == text


MESSAGES: list[Message] = [
    Expect("u", 1.5, ["您好"]),
    Ping(3),
    Connected("u", 2.5),
    Told("u", "您好\u2028", True, 0.5, 1.0, None, 2.0, [["您好", 0.5, 1.0, None]]),
    Gone("u", "hung_up"),
    Pong(3, 0.0, 1.0, 42.0, {"audio_ms": 5}),
]


@given(st.integers(1, 40))
def test_messages_survive_any_cut(size: int) -> None:
    """However the socket pair cuts the bytes, the same messages come out."""
    wire = b"".join(pack(message) for message in MESSAGES)
    reader = MessageReader()
    heard = [
        message
        for first in range(0, len(wire), size)
        for message in reader.receive(wire[first : first + size])
    ]
    assert heard == MESSAGES


@pytest.mark.parametrize(
    "wire",
    [
        struct.pack(">I", 1 << 30),
        struct.pack(">I", 3) + b"???",
        struct.pack(">I", 2) + b"[]",
        (lambda body: struct.pack(">I", len(body)) + body)(json.dumps({"kind": "Ping", "x": 1}).encode()),
        (lambda body: struct.pack(">I", len(body)) + body)(json.dumps({"kind": "exec"}).encode()),
    ],
)
def test_what_is_no_message_is_refused(wire: bytes) -> None:
    """A worker that writes nonsense is given up, and no unbounded message is waited for."""
    with pytest.raises(PeerError):
        MessageReader().receive(wire)


WATCH = Watch(look_seconds=0.3, asleep_seconds=1.0, working_seconds=5.0)


@pytest.mark.parametrize(
    ("waited", "activity", "ticks", "frozen"),
    [
        (0.2, Activity.STOPPED, 10, False),  # not late yet
        (0.4, Activity.STOPPED, 10, True),
        (0.9, Activity.ASLEEP, 10, False),
        (1.1, Activity.ASLEEP, 10, True),
        (1.1, Activity.ASLEEP, 11, False),  # it had processor time in between
        (4.9, Activity.WORKING, 10, False),  # short of processors, or a large model
        (5.1, Activity.WORKING, 99, True),
        (1.1, Activity.UNKNOWN, 10, False),
        (5.1, Activity.UNKNOWN, 10, True),
    ],
)
def test_when_a_process_is_given_up(waited: float, activity: Activity, ticks: int, frozen: bool) -> None:
    """Stopped: at once. Asleep: after a second. At work: only after a long time."""
    before = ProcessState(Activity.ASLEEP, 10)
    assert is_frozen(waited, before, ProcessState(activity, ticks), WATCH) is frozen


def test_an_impossible_turn_of_a_tap_changes_nothing() -> None:
    """Every state has its row, and what is not in it is refused."""
    assert set(TRANSITIONS) == set(TapState)
    assert after(TapState.DIALLING, TapEvent.CONNECTED) is TapState.HEARING
    with pytest.raises(ValueError, match="connected cannot happen to a tap that is over"):
        after(TapState.OVER, TapEvent.CONNECTED)


def test_numbers_for_the_metrics_have_unique_names() -> None:
    """Every number has a help text and a name of its own."""
    numbers = list(AsrStats().numbers())
    assert len({name for name, _, _, _ in numbers}) == len(numbers)
    assert all(text.endswith(".") for _, text, _, _ in numbers)


def test_a_worker_imports_little() -> None:
    """A recogniser process has neither web server nor database in it, so that it stays small."""
    code = "import sys, hotline.asr.worker, hotline.asr.vosk_engine; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"fastapi", "sqlalchemy", "pydantic", "uvicorn", "numpy", "vosk", "prometheus_client"}


def test_the_packaged_model_says_what_it_is() -> None:
    """Rate, licence and language are read from the folder without loading it."""
    info = read_model(SMALL_MODEL)
    assert (info.sample_rate_hz, info.licence, info.language) == (8000, "Apache-2.0", "zh-CN")
    assert 0 < info.size_bytes < 2_000_000


@pytest.mark.parametrize("missing", ["am/final.mdl", "conf/mfcc.conf", "graph/HCLG.fst", "graph/words.txt"])
def test_a_model_that_lacks_a_file_is_refused_in_one_line(tmp_path: Path, missing: str) -> None:
    """The error names the folder and what is missing."""
    for name in {"am/final.mdl", "conf/mfcc.conf", "graph/HCLG.fst", "graph/words.txt"} - {missing}:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(SetupError, match="is no Vosk model: no") as refusal:
        read_model(tmp_path)
    assert "\n" not in str(refusal.value)
