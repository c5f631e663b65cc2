"""The description of billing's HTTP edge."""

from openapi_spec_validator import validate

from libs.web.app import make_app
from libs.web.edge import Edge
from services.billing.api import accounts, contracts, deadlines, documents, runs
from tests.support.edges import a_verifier


def test_the_description_is_valid_and_shows_refusals() -> None:
    app = make_app(
        "Billing",
        edge=Edge(verifier=a_verifier()),
        routers=(
            accounts.router,
            contracts.router,
            documents.router,
            runs.router,
            deadlines.router,
        ),
        ready={},
    )
    described = app.openapi()
    validate(described)
    assert described["openapi"].startswith("3.1")
    certificate = described["paths"]["/contracts/{contract_id}/certificates"]["post"]
    assert "not-fully-paid" in certificate["responses"]["409"]["description"]
