"""The command line as a whole: every room's commands are there, and cost nothing until they are typed."""

from __future__ import annotations

import subprocess
import sys

from alembic.script import ScriptDirectory
from typer.testing import CliRunner

from hotline.server.cli import app
from hotline.store.migrate import MIGRATIONS, newest

COMMANDS = (
    "asr asterisk check demo dial doctor figures ivr queue-log recordings report score serve shifts staff"
    " stats test-calls user"
).split()


def test_the_help_names_every_command() -> None:
    """Those of the rooms too, which are imported for it."""
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output
    assert [name for name in COMMANDS if f" {name} " not in shown] == []


def test_a_command_imports_its_own_room_alone() -> None:
    """A report comes at once: neither recognition nor anything that draws is imported before it."""
    program = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from hotline.server.cli import app\n"
        "assert CliRunner().invoke(app, ['report', 'month', '--help']).exit_code == 0\n"
        "heavy = ('alembic', 'numpy', 'matplotlib', 'weasyprint', 'docx', 'openpyxl', 'fastapi', 'vosk')\n"
        "rooms = ('asr', 'ivr', 'queue', 'agent_console', 'telephony')\n"
        "names = (*heavy, *(f'hotline.{room}' for room in rooms))\n"
        "print([name for name in names if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_newest_migration_is_known_by_its_number() -> None:
    """A database that is there already is not looked at with alembic."""
    assert newest() == ScriptDirectory(str(MIGRATIONS)).get_current_head()
