"""Secrets at rest: encrypted by AES-256-GCM with a key that is not in the database."""

import base64
import binascii
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from signaling.errors import ConfigError, VaultError

# 256 bits are 43 characters of base64 or 64 hexadecimal digits.
MIN_MASTER_CHARS = 32

MASTER_KEY_FILE = "master.key"

# NIST SP 800-38D section 5.2.1.1: GCM uses a nonce of this length without hashing. With as few secrets as a server has,
# a random nonce does not repeat.
_NONCE_BYTES = 12


class Vault:
    """Encrypts and decrypts texts."""

    def __init__(self, master_key: str) -> None:
        """`master_key` is any text that cannot be guessed."""
        derived = HKDF(SHA256(), 32, salt=None, info=b"lectern: secrets at rest").derive(master_key.encode())
        self._cipher = AESGCM(derived)

    def seal(self, text: str, what_for: str) -> str:
        """Return the encrypted text; decryption needs the same `what_for`, the purpose of the secret."""
        nonce = os.urandom(_NONCE_BYTES)
        return base64.b64encode(
            nonce + self._cipher.encrypt(nonce, text.encode(), what_for.encode())
        ).decode()

    def open(self, sealed: str, what_for: str) -> str:
        """Return the decrypted text. VaultError if the master key or `what_for` differs, or `sealed` was changed."""
        try:
            content = base64.b64decode(sealed, validate=True)
            nonce, rest = content[:_NONCE_BYTES], content[_NONCE_BYTES:]
            return self._cipher.decrypt(nonce, rest, what_for.encode()).decode()
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise VaultError(f"{what_for} cannot be decrypted: the master key has changed") from error


def find_master_key(configured: str, folder: Path) -> str:
    """Return the configured master key, or the one in the data folder, created if needed. ConfigError."""
    if configured:
        if len(configured) < MIN_MASTER_CHARS:
            raise ConfigError(f"master_key could be guessed; it needs at least {MIN_MASTER_CHARS} characters")
        return configured
    path = folder / MASTER_KEY_FILE
    try:
        _make_once(path)
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"the master key {path} can be read by others (fix it with chmod 600)")
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the master key {path} cannot be read: {type(error).__name__}") from error
    if len(text) < MIN_MASTER_CHARS:
        raise ConfigError(f"the master key {path} is incomplete")
    return text


def _make_once(path: Path) -> None:
    # Written under another name first, so that an existing file is complete; the first of two creations wins.
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(base64.urlsafe_b64encode(os.urandom(32)).decode() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
