"""Whether a process that does not answer is stopped, asleep or at work, from Linux's /proc."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class Activity(Enum):
    """What a process is doing."""

    WORKING = "working"  # a thread runs, wants to, or waits for a disk
    ASLEEP = "asleep"
    STOPPED = "stopped"  # by a signal or a debugger
    GONE = "gone"
    UNKNOWN = "unknown"  # no /proc here


@dataclass(frozen=True, slots=True)
class ProcessState:
    """A look at a process. ``ticks`` is the processor time it has had so far, in the kernel's units."""

    activity: Activity
    ticks: int

    def busy_seconds_since(self, before: ProcessState) -> float:
        """The processor time between two looks, of all threads; 0 where it is not known."""
        return max(0, self.ticks - before.ticks) / os.sysconf("SC_CLK_TCK") if before.ticks >= 0 else 0.0


def look_at(pid: int) -> ProcessState:
    """Look at every thread of the process."""
    tasks = Path(f"/proc/{pid}/task")
    if not tasks.parent.parent.joinpath("self").exists():
        return ProcessState(Activity.UNKNOWN, 0)
    states: set[str] = set()
    ticks = 0
    try:
        for task in tasks.iterdir():
            # "pid (name) state ppid ... utime stime ...": the name may hold spaces and brackets.
            values = (task / "stat").read_text("utf-8", errors="replace").rpartition(")")[2].split()
            states.add(values[0])
            ticks += int(values[11]) + int(values[12])
    except (OSError, IndexError, ValueError):
        return ProcessState(Activity.GONE, ticks)
    if states & {"T", "t"}:
        return ProcessState(Activity.STOPPED, ticks)
    if states <= {"Z", "X"}:
        return ProcessState(Activity.GONE, ticks)
    return ProcessState(Activity.WORKING if states & {"R", "D"} else Activity.ASLEEP, ticks)
