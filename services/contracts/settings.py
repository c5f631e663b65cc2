"""What the service is told by its environment, under the prefix `CONTRACTS_`."""

import base64
from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

_CHECKOUT = Path(__file__).parents[2]


class Settings(BaseSettings):
    """Addresses and secrets have no defaults. `master_key` is 32 bytes as base64.

    Every `reconcile_every_seconds` the worker looks at the next piece of what must agree.
    """

    model_config = SettingsConfigDict(env_prefix="CONTRACTS_", frozen=True, extra="ignore")

    database_url: SecretStr
    keys_url: SecretStr
    master_key: SecretStr
    kafka: str
    jwks_url: str
    topic_prefix: str = ""
    rehearsal: bool = False
    host: str = "127.0.0.1"
    port: int = 8101
    worker_port: int = 8121
    terms: Path = _CHECKOUT / "terms"
    connections: int = 10
    deadlines_every_seconds: float = 30.0
    reconcile_every_seconds: float = 60.0

    @property
    def master(self) -> bytes:
        """The master key itself."""
        return base64.b64decode(self.master_key.get_secret_value(), validate=True)
