from contextlib import ExitStack

import pycrdt
import pypdfium2
import pytest

from signaling.teaching.boards.board_pdf import FONTS, PdfWriter, items_of
from signaling.teaching.boards.items import read_item
from signaling.teaching.boards.pictures import MAX_ON_PAGE
from tests.signaling.pictures import picture

RED, BLUE = "#c0271d", "#0a5bc4"


def item(kind, *points, colour=RED, width=20, text=""):
    return {"kind": kind, "colour": colour, "width": width, "points": list(points), "text": text}


def picture_item(file, *points):
    return {"kind": "image", "id": "i", "file": file, "points": list(points)}


def update(*items):
    """An update of a page; images are maps, as the page writes them, so that they can be moved."""
    doc = pycrdt.Doc()
    made = [pycrdt.Map(each) if each.get("kind") == "image" else each for each in items]
    doc.get("items", type=pycrdt.Array).extend(made)
    return doc.get_update()


def written(*pages, **options):
    writer = PdfWriter(**options)
    for page in pages:
        writer.add_page(map(read_item, page))
    return pypdfium2.PdfDocument(writer.save())


def image(document, page=0):
    """A page in its units: one pixel for each."""
    return document[page].render(scale=1 / 0.6).to_pil().convert("RGB")


def colour(picture, x, y):
    """What is to be seen at a point: red, blue or nothing."""
    red, _, blue = picture.getpixel((x, y))
    return "" if (red, blue) == (255, 255) else "red" if red > blue else "blue"


def test_every_shape_is_where_it_was_drawn():
    document = written(
        [
            item("pen", 100, 100, 200, 100, 200, 200),
            item("line", 300, 100, 400, 200, colour=BLUE),
            item("rect", 600, 300, 500, 200),
            item("ellipse", 700, 100, 900, 200, colour=BLUE),
            item("pen", 1_000, 800),
        ],
        [],
    )
    assert (len(document), document[0].get_size()) == (2, (960, 540))
    found = image(document)
    red = [(150, 100), (200, 150), (550, 200), (600, 250), (500, 250), (550, 300), (1_000, 800)]
    blue = [(350, 150), (700, 150), (900, 150), (800, 100), (800, 200)]
    nothing = [(150, 150), (550, 250), (800, 150), (1_000, 780), (710, 110)]
    assert [colour(found, *at) for at in red] == ["red"] * 7
    assert [colour(found, *at) for at in blue] == ["blue"] * 5
    assert [colour(found, *at) for at in nothing] == [""] * 5
    assert image(document, 1).getcolors() == [(1_600 * 900, (255, 255, 255))]


def test_images_are_where_they_were_put_below_what_was_drawn_later(tmp_path):
    paths = {}
    for name, content in (
        ("red", picture("PNG", (10, 10))),
        ("clear", picture("PNG", (10, 10), (10, 91, 196, 0), "RGBA")),
        ("photo", picture("JPEG", (10, 10))),
    ):
        (tmp_path / name).write_bytes(content)
        paths[name] = str(tmp_path / name)
    items = [
        picture_item("red", 100, 200, 300, 250),
        picture_item("clear", 400, 200, 500, 300),
        picture_item("photo", 600, 200, 700, 300),
        picture_item("other", 0, 0, 1_600, 900),
        item("line", 100, 225, 300, 225, colour=BLUE),
    ]
    found = image(written(items, images=paths))
    red = [(105, 205), (295, 245), (605, 205), (695, 295)]
    nothing = [(105, 195), (105, 255), (305, 245), (450, 250), (605, 305), (1_000, 500)]
    assert [colour(found, *at) for at in red] == ["red"] * 4
    assert [colour(found, *at) for at in nothing] == [""] * 6
    assert colour(found, 200, 225) == "blue"


def test_a_page_has_a_limited_number_of_images(tmp_path):
    (tmp_path / "red").write_bytes(picture("PNG", (10, 10)))
    items = [picture_item("red", 0, 0, 10, 10)] * (MAX_ON_PAGE + 1)
    document = written(items, images={"red": str(tmp_path / "red")})
    assert len(list(document[0].get_objects())) == MAX_ON_PAGE


def test_a_moved_image_is_read_at_its_last_place():
    doc = pycrdt.Doc()
    array = doc.get("items", type=pycrdt.Array)
    array.append(pycrdt.Map(picture_item("f", 1, 2, 3, 4)))
    array[0]["points"] = [5, 6, 7, 8]
    with ExitStack() as stack:
        (found,) = items_of([doc.get_update()], stack)
    assert (found.kind, found.file, found.points) == ("image", "f", [(5.0, 6.0), (7.0, 8.0)])


def test_strokes_stay_paths_and_texts_stay_text():
    document = written([item("pen", 1, 2, 3, 4), item("text", 100, 100, text="Grüße ß €\n\nf(x) = 2²\x00")])
    kinds = [each.type for each in document[0].get_objects()]
    assert kinds == [pypdfium2.raw.FPDF_PAGEOBJ_PATH, *[pypdfium2.raw.FPDF_PAGEOBJ_TEXT] * 2]
    assert document[0].get_textpage().get_text_range().split() == ["Grüße", "ß", "€", "f(x)", "=", "2²"]
    left, bottom, _, top = document[0].get_textpage().get_charbox(0)
    assert (60 < left < 65, 540 - 60 - 100 < bottom < top < 540 - 60) == (True, True)


@pytest.mark.skipif(not any(path.is_file() for path in FONTS), reason="no font of FONTS on this machine")
def test_other_scripts_use_a_font_of_the_machine():
    document = written([item("text", 100, 100, text="Жук π≈3")])
    assert document[0].get_textpage().get_text_range() == "Жук π≈3"


def test_without_such_a_font_the_letters_become_question_marks():
    document = written([item("text", 100, 100, text="Жa😀")], fonts=())
    assert document[0].get_textpage().get_text_range() == "?a?"


def test_items_are_read_in_order_without_what_cannot_be_read():
    with ExitStack() as stack:
        updates = [update(item("line", 1, 2, 3, 4), {"kind": "image"}), b"\xff\xff", b"", b"garbage"]
        found = list(items_of([*updates, update(item("rect", 5, 6, 7, 8))], stack))
    assert sorted(each.kind for each in found) == ["line", "rect"]
