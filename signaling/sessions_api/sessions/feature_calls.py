"""What happens inside a session: a row for each command, and the present state of each feature."""

import secrets
from typing import Any, Final

from classroom.base import Command
from classroom.catalogue import FEATURES
from classroom.features import (
    attendance,
    breakouts,
    chat,
    exercises,
    files,
    grades,
    hands,
    help_requests,
    moderation,
    people,
    polls,
    questions,
    reactions,
    session,
    slides,
    studio,
    whiteboard,
)
from classroom.join_code import COUNT
from signaling.http.api import Route
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.command_routes import CommandRoute, route
from signaling.sessions_api.desk import Desk
from signaling.sessions_api.path_ids import SessionPath

# A board's update of 64 KiB in base64, in JSON.
_BOARD_BYTES: Final = 96 * 1024
# A submission or exercise of the longest text, each character escaped.
_TEXT_BYTES: Final = 160 * 1024


def _post(path: str, command: type[Command], **more: Any) -> CommandRoute:
    return CommandRoute("POST", path, command, **more)


_CODE: Final = {"code_number": lambda: secrets.randbelow(COUNT)}

ROWS: Final = (
    _post("/schedule", session.Schedule),
    _post("/renew-code", session.RenewCode, server=_CODE),
    _post("/start", session.Start),
    _post("/pause", session.Pause),
    _post("/resume", session.Resume),
    _post("/end", session.End),
    _post("/cancel", session.Cancel),
    _post("/participants", people.Invite),
    _post("/participants/admit-all", people.AdmitAll),
    _post("/participants/{person}/admit", people.Admit),
    _post("/participants/{person}/refuse", people.Refuse),
    _post("/participants/{person}/role", people.SetRole),
    _post("/participants/{person}/grade", grades.Set),
    _post("/attendance/activity", attendance.SetActivity),
    _post("/chat", chat.Send, makes="message"),
    CommandRoute("PATCH", "/chat/{message}", chat.Edit),
    CommandRoute("DELETE", "/chat/{message}", chat.Delete),
    _post("/chat/{message}/pin", chat.Pin),
    _post("/chat/{message}/unpin", chat.Unpin),
    _post("/chat/{message}/approve", chat.Approve),
    _post("/chat/mode", chat.SetMode),
    _post("/reactions", reactions.React),
    _post("/hands", hands.Raise),
    _post("/hands/lower", hands.Lower),
    _post("/hands/lower-all", hands.LowerAll),
    _post("/questions", questions.Ask, makes="question"),
    _post("/questions/{question}/upvote", questions.Upvote),
    _post("/questions/{question}/take-back", questions.TakeBack),
    _post("/questions/{question}/answer", questions.Answer),
    _post("/questions/{question}/resolve", questions.Resolve),
    _post("/questions/{question}/dismiss", questions.Dismiss),
    _post("/questions/{question}/reopen", questions.Reopen),
    _post("/polls", polls.Create, makes="poll"),
    CommandRoute("DELETE", "/polls/{poll}", polls.Discard),
    _post("/polls/{poll}/open", polls.Open),
    _post("/polls/{poll}/answer", polls.Answer),
    _post("/polls/{poll}/close", polls.Close),
    _post("/polls/{poll}/publish", polls.Publish),
    _post("/help-requests", help_requests.Ask, makes="request"),
    _post("/help-requests/{request}/respond", help_requests.Respond),
    _post("/help-requests/{request}/resolve", help_requests.Resolve),
    _post("/help-requests/{request}/dismiss", help_requests.Dismiss),
    _post("/scenes", studio.AddScene, makes="scene"),
    CommandRoute("DELETE", "/scenes/{scene}", studio.RemoveScene),
    _post("/scenes/switch", studio.Switch),
    _post("/slides", slides.AddDeck, makes="deck"),
    CommandRoute("DELETE", "/slides/{deck}", slides.RemoveDeck),
    _post("/slides/{deck}/go-to", slides.GoTo),
    _post("/whiteboards", whiteboard.AddPage, makes="page"),
    CommandRoute("DELETE", "/whiteboards/{page}", whiteboard.RemovePage),
    _post("/whiteboards/{page}/go-to", whiteboard.GoTo),
    _post("/whiteboards/{page}/draw", whiteboard.Draw, max_body_bytes=_BOARD_BYTES),
    _post("/exercises", exercises.Add, max_body_bytes=_TEXT_BYTES),
    _post("/exercises/mode", exercises.SetMode),
    _post("/exercises/{exercise}/assign", exercises.Assign, max_body_bytes=_TEXT_BYTES),
    _post("/exercises/{exercise}/report", exercises.Report),
    _post("/exercises/{exercise}/submit", exercises.Submit, max_body_bytes=_TEXT_BYTES),
    _post("/exercises/{exercise}/give-back", exercises.GiveBack),
    _post("/exercises/{exercise}/accept", exercises.Accept),
    _post("/breakouts", breakouts.Make),
    _post("/breakouts/assign", breakouts.Assign),
    _post("/breakouts/shuffle", breakouts.Shuffle, server={"seed": lambda: secrets.randbelow(2**31)}),
    _post("/breakouts/open", breakouts.Open),
    _post("/breakouts/choose", breakouts.Choose),
    _post("/breakouts/visit", breakouts.Visit),
    _post("/breakouts/broadcast", breakouts.Broadcast),
    _post("/breakouts/call-back", breakouts.CallBack),
    _post("/breakouts/close", breakouts.Close),
    CommandRoute("DELETE", "/files/{file}", files.Remove),
    _post("/moderation/mute", moderation.Mute),
    _post("/moderation/allow", moderation.Allow),
    _post("/moderation/rename", moderation.Rename),
    _post("/moderation/remove", moderation.Remove),
    _post("/moderation/ban", moderation.Ban),
    _post("/moderation/unban", moderation.Unban),
    _post("/moderation/lock", moderation.Lock),
    _post("/moderation/spotlight", moderation.Spotlight),
    _post("/moderation/pin", moderation.Pin),
    _post("/moderation/unpin", moderation.Unpin),
)

