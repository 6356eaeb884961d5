import asyncio
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, inspect, select, text

from signaling.errors import StoreError
from signaling.store import Store, schema
from signaling.store.store import _engine
from signaling.store.tables import events, metadata

REVISIONS = schema.revisions()


@pytest.fixture
async def engine(database_url):
    made = _engine(database_url)
    yield made
    await made.dispose()


async def upgrade(engine, revision="head"):
    async with engine.begin() as connection:
        await connection.run_sync(schema.upgrade, revision)


def test_files_are_named_by_the_revisions_in_their_order():
    config = Config()
    config.set_main_option("script_location", "signaling/store/migrations")
    chain = [each.revision for each in ScriptDirectory.from_config(config).walk_revisions()]
    assert chain[::-1] == REVISIONS


async def test_a_database_that_is_up_to_date_needs_no_alembic(tmp_path):
    url = f"sqlite:///{tmp_path / 'lectern.db'}"
    await (await Store.open(url)).close()
    script = f"""
import asyncio, sys
from signaling.store import Store
asyncio.run(Store.open({url!r}))
sys.exit("alembic" in sys.modules)
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
    assert await process.wait() == 0


def differences(connection):
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return compare_metadata(context, metadata)


@pytest.mark.parametrize("revision", REVISIONS)
async def test_from_every_revision_the_schema_becomes_that_of_the_tables(engine, revision):
    await upgrade(engine, revision)
    await upgrade(engine)
    async with engine.begin() as connection:
        assert await connection.run_sync(schema.current) == REVISIONS[-1]
        assert await connection.run_sync(differences) == []


def described(connection):
    """What the inspector reads of all tables: columns with types and defaults, keys, indexes, constraints."""
    found = inspect(connection)
    return {
        table: (
            {column["name"]: str(column) for column in found.get_columns(table)},
            found.get_pk_constraint(table),
            sorted(map(str, found.get_indexes(table))),
            sorted(map(str, found.get_unique_constraints(table))),
            sorted(map(str, found.get_foreign_keys(table))),
        )
        for table in found.get_table_names()
    }


async def test_a_new_database_is_made_at_once_as_the_revisions_make_it(engine, monkeypatch):
    monkeypatch.setattr(schema, "_config", None)
    await upgrade(engine)
    async with engine.begin() as connection:
        made = await connection.run_sync(described)
        await connection.run_sync(metadata.drop_all)
        await connection.execute(text("DROP TABLE alembic_version"))
    monkeypatch.undo()
    await upgrade(engine, REVISIONS[0])
    await upgrade(engine)
    async with engine.begin() as connection:
        assert await connection.run_sync(described) == made
    assert len(made) > 20


async def test_what_was_there_stays(engine):
    await upgrade(engine, REVISIONS[0])
    row = {"session_sid": "RM_1", "seq": 1, "kind": "note", "data": {"a": [1]}, "at": 5.0}
    async with engine.begin() as connection:
        await connection.execute(insert(events), row)
    await upgrade(engine)
    async with engine.begin() as connection:
        assert (await connection.execute(select(events))).mappings().one() == row


async def test_a_change_that_fails_half_way_leaves_nothing(engine, monkeypatch):
    def broken(*_):
        raise RuntimeError("power failure")

    await upgrade(engine, REVISIONS[0])
    monkeypatch.setattr("alembic.op.create_index", broken)
    with pytest.raises(RuntimeError):
        await upgrade(engine)
    async with engine.begin() as connection:
        assert await connection.run_sync(schema.current) == REVISIONS[0]
    monkeypatch.undo()
    await upgrade(engine)
    async with engine.begin() as connection:
        assert await connection.run_sync(schema.current) == REVISIONS[-1]


async def test_the_database_of_a_newer_release_is_refused_and_left_alone(engine, database_url):
    await upgrade(engine)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer release"):
        await Store.open(database_url)
