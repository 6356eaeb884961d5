"""Everything that outlives a meeting: durable rooms, meetings, attendance, the event log, deliveries, documents."""

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
