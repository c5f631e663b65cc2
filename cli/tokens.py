"""Access tokens, as an operator's identity provider would issue them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from joserfc import jwt
from joserfc.jwk import ECKey

ISSUER = "yakkan"
AUDIENCE = "yakkan"


def mint(
    key: ECKey,
    *,
    subject: str,
    scopes: Iterable[str],
    customer_id: UUID | None = None,
    now: datetime,
    lasting: timedelta,
) -> str:
    """A token for `subject`, valid from `now` (with its zone) for `lasting`.

    With a `customer_id` it is a customer's token, which sees that customer's own things only.
    """
    claims: dict[str, object] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "scope": " ".join(scopes),
        "iat": int(now.timestamp()),
        "exp": int((now + lasting).timestamp()),
    }
    if customer_id is not None:
        claims["customer_id"] = str(customer_id)
    return jwt.encode({"alg": "ES256", "kid": key.kid}, claims, key)
