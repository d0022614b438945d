"""Getting an Asterisk where the machine has none: Debian's own packages, unpacked into the cache folder.

Debian 12 has no Asterisk, but its later suite ``forky`` has version 22. mmdebstrap lets apt fetch it with all
its libraries from the mirror this machine already uses, checks every signature against the Debian archive's
keys, and unpacks the packages without running any of their scripts. The machine's own system does not change.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hotline.core.errors import SetupError
from hotline.telephony.asterisk_program import AsteriskProgram, cached_root, find_asterisk

SUITE = "forky"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
FETCH_SECONDS = 1800.0
OWN_SUITES = re.compile(
    r"(buster|bullseye|bookworm|trixie|forky|sid|oldstable|stable|testing|unstable)(-backports)?"
)
APT_OPTIONS = re.compile(
    r"Acquire::(Check-Valid-Until|Check-Date|Max-ValidTime|Retries|ForceIPv[46]|https?::\S+) "
)
"""What of this machine's own apt settings the fetch follows: proxies, certificates, how old a mirror may be.
Settings that would let unsigned packages in are not among them."""

NO_NETWORK = re.compile(
    r"Temporary failure resolving|Could not resolve|Could not connect|Unable to connect|timed out"
)
NO_KEY = re.compile(r"NO_PUBKEY|EXPKEYSIG|is not signed")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Mirror:
    """Where this machine gets Debian's packages from, and the keyring it trusts for them."""

    address: str
    keyring: Path = KEYRING


def debian_mirror(apt_dir: Path = Path("/etc/apt")) -> Mirror:
    """The first Debian archive in the machine's apt settings, of either form (sources.list(5)).

    Raises:
        SetupError: there is none.
    """
    files = [apt_dir / "sources.list", *sorted((apt_dir / "sources.list.d").glob("*"))]
    for path in files:
        with contextlib.suppress(OSError):
            text = path.read_text(encoding="utf-8", errors="replace")
            found = {".sources": mirrors_in_stanzas, ".list": mirrors_in_list}.get(path.suffix, _nothing)(
                text
            )
            for mirror in found:
                return mirror
    raise SetupError(
        "this machine's apt settings name no Debian archive to fetch Asterisk from",
        hint="install Asterisk 20 or newer yourself and set asterisk.program in the site file",
    )


def _nothing(_: str) -> Iterator[Mirror]:
    yield from ()


def mirrors_in_list(text: str) -> Iterator[Mirror]:
    """``deb [options] URI suite component ...``."""
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]*)", line)
        if match is None:
            continue
        options, address, suite, components = match.groups()
        signed = re.search(r"signed-by=(\S+)", options or "", re.IGNORECASE)
        yield from _wanted([address], [suite], components.split(), signed.group(1) if signed else "")


def mirrors_in_stanzas(text: str) -> Iterator[Mirror]:
    """deb822 stanzas: ``Types``, ``URIs``, ``Suites``, ``Components``, ``Signed-By``, ``Enabled``."""
    for stanza in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        key = ""
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            if line[:1].isspace():
                fields[key] = f"{fields.get(key, '')} {line.strip()}"
                continue
            name, _, rest = line.partition(":")
            key = name.strip().lower()
            fields[key] = rest.strip()
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in (
            "no",
            "false",
        ):
            continue
        yield from _wanted(
            fields.get("uris", "").split(),
            fields.get("suites", "").split(),
            fields.get("components", "").split(),
            fields.get("signed-by", ""),
        )


def _wanted(
    addresses: Sequence[str], suites: Sequence[str], components: Sequence[str], signed_by: str
) -> Iterator[Mirror]:
    """The archives that hold a Debian release's main packages (not security, not another vendor's)."""
    if "main" not in components or not any(OWN_SUITES.fullmatch(suite) for suite in suites):
        return
    keyring = Path(signed_by) if signed_by.startswith("/") and " " not in signed_by else KEYRING
    for address in addresses:
        if re.match(r"(https?|mirror\+(file|https?)|file|copy):", address):
            yield Mirror(address, keyring)


def fetch_asterisk(say: Say = lambda _: None) -> AsteriskProgram:
    """Unpack Asterisk into the cache folder unless a usable one is there; the program to run.

    Args:
        say: told, in a few words, what is going on.

    Raises:
        SetupError: mmdebstrap is missing, the mirror cannot be reached, or its signature does not hold.
    """
    root = cached_root()
    root.parent.mkdir(parents=True, exist_ok=True)
    with (root.parent / "asterisk.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two at once: the second finds what the first unpacked
        with contextlib.suppress(SetupError):
            return find_asterisk(root)
        for left in root.parent.glob(f"{root.name}.partial-*"):
            shutil.rmtree(left, ignore_errors=True)
        partial = root.with_name(f"{root.name}.partial-{os.getpid()}")
        try:
            _unpack(debian_mirror(), partial, say)
            find_asterisk(partial)
            if root.is_symlink() or root.is_file():
                root.unlink()
            elif root.exists():
                shutil.rmtree(root)
            partial.rename(root)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return find_asterisk(root)


def _unpack(mirror: Mirror, target: Path, say: Say) -> None:
    """Run mmdebstrap: apt resolves, fetches and verifies; the packages are unpacked, not installed."""
    if shutil.which("mmdebstrap") is None:
        raise SetupError("mmdebstrap is not installed", hint="apt-get install mmdebstrap")
    if not mirror.keyring.is_file():
        raise SetupError(f"{mirror.keyring} is missing", hint="apt-get install debian-archive-keyring")
    mode = "root" if os.geteuid() == 0 else "chrootless"  # unpacking alone needs neither root nor a chroot
    source = f"deb [signed-by={mirror.keyring}] {mirror.address} {SUITE} main"
    options = ["--variant=extract", f"--mode={mode}", "--include=asterisk", *_apt_options()]
    command = ["mmdebstrap", *options, SUITE, str(target), source]
    say(f"unpacking Debian's Asterisk 22 under {target.parent} (about 270 MB, a minute)")
    said = _run(command, say)
    if said is None:
        return
    if NO_KEY.search(said):
        raise SetupError(
            f"the signature of Debian's {SUITE} cannot be checked with {mirror.keyring}",
            hint="apt-get install --only-upgrade debian-archive-keyring, then try again",
        )
    if NO_NETWORK.search(said):
        raise SetupError(
            "Debian's mirror cannot be reached",
            hint="connect this machine to it and run the same command again",
        )
    errors = [line for line in said.splitlines() if line.startswith(("E:", "Err"))] or ["no reason given"]
    raise SetupError(
        f"Asterisk could not be unpacked: {errors[0]}", hint="see `apt-get update` on this machine"
    )


def _apt_options() -> list[str]:
    """This machine's own apt settings that matter to a fetch, as mmdebstrap's options."""
    try:
        dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [
        f"--aptopt={line}"
        for line in dump.stdout.splitlines()
        if APT_OPTIONS.match(line) and '""' not in line
    ]


def _run(command: Sequence[str], say: Say) -> str | None:
    """Run it, passing on its stages; all it printed if it failed, None if it went well."""
    deadline = time.monotonic() + FETCH_SECONDS
    lines: list[str] = []
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None  # noqa: S101 - asked for above
        for line in process.stdout:
            lines.append(line)
            if line.startswith("I: ") and "..." in line:
                say(line[3:].strip())
            if time.monotonic() > deadline:
                process.kill()
    return "".join(lines) if process.returncode else None
