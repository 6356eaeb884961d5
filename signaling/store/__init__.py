"""What outlives a room: durable rooms, sessions and who was in them, the event log, webhooks under way, documents."""

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
