"""Files in a bucket of a real S3 server."""

import random

import pytest
from aiohttp import web

from signaling.recordings.storage.address import (
    Address,
    Credentials,
    NoFileError,
    StorageError,
    address_of,
    clean_key,
)
from signaling.recordings.storage.bucket import Bucket
from tests.s3 import CREDENTIALS

LARGE = random.Random(1).randbytes((20 << 20) + 17)


@pytest.fixture
def large(tmp_path):
    path = tmp_path / "0001.webm"
    path.write_bytes(LARGE)
    return path


async def read(bucket, key, start, end):
    return b"".join([piece async for piece in bucket.read(key, start, end)])


async def test_a_large_file_is_stored_in_parts_and_read_in_ranges(s3, bucket, large):
    await bucket.put("rec_1/a/0001.webm", large, "video/webm")
    assert s3.names() == ["school/rec_1/a/0001.webm"]
    found = s3.client.head_object(Bucket=s3.bucket, Key="school/rec_1/a/0001.webm")
    # An ETag of several parts ends with their number.
    assert (found["ContentType"], found["ETag"].strip('"').rpartition("-")[2]) == ("video/webm", "3")
    assert await bucket.size("rec_1/a/0001.webm") == len(LARGE)
    assert await read(bucket, "rec_1/a/0001.webm", 0, len(LARGE)) == LARGE
    assert await read(bucket, "rec_1/a/0001.webm", 5, 9 << 20) == LARGE[5 : 9 << 20]
    with pytest.raises(StorageError, match="shorter"):
        await read(bucket, "rec_1/a/0001.webm", len(LARGE) - 4, len(LARGE) + 4)
    assert bucket.url("rec_1/a b") == f"{s3.endpoint}/{s3.bucket}/school/rec_1/a%20b"


async def test_what_is_below_a_name_is_deleted_and_nothing_else(s3, bucket, tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"x")
    for key in ("rec_1/a/1", "rec_1/b", "rec_10/a", "rec_1.txt"):
        await bucket.put(key, path, "text/plain")
    await bucket.delete("rec_1")
    assert s3.names() == ["school/rec_1.txt", "school/rec_10/a"]
    await bucket.delete("rec_10/a")
    await bucket.delete("rec_10/a")
    assert s3.names() == ["school/rec_1.txt"]


async def test_errors_name_the_bucket_and_the_reason_and_no_credentials(s3, bucket, tmp_path):
    with pytest.raises(NoFileError, match=f"none cannot be examined in the bucket {s3.bucket}"):
        await bucket.size("none")
    path = tmp_path / "x"
    path.write_bytes(b"x")
    gone = Bucket(Address(s3.endpoint, "us-east-1", "vanished"), CREDENTIALS, max_retries=0)
    with pytest.raises(StorageError, match=r"vanished of http://127.0.0.1:\d+: NoSuchBucket") as refused:
        await gone.put("x", path, "text/plain")
    assert not any(secret in str(refused.value) for secret in (CREDENTIALS.access_key, CREDENTIALS.secret))
    assert repr(CREDENTIALS) == "Credentials(...)"


async def test_requests_are_repeated_after_errors_of_the_server(aiohttp_server_of, tmp_path, monkeypatch):
    # Credentials of the machine must not be used beside those that are given.
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-the-machine")
    seen = []

    async def answer(request):
        seen.append(
            (request.method, request.path, request.headers.get("x-amz-security-token"), await request.read())
        )
        return web.Response(status=503 if len(seen) < 3 else 200, headers={"ETag": '"1"'})

    path = tmp_path / "x"
    path.write_bytes(b"content")
    async with aiohttp_server_of(answer) as origin:
        bucket = Bucket(Address(origin, "eu-west-1", "lessons"), Credentials("a", "b"))
        await bucket.put("x", path, "text/plain")
    assert seen == [("PUT", "/lessons/x", None, b"content")] * 3


@pytest.mark.parametrize(
    "fields",
    [
        {"bucket": "b"},
        {"bucket": "Upper"},
        {"bucket": "lessons", "region": "eu.evil.example/"},
        {"bucket": "lessons", "endpoint": "ftp://host"},
        {"bucket": "lessons", "endpoint": "https://user:pass@host"},
        {"bucket": "lessons", "endpoint": "https://host/path"},
        {"bucket": "lessons/../x"},
    ],
)
def test_places_that_cannot_be_are_refused(fields):
    with pytest.raises(ValueError):
        address_of(fields)


def test_addresses_have_defaults():
    assert address_of({"bucket": "lessons"}).url("a b") == "https://s3.us-east-1.amazonaws.com/lessons/a%20b"
    assert address_of({"bucket": "lessons", "endpoint": "s3.example"}).origin == "https://s3.example"


@pytest.mark.parametrize(
    ("text", "key"), [("/a//b/../c.mp4", "a/b/c.mp4"), ("a/./b", "a/b"), ("ä.mp4", "ä.mp4")]
)
def test_names_of_objects_are_relative_paths(text, key):
    assert clean_key(text) == key


@pytest.mark.parametrize("text", ["", "/", "..", "a\nb", "x" * 1025])
def test_other_names_are_refused(text):
    with pytest.raises(ValueError):
        clean_key(text)
