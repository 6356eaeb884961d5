"""Daily's `permissions`, in their long and their abbreviated form, and the domain's."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal, TypeVar

import msgspec

from signaling.ids import Identity, UserId
from signaling.rooms.permissions import (
    ALL_ADMIN_RIGHTS,
    ALL_SOURCES,
    AdminRight,
    Permissions,
    Receiving,
    Source,
)

MediaName = Literal["video", "audio", "screenVideo", "screenAudio", "customVideo", "customAudio"]
AdminName = Literal["participants", "streaming", "transcription"]

# Applications give media as all or nothing, as a list, or as a map of switches; custom tracks have names of their own.
MediaSet = bool | list[MediaName] | dict[MediaName, bool | dict[str, bool]]

SOURCES: dict[str, Source] = {
    "video": Source.CAMERA,
    "audio": Source.MICROPHONE,
    "screenVideo": Source.SCREEN_SHARE,
    "screenAudio": Source.SCREEN_SHARE_AUDIO,
    "customVideo": Source.UNKNOWN,
    "customAudio": Source.UNKNOWN,
}
_NAMES = {source: name for name, source in reversed(SOURCES.items())}

_MEDIA_LETTERS = {
    "v": "video",
    "a": "audio",
    "sv": "screenVideo",
    "sa": "screenAudio",
    "cv": "customVideo",
    "ca": "customAudio",
}
_RECEIVE_LETTERS = {"b": "base", "u": "byUserId", "p": "byParticipantId"}
_ADMIN_LETTERS = {"p": "participants", "s": "streaming", "t": "transcription"}


class CanReceive(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Whose media: the closest entry counts."""

    base: MediaSet | None = None
    by_user_id: dict[UserId, MediaSet] | None = None
    by_participant_id: dict[Identity, MediaSet] | None = None


K = TypeVar("K", Identity, UserId)


