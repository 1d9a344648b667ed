"""Servers that alerts go to, and a drive database that remembers them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from landbridge.ledger.database import Database, open_database
from tests.servers.smtp import MailServer, mail_server
from tests.servers.webhook import Webhook, webhook_server


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook_server() as server:
        yield server


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def mail(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """Its authority is trusted as the documentation says: by SSL_CERT_FILE."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with mail_server(authority) as server:
        yield server


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{tmp_path}/drive.db")
    yield database
    database.close()
