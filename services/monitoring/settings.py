"""Monitoring's configuration, from the environment: `MONITORING_DATABASE_URL` and so on."""

import base64
from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

TERMS = Path(__file__).parents[2] / "terms"


class Settings(BaseSettings):
    """Addresses and secrets of an installation; `terms` is the folder of terms it works by.

    `rehearsal` marks a database as a rehearsal's when it is migrated for the first time; what
    counts afterwards is the mark in the database. Every `reconcile_every_seconds` the
    worker looks at the next piece of what must agree.
    """

    model_config = SettingsConfigDict(env_prefix="MONITORING_", frozen=True)

    database_url: SecretStr
    keys_url: SecretStr
    master_key: SecretStr
    kafka: str
    jwks_url: str
    topic_prefix: str = ""
    terms: Path = TERMS
    host: str = "127.0.0.1"
    port: int = 8103
    worker_port: int = 8123
    rehearsal: bool = False
    deadlines_every_seconds: float = 30.0
    reconcile_every_seconds: float = 60.0

    @property
    def master(self) -> bytes:
        """The 32 bytes of the master key, which is given as base64."""
        return base64.b64decode(self.master_key.get_secret_value())
