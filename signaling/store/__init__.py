"""What outlives a room: durable rooms, sessions and who was in them, the event log, webhooks under way, documents."""

from signaling.store.records import (
    ApiKey,
    Delivery,
    Draft,
    DurableRoom,
    Endpoint,
    LogEntry,
    Outcome,
    Recording,
    Session,
    SessionFilter,
    Stay,
)
from signaling.store.store import Store

__all__ = [
    "ApiKey",
    "Delivery",
    "Draft",
    "DurableRoom",
    "Endpoint",
    "LogEntry",
    "Outcome",
    "Recording",
    "Session",
    "SessionFilter",
    "Stay",
    "Store",
]
