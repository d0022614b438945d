"""A model tried in a process that may crash, before calls meet it: ``python -m hotline.asr.trial``.

A damaged model does not raise: an assert of Kaldi's, a read of Vosk's beyond a short file end the process. So
a child loads the model, recognises a second of sound and says what that cost. It is the first to be ended
when memory is short, and gives way to everybody: the machine may be carrying calls.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hotline.asr.engine import Engine
from hotline.asr.memory import available_bytes, resident_megabytes
from hotline.asr.models import ModelInfo, model_path, read_model, word_count
from hotline.core.errors import HotlineError, SetupError

VOSK: Final = "hotline.asr.vosk_engine:open_engine"
TRIAL_SECONDS: Final = 180.0  # the largest models are over a gigabyte, and disks may be slow
SPARE_BYTES: Final = 2 * 1024**3  # address space that libraries reserve and never use
NICENESS: Final = 10
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000, 48_000
SOUND_RATE_HZ: Final = 8_000
_SAID_CHARACTERS: Final = 200
_UNPACK_AGAIN: Final = "unpack its archive again, or name another model"


@dataclass(frozen=True, slots=True)
class Trial:
    """What a model that works is like on this machine.

    Attributes:
        words: that it knows; None where its files do not say.
        size_bytes: on disk.
        load_seconds: until it can hear.
        memory_megabytes: of a process with it.
        cost: processor seconds for a second of noise; speech may cost more: ``hotline asr bench``.
    """

    name: str
    language: str
    sample_rate_hz: int
    words: int | None
    size_bytes: int
    load_seconds: float
    memory_megabytes: float
    cost: float

    def __str__(self) -> str:
        words = "" if self.words is None else f", {self.words} words"
        return (
            f"{self.name}: {self.language or 'language not stated'}, {self.sample_rate_hz} Hz{words},"
            f" {self.size_bytes / 1e6:.1f} MB, loads in {self.load_seconds:.2f} s,"
            f" {self.memory_megabytes:.0f} MB of memory,"
            f" {self.cost:.3f} s of a processor for a second of sound"
        )


def try_model(
    configured: Path | None,
    *,
    engine: str = VOSK,
    timeout_seconds: float = TRIAL_SECONDS,
    memory_bytes: int | None = None,
) -> Trial:
    """Try a model; see the module. It blocks for as long as the model takes to load.

    Args:
        configured: a model folder; None for the package's own.
        engine: ``module:function`` that loads it.
        timeout_seconds: for loading it and recognising a second of sound.
        memory_bytes: that it may take; what this machine has to spare when None.

    Raises:
        SetupError: the model is not there, is none, is damaged, or takes more than it may.
    """
    info = read_model(model_path(configured))
    if not LOWEST_RATE_HZ <= info.sample_rate_hz <= HIGHEST_RATE_HZ:
        raise SetupError(
            f"the model {info.path} is for {info.sample_rate_hz} Hz;"
            f" want {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz",
            hint=f"its conf/mfcc.conf is wrong: {_UNPACK_AGAIN}",
        )
    limit = memory_bytes if memory_bytes is not None else available_bytes()
    order = {"model": str(info.path), "engine": engine, "memory_bytes": limit}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "hotline.asr.trial", json.dumps(order)],
            capture_output=True,
            timeout=timeout_seconds,
            check=False,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"},
        )
    except subprocess.TimeoutExpired:
        raise SetupError(
            f"the model {info.path} did not load within {timeout_seconds:g} s",
            hint="use a smaller model or a faster disk",
        ) from None
    if done.returncode != 0:
        raise _refusal(info, done.returncode, done.stderr.decode("utf-8", "replace"), limit)
    seen = json.loads(done.stdout.splitlines()[-1])
    return Trial(
        name=info.name,
        language=info.language,
        sample_rate_hz=info.sample_rate_hz,
        words=word_count(info.path),
        size_bytes=info.size_bytes,
        **seen,
    )


def _refusal(info: ModelInfo, returncode: int, said: str, limit: int) -> SetupError:
    """Why the child ended, in one line."""
    if "bad_alloc" in said or "MemoryError" in said or returncode == -signal.SIGKILL:
        return SetupError(
            f"the model {info.path} needs more memory than the {limit / 1e9:.1f} GB that are free",
            hint="use a smaller model, or a machine with more memory",
        )
    how = f"signal {-returncode}" if returncode < 0 else f"exit code {returncode}"
    told = _last_words(said)
    return SetupError(
        f"the model {info.path} cannot be used: loading it ended with {how}{told}",
        hint=f"a file of it is damaged, cut short or of another model: {_UNPACK_AGAIN}",
    )


def _last_words(said: str) -> str:
    """What the library complained of, as one short clause."""
    lines = [words for line in said.splitlines() if (words := " ".join(line.split()))]
    telling = [line for line in lines if line.startswith(("ERROR", "ASSERTION_FAILED"))]
    return f" ({(telling or lines)[-1][:_SAID_CHARACTERS]})" if lines else ""


def _hear(engine: str, folder: Path) -> dict[str, float]:
    """Load the model and have it hear a second of noise, and silence after it."""
    module, _, function = engine.partition(":")
    began = time.perf_counter()
    loaded: Engine = getattr(importlib.import_module(module), function)(folder)
    load_seconds = time.perf_counter() - began
    stream = loaded.open(SOUND_RATE_HZ)
    noise = random.Random(1)  # noqa: S311 - the same each time
    sound = array("h", (noise.randint(-8_000, 8_000) for _ in range(SOUND_RATE_HZ)))
    spent = -time.process_time()
    stream.push(sound.tobytes())
    spent += time.process_time()
    stream.push(bytes(SOUND_RATE_HZ))  # half a second
    stream.end()
    return {
        "load_seconds": round(load_seconds, 3),
        "memory_megabytes": round(resident_megabytes(), 1),
        "cost": round(spent, 4),
    }


def _be_modest(memory_bytes: int) -> None:
    """Bound this process, and have others go first."""
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if memory_bytes:
            bound = memory_bytes + SPARE_BYTES
            resource.setrlimit(resource.RLIMIT_AS, (bound, bound))


def main() -> None:
    """Entry point of the child."""
    order = json.loads(sys.argv[1])
    _be_modest(order["memory_bytes"])
    try:
        seen = _hear(order["engine"], Path(order["model"]))
    except HotlineError as error:
        print(error.message, file=sys.stderr)
        sys.exit(1)
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
