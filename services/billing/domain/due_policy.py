"""When an invoice falls due that no agreement names a date for: an operator's policy, by name."""

import calendar
import re
from datetime import date, timedelta

from libs.refusal.refusal import Refusal

_DAYS_AFTER_ISSUE = re.compile(r"days-after-issue:(\d{1,3})")


class UnknownDuePolicy(Refusal):
    """The terms leave due dates to the operator, who must name a policy that is known here."""

    code = "unknown-due-policy"
    title = "There is no such due-date policy"


def due_by(policy: str, *, issued_on: date) -> date | None:
    """The due date of an invoice issued on a day; never moved from a closed day.

    `agreed` gives none: only agreed dates count. `end-of-next-month` is the last day of the month
    after the issue, `days-after-issue:N` N days after it. Raises UnknownDuePolicy.

    Clauses: WUTM-30.1, WSRV-30.1, RRNS-36.S1 (the operator names the day; closed days count).
    """
    if policy == "agreed":
        return None
    if policy == "end-of-next-month":
        following = issued_on.replace(day=1) + timedelta(days=31)
        return following.replace(day=calendar.monthrange(following.year, following.month)[1])
    if matched := _DAYS_AFTER_ISSUE.fullmatch(policy):
        return issued_on + timedelta(days=int(matched.group(1)))
    raise UnknownDuePolicy(f"{policy!r} is no due-date policy", field="/due_policy")
