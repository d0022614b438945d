"""Finding an Asterisk: one given, one installed, or one unpacked under the cache folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hotline.core.errors import SetupError
from hotline.telephony.asterisk_config.places import Places
from hotline.telephony.asterisk_config.system import NEEDED_MODULES

MIN_VERSION = 20
VERSION_TIMEOUT_SECONDS = 20
HOW_TO_GET_ONE = "run `make asterisk` in the source tree, or set asterisk.program in the site file"


@dataclass(frozen=True, slots=True)
class AsteriskProgram:
    """An Asterisk that can be started.

    Args:
        command: the words that start it; for an unpacked root these begin with its own loader.
        modules_dir: its modules.
        shared_dir: its ``documentation``, ``rest-api`` and ``static-http``.
        version: as ``asterisk -V`` prints it: ``22.10.1``.
    """

    command: tuple[str, ...]
    modules_dir: Path
    shared_dir: Path
    version: str

    def places(self, run_dir: Path) -> Places:
        """The folders of one instance of it below ``run_dir``."""
        return Places(run_dir.absolute(), self.modules_dir, self.shared_dir)


def cache_dir() -> Path:
    """``${XDG_CACHE_HOME:-~/.cache}/hotline12345``."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "hotline12345"


def cached_root() -> Path:
    """Where the unpacked Asterisk lies, if it has been fetched."""
    return cache_dir() / "asterisk-22"


def find_asterisk(given: Path | None = None) -> AsteriskProgram:
    """The Asterisk to run: ``given`` alone if there is one, else the machine's, else the cached one.

    Args:
        given: an asterisk binary, or the root folder of an unpacked one.

    Raises:
        SetupError: none is new enough and whole; the message says what each lacked.
    """
    if given is not None:
        return _unpacked(given) if given.is_dir() else _installed(given)
    refusals = []
    installed = shutil.which("asterisk", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if installed:
        try:
            return _installed(Path(installed))
        except SetupError as error:
            refusals.append(error.message)
    if cached_root().is_dir():
        return _unpacked(cached_root())
    raise SetupError(
        "; ".join(["there is no Asterisk on this machine that can be used", *refusals]), hint=HOW_TO_GET_ONE
    )


def _installed(program: Path) -> AsteriskProgram:
    """An asterisk binary of this machine, with the modules where its packager put them."""
    if not os.access(program, os.X_OK):
        raise SetupError(f"{program} is no program that can be run", hint=HOW_TO_GET_ONE)
    prefix = program.resolve().parent.parent
    candidates = [
        *sorted(prefix.glob("lib/*-linux-gnu*/asterisk/modules")),
        prefix / "lib64/asterisk/modules",
        prefix / "lib/asterisk/modules",
    ]
    return _whole((str(program),), candidates, [prefix / "share/asterisk", Path("/var/lib/asterisk")])


def _unpacked(root: Path) -> AsteriskProgram:
    """An Asterisk below ``root``, run by the loader and libraries that lie there with it."""
    loaders = sorted(root.glob("usr/lib/*-linux-gnu*/ld-linux*.so.*")) + sorted(
        root.glob("usr/lib*/ld-linux*.so.*")
    )
    binary = root / "usr/sbin/asterisk"
    if not binary.is_file() or not loaders:
        raise SetupError(f"{root} holds no whole Asterisk", hint="remove that folder and run `make asterisk`")
    libraries = loaders[0].parent
    command = (str(loaders[0]), "--library-path", f"{libraries}:{libraries}/asterisk", str(binary))
    return _whole(command, [libraries / "asterisk/modules"], [root / "usr/share/asterisk"])


def _whole(command: tuple[str, ...], modules: Iterable[Path], shared: Iterable[Path]) -> AsteriskProgram:
    """The program if its version and modules will do."""
    name = command[-1]
    modules_dir = next((path for path in modules if path.is_dir()), None)
    if modules_dir is None:
        raise SetupError(f"{name} has no modules folder", hint=HOW_TO_GET_ONE)
    version = _version(command)
    if int(version.split(".")[0]) < MIN_VERSION:
        raise SetupError(
            f"{name} is version {version}, {MIN_VERSION} or newer is needed", hint=HOW_TO_GET_ONE
        )
    missing = [module for module in NEEDED_MODULES if not (modules_dir / f"{module}.so").is_file()]
    if missing:
        raise SetupError(f"{name} lacks the modules {', '.join(missing)}", hint=HOW_TO_GET_ONE)
    shared_dir = next((path for path in shared if (path / "documentation").is_dir()), modules_dir)
    return AsteriskProgram(command, modules_dir, shared_dir, version)


def _version(command: tuple[str, ...]) -> str:
    """What ``-V`` says."""
    try:
        done = subprocess.run(
            [*command, "-V"], capture_output=True, text=True, timeout=VERSION_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"{command[-1]} does not run: {error}", hint=HOW_TO_GET_ONE) from error
    match = re.search(r"(?:Asterisk\s+(?:certified/)?|^)(\d+(?:\.\d+)*)", done.stdout)
    if match is None:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        raise SetupError(f"{command[-1]} does not say its version: {said}", hint=HOW_TO_GET_ONE)
    return match.group(1)
