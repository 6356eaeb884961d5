"""The server's configuration: one dataclass, from which flags, environment, file and their documentation are derived.

A flag overrides the environment (`LECTERN_HTTP_PORT`), which overrides the file (TOML), which overrides the default.
"""

import argparse
import ipaddress
import os
import re
import socket
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from signaling.errors import ConfigError
from signaling.limits import parse_networks
from signaling.logs import FORMATS

ENV_PREFIX = "LECTERN_"

# The key of `livekit-server --dev`, so that its users need not change anything.
DEV_KEYS: Mapping[str, str] = {"devkey": "secret"}

# RFC 7518 section 3.2: a key for HS256 must have at least as many bits as the hash, 256.
MIN_SECRET_CHARS = 32

# More than one signalling process can serve.
MAX_WORKERS = 128

# LECTERN_KEYS and the `[keys]` table have their own formats.
_KEYS = "keys"

# The path is written into pages, and compared with the unmodified paths of requests.
_PUBLIC_URL = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+(?:/[A-Za-z0-9._~-]+)*/?")

MAIL_TLS = ("starttls", "tls", "none")

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"", "0", "false", "no", "off"})


def option(default: Any, sentence: str, *, secret: bool = False) -> Any:
    """Return a dataclass field with the sentence that documents it everywhere; a secret's value is not in `repr`."""
    if isinstance(default, Mapping):
        return field(default_factory=lambda: dict(default), metadata={"help": sentence}, repr=False)
    return field(default=default, metadata={"help": sentence}, repr=not secret)


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """The operator's settings."""

    dev: bool = option(
        default=False,
        sentence="Development mode: API key devkey, secret 'secret', on loopback only, tokens for everybody.",
    )
    dev_on_network: bool = option(
        default=False,
        sentence="Let development mode listen on the network, where its page gives tokens to everybody who can reach"
        " it; needs an API key of your own.",
    )
    host: str = option(
        "", "Address that HTTP listens on; default: every address, or 127.0.0.1 in development mode."
    )
    http_port: int = option(7880, "TCP port of the page, the WebSocket and the APIs; 0 selects a free one.")
    udp_port: int = option(
        7882, "UDP port of media and data; further workers use the following ports; 0 selects free ones."
    )
    workers: int = option(
        -1, "Processes that handle media; 0: the main process handles it, -1: one process per core."
    )
    no_native: bool = option(
        default=False, sentence="Handle media without the native data plane, even if it was built."
    )
    external_ip: str = option(
        "",
        "Comma-separated addresses announced to clients for media, such as that of a NAT, instead of all addresses of"
        " the machine; the name of an interface stands for its addresses.",
    )
    data_dir: str = option(
        "data", "Folder for data that must survive a restart: the database. Created if missing."
    )
    recordings: str = option(
        "", "Folder of the recordings of sessions, created if missing; without it, nothing is recorded."
    )
    recordings_reserve_mb: int = option(
        1024, "Recordings stop when the file system of their folder has fewer free megabytes than this."
    )
    recordings_plain: bool = option(
        False,
        "Do not encrypt new recordings. By default, they are encrypted in their folder and in the bucket, each with its"
        " own key, which is in the database, encrypted by the master key.",
    )
    recordings_days: int = option(90, "Days after their end for which recordings are stored; 0: for ever.")
    storage_bucket: str = option(
        "",
        "S3 bucket that media of finished recordings are moved to; their indexes stay in the folder of recordings."
        " Default: media stay in the folder.",
    )
    storage_endpoint: str = option("", "Origin of the S3-compatible server of the bucket; default: Amazon's.")
    storage_region: str = option("us-east-1", "Region of the bucket.")
    storage_prefix: str = option("", "Begins the names of all files in the bucket.")
    storage_access_key: str = option("", "Access key for the bucket.", secret=True)
    storage_secret: str = option("", "Secret of the access key for the bucket.", secret=True)
    egress_endpoints: str = option(
        "",
        "Comma-separated origins of S3-compatible servers, besides Amazon's, that LiveKit's Egress may upload files"
        " to, such as https://s3.school.example; * permits all, as in development mode.",
    )
    speech_model: str = option(
        "",
        "Folder of a CTranslate2 Whisper model that transcribes recordings of sessions after their end; needs"
        " lectern[speech].",
    )
    speech_language: str = option(
        "", "Language of transcripts (ISO 639-1, such as en); default: detected for each person."
    )
    captions: bool = option(
        default=False,
        sentence="Offer live captions in rooms, by the same model; needs speech_model.",
    )
    captions_cpu_percent: int = option(
        50, "Most CPU time that live captions use, in percent of one core; what exceeds it is left out."
    )
    notes_url: str = option(
        "",
        "OpenAI-compatible endpoint that writes notes of transcripts, such as http://127.0.0.1:11434/v1; what was said"
        " in recordings of sessions is sent to it. Default: notes are sentences of the transcript; nothing is sent.",
    )
    notes_model: str = option("", "Name of the endpoint's model; needed with notes_url.")
    notes_key: str = option(
        "", "Key for the endpoint, sent as bearer token; default: none is sent.", secret=True
    )
    files_dir: str = option(
        "", "Folder for the files of sessions and their slides; default: `files` in the data folder."
    )
    database_url: str = option(
        "",
        "Database instead of the file in the data folder (postgresql://user:secret@host/name).",
        secret=True,
    )
    webhook_url: str = option(
        "",
        "Comma-separated URLs that LiveKit's webhooks are sent to; room=https://... receives those of one room.",
    )
    webhook_events: str = option(
        "", "Comma-separated names of the events that LiveKit's webhooks report; default: all events."
    )
    webhook_key: str = option("", "API key that signs LiveKit's webhooks; default: the first one.")
    webhook_allow_private: bool = option(
        default=False,
        sentence="Allow webhooks to this machine and its private network, as in development mode.",
    )
    history_days: int = option(
        0,
        "Days for which ended meetings, their attendance and the event log are stored; 0: for ever.",
    )
    master_key: str = option(
        "",
        "The secret that encrypts secrets in the database, 32 or more characters; default: a file in the data folder.",
        secret=True,
    )
    keys: Mapping[str, str] = option(
        {}, "API keys and their secrets; the server signs its own tokens with the first one."
    )
    public_url: str = option(
        "",
        "URL under which people reach this server (https://school.example, or https://school.example/lectern behind a"
        " proxy with other sites), used in URLs of rooms; default: the URL that the application itself used.",
    )
    turn_url: str = option(
        "", "Comma-separated URLs of a TURN relay for the clients (turns:turn.example.org:443)."
    )
    turn_secret: str = option(
        "",
        "The secret shared with the TURN relay, from which clients' short-lived credentials are derived.",
        secret=True,
    )
    turn_ttl_s: int = option(3600, "Seconds within which a client must begin to use its TURN credentials.")
    metrics_token: str = option(
        "",
        "Bearer token (a secret) with which Prometheus reads /metrics; without it, /metrics can be read in development"
        " mode only.",
        secret=True,
    )
    trusted_proxy: str = option(
        "",
        "Comma-separated addresses or networks of reverse proxies whose X-Forwarded-For or Forwarded is trusted.",
    )
    issuer: str = option(
        "",
        "Issuer (claim iss) whose tokens sign people in to the API of sessions, such as a school's OpenID provider.",
    )
    issuer_jwks_url: str = option("", "Address of the issuer's public keys, a JSON Web Key Set.")
    issuer_public_key: str = option("", "File with the issuer's public key (PEM), instead of an address.")
    issuer_audience: str = option("", "Audience (claim aud) that the issuer's tokens must name; empty: any.")
    issuer_api_key: str = option(
        "", "API key whose tenant the issuer's people belong to; default: the first one."
    )
    issuer_role_claim: str = option("role", "Claim with a person's role or roles; dots lead into objects.")
    issuer_roles: str = option(
        "",
        "Comma-separated names=roles, such as teacher=tutor,pupil=student, the most powerful first; default: the names"
        " admin, tutor, assistant and student.",
    )
    oidc_client_id: str = option(
        "", "Client id of this server at the issuer, so that people can sign in there (OpenID Connect)."
    )
    oidc_client_secret: str = option(
        "",
        "The secret of the client id; without it, this server is a public client.",
        secret=True,
    )
    mail_host: str = option(
        "",
        "Mail server (SMTP) that takes this server's mail: invitations, password resets, reminders; empty: no mail.",
    )
    mail_port: int = option(587, "TCP port of the mail server.")
    mail_tls: str = option(
        "starttls",
        "Protection of the connection to the mail server: starttls, tls (port 465), or none for one on this machine.",
    )
    mail_user: str = option("", "User name at the mail server; empty: no sign-in there.")
    mail_password: str = option("", "The secret of the user name at the mail server.", secret=True)
    mail_from: str = option("", "Sender of mail, such as `Example School <lessons@school.example>`.")
    log_format: str = option("text", "Format of the log: text for people, json for programs.")

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that must not appear anywhere, such as in the log."""
        try:
            password = urlsplit(self.database_url).password or ""
        except ValueError:
            password = ""
        secret_options = (getattr(self, entry.name) for entry in option_fields() if not entry.repr)
        return (*self.keys.values(), *secret_options, password, unquote(password))

    @property
    def egress_origins(self) -> frozenset[str]:
        """Servers that requests of the Egress service may upload to; `*` stands for all."""
        if self.dev and not self.egress_endpoints:
            return frozenset({"*"})
        return frozenset(each.strip().rstrip("/") for each in self.egress_endpoints.split(",")) - {""}

    @property
    def recordings_folder(self) -> Path | None:
        """The folder of recordings; None: nothing is recorded."""
        return Path(self.recordings).absolute() if self.recordings else None

    @property
    def external_ips(self) -> tuple[str, ...]:
        """The entries of `external_ip`."""
        return _entries(self.external_ip)

    @property
    def is_local(self) -> bool:
        """Whether HTTP listens on loopback only."""
        try:
            address = ipaddress.ip_address(self.bind_host or "")
        except ValueError:
            return self.bind_host == "localhost"
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return (mapped or address).is_loopback

    @property
    def media_local_only(self) -> bool:
        """Whether media is only for clients on this machine.

        The port is still open on every address: Firefox accepts no loopback candidate.
        """
        return self.dev and not self.dev_on_network

    @property
    def worker_count(self) -> int:
        """Number of worker processes for media; 0: the main process handles media."""
        return len(os.sched_getaffinity(0)) if self.workers < 0 else self.workers

    @property
    def udp_ports(self) -> tuple[int, int]:
        """First and last UDP port of media."""
        return self.udp_port, self.udp_port + max(self.worker_count, 1) - 1

    @property
    def bind_host(self) -> str | None:
        """The address to listen on; None: every address."""
        return self.host or ("127.0.0.1" if self.dev else None)


def _entries(text: str) -> tuple[str, ...]:
    return tuple(entry.strip() for entry in text.split(",") if entry.strip())


class _Join(argparse.Action):
    """Joins the values of a repeated flag with commas, the format of the file and the environment."""

    def __call__(self, _parser: Any, namespace: Any, values: Any, _option_string: Any = None) -> None:
        before = getattr(namespace, self.dest, "")
        setattr(namespace, self.dest, f"{before},{values}" if before else values)


def option_fields() -> tuple[Field[Any], ...]:
    """Return the fields that are plain values: all except the keys."""
    return tuple(entry for entry in fields(ServerConfig) if entry.name != _KEYS)


def add_flags(parser: argparse.ArgumentParser, names: Sequence[str] | None = None) -> None:
    """Add a flag for each option, or for the named ones. The result omits flags that were not given."""
    for entry in option_fields():
        if names is not None and entry.name not in names:
            continue
        flag = "--" + entry.name.replace("_", "-")
        text = f"{entry.metadata['help']} [{ENV_PREFIX}{entry.name.upper()}]".replace("%", "%%")
        if isinstance(entry.default, bool):
            parser.add_argument(flag, action="store_true", default=argparse.SUPPRESS, help=text)
        else:
            shown = f" Default: {entry.default}." if entry.default != "" else ""
            kind = type(entry.default)
            is_list = entry.metadata["help"].startswith("Comma-separated")
            parser.add_argument(
                flag,
                action=_Join if is_list else "store",
                type=kind,
                default=argparse.SUPPRESS,
                metavar=kind.__name__.upper(),
                help=text + (" May be repeated." if is_list else shown),
            )
    parser.add_argument(
        "--config",
        default=argparse.SUPPRESS,
        metavar="FILE",
        help=f"TOML file with these options. [{ENV_PREFIX}CONFIG]",
    )


def is_address(text: str) -> bool:
    """Return whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def load(flags: Mapping[str, Any], environ: Mapping[str, str], *, only_relay: bool = False) -> ServerConfig:
    """Return the configuration from all sources, checked value by value. ConfigError.

    `flags` are those of the command line; names that are not options are ignored. `only_relay` is for commands that
    need only the relay's secret.
    """
    path = flags.get("config") or environ.get(f"{ENV_PREFIX}CONFIG")
    values = _read_file(Path(path)) if path else {}
    for entry in option_fields():
        text = environ.get(f"{ENV_PREFIX}{entry.name.upper()}")
        if text is not None:
            values[entry.name] = _from_text(entry, text)
        if entry.name in flags:
            values[entry.name] = flags[entry.name]
    if f"{ENV_PREFIX}KEYS" in environ:
        values[_KEYS] = parse_keys(environ[f"{ENV_PREFIX}KEYS"])
    if values.get("dev") and not values.get(_KEYS):
        values[_KEYS] = dict(DEV_KEYS)
    config = ServerConfig(**values)
    _check(config)
    if bool(config.turn_url) != bool(config.turn_secret) and not only_relay:
        missing = "turn_secret" if config.turn_url else "turn_url"
        raise ConfigError(f"turn_url and turn_secret go together: {missing} is missing")
    return config


