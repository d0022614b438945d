"""``hotline demo``: the whole system on this machine with simulated callers and agents."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Annotated

import typer

from hotline.config.cli import Format, OutputFormat
from hotline.config.loading import DATA_DIR_VARIABLE, load_site
from hotline.config.samples import path as sample
from hotline.config.schema import Site

LOG_FORMAT = "%(asctime)s.%(msecs)03d %(levelname)-7s %(name)s: %(message)s"
MAX_LOG_BYTES = 5 * 1024 * 1024  # kept once as .1


def demo(
    calls: Annotated[
        int | None, typer.Option("--calls", min=1, help="End after so many calls, with a table.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="The same order of calls, voices and pauses again.")
    ] = None,
    at_once: Annotated[int, typer.Option("--at-once", min=1, max=50, help="Calls at a time.")] = 4,
    site: Annotated[
        Path | None, typer.Option("--site", help="Another site file; its Asterisk must be a managed one.")
    ] = None,
    output: Format = OutputFormat.TEXT,
) -> None:
    """Run everything here: a real Asterisk, the server, citizens who call and agents who answer.

    Goes on until Ctrl-C, or for --calls N. Exit 1 if a call failed or one side of it had no text.
    """
    loaded = _load(site)
    log_file = _log_to_file(loaded)
    raise typer.Exit(asyncio.run(_run(loaded, calls, seed, at_once, output is OutputFormat.JSON, log_file)))


async def _run(
    site: Site, calls: int | None, seed: int | None, at_once: int, as_json: bool, log_file: Path
) -> int:
    from hotline.server.demo.report import Printer
    from hotline.server.demo.run import DemoOptions, run_demo

    printer = Printer(as_json=as_json)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        """The first asks for an orderly end, the second ends the process."""
        printer.say("stopping …")
        stop.set()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    printer.say(f"starting the exchange and the server; log: {log_file}")
    summary = await run_demo(site, DemoOptions(calls, seed, at_once), printer, stop)
    printer.summary(summary)
    return 1 if summary.failed else 0


def _load(file: Path | None) -> Site:
    """The site, keeping its data in the cache folder unless the site or the environment says otherwise."""
    if file is not None:
        return load_site(file)
    from hotline.telephony.asterisk_program import cache_dir

    return load_site(sample("demo"), {DATA_DIR_VARIABLE: str(cache_dir() / "demo"), **os.environ})


def _log_to_file(site: Site) -> Path:
    """The server's log goes beside its data: the terminal belongs to the calls."""
    site.data_dir.mkdir(parents=True, exist_ok=True, mode=0o750)
    log_file = site.data_dir / "demo.log"
    handler = RotatingFileHandler(log_file, maxBytes=MAX_LOG_BYTES, backupCount=1, encoding="utf-8")
    handler.setFormatter(logging.Formatter(LOG_FORMAT, "%FT%T"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    return log_file
