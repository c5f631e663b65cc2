"""Which accounts there are: of a customer, of a payment, with a deadline."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from libs.events.database import Pool

LIST_ACCOUNTS = """
SELECT account_id FROM billing_account
WHERE customer_id = $1 AND ($2::uuid IS NULL OR account_id > $2)
ORDER BY account_id LIMIT $3
"""


async def accounts_of_customer(
    pool: Pool, customer_id: UUID, *, after: UUID | None, limit: int
) -> list[UUID]:
    """The accounts of a customer in order of id, from the one after `after`."""
    rows = await pool.fetch(LIST_ACCOUNTS, customer_id, after, limit)
    return [UUID(int=row["account_id"].int) for row in rows]


FIND_ACCOUNT_OF_PAYMENT = "SELECT account_id FROM payment WHERE payment_id = $1"


async def account_of_payment(pool: Pool, payment_id: UUID) -> UUID | None:
    """The account that received a payment; None for an unknown one."""
    found = await pool.fetchval(FIND_ACCOUNT_OF_PAYMENT, payment_id)
    return None if found is None else UUID(int=found.int)


FIND_NEXT_LATE = """
SELECT account_id, late_on FROM billing_account
WHERE late_on IS NOT NULL AND (cardinality($1::uuid[]) = 0 OR account_id = ANY($1))
ORDER BY late_on, account_id LIMIT 1
"""


async def next_late(pool: Pool, scope: Sequence[UUID]) -> tuple[UUID, date] | None:
    """The account whose claim becomes late first, and when; of those in scope, if one is given."""
    row = await pool.fetchrow(FIND_NEXT_LATE, list(scope))
    return None if row is None else (UUID(int=row["account_id"].int), row["late_on"])


FIND_LATE = """
SELECT account_id FROM billing_account
WHERE late_on <= $1 AND (cardinality($2::uuid[]) = 0 OR account_id = ANY($2))
ORDER BY late_on, account_id
"""


async def late_by(pool: Pool, until: date, *, scope: Sequence[UUID]) -> list[UUID]:
    """The accounts with a claim that becomes late on or before a day, the earliest first."""
    rows = await pool.fetch(FIND_LATE, until, list(scope))
    return [UUID(int=row["account_id"].int) for row in rows]
