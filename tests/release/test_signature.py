"""Signatures: the file, its name, the signature and the key belong together, or the package is refused unread."""

import base64
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_line import invoke
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from pipeline_lib.errors import DifferenceError, InputError, PipelineLibError
from pipeline_lib.release.sign import PASSWORD_VARIABLE, sign_file
from pipeline_lib.scoring.signature import verify_file

CURVES = [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()]


def write_keys(folder: Path, private: Any, password: bytes | None = None) -> tuple[Path, Path]:
    """A private key and its public key in PEM."""
    folder.mkdir(parents=True, exist_ok=True)
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    keys = folder / "key.pem", folder / "public.pem"
    keys[0].write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    keys[1].write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return keys


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    return write_keys(tmp_path / "keys", ec.generate_private_key(CURVES[0]))


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "boats_model-1.0-py3-none-any.whl"
    path.write_bytes(random.Random(0).randbytes(5_000))  # noqa: S311 (no secret)
    return path


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: str(curve.name))
def test_a_signed_file_is_verified(curve: Any, tmp_path: Path, wheel: Path) -> None:
    key, public = write_keys(tmp_path / "keys", ec.generate_private_key(curve))
    assert sign_file(wheel, key) == wheel.with_name(wheel.name + ".sig")
    verify_file(wheel, public)


def test_another_key_another_name_another_byte(tmp_path: Path, wheel: Path, keys: tuple[Path, Path]) -> None:
    sign_file(wheel, keys[0])
    _, other = write_keys(tmp_path / "other", ec.generate_private_key(CURVES[0]))
    with pytest.raises(DifferenceError, match="found the signature of another key"):
        verify_file(wheel, other)
    renamed = wheel.with_name("boats_model-2.0-py3-none-any.whl")
    renamed.write_bytes(wheel.read_bytes())
    with pytest.raises(DifferenceError, match=r"found a file that was signed as 'boats_model-1.0"):
        verify_file(renamed, keys[1], wheel.with_name(wheel.name + ".sig"))
    wheel.write_bytes(wheel.read_bytes() + b"x")
    with pytest.raises(DifferenceError, match="as it was signed"):
        verify_file(wheel, keys[1])


def changed(signature: Path, change: Callable[[Any], None]) -> None:
    bundle = json.loads(signature.read_bytes())
    change(bundle)
    signature.write_text(json.dumps(bundle))


def test_a_statement_that_was_changed_is_not_believed(wheel: Path, keys: tuple[Path, Path]) -> None:
    signature = sign_file(wheel, keys[0])
    wheel.write_bytes(b"other content")

    def forge(bundle: Any) -> None:
        from pipeline_lib.scoring.signature import statement
        from pipeline_lib.system.files import sha256_file

        payload = statement(wheel.name, sha256_file(wheel))
        bundle["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()

    changed(signature, forge)
    with pytest.raises(DifferenceError, match=r"found a signature that public.pem did not make"):
        verify_file(wheel, keys[1])


@pytest.mark.parametrize(
    "change",
    [
        lambda bundle: bundle.pop("dsseEnvelope"),
        lambda bundle: bundle.update(mediaType="text/plain"),
        lambda bundle: bundle["dsseEnvelope"].update(signatures=[]),
        lambda bundle: bundle["dsseEnvelope"].update(payload="no base64!"),
        lambda bundle: bundle["dsseEnvelope"].update(payloadType="text/plain"),
        lambda bundle: bundle["dsseEnvelope"].update(payload=7),
        lambda bundle: bundle.update(verificationMaterial=[]),
    ],
    ids=["no envelope", "media type", "no signature", "payload", "payload type", "number", "material"],
)
def test_a_malformed_signature(change: Callable[[Any], None], wheel: Path, keys: tuple[Path, Path]) -> None:
    changed(sign_file(wheel, keys[0]), change)
    with pytest.raises(InputError, match=r"expected a signature of OpenSSF Model Signing 1.0"):
        verify_file(wheel, keys[1])


@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b"{}", b"null", b"\xff", b'{"a":1,"a":2}', b" " * (2 << 20)])
def test_what_is_no_signature_at_all(content: bytes, wheel: Path, keys: tuple[Path, Path]) -> None:
    sign_file(wheel, keys[0]).write_bytes(content)
    with pytest.raises(InputError, match="get it again"):
        verify_file(wheel, keys[1])


