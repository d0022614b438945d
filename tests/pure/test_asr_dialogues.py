"""The protocols of engines on other machines: what is sent, what each answer means, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.asr.engine import EngineError, Final, Heard, Partial
from hotline.asr.remote.dialogue import Dialogue
from hotline.asr.remote.funasr import FunAsrDialogue
from hotline.asr.remote.vosk_server import VoskServerDialogue

SECOND = bytes(32_000)


def say(**answer: object) -> str:
    return json.dumps(answer, ensure_ascii=False)


def vosk(*answers: str, grammar: tuple[str, ...] = ()) -> tuple[VoskServerDialogue, list[Heard]]:
    """A dialogue in which a second of audio was sent for each answer, and what the answers meant."""
    dialogue = VoskServerDialogue(16_000, grammar)
    heard: list[Heard] = []
    for answer in answers:
        dialogue.audio(SECOND)
        heard += dialogue.receive(answer)
    return dialogue, heard


def test_the_configuration_of_a_vosk_server_says_rate_and_words() -> None:
    """And never a model: the server would change it for everybody."""
    assert json.loads(VoskServerDialogue(8_000).hello()) == {"config": {"sample_rate": 8000, "words": True}}
    with_words = json.loads(VoskServerDialogue(8_000, ["社保", "公积金"]).hello())
    assert with_words["config"]["phrase_list"] == ["社保", "公积金", "[unk]"]


def test_the_end_for_a_vosk_server_is_to_the_letter() -> None:
    """Written without its spaces the server takes it for audio and fails."""
    assert VoskServerDialogue(8_000).finish() == ['{"eof" : 1}']


def test_a_vosk_servers_words_keep_their_times() -> None:
    """A partial text once, the final one with words and confidence, nothing for what says nothing new."""
    result = [
        {"word": "社保", "start": 0.4, "end": 0.9, "conf": 0.8},
        {"word": "卡", "start": 0.9, "end": 1.2, "conf": 0.6},
    ]
    _, heard = vosk(
        say(partial=""),
        say(partial="社保"),
        say(partial="社保"),
        say(text="社保 卡", result=result),
        say(text=""),
    )
    partial, final = heard
    assert partial == Partial("社保", 2.0)
    assert isinstance(final, Final)
    assert (final.text, final.start_seconds, final.end_seconds) == ("社保卡", 0.4, 1.2)
    assert final.confidence == pytest.approx(0.7)
    assert [word.text for word in final.words] == ["社保", "卡"]


def test_how_far_a_vosk_server_is_behind_is_known_to_the_message() -> None:
    """It answers each once; after the end one more, and then it is over."""
    dialogue, _ = vosk(say(partial=""))
    dialogue.audio(SECOND)
    dialogue.audio(SECOND)
    assert dialogue.behind_seconds == 2.0
    dialogue.finish()
    for answer in (say(partial="一"), say(partial="一 二"), say(text="一 二")):
        assert not dialogue.over
        assert dialogue.owes
        dialogue.receive(answer)
    assert dialogue.over
    assert not dialogue.owes


def funasr(*answers: str, seconds: float = 4.0) -> tuple[FunAsrDialogue, list[Heard]]:
    dialogue = FunAsrDialogue(16_000)
    dialogue.audio(bytes(round(32_000 * seconds)))
    return dialogue, [heard for answer in answers for heard in dialogue.receive(answer)]


def test_the_first_message_for_funasr_is_that_of_its_protocol() -> None:
    """2pass, its chunks, the rate, hot words as JSON in a text with a weight each."""
    told = json.loads(FunAsrDialogue(8_000, ["社保卡"]).hello())
    assert (told["mode"], told["chunk_size"], told["audio_fs"]) == ("2pass", [5, 10, 5], 8000)
    assert (told["wav_format"], told["is_speaking"]) == ("pcm", True)
    assert json.loads(told["hotwords"]) == {"社保卡": 20}
    assert json.loads(FunAsrDialogue(8_000).hello())["hotwords"] == ""


@given(st.lists(st.integers(0, 900), max_size=30))
def test_funasr_gets_frames_of_sixty_milliseconds_however_audio_comes(sizes: list[int]) -> None:
    """Whole frames on the way, the rest at the end, nothing lost and nothing twice."""
    pcm = bytes(range(256)) * (2 * sum(sizes) // 256 + 1)
    dialogue, sent, at = FunAsrDialogue(8_000), [], 0
    for size in sizes:
        sent += dialogue.audio(pcm[at : at + 2 * size])
        at += 2 * size
    assert {len(frame) for frame in sent} <= {960}  # 8000 Hz x 60 ms x 2 bytes
    *rest, end = dialogue.finish()
    assert b"".join(one for one in [*sent, *rest] if isinstance(one, bytes)) == pcm[:at]
    assert json.loads(end) == {"is_speaking": False, "is_end": True}


def test_funasrs_online_texts_are_what_is_new_and_its_offline_text_replaces_them() -> None:
    """Its runtime's stamps are milliseconds of the stream, a text that holds JSON."""
    _, (first, second, final) = funasr(
        say(mode="2pass-online", text="我想", is_final=False, timestamp=1_763_700_000_000),
        say(mode="2pass-online", text="咨询", is_final=False),
        say(mode="2pass-offline", text="我想咨询，", is_final=False,
            timestamp="[[500,700],[700,900],[900,1100],[1100,1300]]"),
    )  # fmt: skip
    assert (first, second) == (Partial("我想", first.start_seconds), Partial("我想咨询", first.start_seconds))
    assert isinstance(final, Final)
    assert (final.text, final.start_seconds, final.end_seconds) == ("我想咨询，", 0.5, 1.3)
    assert [(word.text, word.start_seconds) for word in final.words][:2] == [("我", 0.5), ("想", 0.7)]


