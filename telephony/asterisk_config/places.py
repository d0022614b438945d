"""Where things lie: a managed Asterisk's own folders, and what other rooms need of a running one's."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hotline.config.schema import Site
from hotline.core.errors import SetupError
from hotline.telephony.asterisk_config import recording

RAW_RECORDINGS = Path("monitor") / recording.FOLDER  # below Asterisk's spool folder
MAX_SOCKET_PATH_BYTES = 107  # sun_path holds 108 with its closing zero (unix(7))


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of one managed Asterisk.

    Args:
        run_dir: all that this instance writes lies below it.
        modules_dir: the program's modules.
        shared_dir: the program's ``documentation``, ``rest-api`` and ``static-http`` folders.
    """

    run_dir: Path
    modules_dir: Path
    shared_dir: Path

    @property
    def etc_dir(self) -> Path:
        return self.run_dir / "etc"

    @property
    def loaded_file(self) -> Path:
        """Says which configuration the running instance has: JSON, each file's name to its digest."""
        return self.run_dir / "loaded"

    def loaded(self) -> dict[str, str]:
        """What it says; empty when nobody knows."""
        try:
            told = json.loads(self.loaded_file.read_text())
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    @property
    def main_file(self) -> Path:
        return self.etc_dir / "asterisk.conf"

    @property
    def data_dir(self) -> Path:
        return self.run_dir / "data"

    @property
    def sounds_dir(self) -> Path:
        return self.data_dir / "sounds"

    @property
    def music_dir(self) -> Path:
        return self.data_dir / "moh"

    @property
    def log_dir(self) -> Path:
        return self.run_dir / "log"

    @property
    def socket_dir(self) -> Path:
        """Where the control socket lies: below ``run_dir``, or in a short folder of our own."""
        below = self.run_dir / "run"
        if len(os.fsencode(below / "asterisk.ctl")) <= MAX_SOCKET_PATH_BYTES:
            return below
        digest = hashlib.sha256(os.fsencode(self.run_dir)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"hotline-{os.getuid()}-{digest}"

    @property
    def control_socket(self) -> Path:
        return self.socket_dir / "asterisk.ctl"

    @property
    def pid_file(self) -> Path:
        return self.socket_dir / "asterisk.pid"

    def make(self) -> None:
        """Create the folders and links. Repeating it changes nothing.

        Raises:
            SetupError: a folder belongs to somebody else or cannot be made.
        """
        try:
            for name in ("etc", "data", "data/sounds/zh/hotline", "data/moh", "data/keys", "log", "var", "db",
                         "keys/keys", "spool", "agi"):  # fmt: skip
                (self.run_dir / name).mkdir(parents=True, exist_ok=True)
            self.etc_dir.chmod(0o700)  # secrets lie in it
            raw = self.run_dir / "spool" / RAW_RECORDINGS
            raw.mkdir(parents=True, exist_ok=True)
            raw.chmod(0o700)  # voices lie in it, plain until they are joined and sealed
            self.socket_dir.mkdir(mode=0o700, exist_ok=True)
            if self.socket_dir.stat().st_uid != os.getuid():
                raise SetupError(f"{self.socket_dir} belongs to another user", hint="remove it")
            for name in ("documentation", "rest-api", "static-http"):
                _link(self.data_dir / name, self.shared_dir / name)
        except OSError as error:
            raise SetupError(
                f"cannot prepare {self.run_dir}: {error.strerror}", hint="give a data_dir that can be written"
            ) from error

    def remove_socket_dir(self) -> None:
        """Remove the short folder, if there is one and nothing runs in it."""
        if self.socket_dir != self.run_dir / "run":
            with contextlib.suppress(OSError):
                self.socket_dir.rmdir()


def _link(link: Path, target: Path) -> None:
    """Point ``link`` at ``target`` if that exists."""
    if link.is_symlink():
        if link.readlink() == target:
            return
        link.unlink()
    if target.is_dir() and not link.exists():
        link.symlink_to(target)


def run_dir_of(site: Site) -> Path:
    """Where the managed Asterisk of a site keeps its things."""
    return site.data_dir.absolute() / "asterisk"


def sounds_dir_of(site: Site) -> Path:
    """The folder whose ``zh/hotline/`` the prompts go into."""
    return site.asterisk.sounds_dir or run_dir_of(site) / "data" / "sounds"


def queue_log_of(site: Site) -> Path:
    """The queue_log file of the site's exchange."""
    if site.asterisk.queue_log:
        return site.asterisk.queue_log
    return (
        run_dir_of(site) / "log" / "queue_log"
        if site.asterisk.managed
        else Path("/var/log/asterisk/queue_log")
    )


def raw_recordings_of(site: Site) -> Path:
    """Where the site's exchange writes the voices of recorded calls."""
    if site.recording.raw_dir:
        return site.recording.raw_dir
    spool = run_dir_of(site) / "spool" if site.asterisk.managed else Path("/var/spool/asterisk")
    return spool / RAW_RECORDINGS
