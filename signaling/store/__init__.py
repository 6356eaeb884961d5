"""What outlives a room: durable rooms, sessions and who was in them, the event log, small documents."""

from signaling.store.records import DurableRoom, LogEntry, Session, Stay
from signaling.store.store import Store

__all__ = ["DurableRoom", "LogEntry", "Session", "Stay", "Store"]
