import asyncio

import pypdfium2
import pytest

from signaling.teaching.boards import exporter
from signaling.teaching.boards.board_pdf import Board
from signaling.teaching.boards.exporter import BoardExporter, ExportError
from tests.signaling.teaching.boards.test_board_pdf import item, update

EMPTY = Board([])


async def test_a_board_is_exported_by_a_process_of_its_own():
    pages = [[update(item("text", 9, 9, text=f"Page {number}"))] for number in range(3)]
    document = pypdfium2.PdfDocument(await BoardExporter().export(Board([*pages, [b"garbage"]])))
    texts = [page.get_textpage().get_text_range() for page in document]
    assert texts == ["Page 0", "Page 1", "Page 2", ""]


async def test_an_export_that_takes_too_long_is_refused():
    with pytest.raises(ExportError) as refused:
        await BoardExporter(timeout_s=0.01).export(Board([[update(item("pen", 1, 2))]]))
    assert refused.value.code == "board_too_costly"


async def test_few_exports_wait(monkeypatch):
    release = asyncio.Event()

    async def run(*_arguments, **_options):
        await release.wait()
        return 0, b"%PDF"

    monkeypatch.setattr(exporter.child, "run", run)
    one = BoardExporter()
    waiting = [asyncio.create_task(one.export(EMPTY)) for _ in range(exporter.MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(ExportError) as refused:
        await one.export(EMPTY)
    assert refused.value.code == "too_many_conversions"
    release.set()
    assert await asyncio.gather(*waiting) == [b"%PDF"] * exporter.MAX_WAITING
    assert await one.export(EMPTY) == b"%PDF"
