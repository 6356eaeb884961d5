"""Daily's properties of domains, rooms and tokens: their types, defaults and checks, as values."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from signaling.daily.grants import PermissionsPatch
from signaling.daily.rest.errors import invalid
from signaling.ids import UserId

RecordingType = Literal["cloud", "cloud-audio-only", "local", "raw-tracks"]
Seconds = int | float
Elapsed = Annotated[int, msgspec.Meta(gt=0, lt=2**31)]

# Of a user id and of a room's name, both Daily's.
MAX_USER_ID_CHARS = 36
MAX_TEXT_CHARS = 1024

Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT_CHARS)]


class RoomProperties(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Properties of a room; most can be set for all rooms of a domain."""

    nbf: Seconds | None = None
    exp: Seconds | None = None
    max_participants: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 200
    eject_at_room_exp: bool = False
    eject_after_elapsed: Elapsed | None = None
    enforce_unique_user_ids: bool = False
    enable_knocking: bool | None = None
    owner_only_broadcast: bool = False
    permissions: PermissionsPatch | None = None
    enable_screenshare: bool = True
    start_video_off: bool = False
    start_audio_off: bool = False
    enable_chat: bool = False
    enable_advanced_chat: bool = False
    enable_shared_chat_history: bool = True
    enable_prejoin_ui: bool | None = None
    enable_people_ui: bool | None = None
    enable_network_ui: bool | None = None
    enable_pip_ui: bool = False
    enable_emoji_reactions: bool = False
    enable_hand_raising: bool = False
    enable_breakout_rooms: bool = False
    enable_live_captions_ui: bool = False
    enable_noise_cancellation_ui: bool = True
    enable_video_processing_ui: bool = True
    enable_cpu_warning_notifications: bool = True
    enable_hidden_participants: bool = False
    lang: Text = "en"
    geo: Text | None = None
    enable_recording: RecordingType | list[RecordingType] | None = None
    recordings_bucket: dict[str, Any] | None = None
    recordings_template: Text | None = None
    enable_transcription_storage: bool = False
    transcription_template: Text | None = None
    transcription_bucket: dict[str, Any] | None = None
    auto_transcription_settings: dict[str, Any] | None = None
    redirect_on_meeting_exit: Text | None = None
    meeting_join_hook: Annotated[str, msgspec.Meta(max_length=255)] | None = None
    enable_terse_logging: bool = False
    enable_adaptive_simulcast: bool = True
    enable_multiparty_adaptive_simulcast: bool = False
    experimental_optimize_large_calls: bool = False
    enable_mesh_sfu: bool | None = None
    sfu_switchover: float = 0.5