NO_KEYS = (
    "there are no API keys, so nobody could connect. Create one with `lectern keys add`, or set LECTERN_KEYS="
    "'mykey: secret of 32 or more characters' (openssl rand -hex 32 makes one), put it into the [keys] table of a"
    " --config file, or start with --dev to try things out on this machine."
)


def check_keys(config: ServerConfig) -> None:
    """Raise ConfigError unless the configuration's keys are safe for its network."""
    if config.dev and not config.dev_on_network and not config.is_local:
        raise ConfigError(
            f"development mode gives tokens to everybody, and other machines may reach --host {config.host}:"
            " omit --host, or add --dev-on-network with an API key of your own."
        )
    for key, secret in config.keys.items():
        if len(secret) < MIN_SECRET_CHARS and not (config.dev and config.is_local):
            raise ConfigError(
                f"the secret of API key {key} has {len(secret)} characters, and could be guessed;"
                f" it needs {MIN_SECRET_CHARS} (openssl rand -hex 32 makes one)."
            )


def parse_keys(text: str) -> dict[str, str]:
    """Return the keys from `key: secret` entries, separated by commas or newlines. ConfigError."""
    keys: dict[str, str] = {}
    for entry in re.split(r"[,\n]", text):
        if not entry.strip():
            continue
        key, colon, secret = (part.strip().strip("'\"") for part in entry.partition(":"))
        if not (key and colon and secret):
            # Without quoting the entry, which may contain the secret.
            raise ConfigError("LECTERN_KEYS has an entry that is not of the form 'key: secret'")
        keys[key] = secret
    return keys


