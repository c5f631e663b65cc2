from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import orjson
import pytest
from cryptography.exceptions import InvalidTag
from pydantic import BaseModel

from libs.events.envelope import Event, Personal
from libs.events.keys import KeyOwner, MemoryKeys
from libs.events.refusals import EventTooLarge
from libs.events.upcast import Fields, Step, upcast
from libs.events.wire import MAX_EVENT_BYTES, Stored, Wire, as_told, encode, key_owners

EVENT = UUID(int=5)
PARTY = UUID(int=7)


class LetterWritten(Event):
    subject: ClassVar[str | None] = "party_id"

    type: Literal["letters.letter-written.v3"] = "letters.letter-written.v3"
    party_id: UUID
    written_at: datetime
    pages: int
    counts: dict[int, int]
    text: Annotated[str | None, Personal("contact")] = None
    copies: Annotated[tuple[str, ...] | None, Personal("invoice")] = None


class LetterSent(Event):
    type: Literal["letters.letter-sent.v1"] = "letters.letter-sent.v1"
    sent_on: date
    note: str


def _counted(fields: Fields) -> Fields:
    pages = len(fields.pop("page_numbers"))
    return {**fields, "pages": pages}


def _with_counts(fields: Fields) -> Fields:
    return {**fields, "counts": {"1": fields["pages"]}}


STEPS = {
    "letters.letter-written.v1": Step(next_type="letters.letter-written.v2", change=_counted),
    "letters.letter-written.v2": Step(next_type="letters.letter-written.v3", change=_with_counts),
}
WIRE = Wire(
    {"letters.letter-written.v3": LetterWritten, "letters.letter-sent.v1": LetterSent}, steps=STEPS
)


def a_letter(**changes: Any) -> LetterWritten:
    values: dict[str, Any] = {
        "party_id": PARTY,
        "written_at": datetime(2026, 4, 1, 9, 30, tzinfo=timezone(timedelta(hours=9))),
        "pages": 2,
        "counts": {1: 2},
        "text": "拝啓",
        "copies": ("a", "b"),
    }
    return LetterWritten(**{**values, **changes})


async def stored(event: Event, keys: MemoryKeys, *, event_id: UUID = EVENT) -> Stored:
    made = await keys.make(key_owners(event))
    return Stored(event.type, event_id, encode(event, event_id=event_id, keys=made))


async def test_an_event_comes_back_as_it_went() -> None:
    keys = MemoryKeys()
    sent = LetterSent(sent_on=date(2026, 4, 2), note="to 東京")
    events = [a_letter(), sent, a_letter(text=None)]
    found = await WIRE.decode([await stored(event, keys) for event in events], keys=keys)
    assert found == events


def test_plain_fields_are_json_in_the_order_of_declaration() -> None:
    event = LetterSent(sent_on=date(2026, 4, 2), note="to 東京")
    data = encode(event, event_id=EVENT, keys={})
    assert data.decode() == '{"sent_on":"2026-04-02","note":"to 東京"}'
    assert data == encode(event, event_id=UUID(int=6), keys={})


async def test_personal_fields_are_stored_encrypted_under_the_key_of_their_class() -> None:
    keys = MemoryKeys()
    event = a_letter()
    made = await keys.make(key_owners(event))
    assert set(made) == {KeyOwner(PARTY, "contact"), KeyOwner(PARTY, "invoice")}
    fields = orjson.loads((await stored(event, keys)).data)
    assert fields["text"].keys() == {"enc", "key"}
    ids = {owner.retention: str(key.key_id) for owner, key in made.items() if key is not None}
    assert (fields["text"]["key"], fields["copies"]["key"]) == (ids["contact"], ids["invoice"])
    assert "拝啓" not in (await stored(event, keys)).data.decode()


async def test_one_class_is_forgotten_and_the_other_kept() -> None:
    keys = MemoryKeys()
    item = await stored(a_letter(), keys)
    await keys.destroy([KeyOwner(PARTY, "contact")])
    assert await WIRE.decode([item], keys=keys) == [a_letter(text=None)]


async def test_an_encrypted_field_cannot_be_moved() -> None:
    keys = MemoryKeys()
    item = await stored(a_letter(), keys)
    with pytest.raises(InvalidTag):
        await WIRE.decode([item._replace(event_id=UUID(int=6))], keys=keys)
    fields = orjson.loads(item.data)
    fields["copies"] = fields["text"]
    with pytest.raises(InvalidTag):
        await WIRE.decode([item._replace(data=orjson.dumps(fields))], keys=keys)


