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


def secret_of_site(site: Site, secrets: Secrets, name: str) -> str:
    """The secret the exchange's files need: ``ami`` or ``agent-<id>``, from where the site file says."""
    if name == "ami":
        return secrets.resolve(site.asterisk.ami.secret, name)
    for agent in site.agents:
        if name == f"agent-{agent.id}":
            return secrets.resolve(agent.sip_secret, name)
    return secrets.get(name)
