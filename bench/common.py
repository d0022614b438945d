"""What the benchmarks share: a site on free ports, and one way to count and print."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from hotline.config.samples import path as sample
from tests.fixtures.ports import free_port

RTP_PORTS = 1000
SURNAMES = "陈李黄何梁周吴郑王冯"


def write_site(folder: Path, *, agents: int | None = None, **changes: Any) -> Path:
    """Write the demo site on free ports.

    Args:
        folder: for the file and the site's data.
        agents: so many agents who all answer line 12333, in place of the demo's six.
        changes: top-level sections that replace the demo's; ``asr`` keeps its free port.
    """
    data: dict[str, Any] = yaml.safe_load(sample("demo").read_text(encoding="utf-8"))
    first = random.randrange(12000, 31000, RTP_PORTS)
    data |= {
        "data_dir": str(folder / "data"),
        "asterisk": {
            "sip_port": free_port(),
            "http_port": free_port(),
            "rtp_first_port": first,
            "rtp_last_port": first + RTP_PORTS - 1,
            "ami": {"port": free_port()},
        },
        "fastagi": {"port": free_port()},
        "web": {"port": free_port()},
        "metrics": {"port": free_port()},
    }
    del data["notice"]  # it would only make every call longer
    data |= changes
    data["asr"] = {"audiosocket": {"port": free_port()}} | changes.get("asr", {})
    if agents is not None:
        supervisors = [agent for agent in data["agents"] if agent.get("role") == "supervisor"]
        data["agents"] = [*map(_agent, range(agents)), *supervisors]
    file = folder / "site.yaml"
    file.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return file


def _agent(number: int) -> dict[str, object]:
    extension = str(3001 + number)
    name = SURNAMES[number % len(SURNAMES)] + extension
    return {"id": extension, "name": name, "extension": extension, "skills": {"12333": 1}}


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0 to 1) of them lie; nan for none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used, its ended children left out."""
    text = Path(f"/proc/{pid}/stat").read_text()
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime + stime


def resident_mb(pid: int) -> float:
    """Memory of a process that lies in RAM, shared pages included."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def head(*cells: object) -> None:
    """The first two lines of a table."""
    row(*cells)
    row(*["---"] * len(cells))


def row(*cells: object) -> None:
    """One line of a table of the report."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def machine() -> None:
    """Say what else the machine was doing: figures of a busy one are worse."""
    print(f"{os.cpu_count()} processors; load average before the run {os.getloadavg()[0]:.1f}\n", flush=True)
