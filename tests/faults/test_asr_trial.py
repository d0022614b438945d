"""A model is tried in a process that may crash: what is refused, in which words, and what is remembered."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hotline.asr.models import SMALL_MODEL
from hotline.asr.trial import Trial, try_model
from hotline.asr.verdicts import FILE_NAME, Verdicts
from hotline.core.errors import SetupError
from tests.fixtures.archives import copy_of_the_small_model
from tests.fixtures.asr import ROOT, hearing_room
from tests.fixtures.trial_engines import ABORTS, EATS, RAISES, SLEEPS, WORKS


@pytest.fixture(autouse=True)
def engines_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child finds the engines of these tests."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def test_a_good_model_is_described() -> None:
    """Name, language, rate, words, and what it costs on this machine."""
    trial = try_model(None)
    assert (trial.name, trial.language, trial.sample_rate_hz) == ("hotline-small-cn", "zh-CN", 8000)
    listed = json.loads((SMALL_MODEL / "model.json").read_text("utf-8"))["words"]
    assert trial.words == len(listed)
    assert 20 < trial.memory_megabytes < 150
    assert 0 < trial.cost < 1
    assert f"{len(listed)} words" in str(trial) and "8000 Hz" in str(trial)


def refused(path: Path, **options: object) -> str:
    """The one line that refuses a model."""
    with pytest.raises(SetupError) as refusal:
        try_model(path, **options)  # type: ignore[arg-type]
    assert "\n" not in str(refusal.value) and str(path) in str(refusal.value)
    assert refusal.value.hint
    return str(refusal.value)


@pytest.mark.parametrize("name", ["am/final.mdl", "graph/HCLG.fst"])
def test_a_file_that_is_cut_short_is_found_out(tmp_path: Path, name: str) -> None:
    """It ends the process that loads it: the line says that a file is damaged."""
    model = copy_of_the_small_model(tmp_path / "model")
    file = model / name
    file.write_bytes(file.read_bytes()[:1000])
    assert "cannot be used" in (said := refused(model)) and "cut short" in said


def test_a_network_of_another_model_is_found_out(tmp_path: Path) -> None:
    """Features that the network does not take end the process at the first sound, not at the first call."""
    model = copy_of_the_small_model(tmp_path / "model")
    settings = model / "conf/mfcc.conf"
    text = settings.read_text("utf-8").replace("--num-ceps=20", "--num-ceps=13")
    assert "13" in text
    settings.write_text(text, "utf-8")
    assert "of another model" in refused(model)


def test_a_wrong_rate_is_found_out(tmp_path: Path) -> None:
    """A rate that no telephone and no model has is refused by name."""
    model = copy_of_the_small_model(tmp_path / "model")
    settings = model / "conf/mfcc.conf"
    settings.write_text(settings.read_text("utf-8").replace("8000", "4000"), "utf-8")
    assert "is for 4000 Hz" in refused(model)


def _a_zip(path: Path) -> Path:
    (path / "vosk-model-cn-0.22.zip").write_bytes(b"PK")
    return path / "vosk-model-cn-0.22.zip"


def _one_too_high(path: Path) -> Path:
    copy_of_the_small_model(path / "outer/inner")
    return path / "outer"


def _another_engines(path: Path) -> Path:
    (path / "tokens.txt").write_text("x")
    (path / "encoder.onnx").write_text("x")
    return path


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: path / "nothing", "no model folder"),
        (lambda path: path, "unpack the model's archive again"),
        (_a_zip, "hotline asr pull vosk-model-cn-0.22 --archive"),
        (_one_too_high, "outer/inner"),
        (_another_engines, "sherpa-onnx"),
    ],
)
def test_what_is_no_model_gets_a_remedy(tmp_path: Path, make: Callable[[Path], Path], told: str) -> None:
    """Nothing there, an empty folder, an archive, the folder above, a model of another engine."""
    assert told in refused(make(tmp_path))


def test_a_crash_a_hang_and_a_glutton_are_told_apart() -> None:
    """An engine that aborts, one that never comes back, and one that wants more memory than there is."""
    path = SMALL_MODEL.resolve()
    assert "ended with signal 6" in refused(path, engine=ABORTS)
    assert "exit code 1 (RuntimeError: no such operator)" in refused(path, engine=RAISES)
    assert "did not load within 1 s" in refused(path, engine=SLEEPS, timeout_seconds=1)
    assert "more memory" in refused(path, engine=EATS, memory_bytes=500_000_000)


def test_another_engine_is_tried_likewise() -> None:
    """The trial is not Vosk's own: it takes any engine's loader."""
    assert try_model(None, engine=WORKS).memory_megabytes > 0


class Attempts:
    """Counts the trials that really happened."""

    def __init__(self) -> None:
        self.paths: list[Path] = []
        self.broken = False

    def __call__(self, path: Path) -> Trial:
        self.paths.append(path)
        if self.broken:
            raise SetupError("broken")
        return Trial("m", "zh", 8000, 3, 10, 0.1, 50.0, 0.01)


def test_a_verdict_is_remembered_until_a_file_changes(tmp_path: Path) -> None:
    """A restart does not load the model twice; a file of another size or time makes it tried again."""
    model, attempts = copy_of_the_small_model(tmp_path / "model"), Attempts()
    first = Verdicts(tmp_path, attempts).of(model)
    assert Verdicts(tmp_path, attempts).of(model) == first
    assert len(attempts.paths) == 1
    Verdicts(tmp_path, attempts).of(model, anew=True)
    (model / "conf/mfcc.conf").write_text("--sample-frequency=8000\n")
    Verdicts(tmp_path, attempts).of(model)
    assert len(attempts.paths) == 3


def test_a_bad_verdict_is_not_remembered(tmp_path: Path) -> None:
    """What was refused may have been this machine's fault: tried again, and an old good verdict is gone."""
    model, attempts = copy_of_the_small_model(tmp_path / "model"), Attempts()
    verdicts = Verdicts(tmp_path, attempts)
    verdicts.of(model)
    attempts.broken = True
    for anew in (True, False):
        with pytest.raises(SetupError):
            verdicts.of(model, anew=anew)
    attempts.broken = False
    assert replace(verdicts.of(model), cost=0) and len(attempts.paths) == 4


@pytest.mark.parametrize("kept", ["", "[]", '{"a": {"of": "another version"}}', "\0"])
def test_a_damaged_memory_costs_one_trial(tmp_path: Path, kept: str) -> None:
    """A file of verdicts that cannot be read is as good as none."""
    (tmp_path / FILE_NAME).write_text(kept)
    model, attempts = copy_of_the_small_model(tmp_path / "model"), Attempts()
    verdicts = Verdicts(tmp_path, attempts)
    assert verdicts.of(model) == verdicts.of(model)
    assert len(attempts.paths) == 1


async def test_a_broken_model_is_refused_before_calls_meet_it(tmp_path: Path) -> None:
    """The hearing does not start with it; with a good one it notes the verdict for the next start."""
    model = copy_of_the_small_model(tmp_path / "model")
    good = (model / "am/final.mdl").read_bytes()
    (model / "am/final.mdl").write_bytes(good[:1000])
    with pytest.raises(SetupError, match="cannot be used"):
        async with hearing_room(tmp_path, engine=None, model=model):
            pass
    assert json.loads((tmp_path / FILE_NAME).read_text("utf-8")) == {}
    (model / "am/final.mdl").write_bytes(good)
    async with hearing_room(tmp_path, engine=None, model=model):
        pass
    assert len(json.loads((tmp_path / FILE_NAME).read_text("utf-8"))) == 1
