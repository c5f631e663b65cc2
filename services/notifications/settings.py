"""Notifications' configuration, from the environment: `NOTIFICATIONS_DATABASE_URL` and so on."""

import base64
from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

TERMS = Path(__file__).parents[2] / "terms"


class Settings(BaseSettings):
    """Addresses and secrets of an installation; `terms` is the folder of terms it works by.

    `sender` is what mails are from; the name in it signs them. `mail_attempts` is how often a
    mail is tried that the server defers, `mail_retry_seconds` the pause before the second
    attempt, doubled each time. `rehearsal` marks a database when it is migrated for the first
    time; what counts afterwards is the mark in the database. Every `reconcile_every_seconds` the
    worker looks at the next piece of what must agree.
    """

    model_config = SettingsConfigDict(env_prefix="NOTIFICATIONS_", frozen=True)

    database_url: SecretStr
    keys_url: SecretStr
    master_key: SecretStr
    kafka: str
    jwks_url: str
    smtp_host: str
    smtp_port: int
    sender: str = "ヤッカン サポート窓口 <no-reply@yakkan.invalid>"
    mail_attempts: int = 6
    mail_retry_seconds: float = 30
    topic_prefix: str = ""
    terms: Path = TERMS
    trace_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 8104
    worker_port: int = 8124
    rehearsal: bool = False
    reconcile_every_seconds: float = 60.0

    @property
    def master(self) -> bytes:
        """The 32 bytes of the master key, which is given as base64."""
        return base64.b64decode(self.master_key.get_secret_value())