def sample() -> str:
    """Return a sample file with every option at its default."""
    lines = ["# Configuration of Lectern. Flags and LECTERN_... variables override it.", ""]
    for entry in option_fields():
        default = entry.default
        shown = str(default).lower() if isinstance(default, bool) else repr(default).replace("'", '"')
        lines += [f"# {entry.metadata['help']}", f"# {entry.name} = {shown}", ""]
    keys = next(entry for entry in fields(ServerConfig) if entry.name == _KEYS)
    lines += [f"# {keys.metadata['help']}", "# [keys]", '# mykey = "a secret of 32 or more characters"']
    return "\n".join(lines) + "\n"


def _read_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = tomllib.load(file)
    except OSError as error:
        raise ConfigError(f"the configuration file {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the configuration file {path} is not TOML: {error}") from error
    known = {entry.name: entry for entry in fields(ServerConfig)}
    for name, value in content.items():
        if name not in known:
            raise ConfigError(f"the configuration file {path} has an unknown option {name}")
        if name == _KEYS:
            if not isinstance(value, dict) or not all(isinstance(secret, str) for secret in value.values()):
                raise ConfigError(f'[keys] in {path} has to hold lines of the form: key = "secret"')
        elif type(value) is not type(known[name].default):
            raise ConfigError(f"{name} in {path} has to be a {type(known[name].default).__name__}")
    return content


