"""Operator commands beside the running server: `lectern db`, `keys` and `rooms`.

Keys and schema are changed in the database, and the server picks up the changes. Rooms are read from the server by its
own server API.

Slow imports are inside functions, as in `cli`.
"""

import argparse
import asyncio
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from classroom.ids import PersonId
from signaling import config as configuration
from signaling.config import ServerConfig
from signaling.errors import ConfigError, SignalingError

if TYPE_CHECKING:
    from signaling.access.tokens import Signer
    from signaling.store import Store

T = TypeVar("T")

# What says where the store is.
STORE_FLAGS = ("data_dir", "database_url", "master_key")

ROLES = ("admin", "tutor", "assistant", "student")

# As long as LiveKit's names.
MAX_NAME_CHARS = 256

# Of a call to the running server, and of the token that it carries.
CALL_TIMEOUT_S = 10.0
TOKEN_TTL_S = 60.0


def add_commands(commands: Any) -> None:
    """Add the commands to the command line's."""
    database = _group(commands, "db", "look after the database")
    _command(
        database,
        "upgrade",
        _db_upgrade,
        "bring the schema up to date; `serve` does the same at its start",
    )

    keys = _group(commands, "keys", "API keys that are kept in the database")
    add = _command(
        keys, "add", _keys_add, "make a key, and print it with its secret, which is shown this once"
    )
    add.add_argument("key", nargs="?", default="", help="Its name; without one, a name is made up.")
    add.add_argument("--note", default="", help="What it is for.")
    _command(keys, "list", _keys_list, "print the keys in the database, without their secrets")
    revoke = _command(keys, "revoke", _keys_revoke, "end a key; a running server follows within seconds")
    revoke.add_argument("key", help="Its name.")

    users = _group(commands, "users", "people with a password on this server")
    add = _command(
        users, "add", _users_add, "add a user, and print the token with which they set a password", ("dev",)
    )
    add.add_argument("email", help="Their address, with which they sign in.")
    add.add_argument("--name", default="", help="Their name. Default: the address.")
    add.add_argument("--role", default="admin", choices=ROLES, help="Default: admin.")
    add.add_argument("--tenant", default="", help="The school, where this server has several.")

    rooms = _group(commands, "rooms", "rooms of the running server")
    here = ("dev", "host", "http_port")
    end = _command(rooms, "end", _rooms_end, "end a room, and everybody's stay in it", here)
    end.add_argument("room", help="Its name.")
    shown = "print the streams of a room and who is sent them, from a server in development mode"
    tables = _command(rooms, "tables", _rooms_tables, shown, here)
    tables.add_argument("room", help="Its name.")
    listed = "print the rooms that are open, and those that applications made"
    for parser in (_command(rooms, "list", _rooms_list, listed, here), end, tables):
        parser.add_argument("--url", default="", help="The server. Default: this machine, at --http-port.")


def _group(commands: Any, name: str, text: str) -> Any:
    parser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    return parser.add_subparsers(required=True, metavar="COMMAND")


