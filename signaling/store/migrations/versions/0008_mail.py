"""Mail to people with accounts, second factors, lasting bans, and times of parts of a school."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_TENANT = sa.String(256)
_ID = sa.String(128)
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the tables and the columns."""
    with op.batch_alter_table("accounts") as table:
        table.add_column(sa.Column("time_zone", sa.String(64), nullable=False, server_default=""))
        table.add_column(sa.Column("reminders", sa.Boolean, nullable=False, server_default=sa.true()))
    op.create_table(
        "mails",
        sa.Column("number", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("tenant", _TENANT, nullable=False),
        sa.Column("person", _ID, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.Double, nullable=False),
    )
    op.create_index("mails_by_time", "mails", ["next_at", "number"])
    op.create_index("mails_by_person", "mails", ["tenant", "person"])
    op.create_table(
        "account_factors",
        sa.Column("tenant", _TENANT, primary_key=True),
        sa.Column("person", _ID, primary_key=True),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("confirmed_at", sa.Double),
        sa.Column("last_step", sa.BigInteger, nullable=False),
        sa.Column("recovery", sa.Text, nullable=False),
    )
    op.create_table(
        "classroom_bans",
        sa.Column("tenant", _TENANT, primary_key=True),
        sa.Column("owner", _ID, primary_key=True),
        sa.Column("person", _ID, primary_key=True),
        sa.Column("session", _ID, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
    op.create_table(
        "classroom_timers",
        sa.Column("tenant", _TENANT, primary_key=True),
        sa.Column("log", sa.String(160), primary_key=True),
        sa.Column("due_at", sa.Double, nullable=False),
    )
    op.create_index("classroom_timers_by_time", "classroom_timers", ["due_at"])
    # Timetables of earlier releases: each is looked at once, and gets the time of its next reminder.
    op.execute(
        "INSERT INTO classroom_timers (tenant, log, due_at)"
        " SELECT tenant, log, 0 FROM classroom_events WHERE seq = 1 AND log LIKE 'schedule/%'"
    )
