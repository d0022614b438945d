"""The sound of test calls: mono WAV files that only the server's user may read."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hotline.metrics.dialling.measure import RATE_HZ
from hotline.speech.wav import write_wav

_ID = re.compile(r"[0-9]{14}-[0-9a-f]{8}")


class TrialSounds:
    """One file a test call, in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, trial_id: str) -> Path:
        """Where the sound of a test call lies.

        Raises:
            ValueError: this is no id of a test call.
        """
        if not _ID.fullmatch(trial_id):
            raise ValueError("no id of a test call")
        return self._folder / f"{trial_id}.wav"

    def keep(self, trial_id: str, samples: npt.NDArray[np.int16]) -> None:
        """Write int16 samples at 8 kHz; whole or not at all.

        Raises:
            OSError: the disk is full, or may not be written.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self.path(trial_id).with_suffix(".part")
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            write_wav(draft, samples, RATE_HZ)
            draft.replace(self.path(trial_id))
        finally:
            draft.unlink(missing_ok=True)

    def delete(self, trial_id: str) -> None:
        """Delete it; no error if it is gone already."""
        self.path(trial_id).unlink(missing_ok=True)
