"""Accounts, their tokens, the audit log, and the time that people attended each session."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_TENANT = sa.String(256)
_ID = sa.String(128)
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the tables and the column."""
    _accounts()
    op.create_table(
        "audit_entries",
        sa.Column("number", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("tenant", _TENANT, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("actor", _ID, nullable=False),
        sa.Column("subject", _ID, nullable=False),
        sa.Column("session", _ID, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
    )
    op.create_index("audit_entries_in_order", "audit_entries", ["tenant", "number"])
    op.create_index("audit_entries_by_age", "audit_entries", ["tenant", "at"])
    with op.batch_alter_table("classroom_sessions") as table:
        table.add_column(sa.Column("attended_s", sa.Double, nullable=False, server_default="0"))
    op.create_index("classroom_sessions_by_end", "classroom_sessions", ["tenant", "ended_at"])


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("tenant", _TENANT, primary_key=True),
        sa.Column("id", _ID, primary_key=True),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password_hash", sa.Text),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("disabled_at", sa.Double),
    )
    op.create_index("accounts_by_email", "accounts", ["tenant", "email"], unique=True)
    op.create_table(
        "account_tokens",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("tenant", _TENANT, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("person", _ID, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
    )
    op.create_index("account_tokens_by_person", "account_tokens", ["tenant", "person"])
    op.create_index("account_tokens_by_expiry", "account_tokens", ["expires_at"])
