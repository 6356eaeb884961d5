"""Calls about the files of a session."""

import os
from pathlib import Path

from signaling.store.storage import files_folder
from tests.signaling.pdfs import pdf
from tests.signaling.pictures import picture

PNG = picture("PNG", (40, 30))
PDF = pdf(["Algebra"])


class Files:
    """Calls about the files of one session."""

    def __init__(self, school, session):
        self.school, self.path = school, f"/api/v1/sessions/{session}/files"

    async def add(self, caller, content, name, status=201, headers=(), **query):
        sent = {"Authorization": f"Bearer {caller.token}", **dict(headers)}
        query = {"name": name, **query}
        url = self.school.url + self.path
        async with self.school.http.post(url, data=content, params=query, headers=sent) as response:
            answer = await response.json(content_type=None)
            assert response.status == status, answer
            return answer["id"] if status == 201 else answer["code"]

    async def load(self, caller, file, status=200, headers=(), **query):
        sent = {"Authorization": f"Bearer {caller.token}", **dict(headers)}
        url = f"{self.school.url}{self.path}/{file}"
        async with self.school.http.get(url, params=query, headers=sent) as response:
            assert response.status == status, await response.text()
            return await response.read(), response.headers


def on_disk(world):
    folder = files_folder(world.server._config)
    # The server may delete a folder meanwhile: `os.walk` passes over it.
    return sorted(Path(found) / name for found, _, names in os.walk(folder) for name in names)
