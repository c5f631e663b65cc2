"""A site over HTTP, with what contracts told over Kafka and what monitoring tells others."""

from datetime import date
from typing import Any
from uuid import UUID

from libs.events.kafka import topic_of
from libs.events.vocabulary.contracts import ContractTerminated
from tests.integration.monitoring.conftest import Monitoring
from tests.support.edges import bearer, writing
from tests.support.way import all_of, new_ones, until
from tests.unit.monitoring.sites import CONTRACT, CUSTOMER, NEW, OLD

SITE = f"/sites/{CONTRACT}"
READS = bearer("monitoring:read")
OUTAGE: dict[str, Any] = {
    "outage_id": str(UUID(int=50)),
    "from_at": "2025-06-03T10:00:00+09:00",
    "to_at": "2025-06-04T12:00:00+09:00",
    "known_at": "2025-06-03T10:00:00+09:00",
    "fault": "third_party",
}
DEVICE = {
    "device_id": str(OLD),
    "model": "SSB5",
    "serial": "S-1",
    "licensed": True,
    "introduced_on": "2025-04-01",
}
SWAP = {
    "old_device_id": str(OLD),
    "new_device_id": str(NEW),
    "model": "SSB5",
    "serial": "S-2",
    "shipped_on": "2025-06-06",
    "delivered_on": "2025-06-08",
    "swapped_on": "2025-06-09",
    "replacement_cost": 88_000,
}


async def test_an_outage_is_recorded_and_published(monitoring: Monitoring) -> None:
    await monitoring.approved()

    answer = await monitoring.client.post(f"{SITE}/outages", json=OUTAGE, headers=writing())
    assert answer.status_code == 201
    assert answer.json()["id"] == OUTAGE["outage_id"]
    assert answer.headers["ETag"] == '"2"'

    listed = await monitoring.client.get(
        "/outages",
        params={"from": "2025-06-04T00:00:00+09:00", "to": "2025-06-05T00:00:00+09:00"},
        headers={**READS, "Yakkan-At-Least": answer.headers["Yakkan-Position"]},
    )
    assert [row["outage_id"] for row in listed.json()["items"]] == [OUTAGE["outage_id"]]
    later = await monitoring.client.get(
        "/outages", params={"from": "2025-06-04T12:00:00+09:00"}, headers=READS
    )
    assert later.json()["items"] == []

    topic = topic_of("monitoring", prefix=monitoring.around.prefix)

    async def published() -> bool:
        found = new_ones(await all_of(topic, bootstrap=monitoring.around.kafka))
        return [each.type for each in found] == [
            "monitoring.site-opened.v1",
            "monitoring.outage-recorded.v1",
        ]

    await until(published)


async def test_a_repeat_gets_the_first_answer_and_an_old_version_none(
    monitoring: Monitoring,
) -> None:
    await monitoring.approved()
    headers = writing(if_match='"1"', key="one")

    first = await monitoring.client.post(f"{SITE}/outages", json=OUTAGE, headers=headers)
    again = await monitoring.client.post(f"{SITE}/outages", json=OUTAGE, headers=headers)
    stale = await monitoring.client.post(
        f"{SITE}/devices", json=DEVICE, headers=writing(if_match='"1"')
    )

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")


async def test_refusals_name_code_and_place(monitoring: Monitoring) -> None:
    early = await monitoring.client.post(f"{SITE}/outages", json=OUTAGE, headers=writing())
    assert (early.status_code, early.json()["code"]) == (409, "site-not-open")
    await monitoring.approved()

    backwards = await monitoring.client.post(
        f"{SITE}/outages",
        json={**OUTAGE, "to_at": "2025-06-03T09:00:00+09:00"},
        headers=writing(),
    )
    assert (backwards.status_code, backwards.json()["code"]) == (409, "end-before-start")
    assert backwards.json()["pointer"] == "/to_at"
    naive = await monitoring.client.post(
        f"{SITE}/outages", json={**OUTAGE, "to_at": "2025-06-03T09:00:00"}, headers=writing()
    )
    assert naive.status_code == 422
    absent = await monitoring.client.post(f"{SITE}/swaps", json=SWAP, headers=writing())
    assert (absent.status_code, absent.json()["clause"]) == (409, "WUTM-A1.T3-3.6.1")
    shown = await monitoring.client.get(SITE, headers=READS)
    assert [fact["type"] for fact in shown.json()["facts"]] == ["monitoring.site-opened.v1"]


