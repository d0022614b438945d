"""The repository on a machine that lacks something, and the names its folders must not take."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def setup_in(folder: Path, target: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the set-up of a copy of what it needs, as another machine would."""
    shutil.copytree(ROOT / "tools", folder / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    return subprocess.run(
        [sys.executable, "tools/setup.py", target],
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """The one line on stderr of a set-up that failed."""
    assert done.returncode == 1, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_import_queue_in_the_root_is_the_standard_library() -> None:
    """The folder queue/ does not shadow the module every thread pool needs."""
    program = "import queue, concurrent.futures; print(queue.__file__); queue.SimpleQueue()"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()).parent == Path(os.__file__).parent


def test_without_a_network_one_line_says_so(tmp_path: Path) -> None:
    """With no package mirror to reach the set-up ends in one line, and leaves no stamp of a finished step."""
    nowhere = "http://127.0.0.1:9/simple"
    done = setup_in(
        tmp_path, "check", PIP_INDEX_URL=nowhere, PIP_EXTRA_INDEX_URL="", PIP_FIND_LINKS="", PIP_RETRIES="0",
        PIP_CONFIG_FILE=os.devnull, PIP_NO_CACHE_DIR="1",
    )  # fmt: skip
    assert "Python packages could not be installed: no network" in one_line(done)
    assert not list((tmp_path / ".make").glob("*.stamp"))


def test_without_root_or_sudo_one_line_names_the_packages(tmp_path: Path) -> None:
    """A missing Debian package and no way to install it: the line says what root should run."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "dpkg-query").write_text("#!/bin/sh\nexit 1\n")  # nothing is installed
    (tools / "dpkg-query").chmod(0o755)
    program = (
        "import os, sys; os.geteuid = lambda: 1000; sys.path.insert(0, 'tools'); import setup; "
        "sys.exit(setup.main(['run']))"
    )
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PATH": str(tools)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "as root: apt-get install libespeak-ng1" in one_line(done)


def test_an_unknown_target_is_wrong_usage(tmp_path: Path) -> None:
    """Exit code 2, and the targets there are."""
    done = setup_in(tmp_path, "nonsense")
    assert done.returncode == 2
    assert "test-fast" in done.stderr
