"""What the log refuses, beside a stale version (`libs.refusal.refusal.Stale`)."""

from libs.refusal.refusal import Refusal, Stale

__all__ = ["EventTooLarge", "KeyReused", "Reserved", "Stale"]


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
