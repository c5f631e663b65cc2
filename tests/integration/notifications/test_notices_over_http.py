"""What was said over HTTP: to whom, why, and a retry."""

from uuid import UUID

import httpx2
import pytest

from services.notifications.main import make_api
from tests.integration.notifications.conftest import Running
from tests.integration.notifications.test_way_of_a_notice import REGISTERED, until_settled
from tests.support.contexts import CASE, Surroundings
from tests.support.edges import a_client, a_verifier, bearer, writing
from tests.support.mail import MailServer, until_mails
from tests.unit.notifications.examples import APPROVED, CONTRACT, CUSTOMER

READS = bearer("notifications:read")


async def ids(client: httpx2.AsyncClient, **query: str) -> list[str]:
    answer = await client.get("/notices", params=query, headers=READS)
    return [row["notice_id"] for row in answer.json()["items"]]


async def test_a_notice_says_why_it_is_and_is_tried_again(
    around: Surroundings, worker: Running, mail: MailServer
) -> None:
    await mail.start()
    mail.post.verdicts = ["550 no such mailbox"]
    async with worker() as built, a_client(make_api(built, verifier=a_verifier())) as client:
        await around.publish("contracts", CUSTOMER, REGISTERED)
        approval = await around.publish("contracts", CONTRACT, APPROVED)
        (row,) = await until_settled(built.pool, 1)
        notice = f"/notices/{row.notice_id}"

        assert await ids(client, contract_id=str(CONTRACT)) == [str(row.notice_id)]
        assert await ids(client, customer_id=str(CUSTOMER)) == [str(row.notice_id)]
        assert await ids(client, contract_id=str(UUID(int=77))) == []
        shown = await client.get(notice, headers=READS)
        told = shown.json()
        assert (told["state"], told["answer"]) == ("failed", "550 no such mailbox")
        assert told["body"].startswith("株式会社山田商店 様")
        assert told["why"] == {
            "rule": "contract-approved",
            "clauses": ["WUTM-9.1.1", "WUTM-9.1.2"],
            "because_of": str(approval.envelope.event_id),
            "correlation_id": str(CASE.correlation_id),
            "trace_id": told["why"]["trace_id"],
            "trace_link": None,
        }

        again = await client.post(
            f"{notice}/retry",
            json={"reason": "the mailbox is there now"},
            headers=writing(if_match=shown.headers["ETag"]),
        )
        assert again.status_code == 202
        await until_mails(mail.post, 1)
        await until_settled(built.pool, 1)
        late = await client.post(f"{notice}/retry", json={"reason": "once more"}, headers=writing())
        assert (late.status_code, late.json()["code"]) == (409, "notice-not-failed")
        absent = await client.get(f"/notices/{UUID(int=5)}", headers=READS)
        assert (absent.status_code, absent.json()["code"]) == (404, "no-such-notice")
        other = bearer("notifications:read", customer_id=UUID(int=78))
        assert (await client.get(notice, headers=other)).status_code == 404
        assert (await client.get("/notices", headers=other)).json()["items"] == []
        assert (await client.get("/captured-mails", headers=READS)).status_code == 404


@pytest.mark.parametrize("rehearsal", [True])
async def test_a_rehearsal_shows_its_mails(
    around: Surroundings, worker: Running, mail: MailServer
) -> None:
    async with worker() as built, a_client(make_api(built, verifier=a_verifier())) as client:
        await around.publish("contracts", CUSTOMER, REGISTERED)
        await around.publish("contracts", CONTRACT, APPROVED)
        await until_settled(built.pool, 1)
        shown = await client.get(
            "/captured-mails", params={"contract_id": str(CONTRACT)}, headers=READS
        )
    assert [each["address"] for each in shown.json()["items"]] == ["info@yamada.example"]
