import io
import struct
import time
import zipfile

import pytest

from classroom.features.files import KINDS
from signaling.teaching.files.content_types import UNKNOWN, content_type
from tests.signaling.pdfs import pdf

OOXML = "application/vnd.openxmlformats-officedocument."


def archive(*names, first=None):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        if first is not None:
            file.writestr("mimetype", first)
        for name in names:
            file.writestr(name, "x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (pdf(["a"]), "application/pdf"),
        (b"\x89PNG\r\n\x1a\nrest", "image/png"),
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (b"GIF89arest", "image/gif"),
        (b"RIFF\0\0\0\0WEBPrest", "image/webp"),
        (b"ID3\4rest", "audio/mpeg"),
        (b"\xff\xfb\x90\x64rest", "audio/mpeg"),
        (b"OggS\0rest", "audio/ogg"),
        ("Grüße, 😀".encode(), "text/plain"),
        (b"", "text/plain"),
        (archive("a.txt"), "application/zip"),
        (archive("word/document.xml"), OOXML + "wordprocessingml.document"),
        (archive("xl/workbook.xml"), OOXML + "spreadsheetml.sheet"),
        (archive(first="application/vnd.oasis.opendocument.text"), "application/vnd.oasis.opendocument.text"),
        # What a browser would run, in every dress.
        (b"<!DOCTYPE html><script>alert(1)</script>", UNKNOWN),
        (b"\xef\xbb\xbf  \r\n<svg onload='alert(1)'>", UNKNOWN),
        (b" " * 200_000 + b"<script>", UNKNOWN),
        ("<html>".encode("utf-16"), UNKNOWN),
        # Binary, cut or broken.
        (b"MZ\x90\0\3", UNKNOWN),
        (b"a" * 100_000 + b"\0", UNKNOWN),
        (b"\xc3", UNKNOWN),
        (archive("a")[:-10], UNKNOWN),
        (b"PK\3\4" + b"x" * 100, UNKNOWN),
    ],
)
def test_the_content_alone_decides(tmp_path, content, kind):
    path = tmp_path / "looks-like.png"
    path.write_bytes(content)
    assert content_type(path) == kind
    assert kind == UNKNOWN or kind in KINDS


def test_the_directory_of_an_archive_is_not_read_when_it_is_large(tmp_path):
    """A directory of two million entries would keep a thread busy for seconds."""
    names, path = 120_000, tmp_path / "bomb.zip"
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", *[0] * 18)[:46]
    directory = entry * names
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 100, 100, len(directory), 4, 0)
    path.write_bytes(b"PK\3\4" + directory + end)
    started = time.process_time()
    assert content_type(path) == UNKNOWN
    assert time.process_time() - started < 0.05
