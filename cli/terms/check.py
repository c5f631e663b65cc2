"""All that is wrong with a folder of terms, as the services would refuse it at their start."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from cli.terms.sections import MODELS
from cli.terms.together import disagreements
from libs.terms.faults import Fault, WrongTerms, refuse
from libs.terms.files import TermsFile, clause_ids, read_entry, read_shared, read_terms
from libs.terms.in_force import read_japan, section
from libs.terms.offered import services_of, speaks_to
from services.billing.domain.terms import BillingSection, load_billing_terms
from services.contracts.domain.terms import ContractTerms

_JAPAN = "japan"


def check(folder: Path) -> None:
    """Read every file of a folder as its owners do.

    Raises WrongTerms with every fault, each once, by file and line.
    """
    if not folder.is_dir():
        raise WrongTerms(Fault(folder, 1, "there is no such folder"))
    refuse(faults_of(folder))


def faults_of(folder: Path) -> Iterator[Fault]:
    """Find what is wrong with the files of a folder; some faults come more than once."""
    paths = sorted(folder.glob("*.yaml"))
    unread = [fault for path in paths for fault in _collected(partial(read_entry, path))]
    if unread:
        yield from unread
        return
    services = services_of(folder)
    if not services:
        yield Fault(folder, 1, "no file here is the terms of a service")
    yield from _collected(partial(read_japan, folder))
    for service in services:
        yield from _faults_of_service(service, folder=folder)
    yield from _faults_of_others(folder, services=services)


def _faults_of_service(service: str, *, folder: Path) -> Iterator[Fault]:
    """Find the faults of a service's own file and, through it, of what it extends."""
    shape = list(_collected(partial(read_terms, service, folder=folder)))
    yield from shape
    if shape:
        return
    terms = read_terms(service, folder=folder)
    for name, model in MODELS.items():
        if speaks_to(name, terms=terms):
            yield from _collected(partial(section, terms, name=name, model=model))
    if speaks_to("billing", terms=terms):
        yield from _collected(partial(load_billing_terms, service, folder=folder))
    if all(speaks_to(name, terms=terms) for name in ("contracts", "billing")):
        yield from _collected(partial(_agree, terms))


def _agree(terms: TermsFile) -> None:
    """Raise WrongTerms where contracts and billing contradict; their own faults come again."""
    contracts = section(terms, name="contracts", model=ContractTerms)
    billing = section(terms, name="billing", model=BillingSection)
    refuse(disagreements(terms, contracts=contracts, billing=billing))


def _faults_of_others(folder: Path, *, services: tuple[str, ...]) -> Iterator[Fault]:
    """Find files that no service reads; a wrong name would else go unseen."""
    extended = {_JAPAN}
    for service in services:
        top = read_entry(folder / f"{service.lower()}.yaml")
        extended.add(str(top.at(["extends"]).value))
    for path in sorted(folder.glob("*.yml")):
        yield Fault(path, 1, "nobody reads it: files of terms end in .yaml")
    for path in sorted(folder.glob("*.yaml")):
        if path.stem.upper() not in services and path.stem not in extended:
            yield Fault(path, 1, "it names no service, and no service extends it")
        elif path.stem in extended - {_JAPAN}:
            yield from _collected(partial(read_shared, path, known=clause_ids(folder)))


def _collected(read: Callable[[], object]) -> Iterator[Fault]:
    try:
        read()
    except WrongTerms as wrong:
        yield from wrong.faults
