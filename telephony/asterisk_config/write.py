"""The generated files together: for an Asterisk of ours, or to be included by one that runs already."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hotline.config.schema import Site
from hotline.core.errors import SetupError, UsageError
from hotline.telephony.asterisk_config import sip, system
from hotline.telephony.asterisk_config.dialplan import extensions_conf
from hotline.telephony.asterisk_config.features import GENERAL, features_conf
from hotline.telephony.asterisk_config.places import Places
from hotline.telephony.asterisk_config.queues import musiconhold_conf, queuerules_conf, queues_conf
from hotline.telephony.asterisk_config.secrets import SecretSource
from hotline.telephony.asterisk_config.text import document


def managed_files(site: Site, secrets: SecretSource, places: Places) -> dict[str, str]:
    """Every file of an Asterisk that we start ourselves: name in its ``etc`` -> text.

    Raises:
        UsageError: the site holds what cannot be written safely.
    """
    return {
        **system.core_files(),
        "asterisk.conf": system.asterisk_conf(site, places),
        "extensions.conf": extensions_conf(site),
        "features.conf": features_conf(),
        "http.conf": sip.http_conf(site),
        "logger.conf": system.logger_conf(),
        "manager.conf": system.manager_conf(site, secrets),
        "modules.conf": system.modules_conf(),
        "musiconhold.conf": musiconhold_conf(places),
        "pjsip.conf": sip.pjsip_conf(site, secrets),
        "queuerules.conf": queuerules_conf(site),
        "queues.conf": queues_conf(site),
        "rtp.conf": sip.rtp_conf(site),
    }


def included_files(site: Site, secrets: SecretSource) -> dict[str, str]:
    """The files for an Asterisk that runs already, and a README of which line goes where.

    Raises:
        UsageError: the site holds what cannot be written safely.
    """
    return {
        "hotline-extensions.conf": extensions_conf(site, name="hotline-extensions.conf"),
        "hotline-features.conf": features_conf(name="hotline-features.conf", managed=False),
        "hotline-manager.conf": document(
            "hotline-manager.conf", "The server's account.", system.manager_user(site, secrets)
        ),
        "hotline-pjsip.conf": sip.pjsip_conf(site, secrets, name="hotline-pjsip.conf", managed=False),
        "hotline-queuerules.conf": queuerules_conf(site, name="hotline-queuerules.conf"),
        "hotline-queues.conf": queues_conf(site, name="hotline-queues.conf", managed=False),
        "README.txt": _readme(),
    }


def _readme() -> str:
    return README_TEXT.format(
        modules=" ".join(f"{name}.so" for name in system.NEEDED_MODULES),
        features="".join(f"\n                    {key} = {text}" for key, text in GENERAL),
    )


README_TEXT = """\
这些文件由站点文件生成，请勿手工修改；改站点文件后重新运行 hotline asterisk config 即可。
These files are made from the site file. To change them, change that and run `hotline asterisk config` again.

1. Copy the hotline-*.conf into /etc/asterisk (they hold passwords: owner asterisk, mode 0640) and add
   one line at the END of each file named here:
     /etc/asterisk/extensions.conf   #include hotline-extensions.conf
     /etc/asterisk/features.conf     #include hotline-features.conf
     /etc/asterisk/pjsip.conf        #include hotline-pjsip.conf
     /etc/asterisk/queues.conf       #include hotline-queues.conf
     /etc/asterisk/queuerules.conf   #include hotline-queuerules.conf
     /etc/asterisk/manager.conf      #include hotline-manager.conf
2. See that these options are set:
     manager.conf  [general]  enabled = yes, timestampevents = yes
     queues.conf   [general]  persistentmembers = yes, autofill = yes, log_membername_as_agent = yes
     logger.conf   [general]  queue_log = yes, queue_log_to_file = yes
     pjsip.conf    [global]   type = global, endpoint_identifier_order = username,ip,anonymous
     features.conf [general]{features}
     asterisk.conf [options]  systemname = a name no other node has
   and that pjsip.conf has a transport.
3. See that these modules are loaded (modules.conf):
     {modules}
   and that cdr_sqlite3_custom.so and cel_sqlite3_custom.so are not.
4. Apply it: asterisk -rx 'core reload'. `hotline doctor --site FILE` then says what is still missing.
"""


def write_files(files: Mapping[str, str], out_dir: Path) -> list[Path]:
    """Write ``files`` into ``out_dir``, mode 0640, each replaced whole; the paths that changed.

    Raises:
        SetupError: the folder cannot be written.
    """
    changed: list[Path] = []
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        for name, text in sorted(files.items()):
            path = out_dir / name
            if path.is_file() and path.read_bytes() == text.encode():
                continue
            _replace(path, text)
            changed.append(path)
    except OSError as error:
        raise SetupError(
            f"cannot write into {out_dir}: {error.strerror}", hint="give a folder that can be written"
        ) from error
    return changed


def _replace(path: Path, text: str) -> None:
    """Write beside it and rename, so that a reader sees the old file or the new one."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o640)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_config(
    site: Site, secrets: SecretSource, out_dir: Path, managed: bool, places: Places | None = None
) -> list[Path]:
    """Generate and write; the paths that changed (none at a second run with the same site).

    Args:
        site: the checked site file.
        secrets: gives ``ami`` and ``agent-<id>``.
        out_dir: where to.
        managed: whole files for an Asterisk of ours; else ``hotline-*.conf`` to include.
        places: the folders of a managed one.

    Raises:
        UsageError: the site holds what cannot be written safely.
        SetupError: ``out_dir`` cannot be written.
    """
    if managed and places is None:
        raise UsageError("a managed Asterisk needs its places")
    files = managed_files(site, secrets, places) if managed and places else included_files(site, secrets)
    return write_files(files, out_dir)
