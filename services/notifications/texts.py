"""The words of a notice, in Japanese, from a template and the facts of its event."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from libs.events.envelope import Event
from libs.events.vocabulary.billing import InvoiceIssued
from libs.events.vocabulary.contracts import ContentChangeDeclined, ContractSuspended
from services.notifications.domain.rules import NoticeTerms

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A subject line, which names no person, and a body."""

    subject: str
    body: str


def facts_of(event: Event, *, terms: NoticeTerms) -> dict[str, Any]:
    """What a text may say of its event: its fields, and what follows from them in words."""
    facts = {name: getattr(event, name) for name in type(event).model_fields}
    match event:
        case ContractSuspended():
            facts["reason"] = terms.suspension_reasons.get(event.ground) or (
                f"利用規約に定める停止の事由（{event.clause}）に該当するため"
            )
        case ContentChangeDeclined():
            facts["reason"] = terms.declining_reasons.get(event.ground) or (
                f"利用規約に定める不承諾の事由（{event.clause}）に該当するため"
            )
        case InvoiceIssued():
            facts["month_name"] = japanese_month(event.from_on)
        case _:
            pass
    return facts


def japanese_month(on: date) -> str:
    """The month a day lies in as a letter writes it: 2025年4月ご利用分."""
    return f"{on.year}年{on.month}月ご利用分"


def japanese_date(on: date) -> str:
    """A date as a letter writes it: 2025年4月1日."""
    return f"{on.year}年{on.month}月{on.day}日"


def yen(amount: int) -> str:
    """An amount as a letter writes it: 2,750円."""
    return f"{amount:,}円"


def _environment() -> Environment:
    # Plain text: a sign that means something in HTML must arrive as it was written.
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["on"] = japanese_date
    environment.filters["yen"] = yen
    return environment


_TEXTS = _environment()


def render(template: str, *, facts: Mapping[str, Any]) -> Text:
    """The text of `<template>.txt`: its first line is the subject, the rest the body.

    Raises jinja2's `TemplateNotFound`, and `UndefinedError` for a fact that is missing.
    """
    subject, _, body = _TEXTS.get_template(f"{template}.txt").render(facts).partition("\n")
    return Text(subject=subject.strip(), body=body.lstrip("\n"))
