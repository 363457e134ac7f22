"""Signing a package with an elliptic-curve key, as OpenSSF Model Signing 1.0 has it."""

import base64
import json
import os
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.scoring.signature import (
    BUNDLE,
    PAYLOAD,
    SUFFIX,
    digest_of,
    has_known_curve,
    hash_of,
    key_hint,
    pre_authenticated,
    read_small,
    statement,
)
from pipeline_lib.system.files import write_atomic

PASSWORD_VARIABLE = "PIPELINE_LIB_KEY_PASSWORD"  # noqa: S105 (the name of a variable)
"""Environment variable with the password of an encrypted key."""


def load_private_key(key: Path) -> Any:
    """A private key in PEM.

    Raises InputError for a key of another kind, or one whose password is missing or another.
    """
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ModuleNotFoundError as error:
        raise InputError(
            f"found no package {error.name!r}, expected the extra sign; pip install 'nb-pipeline-lib[sign]'"
        ) from error
    password = os.environ.get(PASSWORD_VARIABLE)
    try:
        private = load_pem_private_key(read_small(key), password.encode() if password else None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(
            f"{key}: found {error}, expected a private key in PEM; correct --sign, or ${PASSWORD_VARIABLE}"
        ) from error
    if not isinstance(private, ec.EllipticCurvePrivateKey) or not has_known_curve(private):
        raise InputError(
            f"{key}: found another kind of key, expected one of the curve P-256, P-384 or P-521; "
            "`openssl ecparam -name prime256v1 -genkey -noout -out key.pem` makes one"
        )
    return private


def sign_file(file: Path, key: Path) -> Path:
    """Write the signature of a file beside it, by a private key in PEM; returns its path.

    Raises InputError for a key of another kind, or one whose password is missing or another.
    """
    private = load_private_key(key)
    from cryptography.hazmat.primitives.asymmetric import ec

    public = private.public_key()
    payload = statement(file.name, digest_of(file))
    signature = private.sign(pre_authenticated(payload), ec.ECDSA(hash_of(public)))
    bundle = {
        "mediaType": BUNDLE,
        "verificationMaterial": {"publicKey": {"hint": key_hint(public)}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD,
            "signatures": [{"sig": base64.b64encode(signature).decode(), "keyid": ""}],
        },
    }
    path = file.with_name(file.name + SUFFIX)
    write_atomic(path, json.dumps(bundle).encode())
    return path
