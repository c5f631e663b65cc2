"""A worker that reconciles goes on when the database fails it, whatever it asks just then."""

from libs.events.reconcile import Looked, Place
from libs.events.reconciling import Reconciler, outcomes
from tests.support.way import Place as Way
from tests.support.way import running, until


class TakesAwayItsFindings:
    """A check that agrees, and after whose first look the table of findings can't be read."""

    name = "takes away its findings"

    def __init__(self, way: Way) -> None:
        self._way = way
        self.looks = 0

    async def look(self, _: Place, *, limit: int) -> Looked:  # noqa: ARG002 - a check's shape
        self.looks += 1
        if self.looks == 1:
            await self._way.pool.execute(
                "ALTER TABLE reconciled RENAME COLUMN finished_looked TO w"
            )
        return Looked((), 1, {"at": self.looks})


async def test_a_worker_outlives_that_its_findings_cant_be_read(source: Way) -> None:
    check = TakesAwayItsFindings(source)
    reconciler = Reconciler([check], pool=source.pool, every_seconds=0.05)
    async with running(reconciler.run):
        await until(lambda: _looked(check, times=3))
        await source.pool.execute("ALTER TABLE reconciled RENAME COLUMN w TO finished_looked")
    (outcome,) = await outcomes(source.pool)
    assert outcome.check == check.name


async def _looked(check: TakesAwayItsFindings, *, times: int) -> bool:
    return check.looks >= times
