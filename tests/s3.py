"""An S3 server (moto) in a thread of this process, seen by Amazon's own client."""

import itertools
from contextlib import contextmanager

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer

from signaling.recordings.storage.address import Address, Credentials

CREDENTIALS = Credentials("AKIAEXAMPLE", "very-secret-key")
NUMBERS = itertools.count(1)


class S3:
    """The server, seen by Amazon's own client."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id=CREDENTIALS.access_key,
            aws_secret_access_key=CREDENTIALS.secret,
            config=Config(retries={"max_attempts": 1}),
        )
        self.bucket = ""

    def make_bucket(self):
        self.bucket = f"recordings-{next(NUMBERS)}"
        self.client.create_bucket(Bucket=self.bucket)
        return self

    @property
    def address(self):
        return Address(self.endpoint, "us-east-1", self.bucket)

    def names(self):
        found = self.client.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return [each["Key"] for each in found]

    def content(self, key):
        return self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()


@contextmanager
def running():
    """Start the server; yields its origin."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()
