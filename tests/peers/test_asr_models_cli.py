"""``hotline asr models``, and what ``hotline check`` says of a site's model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hotline.config.samples import path as sample
from tests.fixtures.archives import copy_of_the_small_model


def hotline(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from hotline.server.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site whose model lies in its data_dir, beside a broken one and half a download."""
    copy_of_the_small_model(tmp_path / "data/models/vosk-model-small-cn-0.22")
    (tmp_path / "data/models/broken").mkdir()
    (tmp_path / "data/models/.pulling/half").mkdir(parents=True)
    return write_site(tmp_path, "data/models/vosk-model-small-cn-0.22")


def write_site(folder: Path, model: str) -> Path:
    """The demo site with this model."""
    text = sample("demo").read_text("utf-8")
    assert "\nasr:" not in text and "\ndata_dir: data " in text
    file = folder / "site.yaml"
    file.write_text(f"{text}\nasr: {{model: {model}}}\n", "utf-8")
    return file


def rows_of(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    return {Path(row["path"]).name or row["name"]: row for row in json.loads(done.stdout)}


def test_known_models_are_listed_installed_or_not_used_or_not(site: Path) -> None:
    """The site's is marked, a broken one says why, what is not here says where it is published."""
    done = hotline("asr", "models", "--site", str(site), "--format", "json")
    assert done.returncode == 1  # one is broken
    rows = rows_of(done)
    ours = rows["vosk-model-small-cn-0.22"]
    assert (ours["installed"], ours["used"], ours["problem"]) == (True, True, "")
    assert (rows["small_model"]["installed"], rows["small_model"]["used"]) == (True, False)
    assert "is no Vosk model" in rows["broken"]["problem"]
    big = rows["vosk-model-cn-0.22"]
    assert (big["installed"], big["language"], big["sample_rate_hz"]) == (False, "zh", 16000)
    assert big["archive_bytes"] > 1e9 and big["licence"] == "Apache-2.0" and big["url"].startswith("https://")
    assert len(rows["vosk-model-small-en-us-0.15"]["sha256"]) == 64
    assert "half" not in rows and ".pulling" not in rows


def test_the_list_reads_well(site: Path) -> None:
    """Two lines a model, and what to do next."""
    done = hotline("asr", "models", "--site", str(site))
    assert "vosk-model-cn-0.22  vosk  zh  16000 Hz  1358.7 MB  Apache-2.0" in done.stdout
    assert "used by the site: " in done.stdout and "not here: https://" in done.stdout
    assert "hotline asr pull NAME" in done.stderr


def test_one_model_is_tried(site: Path, tmp_path: Path) -> None:
    """A good one is described, as a line or as JSON; a broken one ends with 1 and one line."""
    good = str(tmp_path / "data/models/vosk-model-small-cn-0.22")
    done = hotline("asr", "models", "--try", good, "--format", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["sample_rate_hz"] == 8000
    broken = hotline("asr", "models", "--try", str(tmp_path / "data/models/broken"))
    assert (broken.returncode, broken.stdout, len(broken.stderr.splitlines())) == (1, "", 1)


def test_check_finds_a_model_that_is_none(site: Path, tmp_path: Path) -> None:
    """With the line of the site file; a good one is no problem."""
    assert hotline("check", str(site)).returncode == 0
    wrong = write_site(tmp_path, "data/models/broken")
    done = hotline("check", str(wrong), "--format", "json")
    assert done.returncode == 1
    (problem,) = [one for one in json.loads(done.stdout)["problems"] if one["severity"] == "error"]
    line = wrong.read_text("utf-8").splitlines()[problem["line"] - 1]
    assert problem["key"] == "asr.model" and line.startswith("asr:")
    assert "is no Vosk model" in problem["message"] and problem["hint"]


def test_check_looks_into_the_model_of_every_engine(site: Path, tmp_path: Path) -> None:
    """Each that is none is told at its own line with what to do; those that are well are not."""
    models = tmp_path / "data/models"
    (models / "vosk-model-small-cn-0.22/am/final.mdl").rename(tmp_path / "final.mdl")  # half unpacked
    copy_of_the_small_model(models / "well")
    (models / "transducer").mkdir()
    (models / "transducer/tokens.txt").write_text("a 0", "utf-8")
    (models / "transducer/encoder.onnx").touch()  # an empty file is as good as none
    site.write_text(
        sample("demo").read_text("utf-8")
        + """
asr:
  engines:
    - {name: city, kind: funasr, url: "wss://asr.example:10095"}
    - {name: small, kind: vosk}
    - {name: well, kind: vosk, model: data/models/well}
    - name: half
      kind: vosk
      model: data/models/vosk-model-small-cn-0.22
    - {name: modern, kind: sherpa, model: data/models/transducer}
    - {name: mistaken, kind: sherpa, model: data/models/well}
    - {name: other-way, kind: vosk, model: data/models/transducer}
  second_pass: {model: data/models/broken}
""",
        "utf-8",
    )
    done = hotline("check", str(site), "--format", "json")
    assert done.returncode == 1
    found = [one for one in json.loads(done.stdout)["problems"] if one["severity"] == "error"]
    lines = site.read_text("utf-8").splitlines()
    told = {
        one["key"]: (lines[one["line"] - 1].strip(" -")[:15], one["message"], one["hint"]) for one in found
    }
    wanted = {
        "asr.engines[3].model": ("model: data/mod", "is no Vosk model: no acoustic", "unpack"),
        "asr.engines[4].model": ("{name: modern, ", "no encoder.onnx, or an empty one", "unpack"),
        "asr.engines[5].model": ("{name: mistaken", "no streaming sherpa-onnx model", "kind: vosk"),
        "asr.engines[6].model": ("{name: other-wa", "is no Vosk model", "kind: sherpa"),
        "asr.second_pass.model": ("second_pass: {m", "is no Vosk model", "unpack"),
    }
    assert told.keys() == wanted.keys()
    for key, (place, message, hint) in wanted.items():
        assert told[key][0] == place
        assert message in told[key][1] and hint in told[key][2]
