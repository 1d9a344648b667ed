"""`hook FILE N`: take N documents that are posted, write their titles and messages into FILE, and end.

The port is written into FILE.port. Where nobody posts for a minute it ends as well.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

FILE, COUNT = Path(sys.argv[1]), int(sys.argv[2])


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        posted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with FILE.open("a") as file:
            file.write(f"{posted['title']}\n{posted['message']}\n")
        self.send_response(200)
        self.end_headers()


with HTTPServer(("127.0.0.1", 0), Handler) as server:
    server.timeout = 60
    FILE.with_name(f"{FILE.name}.port").write_text(str(server.server_port))
    for _ in range(COUNT):
        server.handle_request()
