import pytest


@pytest.fixture
async def lesson(school):
    roster = [{"id": "sam", "name": "Sam"}, {"id": "eve", "name": "Eve"}]
    session = await school.lesson(people=roster)
    for person in ("sam", "eve"):
        await school.person(person).post(f"/sessions/{session}/join")
    return session
