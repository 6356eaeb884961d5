"""The refusals of the engine: one tree, and one stable code for each cause.

    Refused
      Malformed      the command is invalid in itself; the same command is always refused
      NotAllowed     the person may not do this
      NotFound       the thing named by the command does not exist
      Conflict       the thing exists, but its current state does not allow the command
      LimitReached   a limit in `classroom.limits` or in the session's settings is reached

An API maps the five classes to status codes in one place, and passes on `code` and the message. A refused command has
changed nothing.
"""

from enum import StrEnum


class Code(StrEnum):
    """The stable codes; a code never changes its meaning."""

    # Malformed
    UNREADABLE = "unreadable"
    UNSUPPORTED_VERSION = "unsupported_version"
    BAD_IDENTIFIER = "bad_identifier"
    BAD_TEXT = "bad_text"
    TEXT_EMPTY = "text_empty"
    TEXT_TOO_LONG = "text_too_long"
    BAD_NUMBER = "bad_number"
    BAD_LINK = "bad_link"
    BAD_CODE = "bad_code"
    BAD_TIME = "bad_time"
    BAD_TIME_ZONE = "bad_time_zone"
    BAD_RECURRENCE = "bad_recurrence"
    BAD_CHOICE = "bad_choice"
    FILE_TYPE_REFUSED = "file_type_refused"
    FILE_NAME_MISMATCH = "file_name_mismatch"
    # NotAllowed
    NOT_ALLOWED = "not_allowed"
    NOT_A_PARTICIPANT = "not_a_participant"
    NOT_PRESENT = "not_present"
    NOT_YOURS = "not_yours"
    NOT_GRANTABLE = "not_grantable"
    NOT_INVITED = "not_invited"
    BANNED = "banned"
    SESSION_LOCKED = "session_locked"
    CHAT_CLOSED = "chat_closed"
    PRIVATE_CHAT_OFF = "private_chat_off"
    ANONYMITY_OFF = "anonymity_off"
    UPVOTES_OFF = "upvotes_off"
    CHOICE_OFF = "choice_off"
    # NotFound
    SESSION_NOT_FOUND = "session_not_found"
    PERSON_NOT_FOUND = "person_not_found"
    MESSAGE_NOT_FOUND = "message_not_found"
    FILE_NOT_FOUND = "file_not_found"
    QUESTION_NOT_FOUND = "question_not_found"
    POLL_NOT_FOUND = "poll_not_found"
    HELP_REQUEST_NOT_FOUND = "help_request_not_found"
    SCENE_NOT_FOUND = "scene_not_found"
    DECK_NOT_FOUND = "deck_not_found"
    PAGE_NOT_FOUND = "page_not_found"
    EXERCISE_NOT_FOUND = "exercise_not_found"
    BREAKOUT_NOT_FOUND = "breakout_not_found"
    OCCURRENCE_NOT_FOUND = "occurrence_not_found"
    HOURS_NOT_FOUND = "hours_not_found"
    BOOKING_NOT_FOUND = "booking_not_found"
    ITEM_NOT_FOUND = "item_not_found"
    GROUP_NOT_FOUND = "group_not_found"
    COURSE_NOT_FOUND = "course_not_found"
    # Conflict
    ALREADY_EXISTS = "already_exists"
    WRONG_PHASE = "wrong_phase"
    NOTHING_TO_CHANGE = "nothing_to_change"
    CHANGED_MEANWHILE = "changed_meanwhile"
    NOT_DUE = "not_due"
    ALREADY_PRESENT = "already_present"
    NOT_WAITING = "not_waiting"
    NOT_LOST = "not_lost"
    OWNER_STAYS = "owner_stays"
    MESSAGE_DELETED = "message_deleted"
    NOT_HELD = "not_held"
    HAND_RAISED = "hand_raised"
    HAND_NOT_RAISED = "hand_not_raised"
    QUESTION_CLOSED = "question_closed"
    POLL_NOT_OPEN = "poll_not_open"
    POLL_CLOSED = "poll_closed"
    POLL_WRONG_STATE = "poll_wrong_state"
    HELP_PENDING = "help_pending"
    HELP_CLOSED = "help_closed"
    SCENE_IN_USE = "scene_in_use"
    EXERCISE_WRONG_STATE = "exercise_wrong_state"
    BREAKOUTS_OPEN = "breakouts_open"
    BREAKOUTS_CLOSED = "breakouts_closed"
    HOURS_CLOSED = "hours_closed"
    ALREADY_QUEUED = "already_queued"
    NOT_QUEUED = "not_queued"
    TUTOR_BUSY = "tutor_busy"
    SLOT_NOT_FREE = "slot_not_free"
    FILE_IN_USE = "file_in_use"
    ALREADY_MEMBER = "already_member"
    NOT_A_MEMBER = "not_a_member"
    COURSE_CLOSED = "course_closed"
    # LimitReached
    SESSION_FULL = "session_full"
    LOG_FULL = "log_full"
    TOO_MANY = "too_many"
    TOO_FAST = "too_fast"
    TOO_LARGE = "too_large"
    QUOTA_EXCEEDED = "quota_exceeded"
    GROUP_FULL = "group_full"


class Refused(Exception):  # noqa: N818 - a refusal is a result, not a fault of the program
    """A command that the engine does not execute."""

    def __init__(self, code: Code, message: str) -> None:
        """Store the code for programs and the message for people."""
        super().__init__(message)
        self.code = code
        self.message = message


class Malformed(Refused):
    """The command is invalid in itself."""


class NotAllowed(Refused):
    """The person may not do this."""


class NotFound(Refused):
    """The thing named by the command does not exist."""


class Conflict(Refused):
    """The current state does not allow the command."""


class LimitReached(Refused):
    """A limit is reached."""
