from classroom import limits
from classroom.errors import Code
from classroom.features import reactions
from classroom.features.reactions import EXPRESSIONS
from tests.classroom.lesson import Lesson


def test_reactions_are_counted():
    lesson = Lesson(students=["ada"])
    for expression in EXPRESSIONS[:3]:
        lesson.do(reactions.React(by="ada", expression=expression))
    lesson.do(reactions.React(by="tutor", expression=EXPRESSIONS[0]))
    assert lesson.view("ada").reactions.counts[EXPRESSIONS[0]] == 2


def test_only_the_signs_of_the_set_are_reactions():
    lesson = Lesson(students=["ada"])
    assert lesson.refusal(reactions.React(by="ada", expression="meet me at 5")) is Code.BAD_CHOICE
    assert len(set(EXPRESSIONS)) == len(EXPRESSIONS)


def test_a_flood_is_refused_until_the_window_has_passed():
    lesson = Lesson(students=["ada"])
    react = reactions.React(by="ada", expression="👏")
    for _ in range(limits.REACTIONS_PER_WINDOW):
        lesson.do(react, after=0.1)
    assert lesson.refusal(react) is Code.TOO_FAST
    lesson.do(react, after=limits.REACTION_WINDOW_S)
    assert len(lesson.room.reactions.recent["ada"]) == limits.REACTIONS_PER_WINDOW
    lesson.check_replay()
