import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from db.logwalk import Checkpoint
from service.settings import Settings
from service.signing import (
    PEPPER_FILE,
    SIGNING_KEY_FILE,
    InvalidKey,
    Signer,
    Verifier,
    load_pepper,
    load_signer,
    new_signing_key,
)

ROOT = bytes(range(32))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


@pytest.mark.parametrize("name", [SIGNING_KEY_FILE, PEPPER_FILE])
def test_the_first_start_makes_keys_for_their_owner_only(settings: Settings, name: str) -> None:
    first = load_signer(settings).public_key_base64, load_pepper(settings)
    assert (load_signer(settings).public_key_base64, load_pepper(settings)) == first
    assert stat.S_IMODE((settings.data_dir / name).stat().st_mode) == 0o600
    assert sorted(path.name for path in settings.data_dir.iterdir()) == sorted([SIGNING_KEY_FILE, PEPPER_FILE])


def test_starts_at_the_same_time_agree_on_one_key(settings: Settings) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: load_pepper(settings), range(8)))
    assert len(set(keys)) == 1


def test_given_keys_are_used_and_nothing_is_made(tmp_path: Path) -> None:
    pem = new_signing_key()
    given = Settings(data_dir=tmp_path / "none", signing_key=pem.decode(), key_pepper="pepper" * 6)
    assert load_signer(given).public_key_base64 == Signer(pem).public_key_base64
    assert load_pepper(given) == b"pepper" * 6
    assert not (tmp_path / "none").exists()


def test_other_keys_are_refused_with_what_is_needed() -> None:
    elliptic = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for pem, needed in ((b"nonsense", "PEM"), (elliptic, "Ed25519")):
        with pytest.raises(InvalidKey, match=needed):
            Signer(pem)


def test_a_signature_holds_for_its_size_root_and_key_only() -> None:
    signer, stranger = Signer(new_signing_key()), Signer(new_signing_key())
    signature = signer.sign(7, ROOT)
    assert signer.verifier.check(7, ROOT, signature)
    assert not signer.verifier.check(8, ROOT, signature)
    assert not signer.verifier.check(7, bytes(32), signature)
    assert not signer.verifier.check(7, ROOT, signature[:-1])
    assert not stranger.verifier.check(7, ROOT, signature)


def test_a_note_has_the_form_of_a_checkpoint_and_reads_back() -> None:
    signer = Signer(new_signing_key())
    note = signer.note(7, ROOT)
    origin, size, root, blank, signed, end = note.split("\n")
    assert (origin, size, base64.b64decode(root), blank, end) == (signer.verifier.origin, "7", ROOT, "", "")
    assert signed.startswith(f"— {origin} ")
    assert base64.b64decode(signed.rpartition(" ")[2])[:4] == signer.verifier.key_id
    assert signer.verifier.read_note(note) == Checkpoint(7, ROOT)


def test_forged_notes_are_refused() -> None:
    signer, stranger = Signer(new_signing_key()), Signer(new_signing_key())
    note = signer.note(7, ROOT)
    own = signer.verifier
    foreign = stranger.verifier.note(7, ROOT, stranger.sign(7, ROOT))
    forged = ["", "a\nb\nc\n\n", note.replace("\n7\n", "\n8\n"), note.partition("\n\n")[0], foreign]
    forged.append(foreign.replace(stranger.verifier.origin, own.origin))
    for text in forged:
        with pytest.raises(InvalidKey):
            own.read_note(text)


def test_public_keys_are_read_in_both_forms() -> None:
    signer = Signer(new_signing_key())
    assert Verifier.parse(signer.public_key_base64) == signer.verifier
    assert Verifier.parse(signer.verifier.text + "\n") == signer.verifier
    for damaged in ("", "abc", signer.verifier.text[:-4], signer.verifier.text.replace("abscope/", "abscope-")):
        with pytest.raises(InvalidKey):
            Verifier.parse(damaged)


@pytest.mark.parametrize("pepper", ["", " ", "a" * 31, "é" * 15])
def test_a_short_pepper_is_refused(tmp_path: Path, pepper: str) -> None:
    with pytest.raises(InvalidKey, match="32 bytes"):
        load_pepper(Settings(data_dir=tmp_path, key_pepper=pepper))
    (tmp_path / PEPPER_FILE).write_bytes(pepper.encode())
    with pytest.raises(InvalidKey, match="32 bytes"):
        load_pepper(Settings(data_dir=tmp_path))
    assert load_pepper(Settings(data_dir=tmp_path, key_pepper="é" * 16)) == "é".encode() * 16


def test_an_empty_pepper_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").touch()
    monkeypatch.setenv("ABSCOPE_KEY_PEPPER_FILE", str(tmp_path / "empty"))
    with pytest.raises(InvalidKey, match="32 bytes"):
        load_pepper(Settings(data_dir=tmp_path))
