"""``hotline asr``: recognition without a call."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hotline.asr.bench import as_json, run_bench
from hotline.asr.cli_options import Format, FormatOption, ModelOption, clear_errors
from hotline.asr.engine import Engine
from hotline.asr.models import ModelInfo, model_path, read_model
from hotline.asr.pulling.cli import models, pull
from hotline.asr.transcribe import read_speech, transcribe
from hotline.asr.trial import try_model
from hotline.asr.written.writer import Writer
from hotline.core.errors import HotlineError, SetupError, UsageError

app = typer.Typer(no_args_is_help=True, help="Recognition: models, files, what this machine can carry.")

BENCH_TEXT = "您好，这里是12345热线，请问有什么可以帮您？我想咨询社保卡怎么办理。"


app.command("models")(models)
app.command("pull")(pull)


@app.command("build")
def build(
    out: Annotated[Path, typer.Option("--out", help="A new or empty folder for the model.")],
    sentences: Annotated[int | None, typer.Option(min=50, help="Sentences to speak; fewer is worse.")] = None,
    processes: Annotated[int, typer.Option(min=1, help="Processes that speak at once.")] = 2,
) -> None:
    """Make the small Mandarin model from espeak's voices (some minutes; needs libespeak-ng1)."""
    with clear_errors():
        try:
            from hotline.asr.builder.build import DEFAULT_SENTENCES, BuildProgress, build_model
        except ImportError as error:
            raise SetupError(
                f"the builder needs the package {error.name}", hint="pip install 'hotline12345[build]'"
            ) from error
        told: list[str] = []

        def progress(step: BuildProgress) -> None:
            line = f"{step.stage} {step.done}/{step.total}"
            if not told or told[-1] != line:
                told.append(line)
                typer.echo(line, err=True)

        report = build_model(out, progress, sentences=sentences or DEFAULT_SENTENCES, processes=processes)
        typer.echo(json.dumps(asdict(report), ensure_ascii=False))


@app.command("transcribe")
def transcribe_file(
    wav: Annotated[Path, typer.Argument(metavar="WAV", help="Mono 16-bit PCM.")],
    model: ModelOption = None,
    output: FormatOption = Format.TABLE,
    engine: Annotated[
        str | None, typer.Option("--engine", help="A name of the site's asr.engines; wants --site.")
    ] = None,
    site: Annotated[Path | None, typer.Option("--site", help="The site file, for --engine.")] = None,
) -> None:
    """Write down what is said in a recording."""
    with clear_errors():
        pcm, rate_hz = read_speech(wav)
        name, recogniser = _engine_of(site, engine) if engine or site else _own_engine(model)
        writer = Writer()
        segments = [
            {
                "start": round(final.start_seconds, 2),
                "end": round(final.end_seconds, 2),
                "text": final.text,
                "written": writer.write(final.text, final.words),
                "confidence": None if final.confidence is None else round(final.confidence, 3),
                "words": [
                    {
                        "text": word.text,
                        "start": round(word.start_seconds, 2),
                        "end": round(word.end_seconds, 2),
                        "confidence": word.confidence,
                    }
                    for word in final.words
                ],
            }
            for final in transcribe(recogniser, pcm, rate_hz)
        ]
        recogniser.close()
    if output is Format.JSON:
        whole = {
            "file": str(wav),
            "model": name,
            "duration_seconds": round(len(pcm) / 2 / rate_hz, 2),
            "segments": segments,
        }
        typer.echo(json.dumps(whole, ensure_ascii=False, indent=2))
        return
    for segment in segments:
        typer.echo(f"{segment['start']:8.2f} {segment['end']:8.2f}  {segment['text']}")


@app.command("bench")
def bench(
    model: ModelOption = None,
    audio: Annotated[
        Path | None, typer.Option("--audio", help="A WAV of speech; synthesised when absent.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, max=600, help="How long to measure.")] = 5.0,
    cores: Annotated[
        int | None, typer.Option(min=1, max=256, help="Processes at once; all processors when absent.")
    ] = None,
    chunk: Annotated[int, typer.Option(min=20, max=400, help="Milliseconds recognised at once.")] = 60,
    output: FormatOption = Format.TABLE,
) -> None:
    """Measure how many calls this machine can hear with a model, at the pace of speech."""
    with clear_errors(), tempfile.TemporaryDirectory() as folder:
        info = _usable(model)
        if audio is None:
            audio = _speak(Path(folder) / "bench.wav")
        read_speech(audio)
        usable = cores or len(os.sched_getaffinity(0))
        result = run_bench(info.path, audio, seconds=seconds, cores=usable, chunk_milliseconds=chunk)
    if output is Format.JSON:
        typer.echo(as_json(result))
        return
    typer.echo(f"{info.name} on {result.processor}, {result.cores} processors:")
    typer.echo(f"a second of audio costs {result.real_time_factor:.4f} s of a processor")
    late = f"recognised {result.late_p95_seconds:.2f} s after it was said (95 of 100 chunks)"
    typer.echo(f"{result.streams_per_core} voices a processor were {late}")
    if result.load_before > result.cores / 2:
        typer.echo(f"other work ran here (load {result.load_before}): measure again without it", err=True)
    if not result.kept_up:
        typer.echo("this machine cannot hear calls with this model now", err=True)
        raise typer.Exit(1)
    typer.echo(f"a worker takes {result.memory_megabytes:.0f} MB of memory")
    typer.echo(f"calls it can hear: {result.calls} with both sides, {result.callers} with the caller only")
    typer.echo(f"asr: {{workers: {result.cores}, legs_per_worker: {result.streams_per_core}}}")


def _own_engine(model: Path | None) -> tuple[str, Engine]:
    from hotline.asr.vosk_engine import VoskEngine

    info = _usable(model)
    return info.name, VoskEngine(info.path)


def _engine_of(site: Path | None, name: str | None) -> tuple[str, Engine]:
    """An engine of a site file, tried first; the first one of the site when no name is given."""
    from hotline.asr.engines import keys_of, load, orders_of, probe
    from hotline.config.loading import load_site

    if site is None:
        raise UsageError("--engine names an engine of a site file", hint="add --site FILE")
    found = load_site(site)
    orders = {order.name: order for order in orders_of(found)}
    order = orders.get(name) if name else next(iter(orders.values()))
    if order is None:
        raise UsageError(
            f'no engine "{name}" in {site}', hint=f"its engines: {', '.join(filter(None, orders))}"
        )
    key = keys_of(found).get(order.name, "")
    probe(order, key)
    engine = load(order, key)
    return order.name or engine.name, engine


def _usable(model: Path | None) -> ModelInfo:
    """A model that was tried in a process of its own, which may crash in place of this one."""
    info = read_model(model_path(model))
    try_model(model)
    return info


def _speak(path: Path) -> Path:
    from hotline.speech.voice import Voice
    from hotline.speech.wav import write_wav

    try:
        speech = Voice("f3").say(BENCH_TEXT).at_rate(16_000)
    except (HotlineError, ValueError, OSError) as error:
        raise SetupError(
            f"no speech can be made here: {error}", hint="name a WAV of speech: --audio FILE"
        ) from error
    write_wav(path, speech.samples, speech.sample_rate_hz)
    return path


if __name__ == "__main__":
    sys.exit(app())