# The paths of the features' state, where their names differ from the features'.
_PATHS: Final = {
    "help_requests": "help-requests",
    "studio": "scenes",
    "whiteboard": "whiteboards",
    "people": "people",
}
# These have richer routes of their own, in `session_calls` and `attendance_calls`.
_ELSEWHERE: Final = frozenset({"session", "attendance"})


class FeatureCalls:
    """The routes of all features."""

    def __init__(self, desk: Desk) -> None:
        """Use the desk."""
        self._desk = desk

    def routes(self) -> list[Route]:
        """Return the routes."""
        views = [self._view(name) for name in VIEWS]
        return [*(route(self._desk, row) for row in ROWS), *views]

    def _view(self, name: str) -> Route:
        feature = VIEWS[name]

        async def handler(caller: Caller, session: SessionPath) -> Any:
            now = self._desk.now
            return await self._desk.look(
                caller, session, lambda room, person: feature.view(room, person, now)
            )

        handler.__annotations__["return"] = VIEW_TYPES[name]
        path = _PATHS.get(name, name)
        handler.__doc__ = f"Return the {path.replace('-', ' ')} of a session as the caller may see them."
        return Route("GET", f"/sessions/{{session}}/{path}", handler, {404: "there is no such session"})


VIEWS: Final = {feature.name: feature for feature in FEATURES if feature.name not in _ELSEWHERE}
VIEW_TYPES: Final[dict[str, Any]] = {
    "people": people.View,
    "grades": grades.View,
    "moderation": moderation.View,
    "chat": chat.View,
    "files": files.View,
    "reactions": reactions.View,
    "hands": hands.View,
    "questions": questions.View,
    "polls": polls.View,
    "help_requests": help_requests.View,
    "studio": studio.View,
    "slides": slides.View,
    "whiteboard": whiteboard.View,
    "exercises": exercises.View,
    "breakouts": breakouts.View,
}
