"""The database's schema: Alembic upgrades it to the newest revision in one transaction."""

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from signaling.errors import StoreError

# Its messages are details; errors report what matters.
logging.getLogger("alembic").setLevel(logging.WARNING)

# PostgreSQL's advisory lock that lets one process at a time change the schema; any number not used otherwise.
_LOCK = 0x6C656374


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Upgrade the schema to a revision, if needed. StoreError if the schema is from a newer release."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    config = _config(connection)
    script = ScriptDirectory.from_config(config)
    present = current(connection)
    if revision == "head" and present == script.get_current_head():
        return
    if present is not None and present not in {each.revision for each in script.walk_revisions()}:
        raise StoreError(f"the database is from a newer release of Lectern (its schema is {present})")
    command.upgrade(config, revision)


def current(connection: Connection) -> str | None:
    """Return the revision of the schema; None if there is no schema yet."""
    return MigrationContext.configure(connection).get_current_revision()


def revisions() -> list[str]:
    """Return all revisions, oldest first."""
    return [each.revision for each in ScriptDirectory.from_config(_config(None)).walk_revisions()][::-1]


def _config(connection: Connection | None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return config
