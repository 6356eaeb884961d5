import asyncio

import pytest
from PIL import Image

from classroom import limits
from signaling.store.blobs import BlobFolder
from signaling.teaching.files.slide_maker import SlideError, SlideMaker, page_image, page_texts
from tests.signaling.pdfs import pdf


async def convert(folder, content, **options):
    source, target = folder / "source", folder / "sessions" / "hash" / "deck"
    source.write_bytes(content)
    pages = await SlideMaker(BlobFolder(folder), **options).make(source, target)
    return pages, target


async def test_each_page_becomes_an_image_and_a_text(tmp_path):
    pages, folder = await convert(
        tmp_path, pdf(["Algebra", "Rings (and fields)".replace("(", "").replace(")", "")])
    )
    assert pages == 2
    assert page_texts(folder) == ["Algebra", "Rings and fields"]
    with Image.open(page_image(folder, 2)) as image:
        assert (image.format, image.size) == ("WEBP", (1600, 900))
        assert image.convert("L").getextrema()[0] < 100 < image.convert("L").getextrema()[1], "dark on light"
    assert list((tmp_path / "incoming").iterdir()) == []


# Encrypted with a user password that is not empty (ISO 32000-1, 7.6).
ENCRYPTED = pdf(["a"]).replace(
    b"trailer<<",
    b"trailer<</Encrypt<</Filter/Standard/V 1/R 2/P -44/O<"
    + b"00" * 32
    + b">/U<"
    + b"11" * 32
    + b">>>/ID[<00><00>]",
)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"%PDF-1.4 nothing", "bad_pdf"),
        (pdf([]), "bad_pdf"),
        (pdf(["x"] * (limits.DECK_PAGES + 1)), "too_many_pages"),
        (ENCRYPTED, "pdf_encrypted"),
    ],
)
async def test_what_cannot_be_converted_is_refused_and_leaves_nothing(tmp_path, content, code):
    with pytest.raises(SlideError) as refusal:
        await convert(tmp_path, content)
    assert refusal.value.code == code
    assert not (tmp_path / "sessions").exists()
    assert list((tmp_path / "incoming").iterdir()) == []


async def test_the_wall_clock_ends_a_conversion_too(tmp_path):
    with pytest.raises(SlideError) as refusal:
        await convert(tmp_path, pdf(["x"]), timeout_s=0.0)
    assert refusal.value.code == "pdf_too_costly"


async def test_no_more_than_a_few_wait(tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"%PDF-")
    maker = SlideMaker(BlobFolder(tmp_path), timeout_s=0.0)
    calls = [maker.make(source, tmp_path / str(number)) for number in range(9)]
    codes = [each.code for each in await asyncio.gather(*calls, return_exceptions=True)]
    assert codes == ["pdf_too_costly"] * 8 + ["too_many_conversions"]
