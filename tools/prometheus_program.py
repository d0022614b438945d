"""Prometheus for the tests: the machine's own, or Debian's package unpacked under the cache folder.

    .venv/bin/python tools/prometheus_program.py           have one, fetching it if there is none
    .venv/bin/python tools/prometheus_program.py --find    only look

apt fetches and verifies the package from where this machine gets its packages; nothing is installed. Its two
programs need no libraries of their own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from hotline.telephony.asterisk_program import cache_dir

PROGRAMS = ("prometheus", "promtool")


def find() -> Path | None:
    """The folder that holds both programs; None if there is none."""
    installed = [shutil.which(program) for program in PROGRAMS]
    folders = [Path(found).parent for found in installed[:1] if found]
    for folder in (*folders, cache_dir() / "prometheus"):
        if all(os.access(folder / program, os.X_OK) for program in PROGRAMS):
            return folder
    return None


def fetch() -> Path:
    """Download Debian's package and unpack its programs; the folder that holds them.

    Raises:
        OSError: apt or dpkg is missing, or the cache folder cannot be written.
        subprocess.CalledProcessError: the package cannot be had, or is not as the archive says.
    """
    target = cache_dir() / "prometheus"
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_dir()) as name:
        folder = Path(name)
        subprocess.run(["apt-get", "download", "-q", "prometheus"], cwd=folder, check=True)
        (package,) = folder.glob("prometheus_*.deb")
        subprocess.run(["dpkg-deb", "-x", package, folder / "unpacked"], check=True)
        for program in PROGRAMS:
            (folder / "unpacked" / "usr" / "bin" / program).replace(target / program)
    return target


def main(arguments: list[str]) -> int:
    """0 if there is one."""
    found = find()
    if found is None and not arguments:
        try:
            found = fetch()
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"error: {error}", file=sys.stderr)
    if found is not None:
        print(found)
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
