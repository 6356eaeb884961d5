import pytest

from classroom import codec, limits
from classroom.errors import Code
from classroom.features import breakouts, chat, files, moderation, people
from classroom.features.chat import Mode, Scope
from classroom.roles import Role
from classroom.visibility import shown_to, visible_to
from tests.classroom.lesson import Lesson

COUNT = iter(range(10**9))


def send(by, text="hello", **fields):
    return chat.Send(by=by, message=f"m{next(COUNT)}", text=text, **fields)


def readers(lesson, event):
    return {person for person in lesson.room.people.everyone if visible_to(lesson.room, event, person)}


def lesson_of(**settings):
    lesson = Lesson(students=["ada", "ben", "cem"], **settings)
    lesson.join("kim", Role.ASSISTANT)
    lesson.join("eve", Role.OBSERVER)
    return lesson


ALL = {"tutor", "kim", "ada", "ben", "cem", "eve"}


def test_a_message_reaches_those_to_whom_it_goes():
    lesson = lesson_of()
    rooms = (breakouts.Room("b1", "One"), breakouts.Room("b2", "Two"))
    lesson.do(breakouts.Make(by="tutor", rooms=rooms))
    for person, room in {"ada": "b1", "ben": "b1", "cem": "b2"}.items():
        lesson.do(breakouts.Assign(by="tutor", person=person, room=room))
    cases = {
        send("ada"): ALL,
        send("ada", scope=Scope.STAFF): {"ada", "tutor", "kim"},
        send("ada", scope=Scope.PERSON, target="kim"): {"ada", "kim"},
        send("tutor", scope=Scope.PERSON, target="ada"): {"ada", "tutor"},
        send("ada", scope=Scope.BREAKOUT, target="b1"): {"ada", "ben", "tutor", "kim"},
    }
    for command, expected in cases.items():
        (sent,) = lesson.do(command)
        assert readers(lesson, sent) == expected
        for person in ALL:
            texts = [message.id for message in lesson.view(person).chat.messages]
            assert (command.message in texts) == (person in expected)


def test_students_write_in_private_to_each_other_only_if_the_session_says_so():
    to_ben = send("ada", scope=Scope.PERSON, target="ben")
    assert lesson_of().refusal(to_ben) is Code.PRIVATE_CHAT_OFF
    lesson = lesson_of(private_chat=True)
    (sent,) = lesson.do(to_ben)
    assert readers(lesson, sent) == {"ada", "ben"}
    # Private is private: staff neither read it nor learn that it exists.
    assert lesson.refusal(chat.Delete(by="tutor", message=to_ben.message)) is Code.MESSAGE_NOT_FOUND


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (send("ada", scope=Scope.PERSON, target="nobody"), Code.PERSON_NOT_FOUND),
        (send("ada", scope=Scope.BREAKOUT, target="b9"), Code.BREAKOUT_NOT_FOUND),
        (send("ada", target="ben"), Code.PERSON_NOT_FOUND),
        (send("ada", " \n "), Code.TEXT_EMPTY),
        (send("ada", "x" * 4_001), Code.TEXT_TOO_LONG),
        (send("ada", "bell \x07"), Code.BAD_TEXT),
        (send("eve"), Code.NOT_ALLOWED),
        (send("stranger"), Code.NOT_A_PARTICIPANT),
    ],
)
def test_bad_messages_are_refused(command, code):
    assert lesson_of().refusal(command) is code


def test_a_student_writes_to_their_own_breakout_only():
    lesson = lesson_of()
    lesson.do(breakouts.Make(by="tutor", rooms=(breakouts.Room("b1", "One"),)))
    assert lesson.refusal(send("ada", scope=Scope.BREAKOUT, target="b1")) is Code.NOT_PRESENT


@pytest.mark.parametrize("text", ["<img src=x onerror=alert(1)>", "שלום 👋🏽", "a\nb\tc"])
def test_text_is_kept_as_it_is(text):
    lesson = lesson_of()
    assert lesson.do(send("ada", text))[0].text == text


def test_ids_are_used_once():
    lesson = lesson_of()
    command = send("ada")
    lesson.do(command)
    assert lesson.refusal(command) is Code.ALREADY_EXISTS


def test_only_the_author_edits_and_staff_may_delete():
    lesson = lesson_of()
    command = send("ada")
    lesson.do(command)
    assert lesson.refusal(chat.Edit(by="tutor", message=command.message, text="x")) is Code.NOT_YOURS
    same = chat.Edit(by="ada", message=command.message, text="hello")
    assert lesson.refusal(same) is Code.NOTHING_TO_CHANGE
    lesson.do(chat.Edit(by="ada", message=command.message, text="hullo"), after=3)
    message = lesson.room.chat.messages[command.message]
    assert (message.text, message.edited_at) == ("hullo", lesson.now)
    assert lesson.refusal(chat.Delete(by="ben", message=command.message)) is Code.NOT_YOURS
    lesson.do(chat.Delete(by="kim", message=command.message))
    assert lesson.refusal(chat.Edit(by="ada", message=command.message, text="y")) is Code.MESSAGE_DELETED
    assert lesson.refusal(chat.Delete(by="ada", message="nothing")) is Code.MESSAGE_NOT_FOUND


