"""Pulling a model: download, compare, unpack, try, and only then give it its name.

Until the last step all of it lies in ``.pulling/`` of the folder it goes to, on the same disk, so that the
last step is a rename: a pull that ends at any moment, in any way, leaves either the model or none.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import httpx

from hotline.asr.models import read_model
from hotline.asr.pulling.catalogue import KnownModel
from hotline.asr.pulling.download import Download, Unreachable, make_client
from hotline.asr.pulling.offline import offline_steps
from hotline.asr.pulling.sums import Sum, published_sum
from hotline.asr.pulling.unpack import unpack
from hotline.asr.trial import Trial
from hotline.core.errors import SetupError

WORK_FOLDER: Final = ".pulling"
NOTHING_COMPARED: Final = "nothing: no checksum of it is published; give one with --sha256"
UNPACKED_TIMES: Final = 2  # about; checked before, so that most disks do not fill in the middle


class Teller(Protocol):
    """Who is told how far a pull is."""

    def step(self, words: str) -> None: ...
    def bytes_here(self, done: int, total: int | None) -> None: ...


@dataclass(frozen=True, slots=True)
class Pulled:
    """A model that is here.

    Attributes:
        compared: what its archive was compared with, for people.
        trial: what it is like; None for an engine that has no trial.
        new: False when it was here already.
    """

    path: Path
    compared: str
    trial: Trial | None
    new: bool = True


@dataclass(frozen=True, slots=True)
class Pull:
    """What is to be pulled.

    Attributes:
        model: which; its ``url`` is where it comes from.
        into: the folder of models that it goes to.
        attempt: tries a model's folder; None for an engine that has no trial.
        archive: brought by hand, in place of a download.
        sum_source: who says what the model's ``sha256`` is.
        wait: sleeps between two tries.
    """

    model: KnownModel
    into: Path
    attempt: Callable[[Path], Trial] | None
    teller: Teller
    wait: Callable[[float], None]
    archive: Path | None = None
    sum_source: str = "the catalogue"

    def run(self) -> Pulled:
        """Have the model here when this returns.

        Raises:
            SetupError: it cannot be had; the message says what to do.
        """
        there = self.into / self.model.name
        if there.is_dir():
            works, trial = self._works(there)
            if works:
                return Pulled(there, "nothing: it was here already", trial, new=False)
        work = self.into / WORK_FOLDER
        try:
            work.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            hint = "give a folder that this user may write: --into DIR"
            raise SetupError(f"{self.into}: {error.strerror}", hint=hint) from None
        try:
            with _alone(work / f"{self.model.name}.lock"):
                return self._bring(work, there)
        finally:
            with suppress(OSError):  # half a download is kept there, or another model is being pulled
                work.rmdir()

    def _works(self, folder: Path) -> tuple[bool, Trial | None]:
        """Whether what lies there already is of use; a broken model is pulled anew in its place."""
        try:
            return True, self.attempt(folder) if self.attempt is not None else None
        except SetupError:
            self.teller.step(f"{folder} is broken: it is replaced")
            return False, None

    def _bring(self, work: Path, there: Path) -> Pulled:
        part = work / f"{self.model.name}.part"
        archive = self.archive or part
        compared = self._fetch(part) if self.archive is None else self._compare(archive, self._own_sum())
        unpacked = work / f"{self.model.name}.unpacked"
        shutil.rmtree(unpacked, ignore_errors=True)  # of a pull that was ended
        self._must_fit(archive)
        try:
            folder, trial = self._unpack_and_try(archive, unpacked)
            _swap(folder, there, work / f"{self.model.name}.old")
        except SetupError:
            if compared == NOTHING_COMPARED:
                _throw_away(part)  # it may be the download that is wrong
            raise
        finally:
            shutil.rmtree(unpacked, ignore_errors=True)
        _throw_away(part)
        return Pulled(there, compared, trial)

    def _unpack_and_try(self, archive: Path, unpacked: Path) -> tuple[Path, Trial | None]:
        unpacked.mkdir()
        self.teller.step("unpacking")
        folder = unpacked / self.model.name
        unpack(archive, unpacked / "archive").rename(folder)
        self.teller.step("trying it")
        try:
            if self.model.engine == "vosk":
                read_model(folder)
            return folder, self.attempt(folder) if self.attempt is not None else None
        except SetupError as error:
            message = error.message.replace(str(folder), self.model.name)
            hint = "it is not installed; pull it again, or from another place: --url"
            raise SetupError(message, hint=hint) from None

    def _fetch(self, part: Path) -> str:
        with make_client() as client:
            self.teller.step(f"downloading {self.model.url}")
            progress = self.teller.bytes_here
            about = self.model.archive_bytes
            url = self.model.url
            try:
                Download(client, url, part, about_bytes=about, progress=progress, wait=self.wait).run()
            except Unreachable as error:
                kept = " What came so far is kept." if part.exists() else ""
                steps = offline_steps(self.model, self.into)
                raise SetupError(f"{error.message}.{kept}\n{steps}") from None
            wanted = self._own_sum() or self._published(client)
        return self._compare(part, wanted)

    def _published(self, client: httpx.Client) -> Sum | None:
        return published_sum(client, self.model.url, self.model.name)

    def _own_sum(self) -> Sum | None:
        return Sum("sha256", self.model.sha256, self.sum_source) if self.model.sha256 else None

    def _compare(self, archive: Path, wanted: Sum | None) -> str:
        if wanted is None:
            return NOTHING_COMPARED
        self.teller.step(f"comparing with {wanted.source}")
        try:
            return wanted.check(archive)
        except SetupError:
            if archive != self.archive:
                _throw_away(archive)
            raise

    def _must_fit(self, archive: Path) -> None:
        needed = UNPACKED_TIMES * archive.stat().st_size
        free = shutil.disk_usage(self.into).free
        if free < needed:
            raise SetupError(
                f"{self.into} has {free / 1e6:.0f} MB free; unpacking takes about {needed / 1e6:.0f} MB",
                hint="free some and pull again: the download is kept",
            )


def _swap(folder: Path, there: Path, old: Path) -> None:
    """Give the model its name; what had it before is deleted."""
    shutil.rmtree(old, ignore_errors=True)
    if there.exists():
        there.rename(old)
    folder.rename(there)
    shutil.rmtree(old, ignore_errors=True)
    descriptor = os.open(there.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _throw_away(part: Path) -> None:
    part.unlink(missing_ok=True)
    part.with_name(part.name + ".json").unlink(missing_ok=True)


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Hold a lock that ends with this process, however that ends."""
    with file.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SetupError("this model is being pulled already", hint="wait for the other pull") from None
        try:
            yield
        finally:
            file.unlink(missing_ok=True)
