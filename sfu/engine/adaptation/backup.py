"""Backup codecs: a second publication of the same track, for subscribers who cannot take the first one's codec."""

from sfu.engine.peers.publication import Publication, Subscription


def is_lacking(subscription: Subscription) -> bool:
    """Whether the subscriber agreed to no payload type for what the publisher sends first of all."""
    section, primary = subscription.section, subscription.primary
    return (
        section is not None
        and primary.spec.kind == "video"
        and bool(primary.codec and section.kind.payload_types)
        and primary.codec not in section.kind.payload_type_by_codec
    )


def fitting(subscription: Subscription) -> Publication:
    """The publication that a subscriber gets: the backup, if it comes and only that can be taken."""
    backup = subscription.primary.backup
    if backup is None or not is_lacking(subscription) or subscription.section is None:
        return subscription.primary
    takes = backup.codec in subscription.section.kind.payload_type_by_codec
    return backup if takes else subscription.primary


def link(backup: Publication, primary: Publication) -> None:
    """Let one publication be the backup of another."""
    backup.primary, primary.backup = primary, backup


def unlink(published: Publication, now: float) -> None:
    """Let an ending publication be the backup of none, and have none; its subscribers go back to the first one."""
    primary = published.primary
    if primary is not None and primary.backup is published:
        primary.backup = None
        for subscription in list(published.subscriptions.values()):
            subscription.serve(primary, now)
    if published.backup is not None:
        published.backup.primary = None
        for subscription in list(published.backup.subscriptions.values()):
            subscription.serve(published, now)
    published.primary = published.backup = None