async def test_an_unknown_type_reads_as_none_and_an_unknown_field_is_ignored() -> None:
    unknown = Stored("letters.letter-burnt.v1", EVENT, b"{}")
    newer = Stored(
        "letters.letter-sent.v1", EVENT, b'{"sent_on":"2026-04-02","note":"x","colour":"red"}'
    )
    found = await WIRE.decode([unknown, newer], keys=MemoryKeys())
    assert found == [None, LetterSent(sent_on=date(2026, 4, 2), note="x")]


async def test_data_that_is_no_such_event_is_an_error() -> None:
    with pytest.raises(ValueError, match="sent_on"):
        await WIRE.decode([Stored("letters.letter-sent.v1", EVENT, b"{}")], keys=MemoryKeys())


async def test_an_old_version_takes_every_step_to_the_present_one() -> None:
    keys = MemoryKeys()
    item = await stored(a_letter(), keys)
    old = orjson.loads(item.data)
    del old["counts"], old["pages"]
    old["page_numbers"] = [1, 2]
    first = Stored("letters.letter-written.v1", EVENT, orjson.dumps(old))
    assert await WIRE.decode([first], keys=keys) == [a_letter()]
    await keys.destroy([KeyOwner(PARTY, "contact")])
    assert await WIRE.decode([first], keys=keys) == [a_letter(text=None)]


def test_a_step_leads_on_until_there_is_none() -> None:
    name, fields = upcast("letters.letter-written.v1", {"page_numbers": [1]}, steps=STEPS)
    assert (name, fields) == ("letters.letter-written.v3", {"pages": 1, "counts": {"1": 1}})
    assert upcast("other.v1", {"a": 1}, steps=STEPS) == ("other.v1", {"a": 1})


@pytest.mark.parametrize("over", [0, 1], ids=["just fits", "one byte over"])
def test_an_event_may_take_so_much_and_no_more(over: int) -> None:
    empty = len(encode(LetterSent(sent_on=date(2026, 4, 2), note=""), event_id=EVENT, keys={}))
    event = LetterSent(sent_on=date(2026, 4, 2), note="x" * (MAX_EVENT_BYTES - empty + over))
    if over:
        with pytest.raises(EventTooLarge):
            encode(event, event_id=EVENT, keys={})
    else:
        assert len(encode(event, event_id=EVENT, keys={})) == MAX_EVENT_BYTES


def test_an_instant_counts_on_its_japan_date() -> None:
    class BellRung(Event):
        effective: ClassVar[str | None] = "rung_at"

        type: Literal["letters.bell-rung.v1"] = "letters.bell-rung.v1"
        rung_at: datetime

    assert BellRung(rung_at=datetime(2026, 3, 31, 15, 0, tzinfo=UTC)).takes_effect_on == date(
        2026, 4, 1
    )
    assert LetterSent(sent_on=date(2026, 4, 2), note="").takes_effect_on is None


def test_what_does_not_fit_is_told_without_its_value() -> None:
    stored = orjson.dumps({"sent_on": "taro@example.jp", "note": "a note"})
    with pytest.raises(ValueError, match="sent_on") as told:
        LetterSent.model_validate_json(stored)
    assert "taro" not in str(told.value)


class Page(BaseModel):
    number: int


class RuledPage(Page):
    lines: int = 40


class BookBound(Event):
    type: Literal["letters.book-bound.v1"] = "letters.book-bound.v1"
    pages: tuple[Page, ...]
    cover: str = "plain"


class BookBoundToday(Event):
    """The same type, after it and what it holds gained a field each."""

    subject: ClassVar[str | None] = "party_id"

    type: Literal["letters.book-bound.v1"] = "letters.book-bound.v1"
    pages: tuple[RuledPage, ...]
    cover: str = "plain"
    party_id: UUID | None = None
    title: Annotated[str | None, Personal("contact")] = None


async def test_what_a_view_keeps_of_an_event_is_the_same_after_its_type_gained_fields() -> None:
    bound = BookBound(pages=(Page(number=1),))
    stored = Stored(bound.type, EVENT, encode(bound, event_id=EVENT, keys={}))
    then, now = [
        (await Wire({bound.type: declared}, steps={}).decode([stored], keys=MemoryKeys()))[0]
        for declared in (BookBound, BookBoundToday)
    ]
    assert isinstance(then, BookBound)
    assert isinstance(now, BookBoundToday)
    kept = b'{"type":"letters.book-bound.v1","pages":[{"number":1}],"cover":"plain"}'
    assert as_told(then) == as_told(now) == kept
    assert BookBoundToday.model_validate_json(kept) == now
    assert as_told(now, without=("type", "cover")) == b'{"pages":[{"number":1}]}'
