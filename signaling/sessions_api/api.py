"""The API put together."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from signaling.access.issuers import Issuer
from signaling.access.keyring import Keyring
from signaling.access.oidc import OidcClient
from signaling.access.passwords import Passwords
from signaling.access.sign_ins import SignIns
from signaling.http.api import Api, RefusalPage, Route
from signaling.limits import Limits
from signaling.recordings.host import RecordingHost
from signaling.recordings.links import Links
from signaling.recordings.replay import ReplayFiles
from signaling.rooms.services import Services
from signaling.sessions_api.calendar_calls import CalendarCalls
from signaling.sessions_api.callers import Callers
from signaling.sessions_api.desk import Desk
from signaling.sessions_api.me_calls import MeCalls
from signaling.sessions_api.operator_calls import OperatorCalls, OperatorParts
from signaling.sessions_api.people.audit_calls import AuditCalls
from signaling.sessions_api.people.ban_calls import BanCalls
from signaling.sessions_api.people.factor_calls import FactorCalls, SecondFactor
from signaling.sessions_api.people.mail_calls import MailCalls
from signaling.sessions_api.people.mailing import Mailing
from signaling.sessions_api.people.oidc_calls import OidcCalls
from signaling.sessions_api.people.privacy_calls import PrivacyCalls
from signaling.sessions_api.people.sign_in_calls import SignInCalls
from signaling.sessions_api.people.usage_calls import UsageCalls
from signaling.sessions_api.people.user_calls import UserCalls
from signaling.sessions_api.recordings.caption_calls import CaptionCalls
from signaling.sessions_api.recordings.download_calls import DownloadCalls
from signaling.sessions_api.recordings.film_calls import FilmCalls
from signaling.sessions_api.recordings.insight_calls import InsightCalls
from signaling.sessions_api.recordings.recording_calls import RecordingCalls
from signaling.sessions_api.recordings.replay_board_calls import ReplayBoardCalls
from signaling.sessions_api.recordings.replay_calls import ReplayCalls
from signaling.sessions_api.recordings.session_captions import SessionCaptions
from signaling.sessions_api.recordings.transcript_calls import TranscriptCalls
from signaling.sessions_api.school.booking_calls import BookingCalls
from signaling.sessions_api.school.course_calls import CourseCalls
from signaling.sessions_api.school.group_calls import GroupCalls
from signaling.sessions_api.school.library_calls import LibraryCalls
from signaling.sessions_api.school.library_file_calls import LibraryFileCalls
from signaling.sessions_api.school.office_hour_calls import OfficeHourCalls
from signaling.sessions_api.school.presence_calls import PresenceCalls
from signaling.sessions_api.school.schedule_calls import ScheduleCalls
from signaling.sessions_api.sessions.attendance_calls import AttendanceCalls
from signaling.sessions_api.sessions.board_calls import BoardCalls
from signaling.sessions_api.sessions.detail_calls import DetailCalls
from signaling.sessions_api.sessions.event_calls import EventCalls
from signaling.sessions_api.sessions.feature_calls import FeatureCalls
from signaling.sessions_api.sessions.file_calls import FileCalls
from signaling.sessions_api.sessions.join_calls import JoinCalls
from signaling.sessions_api.sessions.session_calls import SessionCalls
from signaling.sessions_api.sessions.slide_calls import SlideCalls
from signaling.sessions_api.style import style
from signaling.sessions_api.webhook_calls import Sender, WebhookCalls
from signaling.store import Store
from signaling.teaching.host import TeachingHost


@dataclass(frozen=True, slots=True)
class RecordingParts:
    """What the routes of recordings need."""

    host: RecordingHost
    store: Store
    services: Services


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """What the API needs of the configuration."""

    public_url: str
    "Address under which people reach this server; may be empty."
    limits: Limits
    "Rate limits of the calls."
    issuer: Issuer | None = None
    "The issuers whose tokens are accepted besides those signed by API keys."
    oidc: OidcClient | None = None
    "Where people sign in besides this server."
    own_page: Callable[[web.Request], bool] | None = None
    "In development mode, whether this server's own page asks."
    refusal_page: RefusalPage | None = None
    "Answers refused calls whose address a person opened in a browser."


def sessions_api(
    host: TeachingHost,
    keyring: Keyring,
    settings: ApiSettings,
    recordings: RecordingParts,
    operating: tuple[OperatorParts, Sender],
) -> Api:
    """Return the API of teaching sessions; `operating` is what operators see, and what sends webhooks."""
    parts, sender = operating
    wall_clock = host.registry.wall_clock
    sign_ins = SignIns(host.store.accounts, wall_clock)
    callers = Callers(keyring, settings.public_url, wall_clock, settings.issuer, sign_ins)
    desk = Desk(host.registry, host.presence)
    routes = [
        *all_routes(host, desk, callers, keyring, settings),
        *people_routes(host, desk, callers, keyring, settings),
        *recording_routes(desk, keyring, callers, recordings),
        *caption_routes(host, desk, recordings),
        *operator_routes(host, parts, sender),
    ]
    # The first matching path wins, so literal segments come before parameters.
    routes.sort(key=_by_path)
    return Api(style(callers, host.store, wall_clock), routes, settings.limits, settings.refusal_page)


def all_routes(
    host: TeachingHost, desk: Desk, callers: Callers, keyring: Keyring, settings: ApiSettings
) -> list[Route]:
    """Return the routes of sessions and of the school around them."""
    school = host.school
    return [
        *SessionCalls(desk).routes(),
        *JoinCalls(desk, callers, keyring, host.media, settings.limits).routes(),
        *FeatureCalls(desk).routes(),
        *AttendanceCalls(desk).routes(),
        *DetailCalls(desk).routes(),
        *FileCalls(desk, host.files, host.store.audit).routes(),
        *SlideCalls(desk, host.files.blobs, host.slides).routes(),
        *BoardCalls(desk, host.board_exporter, host.files.blobs, settings.limits).routes(),
        *EventCalls(desk, host.delivery).routes(),
        *CourseCalls(school).routes(),
        *GroupCalls(desk, school).routes(),
        *OfficeHourCalls(desk, school).routes(),
        *BookingCalls(desk, school).routes(),
        *LibraryCalls(desk, host.files.blobs).routes(),
        *LibraryFileCalls(desk, host.files).routes(),
        *PresenceCalls(school).routes(),
        *ScheduleCalls(school).routes(),
        *CalendarCalls(desk, school, callers, keyring).routes(),
        *MeCalls(callers, keyring, host.registry.wall_clock).routes(settings.own_page),
    ]


def operator_routes(host: TeachingHost, parts: OperatorParts, sender: Sender) -> list[Route]:
    """Return the routes of webhooks and of the server as a whole."""
    webhooks = WebhookCalls(host.hooks, host.store.outbox, sender, host.registry.wall_clock)
    return [*webhooks.routes(), *OperatorCalls(parts).routes()]


def people_routes(
    host: TeachingHost, desk: Desk, callers: Callers, keyring: Keyring, settings: ApiSettings
) -> list[Route]:
    """Return the routes about people of a tenant."""
    accounts, audit = host.store.accounts, host.store.audit
    sign_ins, client = SignIns(accounts, host.registry.wall_clock), settings.oidc
    oidc: list[Route] = []
    if client is not None:
        oidc = OidcCalls(client, audit, sign_ins, callers, keyring, settings.limits).routes()
    mailing, passwords, factors = Mailing(host.mail, settings.limits), Passwords(), host.store.factors
    second = SecondFactor(factors, audit, settings.limits, callers)
    return [
        *SignInCalls(
            accounts, audit, sign_ins, callers, keyring, settings.limits, passwords, second
        ).routes(),
        *FactorCalls(accounts, factors, second, callers, settings.limits, passwords).routes(),
        *MailCalls(accounts, audit, callers, keyring, settings.limits, mailing).routes(),
        *UserCalls(accounts, audit, sign_ins, callers, mailing).routes(),
        *AuditCalls(audit).routes(),
        *BanCalls(host.store.classroom).routes(),
        *UsageCalls(desk).routes(),
        *PrivacyCalls(host.store, host.privacy, callers).routes(),
        *oidc,
    ]


def recording_routes(desk: Desk, keyring: Keyring, callers: Callers, parts: RecordingParts) -> list[Route]:
    """Return the routes of recordings."""
    links = Links(keyring, desk.registry.wall_clock)
    host, store = parts.host, parts.store
    replay_files = None if host.folder is None else ReplayFiles(host.folder, host.keys.get)
    calls = RecordingCalls(desk, host.recordings, store, host.files, host.films)
    downloads = DownloadCalls(calls, store, host.files, host.films, links, callers)
    replay = ReplayCalls(desk, host.recordings, store, replay_files, links, host.archive)
    transcripts = TranscriptCalls(desk, replay, store, host.transcribing)
    films = FilmCalls(desk, calls, host.films, replay_files, transcripts)
    insights = InsightCalls(desk, host.recordings, calls, replay, transcripts, host.notes)
    return [
        *calls.routes(),
        *downloads.routes(),
        *replay.routes(),
        *ReplayBoardCalls(desk, replay).routes(),
        *films.routes(),
        *transcripts.routes(),
        *insights.routes(),
    ]


def caption_routes(host: TeachingHost, desk: Desk, parts: RecordingParts) -> list[Route]:
    """Return the routes of live captions."""
    captions = SessionCaptions(parts.host.captions, parts.services, host.registry, host.delivery)
    return CaptionCalls(desk, captions).routes()


def _by_path(route: Route) -> list[tuple[bool, str]]:
    return [(part.startswith("{"), part) for part in route.path.split("/")]
