"""How many legs this machine can hear with a model: measured, not guessed.

One process a processor recognises the same recording again and again for some seconds, as fast as it can.
What one second of audio costs in processor time says how many live legs a processor carries; a fifth is left
for the rest of the server. Then as many legs are really fed at the pace of speech, and it is measured how
late their audio is recognised; when it falls behind, fewer are tried, until a number holds.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import platform
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from hotline.asr.engine import Engine, Stream
from hotline.asr.memory import resident_megabytes
from hotline.core.errors import SetupError

HEADROOM: Final = 0.8
FEWER: Final = 0.7  # of the legs that were too many
START_SECONDS: Final = 180.0
LATE_SECONDS: Final = 0.3  # more is noticed by who reads along
MOST_ATTEMPTS: Final = 8  # after them a twelfth of the legs is too many: something is wrong
MOST_LEGS: Final = 1000  # asr.legs_per_worker


@dataclass(frozen=True, slots=True)
class BenchResult:
    """What was measured.

    Attributes:
        processor: its name.
        cores: processors used at once, a worker process on each.
        audio_seconds: recognised as fast as it went, all processes together.
        real_time_factor: processor seconds for each second of audio.
        memory_megabytes: of each worker process with all its legs.
        streams_per_core: legs that a processor carries, for which the lateness was measured.
        late_p50_seconds: from the moment a chunk of audio is there to the moment it is recognised.
        late_p95_seconds: likewise.
        kept_up: whether that was soon enough; when not, the machine is too slow, or busy with other work.
        load_before: of the machine, when nothing was measured yet: processes that wanted a processor.
        calls: two-sided calls that this machine can hear.
        callers: calls of which only the caller is heard.
        chunk_milliseconds: audio recognised at once.
    """

    processor: str
    cores: int
    audio_seconds: float
    real_time_factor: float
    memory_megabytes: float
    streams_per_core: int
    late_p50_seconds: float
    late_p95_seconds: float
    kept_up: bool
    load_before: float
    calls: int
    callers: int
    chunk_milliseconds: int


def run_bench(
    model: Path, audio: Path, *, seconds: float, cores: int, chunk_milliseconds: int
) -> BenchResult:
    """Measure; see the module.

    Raises:
        SetupError: a process ended before it was done.
    """
    load_before = os.getloadavg()[0]
    order = {"model": str(model), "audio": str(audio), "chunk": chunk_milliseconds}
    with _processes(order, cores) as processes:
        raw = _each(processes, {"raw": seconds}, START_SECONDS + seconds)
        audio_seconds = sum(one["audio_seconds"] for one in raw)
        factor = sum(one["spent_seconds"] for one in raw) / audio_seconds
        legs = max(1, min(MOST_LEGS, int(HEADROOM / factor)))
        for _ in range(MOST_ATTEMPTS):
            paced = _each(processes, {"paced": seconds, "legs": legs}, START_SECONDS + 3 * seconds)
            late = sorted(value for one in paced for value in one["late_seconds"])
            kept_up = _share(late, 0.95) <= LATE_SECONDS
            if kept_up or legs == 1:
                break
            legs = max(1, int(FEWER * legs))
    return BenchResult(
        processor=_processor(),
        cores=cores,
        audio_seconds=round(audio_seconds, 1),
        real_time_factor=round(factor, 5),
        memory_megabytes=max(one["memory_megabytes"] for one in paced),
        streams_per_core=legs,
        late_p50_seconds=round(_share(late, 0.5), 3),
        late_p95_seconds=round(_share(late, 0.95), 3),
        kept_up=kept_up,
        load_before=round(load_before, 1),
        calls=legs * cores // 2 if kept_up else 0,
        callers=legs * cores if kept_up else 0,
        chunk_milliseconds=chunk_milliseconds,
    )


def as_json(result: BenchResult) -> str:
    """For ``--format json``."""
    return json.dumps(asdict(result))


@contextmanager
def _processes(order: dict[str, Any], cores: int) -> Iterator[list[subprocess.Popen[str]]]:
    command = [sys.executable, "-P", "-m", "hotline.asr.bench", json.dumps(order)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    processes = [
        subprocess.Popen(command, text=True, env=environment, **pipes)  # type: ignore[call-overload]
        for _ in range(cores)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def _each(
    processes: list[subprocess.Popen[str]], task: dict[str, float], within_seconds: float
) -> list[dict[str, Any]]:
    """Have all processes do a task at once; return what each measured."""
    deadline = time.monotonic() + within_seconds
    for process in processes:
        assert process.stdin is not None  # noqa: S101 - for the type checker
        with suppress(BrokenPipeError):  # it ended: told below
            process.stdin.write(json.dumps(task) + "\n")
            process.stdin.flush()
    measured = []
    for process in processes:
        assert process.stdout is not None  # noqa: S101 - likewise
        if not select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise SetupError("a measuring process did not end in time", hint="use fewer --cores")
        line = process.stdout.readline()
        if not line:
            raise SetupError("a measuring process failed", hint="try the model: hotline asr models --try DIR")
        measured.append(json.loads(line))
    return measured


def _share(ordered: list[float], share: float) -> float:
    """The value that this share of them does not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


