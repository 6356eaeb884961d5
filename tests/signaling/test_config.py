import argparse
import os
import tomllib

import pytest

from signaling import config
from signaling.config import ServerConfig, check_keys, load, mail_sender, parse_keys
from signaling.errors import ConfigError

LONG = "s" * 32


def write(tmp_path, text):
    path = tmp_path / "lectern.toml"
    path.write_text(text)
    return str(path)


def test_defaults():
    assert load({}, {}) == ServerConfig()
    assert (ServerConfig().http_port, ServerConfig().udp_port) == (7880, 7882)
    assert ServerConfig().bind_host is None


def test_dev_mode_is_on_loopback_with_known_keys():
    dev = load({"dev": True}, {})
    assert dev.bind_host == "127.0.0.1"
    assert dev.keys == {"devkey": "secret"}
    assert load({"dev": True, "host": "0.0.0.0"}, {}).bind_host == "0.0.0.0"
    assert load({"dev": True}, {"LECTERN_KEYS": "a: b"}).keys == {"a": "b"}
    check_keys(dev)


def test_flags_beat_environment_beats_file(tmp_path):
    path = write(tmp_path, 'http_port = 1\nudp_port = 1\nexternal_ip = "192.0.2.1"\n[keys]\nfile = "x"\n')
    environ = {"LECTERN_HTTP_PORT": "2", "LECTERN_UDP_PORT": "2", "LECTERN_CONFIG": path}
    loaded = load({"http_port": 3}, environ)
    assert (loaded.http_port, loaded.udp_port, loaded.external_ip) == (3, 2, "192.0.2.1")
    assert loaded.keys == {"file": "x"}
    assert load({}, {**environ, "LECTERN_KEYS": f"env: {LONG}"}).keys == {"env": LONG}


def test_every_option_is_a_flag_a_variable_and_a_line_of_the_sample(tmp_path):
    parser = argparse.ArgumentParser()
    config.add_flags(parser)
    text = parser.format_help()
    sample = config.sample()
    for entry in config.option_fields():
        assert "--" + entry.name.replace("_", "-") in text
        assert f"# {entry.name} = " in sample
        assert entry.metadata["help"] in sample
    uncommented = "\n".join(
        line.removeprefix("# ") for line in sample.splitlines() if " = " in line or line == "# [keys]"
    )
    assert tomllib.loads(uncommented)["http_port"] == 7880
    loaded = load({"config": write(tmp_path, uncommented)}, {})
    assert loaded == ServerConfig(keys=loaded.keys)


def test_given_flags_alone_are_taken():
    parser = argparse.ArgumentParser()
    config.add_flags(parser)
    assert vars(parser.parse_args([])) == {}
    given = vars(parser.parse_args(["--dev", "--http-port", "0", "--external-ip", "192.0.2.1"]))
    assert given == {"dev": True, "http_port": 0, "external_ip": "192.0.2.1"}


def test_flags_of_lists_may_be_repeated():
    parser = argparse.ArgumentParser()
    config.add_flags(parser)
    given = parser.parse_args(["--external-ip", "192.0.2.1,lo", "--external-ip", "2001:db8::1"])
    assert load(vars(given), {}).external_ips == ("192.0.2.1", "lo", "2001:db8::1")
    assert load({}, {"LECTERN_EXTERNAL_IP": " 192.0.2.1, lo ,"}).external_ips == ("192.0.2.1", "lo")
    with pytest.raises(ConfigError, match=r"'eth77' is neither .* interface of this machine \(.*lo"):
        load({"external_ip": "192.0.2.1,eth77"}, {})


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("a: b", {"a": "b"}),
        ("a: b, c: d", {"a": "b", "c": "d"}),
        ("a: b\nc:d\n", {"a": "b", "c": "d"}),
        ("a: 'b:c'", {"a": "b:c"}),
        ("", {}),
    ],
)
def test_keys_are_read(text, keys):
    assert parse_keys(text) == keys


@pytest.mark.parametrize("text", ["a", "a:", ": b", "topsecretvalue"])
def test_bad_keys_are_refused_without_being_repeated(text):
    with pytest.raises(ConfigError) as error:
        parse_keys(text)
    assert "topsecret" not in str(error.value)


def test_short_secrets_are_for_dev_mode():
    with pytest.raises(ConfigError, match="32"):
        check_keys(ServerConfig(keys={"key": "s" * 31}))
    check_keys(ServerConfig(keys={"key": LONG}))
    with pytest.raises(ConfigError):
        check_keys(ServerConfig(keys={"key": LONG, "other": "short"}))


@pytest.mark.parametrize(
    "environ",
    [
        {"LECTERN_HTTP_PORT": "many"},
        {"LECTERN_HTTP_PORT": "70000"},
        {"LECTERN_UDP_PORT": "-1"},
        {"LECTERN_DEV": "maybe"},
        {"LECTERN_EXTERNAL_IP": "here"},
        {"LECTERN_TURN_URL": "turn:relay.example"},
        {"LECTERN_TURN_SECRET": "x"},
        {"LECTERN_TURN_URL": "turn:r", "LECTERN_TURN_SECRET": "x", "LECTERN_TURN_TTL_S": "0"},
        {"LECTERN_CONFIG": "/does/not/exist.toml"},
    ],
)
def test_unusable_values_are_refused(environ):
    with pytest.raises(ConfigError):
        load({}, environ)


