"""An object store for tests that speaks as much of S3 as our probe needs.

moto would be the library for it, but its botocore does not allow the version of python-dateutil
that is pinned here.
"""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY_ID, BUCKET = "test-key-id", "sounds"
NO_SUCH_BUCKET = b"<Error><Code>NoSuchBucket</Code><Message>none</Message></Error>"
ACCESS_DENIED = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"


class S3Request(BaseHTTPRequestHandler):
    """One request; paths are /bucket/key."""

    server: "S3Server"
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self._is_allowed():
            self.server.objects[self.path] = body
            self._answer(200)

    def do_GET(self) -> None:
        if self._is_allowed():
            found = self.server.objects.get(self.path)
            self._answer(404 if found is None else 200, self.server.changed(found or b""))

    def do_POST(self) -> None:
        """Delete several objects, which is the only request of this kind."""
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        if self._is_allowed():
            keys = re.findall("<Key>(.*?)</Key>", body)
            for key in keys:
                self.server.objects.pop(f"/{BUCKET}/{key}", None)
            deleted = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
            self._answer(200, f"<DeleteResult>{deleted}</DeleteResult>".encode())

    def _is_allowed(self) -> bool:
        if f"Credential={KEY_ID}/" not in self.headers.get("authorization", ""):
            self._answer(403, ACCESS_DENIED)
            return False
        if not re.match(rf"/{BUCKET}[/?]", self.path):
            self._answer(404, NO_SUCH_BUCKET)
            return False
        return True

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", "Fri, 01 Jan 2027 00:00:00 GMT")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


class S3Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), S3Request)
        self.objects: dict[str, bytes] = {}
        self.damages = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def changed(self, body: bytes) -> bytes:
        return body[::-1] if self.damages else body


@contextmanager
def run_s3_server() -> Iterator[S3Server]:
    with S3Server() as server:
        threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
        yield server
        server.shutdown()
