"""Parts of a school: stored before acknowledged, the same after a restart."""

import pytest

from classroom.errors import Conflict
from classroom.school import courses, office_hours
from signaling.errors import StoreError
from signaling.teaching.school import School
from tests.signaling.teaching.harness import teaching


async def test_a_part_is_the_same_after_a_restart(tmp_path):
    async with teaching(tmp_path) as world:
        school = School(world.store.classroom, lambda: world.now)
        part = school.office_hours("north", "tutor")
        for command in (office_hours.Open(by="tutor"), office_hours.Join(by="sam", name="Sam")):
            await part.do(command, lambda *_: None)
        again = School(world.store.classroom, lambda: world.now)
        state = await again.office_hours("north", "tutor").read(lambda state: state)
        assert (state.open, list(state.queue), state.tutor) == (True, ["sam"], "tutor")
        assert await again.tutors("north", office_hours.OFFICE_HOURS) == ["tutor"]
        assert await again.tutors("south", office_hours.OFFICE_HOURS) == []


async def test_what_cannot_be_stored_did_not_happen(tmp_path, monkeypatch):
    async with teaching(tmp_path) as world:
        part = School(world.store.classroom, lambda: world.now).courses("north")
        create = courses.Create(course="c1", title="Physics")

        async def broken(*_arguments, **_more):
            raise StoreError("the disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(type(world.store.classroom.of("north")), "append", broken)
            with pytest.raises(StoreError):
                await part.do(create, lambda *_: None)
        assert await part.read(lambda state: list(state.courses)) == []
        await part.do(create, lambda *_: None)
        with pytest.raises(Conflict):
            await part.do(create, lambda *_: None)
