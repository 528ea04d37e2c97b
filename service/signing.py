"""The key that signs the audit log, and the checkpoint text of C2SP (tlog-checkpoint, signed-note)."""

import base64
import binascii
import contextlib
import os
import secrets
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from db.logwalk import Checkpoint
from service.errors import AbscopeError
from service.settings import Settings

SIGNING_KEY_FILE = "audit_signing_key.pem"
PEPPER_FILE = "key_pepper"
_KEY_BYTES = 32
_LONGEST_SIZE = 18
_ED25519 = b"\x01"


class InvalidKey(AbscopeError):
    """A key, or a text that a key should have signed, is not what it must be."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """Public half of a signing key. ``origin`` names the log and stands in every signed text."""

    origin: str
    raw: bytes

    @classmethod
    def of_key(cls, raw: bytes) -> "Verifier":
        """Name the log after its key, which makes the name unique."""
        return cls(f"abscope/{sha256(raw).hexdigest()[:16]}", raw)

    @classmethod
    def parse(cls, text: str) -> "Verifier":
        """Read a public key: base64 of its 32 bytes, or a verifier key ``NAME+HASH+KEY``.

        Raises
        ------
        InvalidKey
            The text is neither.
        """
        bare = _decode(text.strip())
        if len(bare) == _KEY_BYTES:
            return cls.of_key(bare)
        origin, _, rest = text.strip().partition("+")
        key = _decode(rest.partition("+")[2])
        verifier = cls(origin, key[1:])
        if len(verifier.raw) != _KEY_BYTES or verifier.text != text.strip():
            raise InvalidKey("the public key must be base64 of 32 bytes or a verifier key NAME+HASH+KEY")
        return verifier

    @property
    def key_id(self) -> bytes:
        """First four bytes of the hash over name and key, as signed notes carry it."""
        return sha256(self.origin.encode() + b"\n" + _ED25519 + self.raw).digest()[:4]

    @property
    def text(self) -> str:
        """The verifier key in the form of C2SP signed notes."""
        return f"{self.origin}+{self.key_id.hex()}+{_encode(_ED25519 + self.raw)}"

    def body(self, size: int, root: bytes) -> bytes:
        """Text that is signed: origin, size, root."""
        return f"{self.origin}\n{size}\n{_encode(root)}\n".encode()

    def check(self, size: int, root: bytes, signature: bytes) -> bool:
        """Whether this key signed this size and root."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, self.body(size, root))
        except InvalidSignature:
            return False
        return True

    def note(self, size: int, root: bytes, signature: bytes) -> str:
        """Checkpoint as text that can be kept anywhere and read again with ``read_note``."""
        return f"{self.body(size, root).decode()}\n— {self.origin} {_encode(self.key_id + signature)}\n"

    def read_note(self, note: str) -> Checkpoint:
        """Return the checkpoint of a note.

        Raises
        ------
        InvalidKey
            This key did not sign the note.
        """
        body, _, signatures = note.partition("\n\n")
        lines = [*body.split("\n"), "", "", ""][:3]
        size = int(lines[1]) if lines[1].isdecimal() and len(lines[1]) <= _LONGEST_SIZE else -1
        checkpoint = Checkpoint(size, _decode(lines[2]))
        if lines[0] == self.origin:
            for line in signatures.splitlines():
                name, _, encoded = line.rpartition(" ")
                key_id, signature = _decode(encoded)[:4], _decode(encoded)[4:]
                mine = name == f"— {self.origin}" and key_id == self.key_id
                if mine and self.check(checkpoint.size, checkpoint.root, signature):
                    return checkpoint
        raise InvalidKey("the checkpoint is not signed by the given key")


class Signer:
    """Private half; ``sign`` is what the group-commit writer needs."""

    def __init__(self, pem: bytes) -> None:
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError):
            raise InvalidKey("the signing key must be a PKCS#8 PEM without a passphrase") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise InvalidKey("the signing key must be of type Ed25519")
        self._key = key
        self.verifier = Verifier.of_key(
            key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        )

    @property
    def public_key_base64(self) -> str:
        """The bare public key, which ``Verifier.parse`` reads."""
        return _encode(self.verifier.raw)

    def sign(self, size: int, root: bytes) -> bytes:
        """Sign the size and the root of the log."""
        return self._key.sign(self.verifier.body(size, root))

    def note(self, size: int, root: bytes) -> str:
        """Checkpoint of a size and root as signed text."""
        return self.verifier.note(size, root, self.sign(size, root))


def has_signing_key(settings: Settings) -> bool:
    """Whether a signing key is given or kept in the data directory."""
    return settings.signing_key is not None or (settings.data_dir / SIGNING_KEY_FILE).exists()


def has_pepper(settings: Settings) -> bool:
    """Whether the secret of the access keys' digests is given or kept in the data directory."""
    return settings.key_pepper is not None or (settings.data_dir / PEPPER_FILE).exists()


def load_signer(settings: Settings) -> Signer:
    """Use the given signing key, or the one in the data directory; the first start makes it."""
    if settings.signing_key is not None:
        return Signer(settings.signing_key.get_secret_value().encode())
    return Signer(_kept(settings.data_dir / SIGNING_KEY_FILE, new_signing_key()))


def load_pepper(settings: Settings) -> bytes:
    """Use the given secret of the access keys' digests, or the one in the data directory.

    Raises
    ------
    InvalidKey
        It is shorter than 32 bytes.
    """
    if settings.key_pepper is not None:
        pepper = settings.key_pepper.get_secret_value().encode()
    else:
        pepper = _kept(settings.data_dir / PEPPER_FILE, secrets.token_bytes(_KEY_BYTES))
    if len(pepper) < _KEY_BYTES:
        raise InvalidKey(
            f"the pepper of the API keys must have {_KEY_BYTES} bytes or more: set ABSCOPE_KEY_PEPPER_FILE to a file "
            "made by 'openssl rand -hex 32'"
        )
    return pepper


def new_signing_key() -> bytes:
    """Make a signing key: PKCS#8 PEM, Ed25519."""
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _kept(path: Path, fresh: bytes) -> bytes:
    """Content of a secret file, made whole and for its owner only if it is not there.

    Of several processes that start at once the first one wins.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(fresh)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_bytes()


def _encode(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _decode(text: str) -> bytes:
    """Bytes of base64, none when the text is not base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
