"""An S3 server inside the test process: moto. It stores in memory, checks no signatures and sees no network."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.request import Request, urlopen
from uuid import uuid4


@dataclass(frozen=True)
class S3Server:
    """Endpoint of a running server, and the AWS_* settings with which any S3 client reaches it."""

    endpoint: str
    environment: Mapping[str, str] = field(repr=False)

    def new_bucket(self, name: str | None = None) -> str:
        """Make an empty bucket, by default under a name never used before, and return its name."""
        name = name or f"landbridge-{uuid4().hex}"
        with urlopen(Request(f"{self.endpoint}/{name}", method="PUT"), timeout=30):  # noqa: S310 - our own http URL
            return name


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """Run a server on a free port of 127.0.0.1 until the block ends."""
    from moto.server import ThreadedMotoServer  # takes a second: only for tests that ask for it

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        environment = {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        yield S3Server(endpoint, MappingProxyType(environment))
    finally:
        server.stop()
