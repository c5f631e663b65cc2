"""What is known of customers, contracts and invoices, from their own events."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from libs.events.database import Connection, Pool
from libs.events.envelope import Event, Recorded
from libs.events.reaction import NotYetSeen
from libs.events.vocabulary.billing import InvoiceIssued
from libs.events.vocabulary.contracts import (
    ContractApproved,
    CustomerDetailsChanged,
    CustomerRegistered,
    PartyForgotten,
)
from libs.events.wire import as_told
from services.notifications.reactions import Occasion, occasion_of

_CONTACT = "contact"


@dataclass(frozen=True, slots=True)
class Recipient:
    """How a customer is addressed; None where not registered, or forgotten."""

    name: str | None
    email: str | None


async def keep(connection: Connection, recorded: Sequence[Recorded[Event]]) -> None:
    """Keep what events tell, and the occasions they are; an effect of the reader of topics.

    Raises `NotYetSeen` for an occasion whose customer, contract or invoice has not arrived.
    """
    for each in recorded:
        match each.event:
            case CustomerRegistered() as customer:
                await _register(connection, customer)
            case CustomerDetailsChanged() as changed:
                await _change(connection, changed)
            case PartyForgotten() as forgotten:
                await _forget(connection, forgotten)
            case ContractApproved() as approved:
                await _keep_contract(connection, approved)
            case InvoiceIssued() as invoice:
                await _keep_invoice(connection, invoice)
            case _:
                pass
        occasion = occasion_of(each.event)
        if occasion is not None:
            await _keep_occasion(connection, each, occasion=occasion)


REGISTER = """
INSERT INTO recipient (customer_id, name, email) VALUES ($1, $2, $3)
ON CONFLICT ON CONSTRAINT recipient_once DO NOTHING
"""


async def _register(connection: Connection, event: CustomerRegistered) -> None:
    await connection.execute(REGISTER, event.customer_id, event.name, event.email)


CHANGE = """
UPDATE recipient SET name = coalesce($2, name), email = coalesce($3, email)
WHERE customer_id = $1 AND NOT forgotten
"""


async def _change(connection: Connection, event: CustomerDetailsChanged) -> None:
    await connection.execute(CHANGE, event.customer_id, event.name, event.email)


FORGET_RECIPIENT = """
UPDATE recipient SET name = NULL, email = NULL, forgotten = true WHERE customer_id = $1
"""
FORGET_MAILS = "UPDATE captured_mail SET address = NULL, body = NULL WHERE customer_id = $1"


async def _forget(connection: Connection, event: PartyForgotten) -> None:
    if _CONTACT in event.retention_classes:
        await connection.execute(FORGET_RECIPIENT, event.party_id)
        await connection.execute(FORGET_MAILS, event.party_id)


KEEP_CONTRACT = """
INSERT INTO known_contract (contract_id, customer_id, service) VALUES ($1, $2, $3)
ON CONFLICT ON CONSTRAINT known_contract_once DO NOTHING
"""


async def _keep_contract(connection: Connection, event: ContractApproved) -> None:
    await connection.execute(KEEP_CONTRACT, event.contract_id, event.customer_id, event.service)


KEEP_INVOICE = """
INSERT INTO known_invoice (invoice_id, number, service) VALUES ($1, $2, $3)
ON CONFLICT ON CONSTRAINT known_invoice_once DO NOTHING
"""


async def _keep_invoice(connection: Connection, event: InvoiceIssued) -> None:
    await connection.execute(KEEP_INVOICE, event.invoice_id, event.number, event.service)


KEEP_OCCASION = """
INSERT INTO occasion (event_id, type, data, customer_id, contract_ids, service, invoice_number,
                      recorded_at, correlation_id, traceparent)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT ON CONSTRAINT occasion_once DO NOTHING
"""


async def _keep_occasion(
    connection: Connection, recorded: Recorded[Event], *, occasion: Occasion
) -> None:
    service, number = await _service_of(connection, occasion)
    if await _find_recipient(connection, occasion.customer_id) is None:
        raise NotYetSeen(f"customer {occasion.customer_id} is not known yet")
    envelope = recorded.envelope
    await connection.execute(
        KEEP_OCCASION,
        envelope.event_id,
        recorded.event.type,
        as_told(recorded.event, without=("type",)).decode(),
        occasion.customer_id,
        occasion.contract_ids,
        service,
        number,
        envelope.recorded_at,
        envelope.correlation_id,
        envelope.traceparent,
    )


FIND_CONTRACT = "SELECT service FROM known_contract WHERE contract_id = $1"
FIND_INVOICE = "SELECT service, number FROM known_invoice WHERE invoice_id = $1"


async def _service_of(connection: Connection, occasion: Occasion) -> tuple[str, int | None]:
    if occasion.invoice_id is not None:
        row = await connection.fetchrow(FIND_INVOICE, occasion.invoice_id)
        if row is None:
            raise NotYetSeen(f"invoice {occasion.invoice_id} is not known yet")
        return row["service"], row["number"]
    contract_id = occasion.contract_ids[0]
    service = await connection.fetchval(FIND_CONTRACT, contract_id)
    if service is None:
        raise NotYetSeen(f"contract {contract_id} is not known yet")
    return service, None


FIND_RECIPIENT = "SELECT name, email FROM recipient WHERE customer_id = $1"


async def _find_recipient(connection: Connection | Pool, customer_id: UUID) -> Recipient | None:
    row = await connection.fetchrow(FIND_RECIPIENT, customer_id)
    return None if row is None else Recipient(row["name"], row["email"])


async def recipient(pool: Pool, customer_id: UUID) -> Recipient:
    """How a customer is addressed; nobody's name or address for one not known."""
    return await _find_recipient(pool, customer_id) or Recipient(None, None)


IS_FORGOTTEN = "SELECT forgotten FROM recipient WHERE customer_id = $1"


async def is_forgotten(pool: Pool, customer_id: UUID) -> bool:
    """Whether nothing may be said to a customer any more, whatever can still be read."""
    return bool(await pool.fetchval(IS_FORGOTTEN, customer_id))
