"""A server that takes what is posted to it: what webhooks talk to."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any


@dataclass
class Webhook:
    """`got` are the documents; `answer` the status of every answer; `pause` holds answers back while it is not set."""

    port: int = 0
    got: list[dict[str, Any]] = field(default_factory=list)
    answer: int = 200
    pause: Event = field(default_factory=Event)

    @property
    def url(self) -> str:
        """For apprise."""
        return f"json://127.0.0.1:{self.port}/hook"

    @property
    def titles(self) -> list[str]:
        return [document["title"] for document in self.got]


@contextmanager
def webhook_server() -> Iterator[Webhook]:
    """One that runs until the context ends, on a free port."""
    hook = Webhook()
    hook.pause.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.pause.wait(30)
            if hook.answer == 200:
                hook.got.append(json.loads(body))
            self.send_response(hook.answer)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook.port = server.server_port
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield hook
        finally:
            hook.pause.set()
            server.shutdown()
            thread.join()
