"""Running an Asterisk of our own: start, wait until it takes calls, talk to its console, stop.

It is started in a session of its own, so that neither Ctrl-C nor our death ends it: calls go on without us.
At the next start the same instance is found again, given the new configuration and looked after as before.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from hotline.config.schema import Site
from hotline.core.errors import PeerError, SetupError
from hotline.telephony.asterisk_config.places import Places, run_dir_of
from hotline.telephony.asterisk_config.secrets import SecretSource
from hotline.telephony.asterisk_config.write import managed_files, write_files
from hotline.telephony.asterisk_ports import NeededPort, check_ports, is_taken, ports_of
from hotline.telephony.asterisk_program import AsteriskProgram, find_asterisk
from hotline.telephony.hold_music import write_hold_music

BOOT_SECONDS = 30.0
STOP_SECONDS = 10.0
CONSOLE_SECONDS = 10.0
POLL_SECONDS = 0.03  # Asterisk tells nobody that its control socket exists
MAX_LOG_BYTES = 16 * 1024 * 1024  # of each log: past that it is kept once as .1 and begun anew
LOG_CHECK_SECONDS = 60.0

RELOADS: Final = {
    "manager.conf": "manager reload",
    "http.conf": "module reload http",
    "musiconhold.conf": "moh reload",
    "rtp.conf": "module reload res_rtp_asterisk.so",
    "pjsip.conf": "module reload res_pjsip.so",
    "queuerules.conf": "module reload app_queue.so",
    "queues.conf": "module reload app_queue.so",
    "extensions.conf": "dialplan reload",
}
"""What a site file changes, and how a running instance takes it; the dialplan last: it names the others."""


class LocalAsterisk:
    """One Asterisk that we look after.

    Args:
        program: what to run.
        run_dir: where this instance keeps everything; one instance for one folder.
        files: from its places to its configuration files, name -> text. Called at each start.
        ports: checked before the start, so that a taken one is named.
    """

    def __init__(
        self,
        program: AsteriskProgram,
        run_dir: Path,
        files: Callable[[Places], Mapping[str, str]],
        ports: Sequence[NeededPort] = (),
    ) -> None:
        self.program = program
        self.places = program.places(run_dir)
        self._files = files
        self._ports = tuple(ports)
        self._process: asyncio.subprocess.Process | None = None
        self._adopted_pid: int | None = None
        self._log_keeper: asyncio.Task[None] | None = None

    @classmethod
    def of_site(cls, site: Site, secrets: SecretSource) -> Self:
        """The managed Asterisk of a site. Raises SetupError if there is none to run."""
        return cls(
            find_asterisk(site.asterisk.program),
            run_dir_of(site),
            lambda places: managed_files(site, secrets, places),
            ports_of(site),
        )

    @property
    def pid(self) -> int | None:
        """Its process, while it runs."""
        if self._process is not None:
            return self._process.pid if self._process.returncode is None else None
        return self._adopted_pid if self._adopted_pid and self._is_ours(self._adopted_pid) else None

    @property
    def adopted(self) -> bool:
        """Whether it was running already when we came."""
        return self._adopted_pid is not None

    @property
    def log_file(self) -> Path:
        """Asterisk's notices, warnings and errors."""
        return self.places.log_dir / "messages"

    async def start(self) -> None:
        """Write the configuration and have Asterisk running with it, fully booted.

        An instance that already runs from the same folder is kept, with its calls; it is reloaded if the
        configuration is another than it has.

        Raises:
            SetupError: a port is taken, a folder cannot be written, or Asterisk did not come up.
        """
        if self.pid is not None:
            return
        self.places.make()
        write_hold_music(self.places.music_dir)
        self._adopted_pid = self._running_pid()
        if self._adopted_pid is None:
            check_ports(self._ports)
        files = self._files(self.places)
        write_files(files, self.places.etc_dir)
        self._keep_logs_bounded()
        if self._adopted_pid is None or not await self._renew(self._adopted_pid, files):
            await self._launch()
        self.places.loaded_file.write_text(json.dumps(_digests(files)))
        await self._end_log_keeper()  # of an instance that ended by itself
        self._log_keeper = asyncio.create_task(self._watch_logs(), name="asterisk-logs")

    async def _renew(self, pid: int, files: Mapping[str, str]) -> bool:
        """Give the running instance its new configuration; False if it had to be ended for that.

        What it has already is not loaded again, and the logger only if it must: while Asterisk reloads that,
        lines of queue_log are lost. A reload moves no port. So if the site file names others now, an idle
        instance is started anew, and a busy one is left to its calls.

        Raises:
            SetupError: it does not answer, or holds calls on the old ports.
        """
        try:
            idle = "0 active channels" in await self.rx("core show channels count")
            for command in _reloads(self.places.loaded(), _digests(files)):
                await self.rx(command)
            if all(is_taken(port) for port in self._ports):
                return True
        except PeerError as error:
            raise SetupError(f"Asterisk runs as process {pid} but {error}", hint=f"kill {pid}") from error
        if not idle:
            raise SetupError(
                f"Asterisk runs as process {pid} with calls on other ports than the site file names",
                hint="start again when they are over, or set the old ports",
            )
        await self.stop()
        check_ports(self._ports)
        return False

    async def _launch(self) -> None:
        """Start the process and wait for it; on failure nothing is left running."""
        self.places.control_socket.unlink(missing_ok=True)  # of an instance that died
        with (self.places.log_dir / "console").open("ab") as console:
            self._process = await asyncio.create_subprocess_exec(
                *self.program.command, "-C", str(self.places.main_file), "-f",
                stdin=asyncio.subprocess.DEVNULL, stdout=console, stderr=console,
                cwd=self.places.run_dir, start_new_session=True, umask=0o077,
            )  # fmt: skip
        try:
            await asyncio.wait_for(self._booted(self._process), BOOT_SECONDS)
        except TimeoutError:
            await self.stop()
            raise SetupError(
                f"Asterisk did not boot within {BOOT_SECONDS:.0f} s: {self._last_words()}",
                hint=f"see {self.log_file}",
            ) from None
        except BaseException:
            await self.stop()
            raise

    async def _booted(self, process: asyncio.subprocess.Process) -> None:
        """Return when it takes calls; raise if it ends instead."""
        while process.returncode is None:
            if self.places.control_socket.exists():
                with contextlib.suppress(PeerError):
                    await self.rx("core waitfullybooted", timeout_seconds=BOOT_SECONDS)
                    return
            await asyncio.sleep(POLL_SECONDS)
        raise SetupError(f"Asterisk ended at once: {self._last_words()}", hint=f"see {self.log_file}")

    async def stop(self) -> None:
        """End it: at once for its calls, politely for its files. Repeating it does nothing."""
        await self._end_log_keeper()
        if self._process is not None:
            await self._stop_process(self._process)
            self._process = None
        elif (pid := self.pid) is not None:
            await self._stop_adopted(pid)
        self._adopted_pid = None
        self.places.remove_socket_dir()

    async def leave(self) -> None:
        """Stop looking after it and let it run: its calls go on, and the next start finds it again."""
        await self._end_log_keeper()

    async def _end_log_keeper(self) -> None:
        """End the task that bounds the logs, if it runs."""
        if self._log_keeper is not None:
            self._log_keeper.cancel()
            await asyncio.wait([self._log_keeper])
            self._log_keeper = None

    async def _stop_process(self, process: asyncio.subprocess.Process) -> None:
        """SIGTERM makes Asterisk hang up, save its database and end; SIGKILL if it does not."""
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()

    async def _stop_adopted(self, pid: int) -> None:
        """The same for a process that is not our child; when this returns, its ports are free again."""
        try:
            process = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        if not self._is_ours(pid):  # it has ended, and the number is somebody else's by now
            os.close(process)
            return
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(process, ended.set)  # readable once the process is gone, sockets and all
        try:
            for number in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(process, number)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(ended.wait(), STOP_SECONDS)
                    return
        finally:
            loop.remove_reader(process)
            os.close(process)

    async def wait_ended(self) -> int:
        """Wait until the process we started ends by itself; its exit code.

        Raises:
            SetupError: it was not started by us.
        """
        if self._process is None:
            raise SetupError("this Asterisk was not started here")
        return await self._process.wait()

    async def rx(self, command: str, *, timeout_seconds: float = CONSOLE_SECONDS) -> str:
        """What the console says to ``command``, without its last line break.

        Raises:
            PeerError: it cannot be reached or does not answer in time.
        """
        process = await asyncio.create_subprocess_exec(
            *self.program.command, "-C", str(self.places.main_file), "-rx", command,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(timeout_seconds):
                out, complaint = await process.communicate()
        except TimeoutError:
            raise PeerError(f"Asterisk's console did not answer within {timeout_seconds:.0f} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            raise PeerError(
                f"Asterisk's console cannot be reached: {complaint.decode(errors='replace').strip()}"
            )
        return out.decode(errors="replace").rstrip("\n")

    def _running_pid(self) -> int | None:
        """The process that runs from this folder already, from an earlier start of ours."""
        try:
            pid = int(self.places.pid_file.read_text().strip())
        except (OSError, ValueError):
            return None
        return pid if self._is_ours(pid) else None

    def _is_ours(self, pid: int) -> bool:
        """Whether ``pid`` is an Asterisk running with our configuration (numbers are used again)."""
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return os.fsencode(self.places.main_file) in words and b"-f" in words

    def _last_words(self) -> str:
        """The last error it wrote, for a message of one line."""
        lines: list[str] = []
        for path in (self.log_file, self.places.log_dir / "console"):
            with contextlib.suppress(OSError):
                lines += path.read_text(errors="replace").splitlines()[-50:]
        errors = [line for line in lines if "ERROR" in line] or lines
        return errors[-1].strip() if errors else "it wrote nothing"

    async def _watch_logs(self) -> None:
        """Keep the logs from filling the disk, for as long as we look after it."""
        while True:
            await asyncio.sleep(LOG_CHECK_SECONDS)
            await asyncio.to_thread(self._keep_logs_bounded)

    def _keep_logs_bounded(self) -> None:
        """Copy a log that grew too long to ``.1`` and empty it. Asterisk appends, so it needs no telling.

        queue_log is the durable record and is never cut here.
        """
        for path in (self.log_file, self.places.log_dir / "console"):
            if path.is_file() and path.stat().st_size > MAX_LOG_BYTES:
                shutil.copyfile(path, path.with_name(f"{path.name}.1"))
                os.truncate(path, 0)


def _digests(files: Mapping[str, str]) -> dict[str, str]:
    """Tells one configuration from another, by its files."""
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in sorted(files.items())}


def _reloads(loaded: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """The commands that give an instance which has ``loaded`` what it has not."""
    changed = {name for name, _ in loaded.items() ^ wanted.items()}
    if not changed <= RELOADS.keys():
        return ["core reload"]
    return list(dict.fromkeys(RELOADS[name] for name in RELOADS if name in changed))