async def test_a_swap_falls_due_and_is_corrected(monitoring: Monitoring) -> None:
    await monitoring.approved()
    client = monitoring.client
    await client.post(f"{SITE}/devices", json=DEVICE, headers=writing())
    swapped = await client.post(f"{SITE}/swaps", json=SWAP, headers=writing())
    assert swapped.status_code == 201
    at_least = {"Yakkan-At-Least": swapped.headers["Yakkan-Position"]}

    due = await client.get("/deadlines/next", headers={**READS, **at_least})
    assert due.json() == {"due_at": "2025-07-08T15:00:00Z"}
    other = await client.get(
        "/deadlines/next", params={"contract_id": str(UUID(int=77))}, headers=READS
    )
    assert other.json() == {"due_at": None}

    run = {"until": "2025-07-09T00:00:00+09:00", "contract_ids": [str(CONTRACT)]}
    met = await client.post("/deadlines/run", json=run, headers=writing())
    assert met.json() == {"met": 1}
    again = await client.post(
        "/deadlines/run",
        json=run,
        headers=writing(**{"Yakkan-At-Least": met.headers["Yakkan-Position"]}),
    )
    assert again.json() == {"met": 0}

    shown = (await client.get(SITE, headers=READS)).json()
    assert [device["serial"] for device in shown["devices"]] == ["S-2"]
    assert shown["awaited"][0]["claimed"] is True
    claim = shown["facts"][-1]
    assert claim["data"]["overdue_on"] == "2025-07-09"
    corrected = await client.post(
        f"{SITE}/corrections",
        json={"corrects": claim["event_id"], "values": None, "reason": "it was in the post"},
        headers=writing(),
    )
    assert corrected.status_code == 201
    assert (await client.get(SITE, headers=READS)).json()["awaited"][0]["claimed"] is False


async def test_a_customer_sees_their_own_and_changes_nothing(monitoring: Monitoring) -> None:
    await monitoring.approved()
    await monitoring.client.post(f"{SITE}/outages", json=OUTAGE, headers=writing())
    own = bearer("monitoring:read", "monitoring:write", customer_id=CUSTOMER)
    other = bearer("monitoring:read", customer_id=UUID(int=78))

    assert (await monitoring.client.get(SITE, headers=own)).status_code == 200
    assert (await monitoring.client.get(SITE, headers=other)).status_code == 404
    assert (await monitoring.client.get(SITE)).status_code == 401
    assert (await monitoring.client.get("/outages", headers=other)).json()["items"] == []
    written = await monitoring.client.post(
        f"{SITE}/outages", json=OUTAGE, headers={**own, "If-Match": "*", "Idempotency-Key": "k"}
    )
    assert written.status_code == 403


async def test_a_site_closes_with_its_contract_and_the_board_can_be_made_anew(
    monitoring: Monitoring,
) -> None:
    await monitoring.approved()
    await monitoring.client.post(f"{SITE}/devices", json=DEVICE, headers=writing())
    await monitoring.around.publish(
        "contracts",
        CONTRACT,
        ContractTerminated(
            contract_id=CONTRACT,
            customer_id=CUSTOMER,
            terminated_on=date(2025, 9, 1),
            by="customer",
            cause="customer",
            clause="WUTM-21.1",
        ),
    )

    async def closed() -> bool:
        shown = await monitoring.client.get("/sites", headers=READS)
        return [row["closed_on"] for row in shown.json()["items"]] == ["2025-09-01"]

    await until(closed)
    live = (await monitoring.client.get("/sites", headers=READS)).json()

    await monitoring.rebuilt()

    assert (await monitoring.client.get("/sites", headers=READS)).json() == live


async def test_it_is_ready_and_tells_how_far_it_is(monitoring: Monitoring) -> None:
    ready = await monitoring.client.get("/health/ready")
    standing = await monitoring.client.get("/standing")

    assert ready.json() == {"database": True}
    assert standing.json()["views"] == {"sites": 0}
