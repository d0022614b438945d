"""How many legs this machine can hear with a model: measured, not guessed.

One process a processor recognises the same recording again and again for some seconds, as fast as it can.
What one second of audio costs in processor time says how many live legs a processor carries; a fifth is left
for the rest of the server.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from hotline.core.errors import SetupError

HEADROOM = 0.8
START_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class BenchResult:
    """What was measured.

    Attributes:
        cores: processors used at once.
        audio_seconds: recognised, all processes together.
        real_time_factor: processor seconds for each second of audio.
        streams_per_core: legs that a processor carries, `HEADROOM` kept.
        calls: two-sided calls that this machine can hear.
        chunk_milliseconds: audio recognised at once.
    """

    cores: int
    audio_seconds: float
    real_time_factor: float
    streams_per_core: int
    calls: int
    chunk_milliseconds: int


def run_bench(
    model: Path, audio: Path, *, seconds: float, cores: int, chunk_milliseconds: int
) -> BenchResult:
    """Measure; see the module.

    Raises:
        SetupError: a process ended before it was done.
    """
    order = {"model": str(model), "audio": str(audio), "seconds": seconds, "chunk": chunk_milliseconds}
    command = [sys.executable, "-m", "hotline.asr.bench", json.dumps(order)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(cores)
    ]
    measured: list[tuple[float, float]] = []
    try:
        for process in processes:
            output, _ = process.communicate(timeout=START_SECONDS + seconds)
            if process.returncode != 0:
                raise SetupError("a measuring process failed", hint="try the model: hotline asr models")
            measured.append(tuple(json.loads(output)))
    except subprocess.TimeoutExpired:
        raise SetupError("a measuring process did not end in time") from None
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.wait()
    audio_seconds = sum(one[0] for one in measured)
    factor = sum(one[1] for one in measured) / audio_seconds
    per_core = int(HEADROOM / factor)
    return BenchResult(
        cores, round(audio_seconds, 1), round(factor, 5), per_core, per_core * cores // 2, chunk_milliseconds
    )


def as_json(result: BenchResult) -> str:
    """For ``--format json``."""
    return json.dumps(asdict(result))


def _measure(model: Path, audio: Path, seconds: float, chunk_milliseconds: int) -> tuple[float, float]:
    """Seconds of audio recognised and processor seconds spent, within ``seconds``."""
    from hotline.asr.transcribe import read_speech
    from hotline.asr.vosk_engine import VoskEngine

    engine = VoskEngine(model)
    pcm, rate_hz = read_speech(audio)
    chunk_bytes = 2 * round(rate_hz * chunk_milliseconds / 1000)
    done_bytes = 0
    until = time.monotonic() + seconds
    spent = -time.process_time()
    while time.monotonic() < until:
        stream = engine.open(rate_hz)
        for first in range(0, len(pcm), chunk_bytes):
            stream.push(pcm[first : first + chunk_bytes])
            done_bytes += min(chunk_bytes, len(pcm) - first)
            if time.monotonic() >= until:
                break
        stream.end()
    spent += time.process_time()
    return done_bytes / (2 * rate_hz), spent


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    print(json.dumps(_measure(Path(given["model"]), Path(given["audio"]), given["seconds"], given["chunk"])))
