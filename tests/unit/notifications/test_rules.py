from services.notifications.domain.rules import NoticeTerms
from tests.unit.notifications.examples import APPROVED


def test_terms_that_state_no_notices_tell_nobody_anything() -> None:
    terms = NoticeTerms(service_name="a service")
    assert terms.rules_for(APPROVED) == ()
