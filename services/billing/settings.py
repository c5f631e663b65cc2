"""Billing's configuration, from the environment: `BILLING_DATABASE_URL` and so on."""

import base64
from pathlib import Path
from typing import Literal

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

TERMS = Path(__file__).parents[2] / "terms"


class Settings(BaseSettings):
    """Addresses and secrets of an installation, and what its operator may set.

    `rehearsal` marks a database as a rehearsal's when it is migrated for the first time; what
    counts afterwards is the mark in the database. `due_policy` gives due dates where none is
    agreed and a run names no other; `lone_interest` says whether late interest alone is held or
    billed; `trace_ui` is the address under which a trace id shows its trace. Deadlines are met
    every `deadlines_every_seconds` outside a rehearsal. Every `reconcile_every_seconds` the worker
    looks at the next piece of what must agree.
    """

    model_config = SettingsConfigDict(env_prefix="BILLING_", frozen=True)

    database_url: SecretStr
    keys_url: SecretStr
    master_key: SecretStr
    kafka: str
    jwks_url: str
    topic_prefix: str = ""
    host: str = "127.0.0.1"
    port: int = 8102
    worker_port: int = 8122
    rehearsal: bool = False
    terms: Path = TERMS
    due_policy: str = "agreed"
    lone_interest: Literal["hold", "bill"] = "hold"
    trace_ui: str | None = None
    deadlines_every_seconds: float = 60.0
    reconcile_every_seconds: float = 60.0

    @property
    def master(self) -> bytes:
        """The 32 bytes of the master key, which is given as base64."""
        return base64.b64decode(self.master_key.get_secret_value())
