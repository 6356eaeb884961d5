"""The server as a whole: the parts put together, started and stopped."""

import asyncio
import gc
import logging
import os
import signal
import time
from collections.abc import Sequence
from contextvars import copy_context
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from classroom.ids import PersonId, SessionId
from sfu.facade import MediaEngine
from sfu.settings import MediaSettings
from sfu.shell.workers import MediaWorkers
from signaling import logs
from signaling.access import tokens
from signaling.access.issuers import Issuer
from signaling.access.keyring import Keyring
from signaling.config import NO_KEYS, ServerConfig, mail_sender
from signaling.daily.door.door import Door
from signaling.daily.door.room_page import RoomPage
from signaling.daily.frontend import DailyFrontend, DailySettings
from signaling.daily.recordings import RecordingParts as DailyRecordings
from signaling.daily.rooms import KIND as DAILY
from signaling.daily.webhooks import DailyWebhooks
from signaling.errors import ConfigError, DeliveryError, ListenError, StoreError, VaultError
from signaling.history.background import Background
from signaling.history.webhook_client import WebhookClient
from signaling.http import descriptors
from signaling.http.connections import Connections
from signaling.http.debug import Debug
from signaling.http.docs import Docs
from signaling.http.health import Health, has_space
from signaling.http.invitations import Invitations
from signaling.http.listener import Listener
from signaling.http.metrics import Metrics
from signaling.http.openapi import describe, document
from signaling.http.page import Page, PageSettings, find_page, is_own_page
from signaling.http.prefix import prefix_of, strip_prefix
from signaling.http.server import RoutePart, build_app, build_runner
from signaling.ids import ParticipantSid, TenantId
from signaling.limits import Limits, parse_networks
from signaling.livekit.connections.lifecycle import LiveKitSettings
from signaling.livekit.frontend import LiveKitFrontend
from signaling.livekit.server_api.auto_egress import AutoEgress
from signaling.livekit.server_api.description import describe as describe_twirp
from signaling.livekit.server_api.egress import NAME as EGRESS
from signaling.livekit.server_api.egress import EgressService
from signaling.livekit.server_api.egress import methods as egress_methods
from signaling.livekit.server_api.room_service import NAME as ROOM_SERVICE
from signaling.livekit.server_api.room_service import methods
from signaling.livekit.server_api.twirp import Method, Twirp
from signaling.livekit.webhooks import LiveKitWebhooks, configure, parse_events, parse_urls
from signaling.livekit.ws import LiveKitEndpoints
from signaling.recordings.changes import Announcer
from signaling.recordings.host import RecordingHost, RecordingSettings
from signaling.recordings.links import Links
from signaling.recordings.notes.chat_client import ChatSettings, check_endpoint
from signaling.recordings.speech.caption_child import CaptionSettings
from signaling.recordings.speech.transcribing import SpeechSettings
from signaling.recordings.storage.address import Credentials, address_of, clean_key
from signaling.rooms.media import MediaEvents
from signaling.rooms.services import build_services
from signaling.rooms.sids import random_sid
from signaling.sessions_api.api import ApiSettings, RecordingParts, sessions_api
from signaling.sessions_api.issuer_settings import issuer_settings, oidc_client
from signaling.sessions_api.operator_calls import OperatorParts
from signaling.store import Store
from signaling.store.blobs import BlobFolder
from signaling.store.catalogue import Catalogue
from signaling.store.records import Recording
from signaling.store.storage import files_folder, only_server, opened
from signaling.teaching.hooks import SessionWebhooks
from signaling.teaching.host import TeachingHost
from signaling.teaching.live import Committed
from signaling.teaching.mail.sender import MailSettings
from signaling.teaching.mail.smtp import MailServer, MailTls
from signaling.teaching.names import new_id, room_config, room_name, session_of
from signaling.timers import Timers
from turn_config.credentials import IceServer, TurnConfigError, ice_servers

if TYPE_CHECKING:
    from signaling.recordings.storage.bucket import Bucket

log = logging.getLogger(__name__)

# Time for clients to read their last message when the server stops.
GOODBYE_S = 2.0