def test_files_that_are_not_there(wheel: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected the signature beside the file"):
        verify_file(wheel, keys[1])
    sign_file(wheel, keys[0])
    with pytest.raises(InputError, match="expected a public key in PEM"):
        verify_file(wheel, tmp_path / "none.pem")
    with pytest.raises(InputError, match="expected a public key in PEM"):
        verify_file(wheel, keys[0])
    wheel.unlink()
    with pytest.raises(InputError, match="found no file, expected the one that is signed"):
        verify_file(wheel, keys[1])


def test_what_is_no_file_is_refused_before_it_is_read(wheel: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    signature = sign_file(wheel, keys[0])
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for other in (pipe, tmp_path, Path("/dev/zero")):
        with pytest.raises(InputError, match="found no file, expected the one that is signed"):
            sign_file(other, keys[0])
        with pytest.raises(InputError, match="found a folder or a device, expected a private key in PEM"):
            sign_file(wheel, other)
        with pytest.raises(InputError, match="found a folder or a device, expected a public key in PEM"):
            verify_file(wheel, other)
        with pytest.raises(InputError, match="found a folder or a device, expected the signature"):
            verify_file(wheel, keys[1], other)
    wheel.unlink()
    os.mkfifo(wheel)
    with pytest.raises(InputError, match="found no file, expected the one that is signed"):
        verify_file(wheel, keys[1], signature)


@pytest.mark.parametrize("curve", [ec.SECP256K1(), ec.BrainpoolP256R1(), ec.BrainpoolP384R1()])
def test_curves_that_no_other_tool_verifies(wheel: Path, tmp_path: Path, curve: ec.EllipticCurve) -> None:
    key, public = write_keys(tmp_path / "curve", ec.generate_private_key(curve))
    with pytest.raises(InputError, match="expected one of the curve P-256"):
        sign_file(wheel, key)
    with pytest.raises(InputError, match="expected one of the curve P-256"):
        verify_file(wheel, public)


def test_other_kinds_of_keys(wheel: Path, tmp_path: Path) -> None:
    key, public = write_keys(tmp_path / "rsa", rsa.generate_private_key(65_537, 2_048))
    with pytest.raises(InputError, match="expected one of the curve P-256"):
        sign_file(wheel, key)
    wheel.with_name(wheel.name + ".sig").write_text("{}")
    with pytest.raises(InputError, match="expected one of the curve P-256"):
        verify_file(wheel, public)


def test_an_encrypted_key_needs_its_password(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, public = write_keys(tmp_path / "secret", ec.generate_private_key(CURVES[0]), b"opens it")
    with pytest.raises(InputError, match=PASSWORD_VARIABLE):
        sign_file(wheel, key)
    monkeypatch.setenv(PASSWORD_VARIABLE, "opens it")
    sign_file(wheel, key)
    verify_file(wheel, public)


def mutations(content: bytes, count: int) -> list[bytes]:
    """Contents that differ from the first: flipped bits, bytes cut out, doubled, exchanged."""
    chance = random.Random(1)  # noqa: S311 (no secret)
    made = []
    for _ in range(count):
        place, kind = chance.randrange(len(content)), chance.randrange(4)
        if kind == 0:
            other = content[:place] + bytes([content[place] ^ (1 << chance.randrange(8))]) + content[place + 1 :]
        elif kind == 1:
            other = content[:place] + content[place + 1 + chance.randrange(20) :]
        elif kind == 2:
            other = content[:place] + chance.randbytes(1 + chance.randrange(8)) + content[place:]
        else:
            other = content[:place]
        if other != content:
            made.append(other)
    return made


def check_mutations(wheel: Path, keys: tuple[Path, Path], count: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many changed wheels and signatures were refused; a zip reader must never be asked."""
    import zipfile

    def never(*arguments: Any, **options: Any) -> None:
        raise AssertionError("the package was parsed")

    monkeypatch.setattr(zipfile.ZipFile, "__init__", never)
    signature = sign_file(wheel, keys[0])
    good = {path: path.read_bytes() for path in (wheel, signature)}
    meaning = _means(good[signature])
    refused = 0
    for path, content in good.items():
        for other in mutations(content, count):
            if path == signature and _means(other) == meaning:
                continue  # such as a space more
            path.write_bytes(other)
            with pytest.raises(PipelineLibError):
                verify_file(wheel, keys[1])
            refused += 1
        path.write_bytes(content)
    verify_file(wheel, keys[1])
    return refused


def _means(content: bytes) -> Any:
    """What of a signature decides: fields besides do not."""
    try:
        bundle = json.loads(content)
        envelope = bundle["dsseEnvelope"]
        kept = {name: envelope[name] for name in ("payload", "payloadType")}
        signed = [{"sig": base64.b64decode(each["sig"])} for each in envelope["signatures"]]
        original = base64.b64decode(kept["payload"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return (bundle.get("mediaType"), original, kept["payloadType"], signed)


def test_changed_packages_are_refused_unread(
    wheel: Path, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check_mutations(wheel, keys, 150, monkeypatch) > 250


@pytest.mark.slow
def test_ten_thousand_changed_packages_are_refused_unread(
    wheel: Path, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check_mutations(wheel, keys, 5_200, monkeypatch) > 10_000


def test_a_key_that_signs_nothing_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    result = invoke("package", "no_such_record", "--sign", tmp_path / "none.pem", "--out", tmp_path / "out")
    assert isinstance(result.exception, InputError)
    assert "expected a private key in PEM; correct --sign" in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_a_package_without_a_key_to_verify_it_by_is_refused_with_the_option(wheel: Path) -> None:
    result = invoke("verify", wheel)
    assert isinstance(result.exception, InputError)
    assert "found a package without --key" in str(result.exception)


def test_a_key_that_cannot_sign_is_refused_before_anything_is_packaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline_lib.release import package

    monkeypatch.setattr(package, "package", lambda *given, **options: pytest.fail("it was packaged"))
    done = invoke("package", tmp_path, "--sign", tmp_path / "none.pem")
    assert "expected a private key in PEM" in str(done.exception)
