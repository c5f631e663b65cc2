"""What a command of the story is, in a sentence."""

from collections.abc import Callable, Mapping
from typing import Any

from cli.play.plan import Step

Arguments = Mapping[str, Any]


def sentence(step: Step, *, service: str) -> str | None:
    """What happens by a step; None for one that nobody needs to be told of."""
    telling = _TELLING.get(step.operation)
    return telling(step.arguments).replace("%s", service) if telling else None


def _packs(arguments: Arguments) -> str:
    counted = arguments["packs"].items()
    licences = sum(size * count for size, count in counted)
    return f"{licences} licences"


def _apply(arguments: Arguments) -> str:
    content = arguments["content"]
    what = content["device"] or _packs(content)
    return f"applies for %s: {what}"


def _outage(arguments: Arguments) -> str:
    from_at, to_at = arguments["from_at"], arguments["to_at"]
    hours = (to_at - from_at).total_seconds() / 3600
    return f"could not use the service for {hours:.0f} hours ({arguments['fault']})"


def _suspend(arguments: Arguments) -> str:
    return f"use is suspended ({arguments['ground']})"


def _payment(arguments: Arguments) -> str:
    amount = arguments["amount"]
    what = f"{amount:,} yen" if amount is not None else "what is open"
    return f"pays {what}" + (f" of {arguments['names']}" if arguments["names"] else "")


_TELLING: Mapping[str, Callable[[Arguments], str]] = {
    "apply": _apply,
    "approve": lambda _: "the application is accepted",
    "start_service": lambda _: "service starts",
    "agree_due_date": lambda given: f"due date of {given['month']} agreed: {given['due_on']}",
    "add_licences": lambda given: f"adds {_packs(given)}",
    "remove_licences": lambda given: f"gives up {_packs(given)}",
    "record_outage": _outage,
    "swap_device": lambda _: "a broken device is replaced",
    "suspend": _suspend,
    "resume": lambda _: "use is resumed",
    "receive_payment": _payment,
    "terminate": lambda _: "the contract ends",
    "request_termination": lambda given: f"asks for the end on {given['desired_on']}",
    "confirm_termination": lambda _: "the end is confirmed",
}