class TimerPump:
    """Runs a `Timers` on an event loop with one loop timer."""

    def __init__(self, timers: Timers, loop: asyncio.AbstractEventLoop) -> None:
        """Begin at once; `timers` has to run on the loop's clock."""
        self._timers = timers
        self._loop = loop
        self._handle: asyncio.TimerHandle | None = None
        # Timers run outside the context of the request that armed them: the log would name its participant.
        self._context = copy_context()
        timers.on_earlier = self._arm

    def stop(self) -> None:
        """Run no more timers."""
        self._timers.on_earlier = lambda: None
        if self._handle is not None:
            self._handle.cancel()

    def _arm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        at = self._timers.next_at
        self._handle = None if at is None else self._loop.call_at(at, self._fire, context=self._context)

    def _fire(self) -> None:
        self._timers.run_due()
        self._arm()


def _live_folder(config: ServerConfig) -> Path | None:
    """Return the folder with which recorders are started; None: nothing is recorded or captioned."""
    if config.recordings_folder is not None or not config.captions:
        return config.recordings_folder
    return Path(config.data_dir).absolute() / "captions"


def _recordings_folder(config: ServerConfig) -> str:
    """Return the folder of the recorders, created if missing; empty: none is started. ConfigError."""
    folder = _live_folder(config)
    if folder is None:
        return ""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"the folder of recordings {folder} cannot be made: {error.strerror}") from error
    return str(folder)


def _mail_settings(config: ServerConfig) -> MailSettings | None:
    """Return how mail is sent; None: not at all. ConfigError."""
    if not config.mail_host:
        return None
    server = MailServer(
        config.mail_host,
        config.mail_port,
        mail_sender(config),
        MailTls(config.mail_tls),
        config.mail_user,
        config.mail_password,
    )
    return MailSettings(server, config.public_url)


def _speech(config: ServerConfig) -> SpeechSettings:
    """Return the settings of transcripts. ConfigError."""
    if not config.speech_model:
        return SpeechSettings(None)
    if find_spec("faster_whisper") is None:
        raise ConfigError("speech_model needs the extra packages of lectern[speech]")
    model = Path(config.speech_model).absolute()
    if not (model / "model.bin").is_file():
        raise ConfigError(f"speech_model: there is no model.bin in {model}")
    return SpeechSettings(model, config.speech_language)


def _chat(config: ServerConfig) -> ChatSettings | None:
    """Return the endpoint that writes notes; None: there is none. ConfigError."""
    if not config.notes_url:
        return None
    try:
        check_endpoint(config.notes_url)
    except ValueError as error:
        raise ConfigError(f"notes_url: {error}") from error
    return ChatSettings(config.notes_url, config.notes_model, config.notes_key)


def _bucket(config: ServerConfig) -> "Bucket | None":
    """Return the bucket that recordings are moved to; None: they stay in the folder. ConfigError."""
    if not config.storage_bucket:
        return None
    from signaling.recordings.storage.bucket import Bucket  # noqa: PLC0415 - see the module's docstring

    fields = {
        "endpoint": config.storage_endpoint,
        "region": config.storage_region,
        "bucket": config.storage_bucket,
    }
    try:
        address = address_of(fields)
        prefix = clean_key(config.storage_prefix) if config.storage_prefix else ""
    except ValueError as error:
        raise ConfigError(f"storage: {error}") from error
    return Bucket(address, Credentials(config.storage_access_key, config.storage_secret), prefix)


def _relays(config: ServerConfig, participant_sid: ParticipantSid) -> tuple[IceServer, ...]:
    return ice_servers(config.turn_url, config.turn_secret, participant_sid, time.time(), config.turn_ttl_s)


