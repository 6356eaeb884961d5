"""Devices that announce a codec which they cannot encode; LiveKit's server excludes the same ones."""

from livekit.protocol import models, rtc

# What a track is published in instead; every WebRTC endpoint has it (RFC 7742 section 5).
FALLBACK = "video/VP8"

_H264, _AV1 = "video/H264", "video/AV1"


def excluded(client: models.ClientInfo) -> tuple[str, ...]:
    """Return the MIME types that a client must not publish."""
    browser, system = client.browser.lower(), client.os.lower()
    if browser == "safari":
        return (_AV1,)
    if browser in {"firefox", "firefox mobile"} and system in {"linux", "android"}:
        return (_H264,)
    if client.device_model.lower() == "xiaomi 2201117ti" and system == "android":
        return (_H264,)
    return ()


def configuration(client: models.ClientInfo) -> rtc.JoinResponse:
    """Return the part of Join that disables codecs for a client; empty for most."""
    publish = [models.Codec(mime=mime) for mime in excluded(client)]
    if not publish:
        return rtc.JoinResponse()
    disabled = models.DisabledCodecs(publish=publish)
    return rtc.JoinResponse(client_configuration=models.ClientConfiguration(disabled_codecs=disabled))


def replace_excluded(request: rtc.AddTrackRequest, client: models.ClientInfo) -> rtc.AddTrackRequest:
    """Return a request to publish without codecs that the device excludes."""
    names = {mime.lower() for mime in excluded(client)}
    wanted = [codec.codec.lower().rpartition("/")[2] for codec in request.simulcast_codecs]
    if not any(f"video/{name}" in names for name in wanted):
        return request
    changed = rtc.AddTrackRequest()
    changed.CopyFrom(request)
    for codec, name in zip(changed.simulcast_codecs, wanted, strict=True):
        if f"video/{name}" in names:
            codec.codec = FALLBACK
    return changed
