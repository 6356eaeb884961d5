"""Ids as calls give them, in paths and bodies: of any kind, but no longer than ids are."""

from typing import Annotated

import msgspec

from classroom import ids, limits
from sfu.values import RecordingId

Length = msgspec.Meta(min_length=1, max_length=limits.IDENTIFIER_LENGTH)

Id = Annotated[str, Length]
PersonPath = Annotated[ids.PersonId, Length]
SessionPath = Annotated[ids.SessionId, Length]
RecordingPath = Annotated[RecordingId, Length]
QuestionPath = Annotated[ids.QuestionId, Length]
PollPath = Annotated[ids.PollId, Length]
ExercisePath = Annotated[ids.ExerciseId, Length]
FilePath = Annotated[ids.FileId, Length]
DeckPath = Annotated[ids.DeckId, Length]
PagePath = Annotated[ids.PageId, Length]
CoursePath = Annotated[ids.CourseId, Length]
GroupPath = Annotated[ids.GroupId, Length]
