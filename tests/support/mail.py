"""A real SMTP server in tests, that can refuse, defer, stop and come back."""

import asyncio
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP
from typing_extensions import override

from tests.support.way import until


class Post:
    """Keeps what arrives, in order; `verdicts` are given to the next mails in place of taking."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.verdicts: list[str] = []
        self.connections = 0

    async def handle_EHLO(  # noqa: N802 - the name aiosmtpd calls
        self, _server: object, session: Any, _envelope: object, hostname: str, answers: list[str]
    ) -> list[str]:
        """Count who comes in."""
        session.host_name = hostname
        self.connections += 1
        return answers

    async def handle_DATA(  # noqa: N802 - the name aiosmtpd calls
        self, _server: object, _session: object, envelope: Any
    ) -> str:
        """Take a mail, unless told otherwise."""
        if self.verdicts:
            return self.verdicts.pop(0)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"


class MailServer:
    """Listens on loopback, on the same port each time it is started."""

    def __init__(self) -> None:
        self.post = Post()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.BaseTransport] = set()

    async def start(self) -> None:
        """Listen; on a free port the first time."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._session, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more, and hang up on everyone; nothing where it does not listen."""
        if self._server is None:
            return
        self._server.close()
        for transport in self._open:
            transport.close()
        self._open.clear()
        await self._server.wait_closed()
        self._server = None

    def _session(self) -> SMTP:
        opened = self._open

        class Session(SMTP):
            @override
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                opened.add(transport)
                super().connection_made(transport)

        return Session(self.post, hostname="test", enable_SMTPUTF8=True)


async def until_mails(post: Post, count: int) -> None:
    """Return when so many mails have arrived."""

    async def reached() -> bool:
        return len(post.mails) >= count

    await until(reached)
