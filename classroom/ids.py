"""The types of ids. Callers choose ids: applications those of people, pages those of what they add to a session."""

from typing import NewType

PersonId = NewType("PersonId", str)
"A person in a session and at the school; as a participant of a room, the person has this id as identity."
SessionId = NewType("SessionId", str)

# Each of these is unique in its session.
MessageId = NewType("MessageId", str)
QuestionId = NewType("QuestionId", str)
PollId = NewType("PollId", str)
ExerciseId = NewType("ExerciseId", str)
FileId = NewType("FileId", str)
DeckId = NewType("DeckId", str)
PageId = NewType("PageId", str)
"Page of a whiteboard."
BreakoutId = NewType("BreakoutId", str)

# Each of these is unique at its school.
CourseId = NewType("CourseId", str)
GroupId = NewType("GroupId", str)
"A study group."
