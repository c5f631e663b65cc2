"""The base of every "a rule says no"."""

from typing import ClassVar


class Refusal(Exception):
    """A rule refuses a wish; nothing has changed.

    `code` is what clients go by, `title` is fixed for it, `clause` the rule's id in the catalogue
    (None where no clause speaks). `detail` says this occurrence in a sentence, and `field` the
    JSON pointer of the part of the request that led to it, where there is one.
    """

    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "A rule refuses this"
    clause: str | None = None

    def __init__(
        self, detail: str | None = None, *, clause: str | None = None, field: str | None = None
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.field = field
        if clause is not None:
            self.clause = clause


class NotFound(Refusal):
    """There is no such thing."""

    code = "not-found"
    title = "There is no such thing"


class Stale(Refusal):
    """The version the caller saw is not the present one."""

    code = "stale"
    title = "The version you saw is not the present one"
