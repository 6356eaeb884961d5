"""The tables of accounts and of the audit log, as the newest migration leaves them; times are seconds since 1970."""

from sqlalchemy import BigInteger, Column, Double, Index, Integer, String, Table, Text

from signaling.store.tables import metadata

_TENANT = String(256)
_ID = String(128)

# SQLite increments automatically only columns of type INTEGER.
_NUMBER = BigInteger().with_variant(Integer, "sqlite")

accounts = Table(
    "accounts",
    metadata,
    Column("tenant", _TENANT, primary_key=True),
    Column("id", _ID, primary_key=True),
    # In lower case.
    Column("email", String(254), nullable=False),
    Column("name", String(100), nullable=False),
    Column("role", String(16), nullable=False),
    # Of argon2id, with its parameters and salt; null until the invitation is accepted.
    Column("password_hash", Text),
    Column("created_at", Double, nullable=False),
    Column("disabled_at", Double),
    Index("accounts_by_email", "tenant", "email", unique=True),
)

# Sign-ins, invitations and password resets. The token itself is random and not here.
account_tokens = Table(
    "account_tokens",
    metadata,
    # SHA-256 of the token in hex.
    Column("digest", String(64), primary_key=True),
    Column("tenant", _TENANT, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("person", _ID, nullable=False),
    # From the OpenID provider; empty for accounts, which have a row of their own.
    Column("name", String(100), nullable=False),
    Column("role", String(16), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Index("account_tokens_by_person", "tenant", "person"),
    Index("account_tokens_by_expiry", "expires_at"),
)

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("tenant", _TENANT, nullable=False),
    Column("at", Double, nullable=False),
    Column("action", String(64), nullable=False),
    # Who did it; empty: the application or the server.
    Column("actor", _ID, nullable=False),
    # The person or object concerned.
    Column("subject", _ID, nullable=False),
    Column("session", _ID, nullable=False),
    # Further plain values as JSON.
    Column("details", Text, nullable=False),
    Index("audit_entries_in_order", "tenant", "number"),
    Index("audit_entries_by_age", "tenant", "at"),
)
