"""How much memory this process holds, and this machine has to spare."""

from __future__ import annotations

import os
from pathlib import Path


def resident_megabytes() -> float:
    """Resident memory of this process in MB, from Linux's /proc; 0 where there is none.

    Not ``getrusage``: its peak is inherited from the process that started this one.
    """
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def available_bytes() -> int:
    """Memory that this machine can give without swapping, from Linux's /proc; 0 where there is none."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    except OSError:
        return 0
    kilobytes = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), "0")
    return int(kilobytes) * 1024
