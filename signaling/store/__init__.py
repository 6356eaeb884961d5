"""Everything that outlives a meeting: durable rooms, meetings, attendance, the event log, deliveries, documents."""

from signaling.store.records import (
    ApiKey,
    Delivery,
    DurableRoom,
    Endpoint,
    LogEntry,
    NewDelivery,
    Recording,
    Session,
    SessionFilter,
    SettledDelivery,
    Stay,
)
from signaling.store.store import Store

__all__ = [
    "ApiKey",
    "Delivery",
    "DurableRoom",
    "Endpoint",
    "LogEntry",
    "NewDelivery",
    "Recording",
    "Session",
    "SessionFilter",
    "SettledDelivery",
    "Stay",
    "Store",
]
