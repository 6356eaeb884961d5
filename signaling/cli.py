"""The command line: `lectern serve`, `token`, `link`, `turn-config`, `config-sample`, and those of `admin`.

Exit codes: 0 done, or stopped by SIGTERM or SIGINT; 1 an error of the program; 2 an invalid command
line; 3 a configuration that is refused (no keys, a weak secret, an unusable value); 4 an address or port
that cannot be opened.

Slow imports are inside the commands: `lectern token` should not wait for numpy and OpenSSL.
"""

import argparse
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from signaling import config as configuration
from signaling.errors import ConfigError, ListenError
from signaling.operator import admin

EXIT_OK = 0
EXIT_CONFIG = 3
EXIT_LISTEN = 4

_DURATION = re.compile(r"(\d{1,9})([smhd]?)")
_UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}

# Flags that are settings of the relay by another name: setting, type, help. Absent ones keep their defaults.
_TURN_FLAGS: dict[str, tuple[str, type, str]] = {
    "realm": ("realm", str, "Realm of the credentials, by custom the relay's domain name."),
    "port": ("listening_port", int, "Port for TURN over UDP and TCP."),
    "tls_port": (
        "tls_listening_port",
        int,
        "Port for TURN over TLS (with a certificate); 443 passes firewalls.",
    ),
    "cert": ("cert_path", str, "Absolute path of the TLS certificate chain."),
    "key": ("key_path", str, "Absolute path of the certificate's private key."),
    "relay_external_ip": ("external_address", str, "The relay's own address outside its NAT."),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    parser = _parser()
    parsed = vars(parser.parse_args(arguments))
    command: Callable[[dict[str, Any]], int] = parsed.pop("command")
    try:
        return command(parsed)
    except ConfigError as error:
        print(f"lectern: {error}", file=sys.stderr)  # noqa: T201 - a command line talks to its user
        return EXIT_CONFIG
    except ListenError as error:
        print(f"lectern: cannot listen: {error}", file=sys.stderr)  # noqa: T201 - see above
        return EXIT_LISTEN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lectern", description="A self-hosted WebRTC media server for teaching."
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and end")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run the server", description="Run the server.")
    configuration.add_flags(serve)
    serve.set_defaults(command=_serve)

    token = commands.add_parser(
        "token", help="print an access token", description="Print a LiveKit access token for one participant."
    )
    _add_token_flags(token)
    token.set_defaults(command=_token)

    link = commands.add_parser(
        "link",
        help="print a link that opens the page in a room",
        description="Print the personal link by which one participant enters a room: the page's address with an access"
        " token. Whoever has the link may enter, so give it to that participant alone. Without --name the page asks for"
        " a display name.",
    )
    _add_token_flags(link, "public_url", "host", "http_port")
    link.set_defaults(command=_link)

    turn = commands.add_parser(
        "turn-config",
        help="print a coturn configuration",
        description="Print a complete configuration of coturn, as a relay to this server's media port only.",
    )
    _add_turn_flags(turn)
    turn.set_defaults(command=_turn_config)

    admin.add_commands(commands)

    sample = commands.add_parser("config-sample", help="print a sample configuration file")
    sample.set_defaults(command=_config_sample)
    return parser


