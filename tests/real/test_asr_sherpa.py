"""The real sherpa-onnx on a model made here: words, times, rates, and models that are none."""

from __future__ import annotations

from array import array
from pathlib import Path

import pytest

from hotline.asr.engine import Final, Heard, Partial
from hotline.asr.engines import EngineOrder, probe
from hotline.asr.sherpa_engine import SherpaEngine, find_files
from hotline.core.errors import SetupError
from tests.fixtures.sherpa_model import LEVEL, make_model

pytestmark = pytest.mark.real
pytest.importorskip("sherpa_onnx")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("sherpa") / "loudness")


def sound(rate_hz: int, *parts: tuple[int, float]) -> bytes:
    """Loudness n for some seconds each: the n-th word; 0 is silence."""
    return array("h", (n * LEVEL for n, seconds in parts for _ in range(round(rate_hz * seconds)))).tobytes()


@pytest.mark.parametrize("rate_hz", [8_000, 16_000])
def test_words_come_while_they_are_spoken_and_end_at_a_pause(model: Path, rate_hz: int) -> None:
    """Partial texts grow; a pause makes them final; times go on over utterances, at any rate of the audio."""
    engine = SherpaEngine(model, "t-one-ctc")
    stream = engine.open(rate_hz)
    pcm = sound(rate_hz, (0, 0.615), (1, 0.3), (2, 0.3), (0, 1.8), (3, 0.3), (0, 0.1))
    heard: list[Heard] = []  # words begin in the middle of the model's frames of 30 ms
    for at in range(0, len(pcm), rate_hz // 5):
        heard += stream.push(pcm[at : at + rate_hz // 5])
    heard += stream.end()
    finals = [one for one in heard if isinstance(one, Final)]
    assert [one.text for one in finals] == ["一二", "三"]
    assert Partial("一", finals[0].start_seconds) in heard
    assert finals[0].start_seconds == pytest.approx(0.6, abs=0.1)
    assert finals[1].start_seconds == pytest.approx(3.0, abs=0.15)
    assert [word.text for word in finals[0].words] == ["一", "二"]
    assert stream.over
    assert stream.push(bytes(640)) == []


def test_a_model_is_tried_in_a_process_of_its_own(model: Path, tmp_path: Path) -> None:
    """One that is none ends that process, not this one, and the error says which."""
    assert "8000 Hz" in probe(EngineOrder("sherpa", model=str(model), family="t-one-ctc"))
    broken = make_model(tmp_path / "broken")
    (broken / "model.onnx").write_bytes(b"no model")
    with pytest.raises(SetupError, match="broken cannot be used"):
        probe(EngineOrder("sherpa", model=str(broken), family="t-one-ctc"))


def test_files_of_a_model_are_found_or_named(tmp_path: Path) -> None:
    """Transducers and paraformers by their files, the smaller of two; what is missing is said."""
    with pytest.raises(SetupError, match="no model folder"):
        find_files(tmp_path / "none", "auto")
    for name in ("tokens.txt", "encoder-a.onnx", "encoder-a.int8.onnx", "decoder-a.onnx"):
        (tmp_path / name).write_text("some", "utf-8")
    assert find_files(tmp_path, "auto")["encoder"].name == "encoder-a.int8.onnx"
    with pytest.raises(SetupError, match=r"no joiner\.onnx"):
        find_files(tmp_path, "transducer")
    with pytest.raises(SetupError, match=r"no model\.onnx"):
        find_files(tmp_path, "wenet-ctc")
