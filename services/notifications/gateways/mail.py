"""The way out: a mail server, or in a rehearsal a table that keeps what would have been sent."""

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from html import escape
from typing import Protocol
from uuid import UUID

import aiosmtplib

from libs.events.database import Pool, transaction

_PERMANENT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail to one address. The same notice is always the same mail, to who compares ids."""

    notice_id: UUID
    customer_id: UUID
    contract_ids: tuple[UUID, ...]
    address: str
    subject: str
    body: str
    at: datetime


class MailRefused(Exception):
    """The channel will never take this mail; its answer is the text."""


class MailDeferred(Exception):
    """The channel may take this mail later; its answer is the text."""


class Mailer(Protocol):
    """Takes one mail. `OSError` kin means that the channel is away, whatever the mail."""

    async def send(self, mail: Mail) -> str:
        """Send, and give the channel's answer; raises `MailRefused` or `MailDeferred`."""
        ...

    async def close(self) -> None:
        """Let go of the channel."""
        ...


def message_of(mail: Mail, *, sender: str) -> EmailMessage:
    """The message: UTF-8 text and the same as HTML, with an id made from the notice's."""
    domain = parseaddr(sender)[1].rpartition("@")[2]
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = mail.address
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.at)
    message["Message-ID"] = f"<{mail.notice_id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body, charset="utf-8", cte="base64")
    message.add_alternative(
        f'<!doctype html><html lang="ja"><body><pre>{escape(mail.body)}</pre></body></html>',
        subtype="html",
        charset="utf-8",
        cte="base64",
    )
    return message


class SmtpMailer:
    """Sends over one connection to an SMTP server, made when first needed and again when lost."""

    def __init__(self, *, host: str, port: int, sender: str, timeout_seconds: float = 20) -> None:
        self._sender = sender
        self._client = aiosmtplib.SMTP(
            hostname=host, port=port, timeout=timeout_seconds, start_tls=None
        )

    async def send(self, mail: Mail) -> str:
        """Send; after a connection lost in the middle nobody knows whether the mail was taken."""
        try:
            if not self._client.is_connected:
                await self._client.connect()
            _, answer = await self._client.send_message(
                message_of(mail, sender=self._sender), recipients=[mail.address]
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _refusal(error.recipients[0]) from error
        except aiosmtplib.SMTPResponseException as error:
            raise _refusal(error) from error
        except aiosmtplib.SMTPException as error:
            self._client.close()
            raise ConnectionError(type(error).__name__) from error
        return answer

    async def close(self) -> None:
        """Say goodbye to the server, if it still listens."""
        if self._client.is_connected:
            try:
                await self._client.quit()
            except aiosmtplib.SMTPException:
                self._client.close()


def _refusal(error: aiosmtplib.SMTPResponseException) -> MailRefused | MailDeferred:
    text = f"{error.code} {error.message}"
    return MailRefused(text) if error.code >= _PERMANENT else MailDeferred(text)


# Held against a forgetting until the mail stands, so that it is forgotten with the others.
HOLD_RECIPIENT = "SELECT forgotten FROM recipient WHERE customer_id = $1 FOR SHARE"
CAPTURE = """
INSERT INTO captured_mail (notice_id, captured_at, customer_id, contract_ids, address,
                           subject_line, body)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT ON CONSTRAINT captured_mail_once DO NOTHING
"""


class CapturingMailer:
    """Keeps mails in the rehearsal's database; nothing leaves it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def send(self, mail: Mail) -> str:
        """Keep the mail, of one who was forgotten without address and text; once a notice."""
        async with transaction(self._pool) as connection:
            forgotten = await connection.fetchval(HOLD_RECIPIENT, mail.customer_id)
            await connection.execute(
                CAPTURE,
                mail.notice_id,
                mail.at,
                mail.customer_id,
                mail.contract_ids,
                None if forgotten else mail.address,
                mail.subject,
                None if forgotten else mail.body,
            )
        return "captured"

    async def close(self) -> None:
        """Nothing is held."""
