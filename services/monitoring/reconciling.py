"""What must agree in monitoring: its log, its view, its topic, what it did about contracts."""

from collections.abc import Sequence

from libs.events.database import Pool
from libs.events.keys import Keys
from libs.events.reconcile import Check
from libs.events.reconcile_log import log_checks
from libs.events.reconcile_reactions import reacted
from libs.events.reconcile_topic import Sent
from libs.events.reconcile_views import ViewRows
from services.monitoring.reactions import READER, react
from services.monitoring.views import sites
from services.monitoring.views.registry import views

_OWNERS = {"site": "contract_id", "outage": "contract_id"}


def checks(
    *,
    pool: Pool,
    keys: Keys,
    bootstrap: str,
    own_topic: str,
    topics: Sequence[str],
) -> tuple[Check, ...]:
    """All checks that rest on monitoring's own database and on topics."""
    return (
        *log_checks(pool),
        ViewRows(sites.NAME, pool=pool, keys=keys, views=views, owners=_OWNERS),
        Sent(pool=pool, topic=own_topic, bootstrap=bootstrap),
        *reacted(
            consumer=READER,
            topics=topics,
            react=react,
            pool=pool,
            bootstrap=bootstrap,
            keys=keys,
        ),
    )
