"""The bucket that a request of the Egress service names, with its access key."""

import json
from collections.abc import Collection
from typing import Any, Final

import msgspec
from livekit.protocol import egress

from signaling.livekit.messages.egress_info import file_outputs, file_path
from signaling.livekit.server_api.twirp import TwirpError
from signaling.recordings.output_state import Upload
from signaling.recordings.storage.address import address_of, clean_key
from signaling.store.vault import Vault

ANYWHERE: Final = "*"
"Among the permitted endpoints: all."

_CLOUDS: Final = ("gcp", "azure", "aliOSS")
# Fields of S3Upload.
_REFUSED: Final = (
    "assume_role_arn",
    "assume_role_external_id",
    "metadata",
    "tagging",
    "content_disposition",
    "proxy",
)


def requested_upload(request: Any, vault: Vault, endpoints: Collection[str]) -> Upload | None:
    """Return the bucket of a request, its access key sealed; None if the request names no bucket. TwirpError.

    Amazon's own servers can always be named; others only if they are among `endpoints`. Otherwise, whoever holds an API
    key could write to hosts that only this server can reach (server-side request forgery).
    """
    for output in file_outputs(request):
        for cloud in _CLOUDS:
            if output.HasField(cloud):
                text = f"this server does not upload to {cloud}; it uploads to S3-compatible storage (s3)"
                raise TwirpError("unimplemented", text)
        if output.HasField("s3"):
            if file_path(request):
                try:
                    clean_key(file_path(request))
                except ValueError as error:
                    raise TwirpError("invalid_argument", f"filepath: {error}") from error
            return _upload(output.s3, vault, endpoints)
    return None


def _upload(s3: egress.S3Upload, vault: Vault, endpoints: Collection[str]) -> Upload:
    present = {field.name for field, _ in s3.ListFields()}
    for name in _REFUSED:
        if name in present:
            raise TwirpError("unimplemented", f"this server does not support s3.{name}")
    if not s3.access_key or not s3.secret:
        # Those of this machine are the operator's, and not for everybody who holds an API key.
        raise TwirpError("invalid_argument", "s3 needs access_key and secret")
    try:
        address = address_of({"endpoint": s3.endpoint, "region": s3.region, "bucket": s3.bucket})
    except ValueError as error:
        raise TwirpError("invalid_argument", f"s3: {error}") from error
    if address.endpoint and ANYWHERE not in endpoints and address.endpoint not in endpoints:
        text = f"the operator has not permitted uploads to {address.endpoint} (egress_endpoints)"
        raise TwirpError("permission_denied", text)
    upload = Upload(address.endpoint, address.region, address.bucket)
    secrets = json.dumps([s3.access_key, s3.secret, s3.session_token])
    return msgspec.structs.replace(upload, sealed=vault.seal(secrets, upload.purpose))