def _from_text(entry: Field[Any], text: str) -> Any:
    variable = f"{ENV_PREFIX}{entry.name.upper()}"
    if isinstance(entry.default, bool):
        if text.strip().lower() in _TRUE | _FALSE:
            return text.strip().lower() in _TRUE
        raise ConfigError(f"{variable} has to be 1 or 0")
    if isinstance(entry.default, int):
        try:
            return int(text)
        except ValueError:
            raise ConfigError(f"{variable} has to be a whole number") from None
    return text.strip()


def _check(config: ServerConfig) -> None:
    _check_numbers(config)
    try:
        parse_networks(config.trusted_proxy)
    except ValueError as error:
        raise ConfigError(f"trusted_proxy: {error}") from None
    if config.public_url and _PUBLIC_URL.fullmatch(config.public_url) is None:
        raise ConfigError(
            "public_url has to be http:// or https:// and a host, perhaps with a port and a path of letters, digits and"
            f" -._~/, not {config.public_url!r}"
        )
    if config.log_format not in FORMATS:
        raise ConfigError(f"log_format has to be one of {', '.join(FORMATS)}")
    if not -1 <= config.workers <= MAX_WORKERS:
        raise ConfigError(f"workers has to be between -1 and {MAX_WORKERS}")
    if config.udp_ports[1] > 65535:
        raise ConfigError("udp_port leaves no room for a port of each worker")
    for entry in config.external_ips:
        if not is_address(entry) and entry not in (names := [name for _, name in socket.if_nameindex()]):
            raise ConfigError(
                f"external_ip: {entry!r} is neither an IP address nor an interface of this machine"
                f" ({', '.join(names)})"
            )
    _check_issuer(config)
    _check_mail(config)
    if config.captions and not config.speech_model:
        raise ConfigError("captions need speech_model")
    if config.storage_bucket and not (
        config.recordings and config.storage_access_key and config.storage_secret
    ):
        raise ConfigError("storage_bucket needs recordings, storage_access_key and storage_secret")
    if config.notes_url and not (config.recordings and config.notes_model):
        raise ConfigError("notes_url needs recordings and notes_model")


