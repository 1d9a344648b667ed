"""A mail server inside the test process, which wants STARTTLS and a password."""

import email
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import cast

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "bot@sender.test", "pa:ss/w@rd%40? #1"


@dataclass
class MailServer:
    """`got` are the messages, each with the addresses that it went to; all of them came by TLS, after a login."""

    port: int
    got: list[tuple[list[str], EmailMessage]] = field(default_factory=list)

    async def handle_DATA(  # noqa: N802  aiosmtpd's name for it
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """What aiosmtpd calls for each message."""
        assert session.ssl
        assert session.authenticated
        message = email.message_from_bytes(cast("bytes", envelope.content), policy=default)
        self.got.append((envelope.rcpt_tos, cast("EmailMessage", message)))
        return "250 accepted"


def _knows(_server: object, _session: object, _envelope: object, _mechanism: str, given: object) -> AuthResult:
    right = isinstance(given, LoginPassword) and (given.login, given.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)


@contextmanager
def mail_server(authority: trustme.CA) -> Iterator[MailServer]:
    """One that runs until the context ends, with a certificate of `authority`, at a free port of localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    server = MailServer(port)
    controller = Controller(
        server,
        hostname="127.0.0.1",
        port=port,
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=_knows,
    )
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
