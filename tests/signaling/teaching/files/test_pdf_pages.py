"""The child process by itself; test_slide_maker runs it as the server does."""

import asyncio
import sys

from classroom import limits
from signaling.teaching.files import pdf_pages
from tests.signaling.pdfs import pdf

# Paths that the renderer needs seconds for.
ENDLESS = b"q 1 0 0 1 0 0 cm " + b"0 0 m 800 450 l 800 0 l 0 450 l h 0.5 w B* " * 400_000


def test_the_number_of_pages_is_that_of_the_engine():
    assert pdf_pages.MAX_PAGES == limits.DECK_PAGES


async def test_a_page_that_takes_too_long_is_ended_by_the_kernel(tmp_path):
    source = tmp_path / "source.pdf"
    source.write_bytes(pdf(["x"], content=ENDLESS))
    program = (
        "import sys; from signaling.teaching.files import pdf_pages as p; p.PAGE_CPU_S = 0.3;"
        f"sys.exit(p.main([{str(source)!r}, {str(tmp_path)!r}]))"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    assert await process.wait() == -27, "SIGPROF"
