"""Doing a step of the set-up once: a stamp says it is done, a log keeps what it printed."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAKE_DIR = ROOT / ".make"
HEARTBEAT_SECONDS = 10.0
COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
NO_NETWORK = re.compile(
    r"Temporary failure resolving|Could not resolve|Failed to establish a new connection|ENOTFOUND|EAI_AGAIN"
    r"|ECONNREFUSED|ETIMEDOUT|Network is unreachable|Connection refused|Could not connect|NewConnectionError"
    r"|No matching distribution found for (?:pip|setuptools)|NameResolutionError",
)


class StepError(Exception):
    """A step cannot be done; the text is one line that says what to do."""


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


def stamp_of(*parts: str | Path | bytes) -> str:
    """A fingerprint of texts and files: it changes when a step must be done again."""
    digest = hashlib.sha256()
    for part in parts:
        data = (
            part.read_bytes() if isinstance(part, Path) else part.encode() if isinstance(part, str) else part
        )
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def stamp_of_tree(folder: Path, skip: Iterable[str]) -> str:
    """A fingerprint of every file below ``folder``, leaving out the folders named in ``skip``."""
    left_out = set(skip)
    parts: list[str | Path] = []
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in left_out)
        for name in sorted(files):
            path = Path(here) / name
            parts += [str(path.relative_to(folder)), path]
    return stamp_of(*parts)


def is_done(name: str, stamp: str) -> bool:
    """Whether step ``name`` was finished with this stamp."""
    path = MAKE_DIR / f"{name}.stamp"
    return path.is_file() and path.read_text() == stamp


def set_done(name: str, stamp: str) -> None:
    """Note that step ``name`` is finished."""
    MAKE_DIR.mkdir(exist_ok=True)
    (MAKE_DIR / f"{name}.stamp").write_text(stamp)


def run(
    name: str,
    command: Sequence[str],
    *,
    failed: str,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a command of step ``name``, its output into ``.make/<name>.log`` and its progress to the terminal.

    Args:
        name: of the step; names the log.
        command: what to run.
        failed: what to say if it fails, up to the reason.
        cwd: where.
        env: added to the environment.

    Raises:
        StepError: it could not be started or failed.
    """
    MAKE_DIR.mkdir(exist_ok=True)
    log = MAKE_DIR / f"{name}.log"
    begun = time.monotonic()
    with log.open("ab") as out:
        out.write(f"$ {' '.join(command)}\n".encode())
        out.flush()
        start = out.tell()
        try:
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        except OSError as error:
            raise StepError(f"{failed}: {command[0]}: {error.strerror}") from error
        ended = threading.Event()
        beat = threading.Thread(target=_heartbeat, args=(log, begun, ended))
        beat.start()
        try:
            code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        finally:
            ended.set()
            beat.join()
    if code:
        with log.open("rb") as text:
            text.seek(start)
            said = text.read().decode(errors="replace")
        raise StepError(f"{failed}: {reason(said)} (all of it: {log.relative_to(ROOT)})")


def _heartbeat(log: Path, begun: float, ended: threading.Event) -> None:
    """Every few seconds, the last line of the log, so that a long step is seen to move."""
    width = shutil.get_terminal_size((100, 24)).columns
    while not ended.wait(HEARTBEAT_SECONDS):
        last = _last_line(log.read_bytes()[-4000:].decode(errors="replace"))
        say(f"    {time.monotonic() - begun:4.0f} s  {last}"[: width - 1])


def reason(said: str) -> str:
    """Why it failed, in a few words: the network if it was that, else its last error line."""
    if NO_NETWORK.search(said):
        return "no network — connect this machine to its package mirrors and run the same command again"
    lines = [line.strip() for line in COLOURS.sub("", said).splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"(E:|ERROR|error|npm (ERR|error)|fatal)", line)]
    return (errors or lines or ["it said nothing"])[-1][:200]


def _last_line(said: str) -> str:
    """The last line with something in it, without the carriage returns of a progress bar."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", COLOURS.sub("", said))]
    told = [line for line in lines if line and not line.startswith("$ ")]
    return told[-1] if told else "working"


def refuse(text: str) -> int:
    """Print the one line that says what to do."""
    print(f"setup: {text}", file=sys.stderr, flush=True)
    return 1
