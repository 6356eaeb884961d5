import pytest

from signaling.rooms.permissions import Source
from signaling.rooms.sids import random_sid, track_prefix


@pytest.mark.parametrize(
    ("kind", "source", "prefix"),
    [
        ("video", Source.CAMERA, "TR_VC"),
        ("audio", Source.MICROPHONE, "TR_AM"),
        ("video", Source.SCREEN_SHARE, "TR_VS"),
        ("audio", Source.SCREEN_SHARE_AUDIO, "TR_As"),
        ("video", Source.UNKNOWN, "TR_V"),
    ],
)
def test_track_prefix_tells_kind_and_source(kind, source, prefix):
    assert track_prefix(kind, source) == prefix


def test_ids_are_long_and_differ():
    ids = {random_sid("PA_") for _ in range(1000)}
    assert len(ids) == 1000
    assert {len(sid) for sid in ids} == {15}
    assert all("|" not in sid for sid in ids)
