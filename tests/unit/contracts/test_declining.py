"""A change that is asked for and declined: its grounds, and what stays as it is."""

from datetime import date, timedelta

import pytest

from libs.events.vocabulary.contracts import ContentChangeDeclined
from services.contracts.domain.declining import decline_change
from services.contracts.domain.facts import content_on
from services.contracts.domain.refusals import (
    AlreadyEnded,
    NotAGround,
    NotFormed,
    NotOfThisService,
    TooEarly,
)
from tests.unit.contracts.builders import applied, given, running, terminated
from tests.unit.contracts.test_further_services import terms_of

BEGUN = date(2024, 1, 10)
ASKED = date(2024, 2, 1)
ON = date(2024, 2, 5)


@pytest.mark.clause("WUTM-10.2", "WSRV-10.2")
@pytest.mark.parametrize(
    "ground",
    ["technical", "non-existent", "arrears", "not-line-party", "false-statement", "hindrance"],
)
@pytest.mark.parametrize("service", ["WUTM", "WSRV"])
def test_a_change_is_declined_on_a_ground_of_an_application(service: str, ground: str) -> None:
    life, terms = given(*running(BEGUN, service=service)), terms_of(service)
    (declined,) = decline_change(
        life, kind="device", applied_on=ASKED, declined_on=ON, ground=ground, terms=terms
    )
    assert isinstance(declined, ContentChangeDeclined)
    assert (declined.ground, declined.clause) == (ground, terms.declining[ground].clause)
    after = given(*running(BEGUN, service=service), declined)
    assert content_on(after.facts, None) == content_on(life.facts, None)
    again = decline_change(
        after, kind="device", applied_on=ASKED, declined_on=ON, ground=ground, terms=terms
    )
    assert again == ()


@pytest.mark.clause("WUTM-10.2", "WSRV-10.2")
@pytest.mark.parametrize(("service", "clause"), [("WUTM", "WUTM-10.2"), ("WSRV", "WSRV-10.2")])
def test_a_ground_that_the_terms_do_not_know_is_refused(service: str, clause: str) -> None:
    with pytest.raises(NotAGround) as refused:
        decline_change(
            given(*running(BEGUN, service=service)),
            kind="device",
            applied_on=ASKED,
            declined_on=ON,
            ground="no-ground-at-all",
            terms=terms_of(service),
        )
    assert (refused.value.clause, refused.value.field) == (clause, "/ground")


@pytest.mark.clause("WUTM-10.2")
def test_it_is_declined_while_the_contract_lives_and_after_it_was_asked_for() -> None:
    terms = terms_of("WUTM")
    for events, asked, refusal in (
        (running(BEGUN, service="WUTM"), date(2024, 2, 6), TooEarly),
        (running(BEGUN, service="WUTM"), BEGUN - timedelta(days=1), TooEarly),
        ((applied(BEGUN, service="WUTM"),), ASKED, NotFormed),
        ((*running(BEGUN, service="WUTM"), terminated(date(2024, 2, 4))), ASKED, AlreadyEnded),
    ):
        with pytest.raises(refusal):
            decline_change(
                given(*events),
                kind="device",
                applied_on=asked,
                declined_on=ON,
                ground="arrears",
                terms=terms,
            )


def test_terms_that_say_nothing_of_it_know_no_declined_change() -> None:
    with pytest.raises(NotOfThisService):
        decline_change(
            given(*running(BEGUN)),
            kind="addition",
            applied_on=ASKED,
            declined_on=ON,
            ground="arrears",
            terms=terms_of("MYSEC"),
        )
