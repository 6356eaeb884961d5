"""The tables of accounts and of the audit log, as the newest migration leaves them; times are seconds since 1970."""

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, String, Table, Text, true

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
    # IANA name; empty: unknown.
    Column("time_zone", String(64), nullable=False, server_default=""),
    # Whether reminders of lessons are sent to the address.
    Column("reminders", Boolean, nullable=False, server_default=true()),
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

# Mail to be sent. Neither address nor token is here: both are looked up, or made, when a mail is sent.
mails = Table(
    "mails",
    metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("tenant", _TENANT, nullable=False),
    Column("person", _ID, nullable=False),
    Column("kind", String(32), nullable=False),
    # Plain values as JSON, by kind.
    Column("data", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    # Attempts that began.
    Column("attempts", Integer, nullable=False),
    Column("next_at", Double, nullable=False),
    Index("mails_by_time", "next_at", "number"),
    Index("mails_by_person", "tenant", "person"),
)

# The second factor of accounts that have one (RFC 6238).
account_factors = Table(
    "account_factors",
    metadata,
    Column("tenant", _TENANT, primary_key=True),
    Column("person", _ID, primary_key=True),
    # The shared secret, encrypted.
    Column("sealed", Text, nullable=False),
    # Null until the person has entered a first code.
    Column("confirmed_at", Double),
    # The time step of the last code that was accepted: it is accepted once.
    Column("last_step", BigInteger, nullable=False),
    # Digests of the recovery codes that are left, as a JSON list.
    Column("recovery", Text, nullable=False),
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
