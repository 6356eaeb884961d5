"""Everything that outlives a meeting: durable rooms, meetings, attendance, the event log, deliveries, documents."""

from sfu.stand_ins import stand_ins

# Without the object-relational mapper, which the store does not use: 6 MB and 0.1 s of a server's start.
with stand_ins("sqlalchemy.ext.asyncio.scoping", "sqlalchemy.ext.asyncio.session"):
    import sqlalchemy.ext.asyncio  # noqa: F401 - the modules below import from it

from signaling.store.records import (
    ApiKey,
    Attendance,
    Delivery,
    DurableRoom,
    LogEntry,
    Meeting,
    MeetingFilter,
    NewDelivery,
    Recording,
    SettledDelivery,
    WebhookEndpoint,
)
from signaling.store.store import Store

__all__ = [
    "ApiKey",
    "Attendance",
    "Delivery",
    "DurableRoom",
    "LogEntry",
    "Meeting",
    "MeetingFilter",
    "NewDelivery",
    "Recording",
    "SettledDelivery",
    "Store",
    "WebhookEndpoint",
]