def test_who_catches_up_does_not_read_what_was_deleted():
    lesson = lesson_of()
    command = send("ada", "a secret")
    events = lesson.do(command)
    events += lesson.do(chat.Edit(by="ada", message=command.message, text="the secret"))
    lesson.do(chat.Delete(by="ada", message=command.message))
    seen = [shown_to(lesson.room, event, "ben") for event in events]
    assert [event.text for event in seen] == ["", ""]
    assert lesson.view("ben").chat.messages == []


def test_slow_mode_makes_students_wait():
    lesson = lesson_of()
    lesson.do(chat.SetMode(by="tutor", mode=Mode.SLOW, interval_s=20))
    lesson.do(send("ada"))
    assert lesson.refusal(send("ada"), after=19) is Code.TOO_FAST
    lesson.do(send("ada"), after=2)
    lesson.do(send("tutor"))
    lesson.do(send("tutor"))
    again = chat.SetMode(by="tutor", mode=Mode.SLOW, interval_s=20)
    assert lesson.refusal(again) is Code.NOTHING_TO_CHANGE


def test_with_staff_first_others_read_a_message_when_it_is_approved():
    lesson = lesson_of()
    lesson.do(chat.SetMode(by="tutor", mode=Mode.STAFF_FIRST))
    command = send("ada", "is this right?")
    (sent,) = lesson.do(command)
    assert readers(lesson, sent) == {"ada", "tutor", "kim"}
    assert lesson.view("ben").chat.messages == []
    assert len(lesson.view("ada").chat.messages) == 1
    edit = chat.Edit(by="ada", message=command.message, text="x")
    assert lesson.refusal(edit) is Code.NOT_ALLOWED
    assert lesson.refusal(chat.Pin(by="tutor", message=command.message)) is Code.NOTHING_TO_CHANGE
    (approved,) = lesson.do(chat.Approve(by="kim", message=command.message))
    assert (approved.author, approved.text) == ("ada", "is this right?")
    assert readers(lesson, approved) == ALL
    assert readers(lesson, sent) == {"ada", "tutor", "kim"}  # the others have it by `approved`, once
    assert lesson.refusal(chat.Approve(by="kim", message=command.message)) is Code.NOT_HELD
    (direct,) = lesson.do(send("tutor"))
    assert not direct.held
    (deleted,) = lesson.do(chat.Delete(by="ada", message=command.message))
    assert readers(lesson, deleted) == ALL
    assert shown_to(lesson.room, approved, "ben").text == ""


def test_a_held_message_that_is_edited_or_deleted_stays_unknown_to_the_others():
    lesson = lesson_of()
    lesson.do(chat.SetMode(by="tutor", mode=Mode.STAFF_FIRST))
    command = send("ada")
    lesson.do(command)
    lesson.do(chat.SetMode(by="tutor", mode=Mode.OPEN))
    (edited,) = lesson.do(chat.Edit(by="ada", message=command.message, text="held still"))
    (deleted,) = lesson.do(chat.Delete(by="tutor", message=command.message))
    assert readers(lesson, edited) == readers(lesson, deleted) == {"ada", "tutor", "kim"}


def test_in_a_closed_chat_students_reach_staff_only():
    lesson = lesson_of(private_chat=True)
    lesson.do(chat.SetMode(by="tutor", mode=Mode.CLOSED))
    assert lesson.refusal(send("ada")) is Code.CHAT_CLOSED
    assert lesson.refusal(send("ada", scope=Scope.PERSON, target="ben")) is Code.CHAT_CLOSED
    lesson.do(send("ada", scope=Scope.STAFF))
    lesson.do(send("ada", scope=Scope.PERSON, target="tutor"))
    lesson.do(send("tutor"))


def test_one_student_can_be_forbidden_to_write():
    lesson = lesson_of()
    lesson.do(moderation.Allow(by="kim", person="ada", permission="chat.send", allowed=False))
    assert lesson.refusal(send("ada")) is Code.NOT_ALLOWED
    lesson.do(send("ben"))


def test_pins_are_few_and_stay_when_old_messages_go(monkeypatch):
    monkeypatch.setattr(limits, "MESSAGES_KEPT", 5)
    lesson = lesson_of()
    first = send("tutor")
    lesson.do(first)
    lesson.do(chat.Pin(by="tutor", message=first.message))
    for _ in range(9):
        lesson.do(send("tutor"))
    kept = lesson.room.chat.messages
    assert len(kept) == 6
    assert next(iter(kept)) == first.message
    assert lesson.room.chat.count == 10
    assert lesson.view("ada").chat.pinned[0].id == first.message
    lesson.do(chat.Unpin(by="tutor", message=first.message))
    assert lesson.refusal(chat.Unpin(by="tutor", message=first.message)) is Code.NOTHING_TO_CHANGE


