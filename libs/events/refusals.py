"""What the log and its readers refuse, beside a stale version (`libs.refusal.refusal.Stale`)."""

from libs.refusal.refusal import Refusal, Stale

__all__ = ["EventTooLarge", "KeyReused", "NotComplete", "Reserved", "Stale"]


class Reserved(Refusal):
    """A value that must be unique belongs to someone else on some of the days asked for."""

    code = "reserved"
    title = "This value belongs to someone else"


class KeyReused(Refusal):
    """The idempotency key came before with another request."""

    code = "idempotency-key-reused"
    title = "This idempotency key was used for another request"


class EventTooLarge(Refusal):
    """An event would take more than 512 KiB in the log."""

    code = "event-too-large"
    title = "This is more than one event may hold"


class NotComplete(Refusal):
    """A source may still tell of what was recorded by the day that is asked for."""

    code = "not-complete-yet"
    title = "Not all that was recorded by that day is known yet"
