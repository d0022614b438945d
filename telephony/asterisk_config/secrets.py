"""Where the generator gets passwords from: ``ami`` and ``agent-<id>``."""

from __future__ import annotations

from typing import Protocol

from hotline.config.schema import Site
from hotline.config.secrets import Secrets


class SecretSource(Protocol):
    """Gives a secret by name."""

    def __call__(self, name: str, /) -> str: ...


def secrets_of(site: Site) -> SecretSource:
    """The secrets of a site, from where its file says; those it does not say are made at first use."""
    kept = Secrets(site.data_dir)
    references = {f"agent-{agent.id}": agent.sip_secret for agent in site.agents}
    references["ami"] = site.asterisk.ami.secret

    def secret(name: str, /) -> str:
        return kept.resolve(references[name], name)

    return secret
