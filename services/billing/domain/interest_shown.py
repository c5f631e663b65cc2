"""Late interest on documents: which shows it, what is billed by itself, what is left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from libs.events.vocabulary.billing import InterestEntry
from services.billing.domain.account import Account
from services.billing.domain.books import ContractBooks
from services.billing.domain.debts import charged
from services.billing.domain.document import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """Which document shows which interest, what is billed by itself, and what is left out."""

    shown: tuple[tuple[InterestEntry, ...], ...]
    lone: tuple[InterestEntry, ...] = ()
    waived: tuple[InterestEntry, ...] = ()


def interest_to_show(
    account: Account, *, contract: ContractBooks, documents: Sequence[Document], over: bool
) -> Interest:
    """Show pending interest on the first document that may bear it; `over` when none will come.

    Clauses: WUTM-27.3, WSRV-27.3 (with nothing else to bill it is held, and left out in the end).
    """
    shown: list[list[InterestEntry]] = [[] for _ in documents]
    lone: list[InterestEntry] = []
    waived: list[InterestEntry] = []
    for entry in account.pending:
        if not _concerns(account, entry=entry, contract_id=contract.contract_id):
            continue
        bearer = next(
            (
                index
                for index, document in enumerate(documents)
                if charged(
                    entry,
                    invoice_months=[(document.from_on, document.to_on)],
                    terms=contract.terms,
                )
            ),
            None,
        )
        if bearer is not None:
            shown[bearer].append(entry)
        elif over:
            alone = charged(entry, invoice_months=[], terms=contract.terms)
            (lone if alone else waived).append(entry)
    return Interest(shown=tuple(map(tuple, shown)), lone=tuple(lone), waived=tuple(waived))


def _concerns(account: Account, *, entry: InterestEntry, contract_id: UUID) -> bool:
    return any(
        claim.claim_id == entry.debt_id and contract_id in claim.contract_ids
        for claim in account.claims
    )


def interest_outcomes(account: Account, *, contract: ContractBooks) -> tuple[InterestEntry, ...]:
    """Every interest entry of a contract, with `charged` as it stands.

    What is pending counts as charged while the contract goes on: a later invoice will show it.
    """
    goes_on = contract.timeline.ended is None and contract.timeline.revoked is None
    spans = [
        (document.from_on, document.to_on)
        for document in account.issued
        if contract.contract_id in document.contract_ids and not document.credit_note
    ]
    found: list[InterestEntry] = []
    for _, entry in account.interest:
        if not _concerns(account, entry=entry, contract_id=contract.contract_id):
            continue
        held = entry in account.waived or (
            not goes_on and not charged(entry, invoice_months=spans, terms=contract.terms)
        )
        found.append(entry.model_copy(update={"charged": not held}))
    return tuple(found)
