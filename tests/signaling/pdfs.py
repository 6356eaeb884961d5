"""PDF files, written by hand."""

from collections.abc import Sequence


def pdf(texts: Sequence[str], size: tuple[int, int] = (800, 450), content: bytes | None = None) -> bytes:
    """A PDF with a page for each text."""
    pages = " ".join(f"{3 + 2 * index} 0 R" for index in range(len(texts)))
    font = 3 + 2 * len(texts)
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Kids[{pages}]/Count {len(texts)}>>".encode()]
    for index, text in enumerate(texts):
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {size[0]} {size[1]}]/Contents {4 + 2 * index} 0 R"
            f"/Resources<</Font<</F {font} 0 R>>>>>>".encode()
        )
        stream = content or f"BT /F 40 Tf 50 200 Td ({text}) Tj ET".encode()
        objects.append(b"<</Length %d>>stream\n%b\nendstream" % (len(stream), stream))
    objects.append(b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, each in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)