def _command(
    group: Any, name: str, run: Callable[[dict[str, Any]], int], text: str, flags: tuple[str, ...] = ()
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = group.add_parser(
        name, help=text, description=f"{text[0].upper()}{text[1:]}."
    )
    configuration.add_flags(parser, [*STORE_FLAGS, *flags])
    parser.set_defaults(command=run)
    return parser


def in_store(config: ServerConfig, action: Callable[["Store"], Awaitable[T]]) -> T:
    """Return what an action on the store returns. ConfigError."""
    from signaling.store.storage import opened  # noqa: PLC0415 - see the module's docstring

    async def run() -> T:
        async with opened(config) as store:
            return await action(store)

    try:
        return asyncio.run(run())
    except ConfigError:
        raise
    except SignalingError as error:
        raise ConfigError(str(error)) from error


def find_signer(config: ServerConfig) -> "Signer":
    """Return the key with which the server itself signs. ConfigError when there is none."""
    from signaling.access.keyring import Keyring  # noqa: PLC0415 - see the module's docstring

    configuration.check_keys(config)
    keyring = Keyring(config.keys)
    if not keyring:
        keyring.apply(in_store(config, lambda store: store.api_keys.in_force()))
    if not keyring:
        raise ConfigError(configuration.NO_KEYS)
    return keyring.signer()


def _load(flags: Mapping[str, Any]) -> ServerConfig:
    return configuration.load(flags, os.environ)


def _say(text: str) -> int:
    print(text)  # noqa: T201 - a command line talks to its user
    return 0


def _db_upgrade(flags: dict[str, Any]) -> int:
    async def nothing(_store: object) -> None:
        """Opening the store has done it."""

    in_store(_load(flags), nothing)
    return _say("the database is up to date")


def _keys_add(flags: dict[str, Any]) -> int:
    from signaling.access.keyring import new_secret  # noqa: PLC0415
    from signaling.rooms.sids import random_sid  # noqa: PLC0415 - see the module's docstring

    config, name, secret = _load(flags), flags["key"] or random_sid("API"), new_secret()
    # In LECTERN_KEYS a colon ends the name.
    if (
        len(name) > MAX_NAME_CHARS
        or len(flags["note"]) > MAX_NAME_CHARS
        or not name.isprintable()
        or ":" in name
    ):
        raise ConfigError(f"a key's name has up to {MAX_NAME_CHARS} characters, and no colon")
    now = time.time()
    if name in config.keys or not in_store(
        config, lambda store: store.api_keys.add(name, secret, flags["note"], now)
    ):
        raise ConfigError(f"there is an API key {name} already, or there was one")
    return _say(f"{name}: {secret}")


def _keys_list(flags: dict[str, Any]) -> int:
    keys = in_store(_load(flags), lambda store: store.api_keys.list())
    if not keys:
        return _say(
            "there are no keys in the database (those of LECTERN_KEYS and of a --config file are not kept there);"
            " `lectern keys add` makes one"
        )
    for key in keys:
        ended = "in force" if key.revoked_at is None else f"revoked {_date(key.revoked_at)}"
        _say(f"{key.key}\tmade {_date(key.created_at)}\t{ended}\t{key.note}".rstrip())
    return 0


def _keys_revoke(flags: dict[str, Any]) -> int:
    name = flags["key"]
    if not in_store(_load(flags), lambda store: store.api_keys.revoke(name, time.time())):
        raise ConfigError(f"the database has no API key {name} that is in force")
    return _say(f"{name} is revoked")


def _users_add(flags: dict[str, Any]) -> int:
    from signaling.access.sign_ins import SignIns  # noqa: PLC0415
    from signaling.errors import UnstorableError  # noqa: PLC0415
    from signaling.rooms.sids import random_sid  # noqa: PLC0415
    from signaling.store.people.accounts import Account, TokenKind, email_address  # noqa: PLC0415
    from signaling.store.tenants import tenant_name  # noqa: PLC0415 - see the module's docstring

    config, now = _load(flags), time.time()
    try:
        email = email_address(flags["email"])
    except ValueError as error:
        raise ConfigError(str(error)) from error
    name = flags["name"] or email
    if len(name) > 100 or not name.isprintable():
        raise ConfigError("a user's name has up to 100 characters")
    tenant = tenant_name(find_signer(config).key, flags["tenant"])
    account = Account(tenant, PersonId(random_sid("u_")), email, name, flags["role"], None, now)

    async def add(store: "Store") -> tuple[str, float]:
        try:
            await store.accounts.of(tenant).add(account)
        except UnstorableError as error:
            raise ConfigError(f"there is a user {email} already") from error
        return await SignIns(store.accounts, lambda: now).make(tenant, TokenKind.PASSWORD, account.id)

    token, expires_at = in_store(config, add)
    return _say(
        f"{email} is {flags['role']}, and sets a password by {_date(expires_at)} on the page /sessions/password"
        f" (or by POST /api/v1/passwords) with this token: {token}"
    )


def _rooms_list(flags: dict[str, Any]) -> int:
    rooms = _call(flags, "ListRooms", {}, {"roomList": True}).get("rooms", [])
    if not rooms:
        return _say("no room is open, and no application has made one")
    for room in sorted(rooms, key=lambda each: str(each["name"])):
        since = _date(float(room["creation_time"]))
        _say(f"{room['name']}\tsince {since}\t{room['num_participants']} participants")
    return 0


def _rooms_end(flags: dict[str, Any]) -> int:
    _call(flags, "DeleteRoom", {"room": flags["room"]}, {"roomCreate": True})
    return _say(f"{flags['room']} has ended")


def _rooms_tables(flags: dict[str, Any]) -> int:
    room = flags["room"]
    people = _call(flags, "ListParticipants", {"room": room}, {"roomAdmin": True, "room": room})
    for identity in sorted(str(each["identity"]) for each in people.get("participants", [])):
        path = f"debug/rooms/{urllib.parse.quote(room, '')}/{urllib.parse.quote(identity, '')}"
        lines = _read(_url(flags), path)["published"]
        _say("\n  ".join((identity, *lines)))
    return 0


def _url(flags: dict[str, Any]) -> str:
    url: str = flags["url"] or own_address(_load(flags))
    if not url.startswith(("http://", "https://")):
        raise ConfigError("--url has to begin with http:// or https://")
    return url


def _call(flags: dict[str, Any], method: str, message: dict[str, Any], grant: dict[str, bool]) -> Any:
    from signaling.access import tokens  # noqa: PLC0415 - see the module's docstring

    token = tokens.mint({"video": grant}, find_signer(_load(flags)), time.time(), TOKEN_TTL_S)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return _read(_url(flags), f"twirp/livekit.RoomService/{method}", json.dumps(message).encode(), headers)


def _read(url: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Any:
    request = urllib.request.Request(f"{url.rstrip('/')}/{path}", body, dict(headers or {}))  # noqa: S310 - see _url
    try:
        with urllib.request.urlopen(request, timeout=CALL_TIMEOUT_S) as response:  # noqa: S310 - see above
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise ConfigError(_refusal(error)) from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"the server at {url} does not answer") from error


def _refusal(error: urllib.error.HTTPError) -> str:
    try:
        fields = json.load(error)
        return str(fields.get("msg") or fields["error"])
    except (ValueError, KeyError, TypeError):
        if error.code == HTTPStatus.NOT_FOUND:
            return "the server does not have this; only a server in development mode shows its tables"
        return f"the server answered with status {error.code}"


def own_address(config: ServerConfig) -> str:
    """Return the server's address for this machine."""
    return f"http://{_local(config)}:{config.http_port}"


def _local(config: ServerConfig) -> str:
    host = config.bind_host or ""
    if host in {"", "0.0.0.0", "::"}:  # noqa: S104 - compared only
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _date(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
