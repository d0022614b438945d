"""Where a site keeps what the server writes."""

from __future__ import annotations

from hotline.config.schema import Site
from hotline.config.secrets import Secrets


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
