import signal

from signaling.teaching.children import child


async def test_content_goes_in_and_output_comes_out(monkeypatch):
    status, output = await child.run("json.tool", "--compact", content=b'{"a": [1, 2]}', timeout_s=30)
    assert (status, output.strip()) == (0, b'{"a":[1,2]}')
    assert await child.run("json.tool", content=b"{", timeout_s=30) == (1, b"")


async def test_without_content_nothing_is_read():
    assert await child.run("platform", timeout_s=30) == (0, b"")


async def test_a_child_has_none_of_the_servers_environment(monkeypatch):
    monkeypatch.setenv("LECTERN_MASTER_KEY", "secret")
    status, output = await child.run(
        "tests.signaling.teaching.children.environment", content=b"", timeout_s=30
    )
    assert status == 0
    assert set(output.split()) <= {b"PATH", b"LANG", b"PYTHONPATH", b"LC_CTYPE"}


async def test_a_child_that_takes_too_long_is_killed():
    assert await child.run("json.tool", content=b"{}", timeout_s=0.0) == (-signal.SIGKILL, b"")
