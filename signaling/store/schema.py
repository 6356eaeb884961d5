"""The database's schema: new ones are made from the tables, older ones upgraded by Alembic, each in one transaction.

Alembic is imported only when there is something to upgrade: the import takes 0.3 s of a server's start and 13 MB.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from signaling.errors import StoreError
from signaling.store.tables import metadata

if TYPE_CHECKING:
    from alembic.config import Config

# Its messages are details; errors report what matters.
logging.getLogger("alembic").setLevel(logging.WARNING)

# PostgreSQL's advisory lock that lets one process at a time change the schema; any number not used otherwise.
_LOCK = 0x6C656374

_MIGRATIONS = Path(__file__).with_name("migrations")


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Upgrade the schema to a revision, if needed. StoreError if the schema is from a newer release."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    present = current(connection)
    if revision == "head" and present == revisions()[-1]:
        return
    if revision == "head" and present is None:
        _create(connection)
        return
    if present is not None and present not in revisions():
        raise StoreError(f"the database is from a newer release of Lectern (its schema is {present})")
    from alembic import command  # noqa: PLC0415 - see above

    command.upgrade(_config(connection), revision)


def _create(connection: Connection) -> None:
    metadata.create_all(connection, checkfirst=False)
    # Alembic's own table, as Alembic makes it.
    connection.execute(
        text(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
            " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
    )
    connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revisions()[-1]})


def current(connection: Connection) -> str | None:
    """Return the revision of the schema; None if there is no schema yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def revisions() -> list[str]:
    """Return all revisions, oldest first: the files are named by them."""
    return sorted(path.stem.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))


def _config(connection: Connection) -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
