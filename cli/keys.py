"""The secrets of an installation on this machine, made when first asked for, kept in `keys/`."""

import base64
import os
from pathlib import Path

from joserfc.jwk import ECKey

from cli.state import State

_MASTER_KEY_BYTES = 32


def master_key(state: State) -> str:
    """The key that wraps the keys of personal data: 32 bytes, as base64."""
    path = state.keys / "master.key"
    if not path.exists():
        _keep(path, base64.b64encode(os.urandom(_MASTER_KEY_BYTES)))
    return path.read_text()


def signing_key(state: State) -> ECKey:
    """The key that signs access tokens (ES256)."""
    path = state.keys / "signing.pem"
    if not path.exists():
        _keep(path, ECKey.generate_key("P-256", private=True).as_pem(private=True))
    key = ECKey.import_key(path.read_bytes())
    return ECKey.import_key(
        path.read_bytes(), {"kid": key.thumbprint(), "use": "sig", "alg": "ES256"}
    )


def _keep(path: Path, secret: bytes) -> None:
    path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    draft = path.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(secret)
    draft.replace(path)