class TokenProperties(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Properties of a meeting token."""

    room_name: Text | None = None
    nbf: Seconds | None = None
    exp: Seconds | None = None
    is_owner: bool = False
    user_name: Text | None = None
    user_id: Annotated[UserId, msgspec.Meta(max_length=MAX_USER_ID_CHARS)] | None = None
    knocking: bool = False
    eject_at_token_exp: bool = False
    eject_after_elapsed: Elapsed | None = None
    permissions: PermissionsPatch | None = None
    enable_screenshare: bool | None = None
    start_video_off: bool | None = None
    start_audio_off: bool | None = None
    enable_recording: RecordingType | list[RecordingType] | None = None
    start_cloud_recording: bool = False
    start_cloud_recording_opts: dict[str, Any] | None = None
    enable_recording_ui: bool | None = None
    close_tab_on_exit: bool = False
    redirect_on_meeting_exit: Text | None = None
    auto_start_transcription: bool = False
    lang: Text | None = None
    enable_prejoin_ui: bool | None = None
    enable_live_captions_ui: bool | None = None
    enable_terse_logging: bool | None = None
    intercom_join_alert: bool | None = None
    meeting_join_hook: Annotated[str, msgspec.Meta(max_length=255)] | None = None


# Properties that Daily has and that change nothing here. They are accepted, as Daily accepts them on plans without the
# feature, so that applications work unchanged; the answer names each one that is set (`without_effect`). The README
# lists them.
WITHOUT_EFFECT = frozenset(
    {
        "auto_start_transcription",
        "auto_transcription_settings",
        "close_tab_on_exit",
        "enable_adaptive_simulcast",
        "enable_breakout_rooms",
        "enable_cpu_warning_notifications",
        "enable_emoji_reactions",
        "enable_hand_raising",
        "enable_hidden_participants",
        "enable_live_captions_ui",
        "enable_mesh_sfu",
        "enable_multiparty_adaptive_simulcast",
        "enable_noise_cancellation_ui",
        "enable_pip_ui",
        "enable_recording",
        "enable_recording_ui",
        "enable_shared_chat_history",
        "enable_terse_logging",
        "enable_video_processing_ui",
        "experimental_optimize_large_calls",
        "geo",
        "intercom_join_alert",
        "lang",
        "meeting_join_hook",
        "recordings_bucket",
        "recordings_template",
        "sfu_switchover",
        "start_cloud_recording",
        "start_cloud_recording_opts",
        "transcription_bucket",
        "transcription_template",
    }
)

_DEFAULTS: dict[str, Any] = {field.name: field.default for field in msgspec.structs.fields(RoomProperties)}

P = TypeVar("P", RoomProperties, TokenProperties)


def _described(name: str) -> dict[str, str]:
    return {"description": "Accepted, and without effect on this server."} if name in WITHOUT_EFFECT else {}


def _schema(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the JSON Schema of properties in a request; each may also be null."""
    _, components = msgspec.json.schema_components([kind], ref_template="{name}")

    def inlined(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return inlined(components[node["$ref"]])
            return {name: inlined(value) for name, value in node.items() if name not in {"title", "default"}}
        return [inlined(value) for value in node] if isinstance(node, list) else node

    properties = inlined(components[kind.__name__])["properties"]
    null = {"type": "null"}
    forms = {name: schema.get("anyOf", [schema]) for name, schema in properties.items()}
    return {
        "properties": {
            name: {"anyOf": [*(form for form in each if form != null), null], **_described(name)}
            for name, each in forms.items()
        }
    }


ROOM_SCHEMA = _schema(RoomProperties)
TOKEN_SCHEMA = _schema(TokenProperties)


def parse(kind: type[P], raw: Mapping[str, Any]) -> P:
    """Return checked properties; unknown ones are ignored. DailyError names the field."""
    _check_times(raw)
    try:
        return msgspec.convert({name: value for name, value in raw.items() if value is not None}, kind)
    except UnicodeEncodeError as error:
        # JSON can spell lone surrogates, which cannot be stored.
        raise invalid("a text is not made of characters") from error
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$.")
        raise invalid(f"{path.rstrip('`') or 'properties'}: {text}") from error


def check_exp(raw: Mapping[str, Any], now: float) -> None:
    """Raise DailyError if something is to expire that has expired. `now` is seconds since 1970."""
    _check_times(raw)
    exp = raw.get("exp")
    if exp is not None and exp <= now:
        raise invalid(f"exp was '{exp}', which is in the past rather than in the future")


def _check_times(raw: Mapping[str, Any]) -> None:
    for name in ("nbf", "exp"):
        value = raw.get(name)
        # The upper bound keeps arithmetic on times exact and is beyond the year 100,000,000.
        if value is not None and not (
            isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53
        ):
            raise invalid(f"{name} was '{value}' but should be a number of seconds since the unix epoch")


def non_defaults(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a room's `config`: non-default and unknown properties. DailyError."""
    parse(RoomProperties, raw)
    return {name: value for name, value in raw.items() if value is not None and value != _DEFAULTS.get(name)}


def without_effect(kind: type[RoomProperties | TokenProperties], raw: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the properties without effect: unsupported and unknown ones."""
    defaults = {field.name: field.default for field in msgspec.structs.fields(kind)}
    return tuple(
        sorted(
            name
            for name, value in raw.items()
            if name not in defaults
            or (name in WITHOUT_EFFECT and value is not None and value != defaults[name])
        )
    )


def merge(before: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return properties after a partial update; null resets a property."""
    return {name: value for name, value in {**before, **change}.items() if value is not None}