def _check_numbers(config: ServerConfig) -> None:
    for name in ("http_port", "udp_port", "mail_port"):
        if not 0 <= getattr(config, name) < 65536:
            raise ConfigError(f"{name} has to be between 0 and 65535")
    if config.turn_ttl_s <= 0:
        raise ConfigError("turn_ttl_s has to be above 0")
    for name in ("history_days", "recordings_days", "recordings_reserve_mb"):
        if getattr(config, name) < 0:
            raise ConfigError(f"{name} has to be 0 or more")
    if not 1 <= config.captions_cpu_percent <= 100:
        raise ConfigError("captions_cpu_percent has to be between 1 and 100")


def _check_issuer(config: ServerConfig) -> None:
    if config.oidc_client_id and not config.issuer:
        raise ConfigError("oidc_client_id needs the issuer that gave it")
    if config.issuer_jwks_url and config.issuer_public_key:
        raise ConfigError("issuer needs issuer_jwks_url or issuer_public_key, and not both")
    # Clients find the keys by discovery; without a URL or a file here, tokens of other issuers are refused.
    keys = config.issuer_jwks_url or config.issuer_public_key
    if config.issuer and not keys and not config.oidc_client_id:
        raise ConfigError("issuer needs issuer_jwks_url or issuer_public_key, and not both")


def mail_sender(config: ServerConfig) -> Address:
    """Return the sender of mail. ConfigError."""
    name, address = parseaddr(config.mail_from)
    try:
        if not config.mail_from.isprintable():
            raise ValueError("line breaks")  # noqa: TRY301 - the same error as for other faults
        return Address(name, addr_spec=address)
    except (ValueError, IndexError, HeaderParseError):
        raise ConfigError(
            "mail_from is no sender such as `Example School <lessons@school.example>`"
        ) from None


def _check_mail(config: ServerConfig) -> None:
    if config.mail_tls not in MAIL_TLS:
        raise ConfigError(f"mail_tls has to be one of {', '.join(MAIL_TLS)}")
    if not config.mail_host:
        return
    mail_sender(config)
    if not config.public_url:
        raise ConfigError("mail_host needs public_url, with which the links in messages begin")
    if bool(config.mail_user) != bool(config.mail_password):
        raise ConfigError("mail_user and mail_password go together")
    if config.mail_tls == "none" and config.mail_host not in {"localhost", "127.0.0.1", "::1"}:
        raise ConfigError(
            "mail_tls none is for a mail server on this machine: others could read the messages"
        )


assert all(entry.default is not MISSING for entry in option_fields()), "every option needs a default"
