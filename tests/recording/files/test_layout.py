import os

import msgspec
import pytest

from recording.files.layout import (
    LayoutError,
    TrackInfo,
    numbered,
    part_numbers,
    part_path,
    read_json,
    recording_path,
    write_all,
    write_json,
)

INFO = TrackInfo("t", "audio", "\u202etxt.exe")


def test_values_come_back_and_replace_each_other(tmp_path):
    path = tmp_path / "track.json"
    for info in (TrackInfo("long" * 50, "audio", ""), INFO):
        write_json(path, info)
        assert read_json(path, TrackInfo) == info
    assert [each.name for each in tmp_path.iterdir()] == ["track.json"]


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"track_id":1}', b"\xff", b" " * 70_000 + msgspec.json.encode(INFO)]
)
def test_what_is_no_value_is_refused(tmp_path, data):
    path = tmp_path / "track.json"
    path.write_bytes(data)
    with pytest.raises(LayoutError):
        read_json(path, TrackInfo)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(LayoutError):
        read_json(tmp_path / "no.json", TrackInfo)


def test_only_numbers_are_entries(tmp_path):
    for name in ("0001", "0002", "1", "x", "0003.webm", "00010", "٣٣٣٣"):
        (tmp_path / name).mkdir()
    assert sorted(numbered(tmp_path)) == [1, 2, 10]
    assert numbered(tmp_path / "nothing") == {}
    for name in ("0007.json", "0002.json", "track.json", "0003.webm"):
        (tmp_path / "0001" / name).touch()
    assert part_numbers(tmp_path / "0001") == [2, 7]
    assert part_path(tmp_path, 12, "mp4").name == "0012.mp4"


def test_an_id_is_a_plain_name(tmp_path):
    assert recording_path(tmp_path, "a-B_9") == tmp_path / "a-B_9"
    with pytest.raises(LayoutError):
        recording_path(tmp_path, "../x")


def test_a_write_of_a_part_goes_on(tmp_path, monkeypatch):
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, offset: real(file, data[:3], offset))
    file = os.open(tmp_path / "x", os.O_RDWR | os.O_CREAT)
    write_all(file, b"0123456789", 2)
    os.close(file)
    assert (tmp_path / "x").read_bytes() == b"\0\x000123456789"
