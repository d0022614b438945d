"""Where a site keeps what the server writes."""

from __future__ import annotations

from hotline.config.schema import Site
from hotline.config.secrets import SecretError, Secrets
from hotline.store.recording_file import key_id

SHORTEST_KEY = 32  # characters, random: the key is derived from it without stretching


def database_url(site: Site, secrets: Secrets) -> str:
    """The site's database as SQLAlchemy wants it: a SQLite file in data_dir unless the site names another.

    A password kept as a secret takes the place of ``{password}`` in the address.
    """
    section = site.database
    if section.url is None:
        return f"sqlite+aiosqlite:///{site.data_dir.absolute() / 'hotline.db'}"
    if section.password is None:
        return section.url
    return section.url.replace("{password}", secrets.resolve(section.password, "database"))


def recording_key(site: Site, secrets: Secrets) -> str | None:
    """The secret that new recordings are sealed with; None where the site keeps them plain.

    Raises:
        SecretError: it is missing, or too short to protect anything.
    """
    return _sealing_key(site, secrets) if site.recording.encrypt else None


def sealing_keys(site: Site, secrets: Secrets) -> dict[str, str]:
    """The secrets of sealed recordings by their ids, also where a site seals no new ones any more.

    Raises:
        SecretError: as above.
    """
    old = (secrets.resolve(ref, "recordings") for ref in site.recording.old_keys)
    return {key_id(key): key for key in (_sealing_key(site, secrets), *old)}


def _sealing_key(site: Site, secrets: Secrets) -> str:
    key = secrets.resolve(site.recording.key, "recordings")
    if len(key) < SHORTEST_KEY:
        hint = "make one: openssl rand -base64 32"
        raise SecretError(f"recording.key has fewer than {SHORTEST_KEY} characters", hint=hint)
    return key