def test_the_number_of_pins_is_limited():
    lesson = lesson_of()
    for _ in range(limits.PINNED_MESSAGES):
        command = send("tutor")
        lesson.do(command, after=2)
        lesson.do(chat.Pin(by="tutor", message=command.message))
    last = send("tutor")
    lesson.do(last)
    assert lesson.refusal(chat.Pin(by="tutor", message=last.message)) is Code.TOO_MANY


def test_only_messages_to_all_are_pinned():
    lesson = lesson_of()
    command = send("ada", scope=Scope.STAFF)
    lesson.do(command)
    assert lesson.refusal(chat.Pin(by="tutor", message=command.message)) is Code.NOTHING_TO_CHANGE


def test_a_flood_is_refused():
    lesson = lesson_of()
    for _ in range(limits.MESSAGES_PER_MINUTE):
        lesson.do(send("ada"), after=0.1)
    assert lesson.refusal(send("ada")) is Code.TOO_FAST
    lesson.do(send("ada"), after=60)


def test_the_view_keeps_to_its_share_of_bytes():
    lesson = lesson_of()
    for _ in range(30):
        lesson.do(send("ada", "🎓" * 1_000), after=1)
    view = lesson.view("ben").chat
    assert view.more
    assert 0 < len(view.messages) < 30
    assert len(codec._encode(view)) < limits.VIEW_CHAT + 200
    assert view.messages[-1].id == list(lesson.room.chat.messages)[-1]  # the latest ones


def test_a_chat_replays():
    lesson = lesson_of()
    command = send("ada")
    lesson.do(command)
    lesson.do(chat.Pin(by="tutor", message=command.message))
    lesson.do(people.Leave(by="ada"))
    lesson.check_replay()


def add_file(lesson, by, name, **fields):
    command = files.Add(
        by=by, file=name, name=f"{name}.pdf", size=9, kind="application/pdf", digest="0" * 64, **fields
    )
    lesson.do(command)


def test_a_message_has_files_of_its_author():
    lesson = lesson_of()
    add_file(lesson, "ada", "f1")
    (sent,) = lesson.do(send("ada", "", files=("f1",)))
    assert sent.files == ("f1",)
    assert lesson.view("ben").chat.messages[-1].files == ("f1",)
    assert lesson.refusal(send("ben", files=("f1",))) is Code.FILE_NOT_FOUND
    assert lesson.refusal(send("ada", files=("f2",))) is Code.FILE_NOT_FOUND
    assert lesson.refusal(send("ada", "")) is Code.TEXT_EMPTY
    assert lesson.refusal(send("ada", files=("f1",) * (limits.MESSAGE_FILES + 1))) is Code.TOO_MANY
    lesson.do(chat.Delete(by="ada", message=sent.message))
    assert shown_to(lesson.room, sent, "ben").files == ()


def test_the_readers_of_a_message_may_load_its_files():
    lesson = lesson_of(private_chat=True)
    add_file(lesson, "ada", "f1", scope=files.Scope.PERSON, target="ben")
    add_file(lesson, "ada", "f2", scope=files.Scope.STAFF)
    lesson.do(send("ada", files=("f1",), scope=Scope.PERSON, target="ben"))
    lesson.do(send("ada", files=("f2",), scope=Scope.STAFF))
    for command in (
        send("ada", files=("f1",)),
        send("ada", files=("f1",), scope=Scope.PERSON, target="cem"),
        send("ada", files=("f2",), scope=Scope.PERSON, target="ben"),
    ):
        assert lesson.refusal(command) is Code.NOT_ALLOWED


def test_a_held_message_keeps_its_files_until_it_is_approved():
    lesson = lesson_of()
    add_file(lesson, "ada", "f1")
    lesson.do(chat.SetMode(by="tutor", mode=Mode.STAFF_FIRST))
    (sent,) = lesson.do(send("ada", files=("f1",)))
    (approved,) = lesson.do(chat.Approve(by="tutor", message=sent.message))
    assert shown_to(lesson.room, approved, "ben").files == ("f1",)


@pytest.mark.parametrize("kind", ["chat.sent", "chat.approved"])
def test_messages_of_logs_from_before_they_had_files_are_read(kind):
    old = {
        "chat.sent": b'{"type":"chat.sent","v":1,"at":1.0,"by":"ada","message":"m","text":"x","scope":"all",'
        b'"target":"","held":false}',
        "chat.approved": b'{"type":"chat.approved","v":1,"at":1.0,"by":"t","message":"m","author":"ada","text":"x",'
        b'"scope":"all","target":"","sent_at":1.0}',
    }
    event = codec.decode_event(old[kind])
    assert (event.v, event.files, event.text) == (2, (), "x")