class PermissionsPatch(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What is given of the permissions; the rest stays as it is."""

    has_presence: bool | None = None
    can_send: bool | list[MediaName] | None = None
    can_receive: CanReceive | None = None
    can_admin: bool | list[AdminName] | None = None


def apply(patch: PermissionsPatch | None, permissions: Permissions) -> Permissions:
    """Return permissions with what is given changed."""
    if patch is None:
        return permissions
    if patch.has_presence is not None:
        permissions = replace(permissions, hidden=not patch.has_presence)
    if patch.can_send is not None:
        sources = _sources(patch.can_send)
        permissions = replace(
            permissions,
            can_publish=bool(sources),
            can_publish_sources=() if sources == ALL_SOURCES else tuple(sorted(sources)),
        )
    if patch.can_receive is not None:
        permissions = replace(permissions, receiving=_receiving(patch.can_receive, permissions.receiving))
    if patch.can_admin is not None:
        wanted = patch.can_admin
        rights = ALL_ADMIN_RIGHTS if wanted is True else frozenset(map(AdminRight, wanted or ()))
        permissions = replace(permissions, admin=rights)
    return permissions


def exceeds(wanted: Permissions, before: Permissions, own: Permissions) -> bool:
    """Whether a change gives somebody a right that neither they had before nor the one who changes it has.

    For a change of one's own rights, `before` is `own`.
    """
    return (
        not wanted.admin <= before.admin | own.admin
        # To be there unseen is a right as well.
        or (wanted.hidden and not before.hidden and not own.hidden)
        or any(
            wanted.may_publish(source) and not before.may_publish(source) and not own.may_publish(source)
            for source in Source
        )
        or any(
            wanted.may_receive(identity, user_id, source)
            and not before.may_receive(identity, user_id, source)
            and not own.may_receive(identity, user_id, source)
            for identity, user_id in _named(wanted, before, own)
            for source in Source
        )
    )


def _named(*all_permissions: Permissions) -> set[tuple[Identity, UserId]]:
    """Return (identity, user id) of everybody whom some permissions name, and of one whom none names."""
    identities = {name for each in all_permissions for name in each.receiving.by_identity}
    user_ids = {name for each in all_permissions for name in each.receiving.by_user_id}
    nobody, no_user = Identity(""), UserId("")
    return {
        (nobody, no_user),
        *((identity, no_user) for identity in identities),
        *((nobody, user_id) for user_id in user_ids),
    }


def without_screen(permissions: Permissions) -> Permissions:
    """Return permissions that do not let a screen be shared."""
    allowed = {source for source in Source if permissions.may_publish(source)}
    left = allowed - {Source.SCREEN_SHARE, Source.SCREEN_SHARE_AUDIO}
    return replace(permissions, can_publish=bool(left), can_publish_sources=tuple(sorted(left)))


def describe(permissions: Permissions) -> dict[str, Any]:
    """Return permissions as Daily shows them, in full."""
    sent = frozenset(source for source in Source if permissions.may_publish(source))
    receiving = permissions.receiving if permissions.can_subscribe else Receiving(frozenset())
    can_receive: dict[str, Any] = {"base": _media_map(receiving.base)}
    for name, entries in (("byUserId", receiving.by_user_id), ("byParticipantId", receiving.by_identity)):
        if entries:
            can_receive[name] = {key: _media_map(sources) for key, sources in entries.items()}
    return {
        "hasPresence": not permissions.hidden,
        "canSend": True if sent == ALL_SOURCES else _names(sent) or False,
        "canReceive": can_receive,
        "canAdmin": True
        if permissions.admin == ALL_ADMIN_RIGHTS
        else sorted(right.value for right in permissions.admin) or False,
    }


# --- the abbreviated form of self-signed tokens --------------------------------------------------


def shorten(permissions: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claim `p` for permissions in their long form."""
    short: dict[str, Any] = {}
    if "hasPresence" in permissions:
        short["hp"] = permissions["hasPresence"]
    if "canSend" in permissions:
        short["cs"] = _joined(permissions["canSend"], _MEDIA_LETTERS)
    if "canReceive" in permissions:
        entries = permissions["canReceive"]
        short["cr"] = {letter: entries[name] for letter, name in _RECEIVE_LETTERS.items() if name in entries}
    if "canAdmin" in permissions:
        short["ca"] = _joined(permissions["canAdmin"], _ADMIN_LETTERS)
    return short


def expand(short: Mapping[str, Any]) -> dict[str, Any]:
    """Return the long form of a claim `p`; what is not abbreviated is taken as it is."""
    permissions = {name: value for name, value in short.items() if name not in {"hp", "cs", "cr", "ca"}}
    if "hp" in short:
        permissions["hasPresence"] = short["hp"]
    if "cs" in short:
        permissions["canSend"] = _split(short["cs"], _MEDIA_LETTERS)
    if "ca" in short:
        permissions["canAdmin"] = _split(short["ca"], _ADMIN_LETTERS)
    if "cr" in short:
        permissions["canReceive"] = _expand_receive(short["cr"])
    return permissions


def _expand_receive(short: object) -> object:
    if not isinstance(short, Mapping):
        return short
    entries: dict[str, Any] = {}
    for name, value in short.items():
        long = _RECEIVE_LETTERS.get(str(name), str(name))
        if long != "base" and isinstance(value, Mapping):
            entries[long] = {key: _long_media(media) for key, media in value.items()}
        else:
            entries[long] = _long_media(value)
    return entries


def _long_media(value: object) -> object:
    if isinstance(value, Mapping):
        return {_MEDIA_LETTERS.get(name, name): allowed for name, allowed in value.items()}
    return _split(value, _MEDIA_LETTERS)


def _split(value: object, letters: Mapping[str, str]) -> object:
    if not isinstance(value, str):
        return value
    return [letters.get(part.strip(), part.strip()) for part in value.split(",") if part.strip()]


def _joined(value: object, letters: Mapping[str, str]) -> object:
    if not isinstance(value, list):
        return value
    return ",".join(letter for letter, name in letters.items() if name in value)


# --- sets of media -------------------------------------------------------------------------------


def _receiving(given: CanReceive, before: Receiving) -> Receiving:
    return Receiving(
        base=before.base if given.base is None else _sources(given.base),
        by_user_id=_entries(given.by_user_id, before.by_user_id),
        by_identity=_entries(given.by_participant_id, before.by_identity),
    )


def _entries(
    given: Mapping[K, MediaSet] | None, before: Mapping[K, frozenset[Source]]
) -> Mapping[K, frozenset[Source]]:
    return before if given is None else {key: _sources(media) for key, media in given.items()}


def _sources(media: MediaSet) -> frozenset[Source]:
    if isinstance(media, bool):
        return ALL_SOURCES if media else frozenset()
    if isinstance(media, list):
        return frozenset(SOURCES[name] for name in media)
    allowed = (
        name for name, value in media.items() if (any(value.values()) if isinstance(value, dict) else value)
    )
    return frozenset(SOURCES[name] for name in allowed)


def _names(sources: Iterable[Source]) -> list[str]:
    return sorted(_NAMES[source] for source in sources)


def _media_map(sources: frozenset[Source]) -> bool | dict[str, bool]:
    if sources in (ALL_SOURCES, frozenset()):
        return bool(sources)
    return {name: source in sources for name, source in SOURCES.items() if source is not Source.UNKNOWN}
