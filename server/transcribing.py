"""Writing a sound file down in a process of its own, at the lowest priority: ``hotline asr transcribe``."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Final

from hotline.config.schema import Site
from hotline.core.errors import PeerError

SECONDS: Final = 300.0
RUN: Final = "import os; os.nice(19); from hotline.server.cli import main; main()"


class FileTranscriber:
    """Recognises with the site's own model (the small one in the package where it names none)."""

    def __init__(self, site: Site) -> None:
        model = site.asr.model or next((one.model for one in site.asr.engines if one.model), None)
        self._options = ["--model", str(model)] if model else []

    async def __call__(self, wav: Path) -> str:
        """What is said in a WAV file, a line an utterance.

        Raises:
            PeerError: the model could not be used, or took too long.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", RUN, "asr", "transcribe", str(wav), "--format", "json", *self._options,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(SECONDS):
                out, said = await process.communicate()
        except TimeoutError:
            raise PeerError(f"recognition took longer than {SECONDS:.0f} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            lines = said.decode(errors="replace").splitlines() or ["no reason given"]
            raise PeerError(f"recognition failed: {lines[-1][:200]}")
        return "\n".join(str(segment["written"]) for segment in json.loads(out)["segments"])
