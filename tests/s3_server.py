"""An object store for tests and benches that speaks as much of S3 as `storage.py` needs.

moto would be the library for it, but its botocore does not allow the version of python-dateutil
that is pinned here.
"""

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

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
        if not self._is_allowed():
            return
        query = parse_qs(urlsplit(self.path).query)
        if "list-type" in query:
            self._list(query.get("prefix", [""])[0], query.get("delimiter", [""])[0])
            return
        found = self.server.objects.get(self.path)
        body = self.server.changed(found or b"")
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("range", ""))
        if found is None or not asked:
            self._answer(404 if found is None else 200, body)
            return
        part = body[int(asked[1]) : int(asked[2]) + 1]
        span = f"bytes {asked[1]}-{int(asked[1]) + len(part) - 1}/{len(body)}"
        self._answer(206, part, {"Content-Range": span})

    def do_HEAD(self) -> None:
        self.do_GET()

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

    def _list(self, prefix: str, delimiter: str) -> None:
        start = f"/{BUCKET}/"
        keys = [unquote(path).removeprefix(start) for path in list(self.server.objects)]
        below = [key.removeprefix(prefix) for key in keys if key.startswith(prefix)]
        parts = {key.split(delimiter)[0] for key in below if delimiter and delimiter in key}
        folders = "".join(
            f"<CommonPrefixes><Prefix>{escape(f'{prefix}{part}{delimiter}')}</Prefix>"
            "</CommonPrefixes>"
            for part in sorted(parts)
        )
        found = "".join(
            f"<Contents><Key>{escape(key)}</Key>"
            f"<Size>{len(self.server.objects[start + key])}</Size>"
            "<LastModified>2027-01-01T00:00:00Z</LastModified><ETag>1</ETag></Contents>"
            for key in sorted(keys)
            if key.startswith(prefix)
            and key.removeprefix(prefix).split(delimiter or None)[0] not in parts
            and start + key in self.server.objects
        )
        listing = (
            f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}{folders}</ListBucketResult>"
        )
        self._answer(200, listing.encode())

    def _answer(
        self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", "Fri, 01 Jan 2027 00:00:00 GMT")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


class S3Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: str) -> None:
        super().__init__((address, 0), S3Request)
        self.objects: dict[str, bytes] = {}
        self.damages = False

    @property
    def url(self) -> str:
        return f"http://{self.server_address[0]}:{self.server_address[1]}"

    def changed(self, body: bytes) -> bytes:
        return body[::-1] if self.damages else body


@contextmanager
def run_s3_server(address: str = "127.0.0.1") -> Iterator[S3Server]:
    with S3Server(address) as server:
        threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
        yield server
        server.shutdown()
