"""The alerts raised now, in a small file: a restarted server goes on with them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from hotline.core.alerts import Alert

log = logging.getLogger(__name__)

_ALERTS = TypeAdapter(tuple[Alert, ...])


class AlertMemory:
    """Keeps alerts in ``path``. Reads and writes the disk: from the event loop, on a thread."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> tuple[Alert, ...]:
        """The alerts kept last; none when there is no file, or one that cannot be read."""
        try:
            return _ALERTS.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return ()
        except (OSError, ValidationError) as error:
            log.warning("%s: earlier alerts are forgotten (%s)", self._path, type(error).__name__)
            return ()

    def save(self, alerts: Iterable[Alert]) -> None:
        """Keep these and no others, whole or not at all.

        Raises:
            OSError: the disk is full or will not be written.
        """
        draft = self._path.with_name(f"{self._path.name}.part")
        draft.write_bytes(_ALERTS.dump_json(tuple(alerts), indent=1))
        draft.replace(self._path)
