"""What `./yk status` misses."""

from cli.commands.status import missing_beside
from cli.environments import services_there
from cli.services import ROLES, process_name

OPERATORS = {process_name(service, role) for service in services_there() for role in ROLES}


def test_what_ended_beside_others_is_missing() -> None:
    ended = {"billing-worker", "contracts"}
    assert set(missing_beside({"postgres", *(OPERATORS - ended)})) == ended


def test_an_environment_of_which_nothing_runs_lacks_nothing() -> None:
    assert missing_beside({"postgres", "kafka", *OPERATORS}) == ()
    assert missing_beside({"postgres", "kafka"}) == ()


def test_a_rehearsal_is_an_environment_of_its_own() -> None:
    missing = missing_beside({*OPERATORS, "rehearsal-billing"})
    assert "rehearsal-billing-worker" in missing
    assert not OPERATORS & set(missing)
