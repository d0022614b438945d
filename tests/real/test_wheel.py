"""``pip install .`` alone: the command line is whole, the data files are there, and no Node is needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(
    ".git",
    ".venv",
    ".make",
    "node_modules",
    "dist",
    "build",
    "tests",
    "*.egg-info",
    "__pycache__",
    ".*_cache",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the tree without the built pages, as a clone without Node would make it."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, folder / "tree", symlinks=True, ignore=LEFT_OUT)
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    done = subprocess.run(
        [*pip, str(folder / "tree")], capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


def test_it_holds_every_data_file_of_the_rooms(wheel: Path) -> None:
    """Whatever lies beside the code in the tree lies beside it in the wheel, and no sources of the app do."""
    inside = set(zipfile.ZipFile(wheel).namelist())
    for room in sorted((ROOT / "src" / "hotline").iterdir()):
        for path in room.rglob("*") if room.is_dir() else ():
            name = str(path.relative_to(ROOT / "src"))
            if path.is_file() and "/web/" not in name and "__pycache__" not in name:
                assert name in inside, f"{name} is missing from the wheel"
    assert not [name for name in inside if "/web/" in name]


def test_its_command_line_runs(wheel: Path, tmp_path: Path) -> None:
    """Unpacked far from the tree it checks its own sample site."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "lib")
    program = "from hotline.server.cli import main; main()"
    environment = {
        **os.environ,
        "PYTHONPATH": str(tmp_path / "lib"),
        "HOTLINE_DATA_DIR": str(tmp_path / "data"),
    }
    sample = tmp_path / "lib" / "hotline" / "config" / "samples" / "demo.yaml"
    done = subprocess.run(
        [sys.executable, "-c", program, "check", str(sample)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    where = subprocess.run(
        [sys.executable, "-c", "import hotline; print(hotline.__file__)"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert Path(where.stdout.strip()).is_relative_to(tmp_path)
