"""Every service's checks, and those that see two services at once, which no service may."""

import base64
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import asyncpg

from cli.environments import Environment
from cli.reconcile.facts import FactsOfLog
from cli.services import KEYS_DATABASE
from libs.events.database import Pool
from libs.events.kafka import topic_of
from libs.events.key_store import PostgresKeys
from libs.events.keys import Keys
from libs.events.log import Log
from libs.events.reconcile import Check
from libs.events.reconcile_reactions import Causes
from services.billing import reactions as billing_reactions
from services.billing import reconciling as billing
from services.billing.domain.terms import Settings as TermSettings
from services.billing.ports import Billing
from services.billing.terms_folder import TermsFolder
from services.billing.views.runs import PostgresDrafts
from services.billing.views.timelines import PostgresTimelines
from services.contracts import reactions as contracts_reactions
from services.contracts import reconciling as contracts
from services.contracts.domain.terms import offered_terms
from services.monitoring import reactions as monitoring_reactions
from services.monitoring import reconciling as monitoring
from services.notifications import reconciling as notifications
from services.notifications.settings import TERMS
from services.notifications.terms import notice_terms

_FACTS_FROM = ("contracts", "monitoring")
_TOLD_BY = ("contracts", "monitoring", "billing")
_TOLD = "notifications"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """The databases of an environment by name, its broker, and its keys."""

    pools: Mapping[str, Pool]
    kafka: str
    keys: Keys
    environment: Environment

    def topic(self, context: str) -> str:
        """The topic of a context."""
        return topic_of(context, prefix=self.environment.topic_prefix)

    def topics(self, contexts: Sequence[str]) -> list[str]:
        """The topics of these contexts."""
        return [self.topic(context) for context in contexts]


@asynccontextmanager
async def opened(
    environment: Environment,
    *,
    services: Sequence[str],
    dsn_of: Callable[[str], str],
    kafka: str,
    master_key: str,
) -> AsyncIterator[Installation]:
    """Connections to every database of an environment; `dsn_of` gives one by database's name."""
    async with AsyncExitStack() as stack:

        async def pool(name: str) -> Pool:
            dsn = dsn_of(environment.database(name))
            return await stack.enter_async_context(asyncpg.create_pool(dsn, min_size=0, max_size=2))

        keys = PostgresKeys(await pool(KEYS_DATABASE), master=base64.b64decode(master_key))
        pools = {name: await pool(name) for name in services}
        yield Installation(pools=pools, kafka=kafka, keys=keys, environment=environment)


def checks_of(service: str, there: Installation) -> tuple[Check, ...]:
    """All checks of a service, the ones that look into other databases included."""
    others = [pool for name, pool in there.pools.items() if name != service]
    return (*_MAKERS[service](there), Causes(pool=there.pools[service], sources=others))


def _contracts(there: Installation) -> tuple[Check, ...]:
    return contracts.checks(
        pool=there.pools["contracts"],
        keys=there.keys,
        terms=offered_terms(TERMS),
        bootstrap=there.kafka,
        own_topic=there.topic("contracts"),
        topics=there.topics(contracts_reactions.SOURCES),
    )


def _billing(there: Installation) -> tuple[Check, ...]:
    pool = there.pools["billing"]
    timelines = PostgresTimelines(pool, topic_prefix=there.environment.topic_prefix)
    terms = TermsFolder(TERMS, settings=TermSettings())

    def billing_on(log: Log) -> Billing:
        return Billing(log=log, timelines=timelines, terms=terms, drafts=PostgresDrafts(pool))

    own = billing.checks(
        pool=pool,
        billing_on=billing_on,
        keys=there.keys,
        bootstrap=there.kafka,
        own_topic=there.topic("billing"),
        topics=there.topics(_FACTS_FROM),
        decides_on=there.topics(billing_reactions.SOURCES),
    )
    across = (
        FactsOfLog(
            context,
            source=there.pools[context],
            billing=pool,
            keys=there.keys,
            topic=there.topic(context),
        )
        for context in _FACTS_FROM
    )
    return (*own, *across)


def _monitoring(there: Installation) -> tuple[Check, ...]:
    return monitoring.checks(
        pool=there.pools["monitoring"],
        keys=there.keys,
        bootstrap=there.kafka,
        own_topic=there.topic("monitoring"),
        topics=there.topics(monitoring_reactions.SOURCES),
    )


def _notifications(there: Installation) -> tuple[Check, ...]:
    return notifications.checks(
        pool=there.pools[_TOLD],
        keys=there.keys,
        bootstrap=there.kafka,
        own_topic=there.topic(_TOLD),
        consumer=_TOLD,
        topics=there.topics(_TOLD_BY),
        terms_of=notice_terms(TERMS),
    )


_MAKERS: Mapping[str, Callable[[Installation], tuple[Check, ...]]] = {
    "contracts": _contracts,
    "billing": _billing,
    "monitoring": _monitoring,
    "notifications": _notifications,
}