class Server:
    """One running server; `media` is the engine's facade, or a stand-in without sockets."""

    def __init__(
        self, config: ServerConfig, media: MediaEngine, media_events: MediaEvents, store: Store
    ) -> None:
        """Put the parts together; nothing is opened before `start`, which needs a running loop.

        The store is the caller's to close, after `stop`.
        """
        self._config = config
        self._media = media
        self.store = store
        loop = asyncio.get_running_loop()
        timers = Timers(loop.time)
        self._pump = TimerPump(timers, loop)
        self.services = build_services(media, media_events, timers, time.time, random_sid)
        logs.know_people(lambda sid: self.services.rooms.participant(ParticipantSid(sid)))
        self.keyring = Keyring(config.keys)
        self.livekit = LiveKitFrontend(
            self.services,
            LiveKitSettings(self.keyring.successor, random_sid("ND_"), lambda sid: _relays(config, sid)),
        )
        outgoing = WebhookClient(allow_private=config.dev or config.webhook_allow_private)
        self.background = Background(
            self.services,
            store,
            self.keyring,
            [
                LiveKitWebhooks(self._webhook_signer, config.recordings_folder),
                DailyWebhooks(),
                SessionWebhooks(),
            ],
            outgoing,
        )
        self._webhook_urls = parse_urls(config.webhook_url)
        self._webhook_events = parse_events(config.webhook_events)
        self._metrics = self._build_metrics()
        proxies = parse_networks(config.trusted_proxy)
        limits = Limits(loop.time, proxies)
        catalogue = Catalogue(store.rooms)
        recordings_folder = config.recordings_folder
        self.recording = RecordingHost(
            self.services,
            store,
            new_id,
            RecordingSettings(
                recordings_folder,
                config.recordings_days,
                _speech(config),
                _bucket(config),
                not config.recordings_plain,
                CaptionSettings(config.captions, config.captions_cpu_percent),
                _live_folder(config),
                _chat(config),
            ),
            Announcer(self.background.webhooks.recording_deliveries, self.background.webhooks.wake),
            self._lost_its_session,
        )
        services = self._build_server_api(limits, catalogue)
        self.daily = DailyFrontend(
            self.services,
            store,
            outgoing.post,
            DailySettings(
                self.keyring, config.public_url, limits, config.speech_language, config.recordings_days
            ),
            DailyRecordings(
                self.recording.recordings,
                self.recording.files,
                self.recording.films,
                Links(self.keyring, time.time),
            ),
            self.recording.captions,
        )
        self.daily.on_deliveries = self.background.webhooks.wake
        catalogue.add(DAILY, self.daily.rooms.opening)
        catalogue.add_names(room_config)
        self.teaching = TeachingHost(
            self.services, store, BlobFolder(files_folder(config)), _mail_settings(config)
        )
        self.teaching.on_reminders = self.background.webhooks.wake
        self.teaching.registry.observe(self._on_commit)
        self.teaching.privacy.erase_too(self._erase_from_recordings)
        hosts = frozenset({config.host} - {""})
        folder, prefix = find_page(), prefix_of(config.public_url)
        page = Page(
            PageSettings(
                config.dev,
                hosts,
                self.keyring.signer,
                prefix,
                bool(config.oidc_client_id),
                bool(config.mail_host),
            ),
            folder,
            time.time,
        )
        issuer = issuer_settings(config, self.keyring.signer().key)
        sessions = sessions_api(
            self.teaching,
            self.keyring,
            ApiSettings(
                config.public_url,
                limits,
                None if issuer is None or not issuer.has_keys else Issuer(issuer, loop.time),
                None if issuer is None else oidc_client(config, issuer, loop.time),
                own_page=(lambda request: is_own_page(request, hosts)) if config.dev else None,
                refusal_page=page.refusal,
            ),
            RecordingParts(self.recording, store, self.services),
            (self._operator_parts(), self.background.webhooks),
        )
        checks = {
            "listening": lambda: self._listener is not None,
            "media": self._has_worker,
            "event_log": lambda: not self.background.journal.failing,
        }
        data_dir = Path(config.data_dir).absolute()
        if not config.database_url and data_dir.is_dir():
            checks["disk"] = lambda: has_space(data_dir)
        daily = self.daily
        door = Door(
            daily.rooms, daily.domains, daily.recordings, self.services, self.keyring, daily.transcription
        ).api(limits)
        parts: list[RoutePart] = [
            self._metrics,
            Health(checks, store.write, loop.time),
            self._livekit_endpoints,
            Twirp(services, self.keyring, time.time, limits, self._note_token),
            # Before Daily's API, which is at this prefix, too, and answers for what neither of the two has.
            sessions,
            self.daily.api,
            door,
            Docs(
                lambda: document(
                    version("lectern"), describe([sessions, self.daily.api, door]), describe_twirp(services)
                ),
                folder,
                prefix,
            ),
            RoomPage(self.daily.rooms, folder, prefix),
            Invitations(self.keyring, self.keyring.signer, time.time),
            page,
        ]
        if config.dev:
            parts.append(Debug(self.services.rooms, media))
        self._connections = Connections(
            descriptors.connection_budget(descriptors.limit(), descriptors.open_files())
        )
        self._runner = build_runner(
            build_app(parts, self._metrics.request, self.metrics if config.dev else None, self._connections)
        )
        self._proxies = proxies
        self._listener: Listener | None = None
        self.http_port = 0
        "The bound port."

    def _build_server_api(self, limits: Limits, catalogue: Catalogue) -> dict[str, dict[str, Method]]:
        """Return LiveKit's services by name; makes the endpoints of its clients, whose tokens can start an egress."""
        rooms = self.services.rooms
        config = self._config
        egress = EgressService(
            self.recording.recordings, rooms, self.store, config.recordings_folder, config.egress_origins
        )
        auto_egress = AutoEgress(egress, rooms, self.services.hub)
        self._livekit_endpoints = LiveKitEndpoints(
            self.livekit, self.keyring, limits, catalogue, auto_egress.opened_by_token
        )
        return {
            ROOM_SERVICE: methods(self.livekit, catalogue, auto_egress),
            EGRESS: egress_methods(egress),
        }

    @property
    def udp_ports(self) -> tuple[int, int]:
        """First and last UDP port of media, as they are bound."""
        return (
            self._config.udp_ports if self._config.udp_port else (self._media.udp_port, self._media.udp_port)
        )

    def metrics(self) -> dict[str, float]:
        """Return the engine's figures, the tasks of all processes, and data packets not relayed, by reason."""
        dropped = {
            f"data_dropped_{reason}": count for reason, count in self.livekit.relay.dropped_packets.items()
        }
        media = self._media.metrics()
        return {**media, "tasks": media.get("tasks", 0) + len(asyncio.all_tasks()), **dropped}

    def _note_token(self, claims: tokens.Claims) -> None:
        self.services.rooms.note_token(claims.key, claims.valid_from)

    def _operator_parts(self) -> OperatorParts:
        return OperatorParts(
            self.services.rooms,
            self._media,
            self.keyring,
            self.store,
            time.time,
            lambda: self.background.journal.backlog,
        )

    def _build_metrics(self) -> Metrics:
        metrics = Metrics(self._config.metrics_token, open_to_all=self._config.dev)
        metrics.show_rooms(self.services.rooms)
        metrics.show_media(self._media.metrics, lambda: self.livekit.relay.dropped_packets)
        metrics.show(
            "event_log_waiting", "Entries not in the event log yet.", lambda: self.background.journal.backlog
        )
        metrics.show_later("webhooks_waiting", "Deliveries in the outbox.", self.store.outbox.count)
        metrics.show_later(
            "mails_waiting", "Mail that the mail server has not accepted yet.", self.store.mails.count
        )
        metrics.count_people(self.services.hub)
        self.store.observe(metrics.transaction)
        self.background.webhooks.observe(metrics.webhook)
        return metrics

    def _has_worker(self) -> bool:
        # Rooms go to the workers that are up; the main process's own engine is up as long as this answers.
        return self._media.metrics().get("workers", 1) > 0

    async def start(self) -> None:
        """Open both ports. ListenError when one cannot be had, ConfigError, StoreError."""
        self.keyring.apply(await self.store.api_keys.in_force())
        if not self.keyring:
            raise ConfigError(NO_KEYS)
        key = self._config.webhook_key
        if key and key not in self.keyring:
            raise ConfigError(f"webhook_key: there is no API key {key}")
        await configure(self.store.endpoints, self._webhook_urls, self._webhook_events, time.time())
        await self.background.start(self._config.history_days)
        await self.teaching.start()
        await self.recording.start()
        await self.daily.start()
        try:
            await self._media.start()
        except OSError as error:
            first, last = self._config.udp_ports
            ports = f"port {first}" if first == last else f"ports {first} to {last}"
            raise ListenError(f"UDP {ports}: {_reason(error)} (--udp-port chooses others)") from error
        await self._runner.setup()
        host, port = self._config.bind_host, self._config.http_port
        assert self._runner.server is not None
        strip_prefix(self._runner.server, prefix_of(self._config.public_url))
        listener = Listener(self._runner.server, self._connections, self._proxies)
        try:
            await listener.start(host, port)
        except OSError as error:
            place = f"TCP port {port} on {host or 'any address'}"
            raise ListenError(f"{place}: {_reason(error)} (--http-port and --host choose another)") from error
        self._listener = listener
        self.http_port = listener.port

    async def stop(self) -> None:
        """Refuse joins, notify the clients, wait a moment for delivery, and close everything."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
        self.services.rooms.shut_down()
        await self.teaching.stop()
        await self._livekit_endpoints.drain(GOODBYE_S)
        await self._runner.cleanup()
        await self._media.stop()
        await self.recording.stop()
        await self.daily.finish()
        self._pump.stop()
        await self.background.stop()

    async def _erase_from_recordings(
        self, tenant: TenantId, person: PersonId, sessions: Sequence[SessionId]
    ) -> None:
        await self.recording.erase(tenant, [room_name(each) for each in sessions], person)
        await self.daily.erase(tenant, person)

    async def _lost_its_session(self, row: Recording) -> bool:
        session, tenant = session_of(row.room), row.details.get("tenant")
        if session is None or tenant is None:
            return False
        return await self.store.classroom.of(TenantId(tenant)).session(session) is None

    def _on_commit(self, committed: Committed) -> None:
        if self.teaching.hooks.of(committed.live.tenant):
            self.background.webhooks.wake()

    def _webhook_signer(self) -> tokens.Signer:
        key = self._config.webhook_key
        if not key:
            return self.keyring.signer()
        if key not in self.keyring:
            raise DeliveryError(f"there is no API key {key} to sign it")
        return tokens.Signer(key, self.keyring[key])


async def serve(config: ServerConfig) -> None:
    """Run until SIGTERM or SIGINT. ListenError, ConfigError."""
    logs.set_up(config.log_format)
    logs.hide(config.secrets)
    descriptors.raise_limit()
    try:
        _relays(config, ParticipantSid("trial"))
    except TurnConfigError as error:
        raise ConfigError(str(error)) from error
    media_events = MediaEvents()
    settings = MediaSettings(
        udp_port=config.udp_port,
        local_only=config.media_local_only,
        external_ips=config.external_ips,
        announce_loopback=config.dev,
        log_wakes=config.dev,
        native=not config.no_native,
        recordings_folder=_recordings_folder(config),
        recordings_reserve_octets=config.recordings_reserve_mb << 20,
    )
    media: MediaEngine
    if config.worker_count:
        media = MediaWorkers(settings, config.worker_count, media_events.dispatch)
    else:
        # imported where it runs: it needs a second and 40 MB
        from sfu.shell.server import MediaServer  # noqa: PLC0415

        media = MediaServer(settings, media_events.dispatch)
    with only_server(config):
        async with opened(config) as store:
            if not await store.claim():
                raise ConfigError("another server uses this database")
            server = Server(config, media, media_events, store)
            await _run(server, config)


async def _run(server: Server, config: ServerConfig) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    try:
        await server.start()
        # the same reason as in sfu.shell.worker
        gc.collect()
        gc.freeze()
        say_ready(config, greeting(config, server.http_port, server.udp_ports))
        await stopping.wait()
        people = sum(len(room.participants) for room in server.services.rooms.rooms)
        log.info("stopping: %d participants are disconnected", people)
    except (StoreError, VaultError) as error:
        raise ConfigError(str(error)) from error
    finally:
        await server.stop()
    log.info("stopped")


def say_ready(config: ServerConfig, text: str) -> None:
    """Say where the server is: to people on standard output, to machines that read the log in the log."""
    if config.log_format == "json":
        log.info("%s", "; ".join(" ".join(line.split()) for line in text.splitlines()))
    else:
        print(text, flush=True)  # noqa: T201 - for the user, not the log


def greeting(config: ServerConfig, http_port: int, udp_ports: tuple[int, int]) -> str:
    """Return the text that is printed once the server is ready."""
    host = config.bind_host or "*"
    shown = "localhost" if host in {"*", "0.0.0.0", "::", "127.0.0.1", "::1"} else host  # noqa: S104 - compared only
    first, last = udp_ports
    media = (
        f"{'this machine' if config.media_local_only else '*'}:{f'{first}-{last}' if first < last else first}"
    )
    lines = [
        f"Lectern is ready: http://{shown}:{http_port}",
        f"  for applications  ws://{shown}:{http_port}",
        f"  ports             TCP {host}:{http_port} (page, signalling), UDP {media} (media)",
    ]
    if config.external_ip:
        lines.append(f"  announced         {', '.join(config.external_ips)} (media)")
    if config.public_url:
        lines.append(f"  people reach it   {config.public_url}")
    elif not config.is_local:
        lines.append(
            "  no --public-url   browsers give camera and microphone to pages over HTTPS only (a TLS proxy)"
        )
    if not config.dev and not config.metrics_token:
        lines.append("  /metrics          closed; --metrics-token opens it")
    if config.dev:
        key, secret = next(iter(config.keys.items()))
        lines.append(f"  development mode  API key {key}, secret {secret}")
    return "\n".join(lines)


def _reason(error: OSError) -> str:
    # asyncio replaces strerror by its own sentence; the text of the error number is the familiar one.
    return os.strerror(error.errno).lower() if error.errno else str(error)
