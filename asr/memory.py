"""How much memory this process holds."""

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
