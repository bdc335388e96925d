"""An outgoing server that does as it is told, on aiosmtpd: refuses, waits, hangs, breaks off. Not a line of ours."""

import asyncio
import contextlib
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, AuthResult

OK = "250 OK"
DROP, HANG = "drop", "hang"


@dataclass
class Orders:
    mail: str = OK
    rcpt: str = OK
    data: str = OK  # the answer to the mail itself
    login: bool = True
    size: int = 0
    unknown: tuple[str, ...] = ()  # addresses that are refused, whatever `rcpt` says
    taken: list = field(default_factory=list)
    sessions: int = 0


class _Handler:
    def __init__(self, orders):
        self.orders = orders

    async def handle_MAIL(self, server, session, envelope, address, options):
        envelope.mail_from = address
        envelope.mail_options = options
        return self.orders.mail

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.orders.rcpt == DROP:
            server.transport.close()
            return OK
        if address in self.orders.unknown:
            return "550 5.1.1 no such user"
        if self.orders.rcpt == OK:
            envelope.rcpt_tos.append(address)
        return self.orders.rcpt

    async def handle_DATA(self, server, session, envelope):
        self.orders.taken.append(envelope)
        if self.orders.data == DROP:
            server.transport.close()
            return OK
        if self.orders.data == HANG:
            await asyncio.sleep(4)
        return self.orders.data

    def authenticate(self, server, session, envelope, mechanism, auth_data):
        return AuthResult(success=self.orders.login, handled=False)


@contextlib.asynccontextmanager
async def fake_smtp():
    """The orders, which may be changed at any time, and the settings that lead there. It runs on the test's loop."""
    orders = Orders()
    handler = _Handler(orders)

    def a_session():
        orders.sessions += 1
        return SMTP(
            handler,
            data_size_limit=orders.size or None,
            authenticator=handler.authenticate,
            auth_require_tls=False,
            hostname="mx.fake.test",
            enable_SMTPUTF8=True,
        )

    server = await asyncio.get_running_loop().create_server(a_session, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = {
        "smtp_host": "127.0.0.1",
        "smtp_port": str(port),
        "smtp_security": "none",
        "api_url": "smtp://127.0.0.1",
    }
    try:
        yield orders, settings
    finally:
        server.close()
        await server.wait_closed()
