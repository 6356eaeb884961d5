from classroom.features import moderation, people, session
from signaling.teaching.mail.reminders import no_mails, session_mails
from tests.classroom.lesson import START, Lesson


def test_a_reminder_is_for_all_who_belong_to_the_session_but_banned_people():
    lesson = Lesson(live=False)
    for person in ("ada", "ben"):
        lesson.do(people.Invite(by="tutor", person=person, name=person))
    lesson.do(moderation.Ban(by="tutor", person="ben"))
    lesson.do(session.Schedule(by="tutor", starts_at=START + 3600))
    events = lesson.wait(3600 - 900)
    assert [type(event) for event in events] == [session.Reminded]
    (mail,) = session_mails(lesson.room, events)
    assert sorted(mail.people) == ["ada", "tutor"]
    assert mail.data == {"session": "s1", "starts_at": START + 3600}
    assert no_mails(lesson.room, events) == []