class _Version(argparse.Action):
    """Prints the version, which is looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_given: Any, **_named: Any) -> None:
        from importlib.metadata import version  # noqa: PLC0415 - see the module's docstring

        print(f"lectern {version('lectern')}")  # noqa: T201
        parser.exit()


def _add_token_flags(parser: argparse.ArgumentParser, *options: str) -> None:
    parser.add_argument("--room", required=True, help="Name of the room.")
    parser.add_argument("--identity", required=True, help="Unique name of the participant in the room.")
    parser.add_argument("--name", default="", help="Display name.")
    parser.add_argument("--no-publish", action="store_true", help="May neither send tracks nor data.")
    parser.add_argument("--hidden", action="store_true", help="Nobody else sees the participant.")
    parser.add_argument(
        "--ttl", type=_duration, default=6 * 3600, help="Lifetime such as 90s, 30m, 6h, 7d. Default: 6h."
    )
    configuration.add_flags(parser, ["dev", *admin.STORE_FLAGS, *options])


def _add_turn_flags(parser: argparse.ArgumentParser) -> None:
    configuration.add_flags(parser, ["dev", "turn_secret", "external_ip", "udp_port", "workers"])
    parser.add_argument(
        "--media-address",
        action="append",
        default=[],
        help="Address of the media server as clients hear it; may be repeated. Default: --external-ip.",
    )
    for name, (_, kind, help_text) in _TURN_FLAGS.items():
        flag = "--" + name.replace("_", "-")
        parser.add_argument(
            flag, type=kind, default=argparse.SUPPRESS, metavar=kind.__name__.upper(), help=help_text
        )
    for flag, help_text in (
        ("--listening-address", "Local address that clients connect to; may be repeated. Default: all."),
        ("--relay-address", "Local address that relayed packets leave from; may be repeated."),
    ):
        parser.add_argument(flag, action="append", default=[], metavar="STR", help=help_text)
    parser.add_argument(
        "--firewall", action="store_true", help="Print the packet filter that belongs to it instead."
    )


def _duration(text: str) -> int:
    match = _DURATION.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise argparse.ArgumentTypeError("a duration is a number and s, m, h or d")
    return int(match[1]) * _UNITS_S[match[2]]


def _serve(flags: dict[str, Any]) -> int:
    config = configuration.load(flags, os.environ)
    configuration.check_keys(config)
    import asyncio  # noqa: PLC0415 - see the module's docstring

    from signaling.app import serve  # noqa: PLC0415 - see the module's docstring

    asyncio.run(serve(config))
    return EXIT_OK


def _token(flags: dict[str, Any]) -> int:
    print(_access_token(flags, configuration.load(flags, os.environ)))  # noqa: T201
    return EXIT_OK


def _link(flags: dict[str, Any]) -> int:
    config = configuration.load(flags, os.environ)
    room = flags["room"]
    # Browsers resolve these two path segments (URL standard, section 4.4), so no link leads to such a room.
    if room in {"", ".", ".."}:
        raise ConfigError("no link can lead to a room of this name")
    page = config.public_url.rstrip("/") or admin.own_address(config)
    token = _access_token(flags, config, may_rename=not flags["name"])
    # In the fragment, which browsers send to no server and proxies do not log.
    print(f"{page}/join/{quote(room, safe='')}#token={token}")  # noqa: T201
    return EXIT_OK


def _access_token(
    flags: dict[str, Any], config: configuration.ServerConfig, *, may_rename: bool = False
) -> str:
    from signaling.access import tokens  # noqa: PLC0415 - see the module's docstring

    signer = admin.find_signer(config)
    for name in ("room", "identity", "name"):
        if len(flags[name]) > admin.MAX_NAME_CHARS:
            raise ConfigError(f"--{name} has more than {admin.MAX_NAME_CHARS} characters")
    grants: dict[str, Any] = {"room": flags["room"], "roomJoin": True}
    if flags["no_publish"]:
        grants |= {"canPublish": False, "canPublishData": False}
    if flags["hidden"]:
        grants["hidden"] = True
    if may_rename:
        grants["canUpdateOwnMetadata"] = True
    claims = {"sub": flags["identity"], "name": flags["name"], "video": grants}
    return tokens.mint(claims, signer, time.time(), flags["ttl"])


def _turn_config(flags: dict[str, Any]) -> int:
    from turn_config.coturn import render  # noqa: PLC0415 - see the module's docstring
    from turn_config.firewall import render_firewall  # noqa: PLC0415
    from turn_config.settings import TurnConfigError, TurnSettings  # noqa: PLC0415

    # Only the relay's side is wanted: the address that clients connect to does not matter here.
    config = configuration.load(flags, os.environ, only_relay=True)
    if not config.turn_secret:
        raise ConfigError(
            "the relay and the server share a secret: give it by --turn-secret or LECTERN_TURN_SECRET"
            " (openssl rand -hex 32 makes one)"
        )
    announced = [entry for entry in config.external_ips if configuration.is_address(entry)]
    media_addresses = flags["media_address"] or announced
    if not media_addresses:
        raise ConfigError(
            "the relay has to know the media server's address: give --media-address or --external-ip"
        )
    given = {setting: flags[name] for name, (setting, _, _) in _TURN_FLAGS.items() if name in flags}
    settings = TurnSettings(
        secret=config.turn_secret,
        media_addresses=tuple(media_addresses),
        media_ports=config.udp_ports,
        listening_addresses=tuple(flags["listening_address"]),
        relay_addresses=tuple(flags["relay_address"]),
        allow_short_secret=config.dev,
        **given,
    )
    try:
        text = render_firewall(settings) if flags["firewall"] else render(settings)
    except TurnConfigError as error:
        raise ConfigError(str(error)) from error
    print(text, end="")  # noqa: T201
    return EXIT_OK


def _config_sample(_flags: dict[str, Any]) -> int:
    print(configuration.sample(), end="")  # noqa: T201
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
