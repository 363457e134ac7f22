"""The detached signature of a package, checked before a byte of the package is parsed.

The format is that of OpenSSF Model Signing 1.0 with an elliptic-curve key: a Sigstore bundle with a DSSE envelope
around an in-toto statement, which names the file and its SHA-256. The key never travels with the package: who checks
has it from elsewhere.
"""

import base64
import binascii
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from pipeline_lib.errors import DifferenceError, InputError
from pipeline_lib.scoring.json_rows import parse_json
from pipeline_lib.system.files import sha256_file

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://model_signing/signature/v1.0"
SUFFIX = ".sig"
_CURVES = ("secp256r1", "secp384r1", "secp521r1")
_LARGEST = 1 << 20
"""Bytes of a signature or a key; both have a few thousand."""
_OTHER = "a file or signature was changed, or another key signed it; get all three again from where they come from"


def verify_file(file: Path, key: Path, signature: Path | None = None) -> None:
    """Check a file against its signature (`FILE.sig`) with a public key in PEM.

    Raises DifferenceError where file, name, signature and key do not belong together, InputError where one of them
    cannot be read.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec

    signature = signature or file.with_name(file.name + SUFFIX)
    public = load_public_key(key)
    payload, signed = _envelope(signature, key_hint(public))
    try:
        public.verify(signed, pre_authenticated(payload), ec.ECDSA(hash_of(public)))
    except InvalidSignature:
        raise DifferenceError(
            f"{file.name}: found a signature that {key.name} did not make, expected one; {_OTHER}"
        ) from None
    expected = _signed_digest(signature, payload, file.name)
    found = digest_of(file)
    if not hmac.compare_digest(found, expected):
        raise DifferenceError(
            f"{file.name}: found sha256 {found[:12]}…, expected {expected[:12]}… as it was signed; {_OTHER}"
        )


def load_public_key(key: Path) -> Any:
    """A public key of the curves P-256, P-384, P-521. Raises InputError for another."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ModuleNotFoundError as error:
        raise InputError(
            f"found no package {error.name!r}, expected the extra sign; pip install 'nb-pipeline-lib[sign]'"
        ) from error
    try:
        public = load_pem_public_key(read_small(key))
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise InputError(f"{key}: found {error}, expected a public key in PEM; correct --key") from error
    if not isinstance(public, ec.EllipticCurvePublicKey) or not has_known_curve(public):
        raise InputError(f"{key}: found another kind of key, expected one of the curve P-256, P-384 or P-521")
    return public


def has_known_curve(key: Any) -> bool:
    """Whether an elliptic-curve key is one of P-256, P-384 and P-521."""
    return key.curve.name in _CURVES


def read_small(path: Path) -> bytes:
    """The bytes of a key or a signature. Raises OSError or ValueError for what is no file, or too large."""
    if path.exists() and not path.is_file():
        raise ValueError("a folder or a device")
    with path.open("rb") as stream:
        content = stream.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ValueError(f"more than {_LARGEST:,} bytes")
    return content


def digest_of(file: Path) -> str:
    """The SHA-256 of a file that is signed. Raises InputError for what is none."""
    if not file.is_file():
        raise InputError(f"{file}: found no file, expected the one that is signed; correct the path")
    try:
        return sha256_file(file)
    except OSError as error:
        raise InputError(f"{file}: found {error}, expected the file that is signed; correct the path") from error


def hash_of(public: Any) -> Any:
    """The hash function that goes with a key's size."""
    from cryptography.hazmat.primitives import hashes

    return {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}[public.curve.key_size]


def key_hint(public: Any) -> str:
    """By which a bundle says which key made it: the SHA-256 of its PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def pre_authenticated(payload: bytes) -> bytes:
    """What is signed of a payload: with its type and length, as DSSE 1.0 has it."""
    return f"DSSEv1 {len(PAYLOAD)} {PAYLOAD} {len(payload)} ".encode() + payload


def statement(name: str, digest: str) -> bytes:
    """The statement that a file of this name has this SHA-256."""
    subject = {"name": name, "digest": {"sha256": hashlib.sha256(bytes.fromhex(digest)).hexdigest()}}
    serialization = {"method": "files", "hash_type": "sha256", "allow_symlinks": False, "ignore_paths": []}
    resources = [{"name": ".", "algorithm": "sha256", "digest": digest}]
    value = {
        "_type": STATEMENT,
        "subject": [subject],
        "predicateType": PREDICATE,
        "predicate": {"serialization": serialization, "resources": resources},
    }
    return json.dumps(value, sort_keys=True).encode()


def _envelope(signature: Path, hint: str) -> tuple[bytes, bytes]:
    """The payload of a bundle and its signature, neither of them checked."""
    try:
        content = read_small(signature)
    except (OSError, ValueError) as error:
        raise InputError(f"{signature}: found {error}, expected the signature beside the file; get it again") from error
    try:
        bundle = parse_json(content)
    except (ValueError, RecursionError) as error:
        raise _malformed(signature, "no JSON") from error
    try:
        envelope = bundle["dsseEnvelope"]
        (signed,) = envelope["signatures"]
        given = bundle["verificationMaterial"]["publicKey"].get("hint")
        if bundle["mediaType"] != BUNDLE or envelope["payloadType"] != PAYLOAD:
            raise _malformed(signature, "another format")
        payload, raw = (base64.b64decode(text, validate=True) for text in (envelope["payload"], signed["sig"]))
    except (KeyError, TypeError, AttributeError, ValueError, binascii.Error) as error:
        raise _malformed(signature, "no bundle with one signature") from error
    if given is not None and given != hint:
        raise DifferenceError(f"{signature.name}: found the signature of another key, expected that of --key; {_OTHER}")
    return payload, raw


def _signed_digest(signature: Path, payload: bytes, name: str) -> str:
    """The SHA-256 that a statement, whose signature is right, says of the file of this name."""
    try:
        value = parse_json(payload)
        (subject,), (resource,) = value["subject"], value["predicate"]["resources"]
        digest = resource["digest"]
        whole = hashlib.sha256(bytes.fromhex(digest)).hexdigest()
        if (value["_type"], value["predicateType"], resource["algorithm"]) != (STATEMENT, PREDICATE, "sha256"):
            raise _malformed(signature, "another kind of statement")
        if resource["name"] != "." or subject["digest"]["sha256"] != whole or len(digest) != 64:
            raise _malformed(signature, "a statement about other files")
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise _malformed(signature, "no statement about one file") from error
    if subject["name"] != name:
        raise DifferenceError(f"{name}: found a file that was signed as {subject['name']!r}, expected its name; rename")
    return str(digest)


def _malformed(signature: Path, found: str) -> InputError:
    return InputError(f"{signature}: found {found}, expected a signature of OpenSSF Model Signing 1.0; get it again")