class _Measuring:
    """One process's part: a loaded engine and the audio."""

    def __init__(self, model: Path, audio: Path, chunk_milliseconds: int) -> None:
        from hotline.asr.transcribe import read_speech
        from hotline.asr.vosk_engine import VoskEngine

        self._engine: Engine = VoskEngine(model)
        self._pcm, self._rate_hz = read_speech(audio)
        self._chunk_bytes = 2 * round(self._rate_hz * chunk_milliseconds / 1000)
        self._chunk_seconds = chunk_milliseconds / 1000

    def raw(self, seconds: float) -> dict[str, Any]:
        """Audio recognised and processor time spent, as fast as it goes."""
        done_bytes = 0
        until = time.monotonic() + seconds
        spent = -time.process_time()
        while time.monotonic() < until:
            stream = self._engine.open(self._rate_hz)
            for chunk in self._chunks():
                stream.push(chunk)
                done_bytes += len(chunk)
                if time.monotonic() >= until:
                    break
            else:
                stream.end()
        spent += time.process_time()
        return {"audio_seconds": done_bytes / (2 * self._rate_hz), "spent_seconds": spent}

    def paced(self, seconds: float, legs: int) -> dict[str, Any]:
        """How late each chunk is recognised when ``legs`` speak at once, each at its own moment."""
        speaking = [self._speaker(leg / legs) for leg in range(legs)]
        late: list[float] = []
        began = time.monotonic()
        for turn in range(1, max(2, round(seconds / self._chunk_seconds))):
            for leg, (stream, chunks) in enumerate(speaking):
                due = began + (turn + leg / legs) * self._chunk_seconds
                time.sleep(max(0.0, due - time.monotonic()))
                stream.push(next(chunks))
                late.append(time.monotonic() - due)
            if late[-1] > seconds:
                break  # far behind: it would not end
        return {"late_seconds": late, "memory_megabytes": round(resident_megabytes(), 1)}

    def _speaker(self, share: float) -> tuple[Stream, Iterator[bytes]]:
        """A stream and its audio without end, begun at a place of its own."""
        chunks = list(self._chunks())
        first = int(share * len(chunks))
        return self._engine.open(self._rate_hz), itertools.cycle(chunks[first:] + chunks[:first])

    def _chunks(self) -> Iterator[bytes]:
        for first in range(0, len(self._pcm), self._chunk_bytes):
            yield self._pcm[first : first + self._chunk_bytes]


def main() -> None:
    """Entry point of a measuring process: a task a line, an answer a line."""
    given = json.loads(sys.argv[1])
    measuring = _Measuring(Path(given["model"]), Path(given["audio"]), given["chunk"])
    for line in sys.stdin:
        task = json.loads(line)
        if "raw" in task:
            answer = measuring.raw(task["raw"])
        else:
            answer = measuring.paced(task["paced"], task["legs"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
