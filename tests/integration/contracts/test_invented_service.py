"""A service that no code knows, over HTTP: the folder of terms in the settings is enough."""

from pathlib import Path

from joserfc.jwk import ECKey

from services.contracts.main import build
from services.contracts.settings import Settings
from tests.integration.contracts.conftest import Caller, a_client, token

INVENTED = Path(__file__).parents[2] / "unit" / "terms" / "invented"
BKUP = {
    "service": "BKUP",
    "applied_on": "2024-03-25",
    "content": {},
    "consents": ["terms"],
}


async def test_it_is_applied_for_and_started_and_others_are_not_sold(
    settings: Settings, key: ECKey
) -> None:
    told = settings.model_copy(update={"terms": INVENTED})
    async with build(told) as service, a_client(service) as client:
        scopes = ("contracts:read", "contracts:write")
        clerk = Caller(client, token=token(key, *scopes, subject="clerk"))
        contract_id = await clerk.running(BKUP, applied_on="2024-01-10")
        shown = (await clerk.get(f"/contracts/{contract_id}")).json()
        # six months from the one after the start on 2024-01-15
        assert shown["minimum_term"] == {"from_on": "2024-02-01", "to_on": "2024-07-31"}
        refused = await clerk.post(
            "/contracts",
            {"customer_id": await clerk.registered(), **BKUP, "service": "WUTM"},
        )
        assert (refused.status_code, refused.json()["code"]) == (409, "service-not-sold")