@pytest.mark.parametrize(
    "text",
    ["x = ", "unknown = 1", 'http_port = "7880"', "dev = 1", "keys = 1", "[keys]\na = 1", "host = 7", "\x00"],
)
def test_unusable_files_are_refused(tmp_path, text):
    with pytest.raises(ConfigError):
        load({"config": write(tmp_path, text)}, {})


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError):
        load({"config": str(path)}, {})


@pytest.mark.parametrize(
    ("text", "on"), [("1", True), ("true", True), ("on", True), ("0", False), ("", False)]
)
def test_switches_from_the_environment(text, on):
    assert load({}, {"LECTERN_DEV": text}).dev is on


def test_secrets_stay_out_of_the_representation():
    secrets = (
        "turn_secret",
        "metrics_token",
        "master_key",
        "oidc_client_secret",
        "database_url",
        "mail_password",
        "storage_secret",
        "notes_key",
    )
    given = {name: f"hush-{name}" for name in secrets}
    config = ServerConfig(keys={"key": "hush-hush"}, **given)
    assert "hush" not in repr(config)
    assert "dev=False" in repr(config)
    assert set(config.secrets) >= {"hush-hush", *given.values()}


@pytest.mark.parametrize("missing", ["recordings", "notes_model"])
def test_notes_by_a_model_need_recordings_and_its_name(missing):
    options = {"notes_url": "http://127.0.0.1:1/v1", "notes_model": "m", "recordings": "r"}
    assert load(dict(options), {}).notes_model == "m"
    with pytest.raises(ConfigError, match="notes_url needs"):
        load({**options, missing: ""}, {})


MAIL = {"mail_host": "mail.example", "mail_from": "School <a@b.example>", "public_url": "https://b.example"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mail_from": ""}, "mail_from"),
        ({"mail_from": "School"}, "mail_from"),
        ({"mail_from": "a@b.example\r\nBcc: c@d.example"}, "mail_from"),
        ({"public_url": ""}, "public_url"),
        ({"mail_tls": "ssl"}, "mail_tls"),
        ({"mail_tls": "none"}, "on this machine"),
        ({"mail_user": "me"}, "mail_password"),
        ({"mail_port": 70_000}, "mail_port"),
    ],
)
def test_mail_that_cannot_be_sent_is_refused_at_the_start(change, words):
    load(MAIL, {})
    with pytest.raises(ConfigError, match=words):
        load({**MAIL, **change}, {})


def test_the_sender_of_mail_may_have_a_name():
    sender = mail_sender(load(MAIL, {}))
    assert (sender.display_name, sender.addr_spec) == ("School", "a@b.example")


def test_workers_take_a_port_each():
    keys = {"keys": {"k": "x" * 32}}
    assert ServerConfig(udp_port=10, workers=3, **keys).udp_ports == (10, 12)
    assert ServerConfig(udp_port=10, workers=0, **keys).udp_ports == (10, 10)
    assert ServerConfig(workers=-1).worker_count == len(os.sched_getaffinity(0))
    for flags in ({"workers": -2}, {"workers": 129}, {"workers": 4, "udp_port": 65533}):
        with pytest.raises(ConfigError, match="worker"):
            load(flags, {})
    assert load({"workers": 4, "udp_port": 65532}, {}).udp_ports == (65532, 65535)


OTHERS_REACH = ["0.0.0.0", "::", "192.0.2.1", "fd00::1", "school.example", "::ffff:192.0.2.1"]


@pytest.mark.parametrize("host", OTHERS_REACH)
def test_development_mode_stays_on_this_machine(host):
    with pytest.raises(ConfigError, match="dev-on-network"):
        check_keys(load({"dev": True, "host": host}, {}))
    with pytest.raises(ConfigError, match="dev-on-network"):
        check_keys(load({"dev": True, "host": host, "dev_on_network": False}, {"LECTERN_KEYS": f"a: {LONG}"}))


@pytest.mark.parametrize("host", ["", "localhost", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_on_this_machine_it_needs_no_word(host):
    config = load({"dev": True, "host": host}, {})
    check_keys(config)
    assert config.media_local_only


@pytest.mark.parametrize("host", OTHERS_REACH)
def test_beyond_this_machine_the_known_secret_is_refused(host):
    flags = {"dev": True, "dev_on_network": True, "host": host}
    with pytest.raises(ConfigError, match="devkey"):
        check_keys(load(flags, {}))
    config = load(flags, {"LECTERN_KEYS": f"a: {LONG}"})
    check_keys(config)
    assert not config.media_local_only


def test_media_is_for_everybody_outside_of_development_mode():
    assert not load({}, {}).media_local_only


@pytest.mark.parametrize(
    "url",
    ["https://a.example", "http://a.example:8080/", "https://a.example/b/c-d", "http://[2001:db8::1]:80/x"],
)
def test_public_addresses(url):
    assert load({"public_url": url}, {}).public_url == url


@pytest.mark.parametrize(
    "url",
    ["a.example", "wss://a.example", "https://a.example/?x", 'https://a.example/"><script>', "https:///b"],
)
def test_what_is_no_public_address_is_refused(url):
    with pytest.raises(ConfigError, match="public_url"):
        load({"public_url": url}, {})
