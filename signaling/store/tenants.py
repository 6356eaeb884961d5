"""The names of tenants: an API key, or one of several schools behind an API key."""

from sqlalchemy import ColumnElement

from signaling.ids import TenantId

# No API key has it in its name.
_SEPARATOR = ":"


def tenant_name(key: str, school: str) -> TenantId:
    """Return the name of a school behind an API key; without a school, of the key itself."""
    return TenantId(f"{key}{_SEPARATOR}{school}" if school else key)


def tenant_parts(tenant: TenantId) -> tuple[str, str]:
    """Return API key and school; the school is empty for the key itself."""
    key, _, school = tenant.partition(_SEPARATOR)
    return key, school


def is_of_key(column: ColumnElement[str], key: str) -> ColumnElement[bool]:
    """Return the condition that a column has a tenant of an API key."""
    return (column == key) | column.startswith(f"{key}{_SEPARATOR}", autoescape=True)
