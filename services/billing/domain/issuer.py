"""The issuer of documents: numbers without gaps, and a chain of hashes over what was issued."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from uuid import UUID

import orjson

from libs.events.envelope import Event
from libs.events.vocabulary.billing import CreditNoteIssued, DocumentsIssued, InvoiceIssued

ISSUER = UUID("2f7c7a52-0e6b-5b1f-9b63-5f1f5d1f0a77")
"""The stream that holds every batch; the operator of an installation is the one issuer."""

NO_HASH = "0" * 64

Numbered = InvoiceIssued | CreditNoteIssued


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """The last number given, the hash of its document, and the batches of each run, in order."""

    version: int = 0
    number: int = 0
    hash: str = NO_HASH
    batches: Mapping[UUID, tuple[DocumentsIssued, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )

    def of(self, run_id: UUID) -> tuple[DocumentsIssued, ...]:
        """The batches that a run has issued."""
        return self.batches.get(run_id, ())

    def after(self, event: DocumentsIssued) -> "Issuer":
        """The issuer after one more batch."""
        batches = {**self.batches, event.run_id: (*self.of(event.run_id), event)}
        return Issuer(
            version=self.version + 1,
            number=event.last_number,
            hash=event.hash,
            batches=MappingProxyType(batches),
        )


def fold_issuer(events: Iterable[DocumentsIssued]) -> Issuer:
    """The issuer after these batches, oldest first."""
    version, number, last = 0, 0, NO_HASH
    batches: dict[UUID, tuple[DocumentsIssued, ...]] = {}
    for event in events:
        version, number, last = version + 1, event.last_number, event.hash
        batches[event.run_id] = (*batches.get(event.run_id, ()), event)
    return Issuer(version=version, number=number, hash=last, batches=MappingProxyType(batches))


def numbered(
    issuer: Issuer, drafts: Sequence[Event], *, run_id: UUID, batch: int
) -> tuple[tuple[Event, ...], DocumentsIssued]:
    """Number and chain the documents among `drafts`, in order, and the batch that says so."""
    number, last = issuer.number, issuer.hash
    events: list[Event] = []
    for draft in drafts:
        if isinstance(draft, InvoiceIssued | CreditNoteIssued):
            number += 1
            document = draft.model_copy(
                update={"number": number, "previous_hash": last, "hash": ""}
            )
            last = document_hash(document)
            events.append(document.model_copy(update={"hash": last}))
        else:
            events.append(draft)
    invoices = [event for event in events if isinstance(event, InvoiceIssued)]
    notes = [event for event in events if isinstance(event, CreditNoteIssued)]
    return tuple(events), DocumentsIssued(
        run_id=run_id,
        batch=batch,
        first_number=issuer.number + 1,
        last_number=number,
        previous_hash=issuer.hash,
        hash=last,
        invoices=len(invoices),
        credit_notes=len(notes),
        total=sum(e.total for e in invoices) + sum(e.total for e in notes),
    )


def document_hash(document: Numbered) -> str:
    """The SHA-256 of what a document says, the hash of the one before it included.

    Fields at their defaults do not count, so that a field added later leaves old hashes right.
    """
    body = document.model_dump(mode="json", exclude={"hash"}, exclude_defaults=True)
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def unbroken(documents: Iterable[Numbered]) -> bool:
    """Whether documents in order of number have no gap and each rests on the one before it."""
    before: Numbered | None = None
    for document in documents:
        if document.hash != document_hash(document):
            return False
        if before is not None and (
            document.number != before.number + 1 or document.previous_hash != before.hash
        ):
            return False
        before = document
    return True
