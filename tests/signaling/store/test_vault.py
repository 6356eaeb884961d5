import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.errors import ConfigError, VaultError
from signaling.store.vault import Vault, find_master_key

VAULT = Vault("m" * 32)


@given(st.text(), st.text(alphabet="abc"))
def test_what_is_sealed_opens_again_for_the_same_purpose_only(text, purpose):
    sealed = VAULT.seal(text, purpose)
    assert VAULT.open(sealed, purpose) == text
    assert VAULT.seal(text, purpose) != sealed
    with pytest.raises(VaultError):
        VAULT.open(sealed, f"{purpose}!")


def test_another_master_key_opens_nothing():
    with pytest.raises(VaultError) as caught:
        Vault("n" * 32).open(VAULT.seal("hunter2", "a password"), "a password")
    assert "master key" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@given(st.one_of(st.text(), st.binary().map(lambda raw: raw.decode("latin-1"))))
def test_what_was_never_sealed_is_refused(text):
    with pytest.raises(VaultError):
        VAULT.open(text, "x")


def test_one_changed_character_is_noticed():
    sealed = VAULT.seal("text", "x")
    for at in range(len(sealed) - 2):  # the last ones may be padding
        changed = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
        with pytest.raises(VaultError):
            VAULT.open(changed, "x")


def test_the_master_key_is_made_once_for_its_owner_alone(tmp_path):
    key = find_master_key("", tmp_path)
    assert len(key) >= 32
    assert find_master_key("", tmp_path) == key
    assert [path.name for path in tmp_path.iterdir()] == ["master.key"]
    assert (tmp_path / "master.key").stat().st_mode & 0o777 == 0o600


def test_a_configured_master_key_needs_no_file(tmp_path):
    assert find_master_key("k" * 32, tmp_path) == "k" * 32
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigError, match="32"):
        find_master_key("short", tmp_path)


def test_an_unsafe_or_broken_file_is_refused(tmp_path):
    path = tmp_path / "master.key"
    path.write_text("k" * 40)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="others"):
        find_master_key("", tmp_path)
    path.chmod(0o600)
    assert find_master_key("", tmp_path) == "k" * 40
    for content in (b"", b"short", b"\xff" * 40):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match="master key"):
            find_master_key("", tmp_path)
    path.unlink()
    path.mkdir(0o700)
    with pytest.raises(ConfigError, match="cannot be read"):
        find_master_key("", tmp_path)


def test_of_two_that_are_made_at_once_the_first_stays(tmp_path, monkeypatch):
    monkeypatch.setattr("pathlib.Path.exists", lambda _path: False)  # neither sees the other's
    assert find_master_key("", tmp_path) == find_master_key("", tmp_path)
