"""The rehearsal environment as a player uses it: started on demand, kept running, or cleared away."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import stamina.instrumentation

from cli.environments import REHEARSAL
from cli.keys import signing_key
from cli.play.http import Services, partner_tracer, services_at
from cli.play.rest import Rest
from cli.processes import ended_by_signals
from cli.state import State
from cli.system import Addresses, System
from cli.tokens import mint

PLAYER = "player"
_OPERATOR = "operator"
_TOKEN_LASTS = timedelta(hours=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What plays share: the services, their common rest, and what was parked before."""

    services: Services
    rest: Rest
    parked_before: int


@contextmanager
def rehearsal_running(state: State) -> Iterator[Addresses]:
    """The rehearsal environment, started if need be; it runs on after the block.

    When the block fails or is broken off, whatever was started for it is stopped again.
    """
    system = System(state, environment=REHEARSAL)
    before = system.running()
    with ended_by_signals():
        try:
            yield system.start()
        except BaseException:
            system.stop_new(before)
            raise


@asynccontextmanager
async def stage(addresses: Addresses, *, state: State) -> AsyncIterator[Stage]:
    """Everything that plays on a running rehearsal environment need."""
    stamina.instrumentation.set_on_retry_hooks([])
    now = datetime.now(UTC)
    token = mint(
        signing_key(state), subject=PLAYER, scopes=[_OPERATOR], now=now, lasting=_TOKEN_LASTS
    )
    async with (
        partner_tracer(addresses.zipkin or None) as tracer,
        services_at(addresses.services, token=token, tracer=tracer) as services,
    ):
        rest = Rest(services)
        parked = await rest.begin()
        yield Stage(services=services, rest=rest, parked_before=parked)