def test_the_python_servers_times_count_from_the_utterance() -> None:
    """Where that began is not told: it is placed so that it ends a pause before now."""
    _, (final,) = funasr(
        say(mode="2pass-offline", text="好的", is_final=True, timestamp=[[0, 300], [300, 600]])
    )
    assert isinstance(final, Final)
    assert final.end_seconds == pytest.approx(3.96 - 0.8)
    assert final.end_seconds - final.start_seconds == pytest.approx(0.6)


def test_a_funasr_runtime_is_over_with_its_last_answer_even_an_empty_one() -> None:
    """It marks that one, and no other, as final; without text it has no mode either."""
    dialogue, _ = funasr(say(mode="2pass-offline", text="好", is_final=False))
    dialogue.finish()
    assert not dialogue.over
    assert dialogue.receive(say(text="", timestamp=1, is_final=True)) == []
    assert dialogue.over


def test_a_funasr_python_server_is_over_when_it_says_so() -> None:
    """Each of its final texts says is_final; one that was under way at the end is not the last."""
    dialogue, _ = funasr()
    dialogue.finish()
    dialogue.receive(say(mode="2pass-offline", text="好", is_final=True, spk_name="unknown"))
    assert not dialogue.over
    (last,) = dialogue.receive(say(mode="2pass-offline", text="再见", is_final=True, spk_name="unknown"))
    dialogue.receive(say(mode="2pass", is_final=True, is_end=True))
    assert dialogue.over
    assert last.text == "再见"


def test_words_without_a_second_pass_are_kept_when_the_end_is_acknowledged() -> None:
    """What was told online is all there will be of that utterance."""
    dialogue, _ = funasr(say(mode="2pass-online", text="等等", is_final=False))
    dialogue.finish()
    (final,) = dialogue.receive(say(is_end=True, is_final=True))
    assert isinstance(final, Final)
    assert final.text == "等等"


def test_a_funasr_server_whose_final_texts_come_late_is_behind() -> None:
    """Beyond the pause that ends an utterance and the work of its second pass."""
    stamps = "[[0,300],[300,600]]"
    dialogue, _ = funasr(
        say(mode="2pass-offline", text="好的", is_final=False, timestamp=stamps), seconds=1.98
    )
    assert dialogue.behind_seconds == 0.0
    dialogue, _ = funasr(
        say(mode="2pass-offline", text="好的", is_final=False, timestamp=stamps), seconds=9.0
    )
    assert dialogue.behind_seconds > 6.0


