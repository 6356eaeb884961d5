"""Devices that cannot encode what they announce."""

import pytest
from livekit.protocol import models, rtc

from signaling.livekit.messages import convert, devices

XIAOMI = models.ClientInfo(os="Android", device_model="Xiaomi 2201117TI")
FIREFOX = models.ClientInfo(browser="Firefox", os="Linux")
MOBILE = models.ClientInfo(browser="Firefox Mobile", os="Android")
SAFARI = models.ClientInfo(browser="Safari", os="macOS")
CHROME = models.ClientInfo(browser="Chrome", os="Linux")
ON_A_MAC = models.ClientInfo(browser="Firefox", os="macOS")


def video(*codecs):
    codecs = [rtc.SimulcastCodec(codec=codec, cid="c") for codec in codecs]
    return rtc.AddTrackRequest(cid="c", type=models.TrackType.VIDEO, simulcast_codecs=codecs)


@pytest.mark.parametrize(
    ("client", "excluded"),
    [
        (XIAOMI, ("video/H264",)),
        (FIREFOX, ("video/H264",)),
        (MOBILE, ("video/H264",)),
        (SAFARI, ("video/AV1",)),
        (CHROME, ()),
        (ON_A_MAC, ()),
        (models.ClientInfo(), ()),
    ],
)
def test_what_a_device_must_not_publish(client, excluded):
    assert devices.excluded(client) == excluded
    offered = {codec.mime for codec in convert.enabled_codecs(client)}
    assert offered == set(convert.PUBLISH_CODECS) - set(excluded)
    told = devices.configuration(client)
    assert tuple(codec.mime for codec in told.client_configuration.disabled_codecs.publish) == excluded
    assert told.HasField("client_configuration") is bool(excluded)


@pytest.mark.parametrize("wanted", [("video/H264",), ("h264", "vp8"), ()])
def test_a_device_without_h264_is_answered_vp8_alone(wanted):
    request = video(*wanted)
    before = request.SerializeToString()
    spec = convert.track_spec(request, XIAOMI)
    assert (spec.codec, spec.codec_only) == ("vp8", True)
    assert "h264" not in str(spec.frontend_info).lower()
    assert request.SerializeToString() == before


def test_others_keep_their_codec():
    assert convert.track_spec(video("video/H264"), CHROME).codec == "h264"
    assert convert.track_spec(video("vp9"), XIAOMI).codec == "vp9"
    sound = rtc.AddTrackRequest(cid="c", type=models.TrackType.AUDIO)
    assert convert.track_spec(sound, XIAOMI).codec == ""