@pytest.mark.parametrize(
    "answer",
    ["", "no json", "[]", "7", b"\xff\xfe", "[" * 100_000, say(text=7), say(partial=None),
     say(text="字" * 5000),
     say(text="一", result=7), say(text="一", result=[7]), say(text="一", result=[{"word": "一"}]),
     say(text="一", result=[{"word": "一", "start": "0", "end": 1}]), "{}"],
)  # fmt: skip
def test_what_is_no_answer_of_a_vosk_server_ends_the_stream(answer: str) -> None:
    """By an error that another stream may not have, never by anything else."""
    with pytest.raises(EngineError) as caught:
        vosk(answer)
    assert caught.value.retryable


def test_an_answer_to_nothing_ends_the_stream() -> None:
    """A server that answers more than it was told says somebody else's words, or floods."""
    dialogue, _ = vosk(say(partial=""))
    with pytest.raises(EngineError, match="to nothing"):
        dialogue.receive(say(partial="一"))


@pytest.mark.parametrize(
    "answer",
    [say(mode="2pass-online", text={}), say(mode="2pass-offline", text="一", timestamp="[["),
     say(mode="2pass-offline", text="一", timestamp="7"),
     say(mode="2pass-offline", text="一", timestamp="[[1]]"),
     say(mode="2pass-offline", text="一", timestamp=[["a", 1]]), "null"],
)  # fmt: skip
def test_what_is_no_answer_of_funasr_ends_the_stream(answer: str) -> None:
    """Likewise."""
    with pytest.raises(EngineError):
        funasr(answer)


_numbers = st.one_of(st.integers(), st.floats(), st.just(10**400), st.integers(-10, 9_000))
_stamps = st.lists(st.lists(_numbers, max_size=3), max_size=5)
_words = st.fixed_dictionaries(
    {"word": st.text(max_size=3), "start": _numbers, "end": _numbers, "conf": _numbers}
)
_anything = st.recursive(
    st.none() | st.booleans() | _numbers | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_answers = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(["2pass-online", "2pass-offline", "2pass", 7]),
        "text": st.text(max_size=6) | _anything,
        "partial": st.text(max_size=6) | _anything,
        "result": st.lists(_words, max_size=3) | _anything,
        "timestamp": _stamps | _stamps.map(lambda stamps: json.dumps(stamps)) | _anything,
        "start_time": _numbers,
        "end_time": _numbers,
        "is_final": st.booleans() | _anything,
        "is_end": st.booleans(),
        "spk_name": st.text(max_size=3),
    },
).map(lambda answer: json.dumps(answer))


@pytest.mark.parametrize("kind", [VoskServerDialogue, FunAsrDialogue])
@given(
    steps=st.lists(
        st.one_of(st.just("audio"), st.just("finish"), _answers, st.text(max_size=8), st.binary(max_size=8)),
        max_size=25,
    )
)
def test_no_answer_does_anything_but_tell_a_text_or_end_the_stream(
    kind: Any, steps: list[str | bytes]
) -> None:
    """Whatever comes, whenever: times lie in the audio that was sent and do not run backwards in a text."""
    dialogue: Dialogue = kind(16_000)
    sent_seconds = 0.0
    for step in steps:
        if step == "audio":
            sent_seconds += sum(len(one) for one in dialogue.audio(bytes(9_600))) / 32_000
        elif step == "finish":
            sent_seconds += sum(len(one) for one in dialogue.finish() if isinstance(one, bytes)) / 32_000
        else:
            try:
                heard = dialogue.receive(step)
            except EngineError:
                return
            for one in heard:
                assert 0.0 <= one.start_seconds <= sent_seconds + 1e-6
                if isinstance(one, Final):
                    assert one.start_seconds <= one.end_seconds <= sent_seconds + 1e-6
                    assert all(word.start_seconds <= word.end_seconds for word in one.words)
                    assert one.confidence is None or 0.0 <= one.confidence <= 1.0
        assert dialogue.behind_seconds >= 0.0
