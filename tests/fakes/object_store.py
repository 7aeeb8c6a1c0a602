"""An S3-compatible store in memory behind HTTP, as far as a lake needs one. For the lake's contract tests.

It knows one key, keeps the condition of a put (or, when told, does not, as some stores do), and counts its requests.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any, BinaryIO
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

KEY_ID, SECRET = "XORJTESTKEY", "secret-that-no-message-shows"
_WRITTEN = "Wed, 25 Nov 2026 00:00:00 GMT"
_LISTED = "2026-11-25T00:00:00.000Z"


class ObjectStore:
    """Objects by `bucket/key`. `is_atomic` False lets every writer pass a put's condition."""

    def __init__(self, *, is_atomic: bool) -> None:
        self.objects: dict[str, bytes] = {}
        self.requests: Counter[str] = Counter()
        self.endpoint = ""
        self._is_atomic = is_atomic
        self._lock = threading.Lock()

    def put(self, key: str, content: bytes, *, only_new: bool) -> bool:
        with self._lock:
            if only_new and self._is_atomic and key in self.objects:
                return False
            self.objects[key] = content
            return True


@contextmanager
def object_store(*, is_atomic: bool = True) -> Iterator[ObjectStore]:
    """A running store; `endpoint` is where."""
    store = ObjectStore(is_atomic=is_atomic)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"store": store}))
    server.daemon_threads = True
    store.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield store
    server.shutdown()
    server.server_close()
    thread.join()


def _unchunked(stream: BinaryIO) -> bytes:
    content = bytearray()
    while (size := int(stream.readline().split(b";")[0], 16)) > 0:
        content += stream.read(size)
        stream.readline()
    while stream.readline().strip():
        continue
    return bytes(content)


class _Handler(BaseHTTPRequestHandler):
    store: ObjectStore
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65_536

    def do_GET(self) -> None:
        if "list-type" in self._query():
            self._list()
            return
        found = self.store.objects.get(self._key())
        if found is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        wanted = self.headers.get("Range")
        if wanted is None:
            self._answer(200, found, found)
            return
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        start = len(found) - int(last) if not first else int(first)
        end = len(found) if not first or not last else int(last) + 1
        self._answer(206, found[start:end], found, **{"Content-Range": f"bytes {start}-{min(end, len(found)) - 1}/{len(found)}"})

    def do_HEAD(self) -> None:
        found = self.store.objects.get(self._key())
        self._answer(404 if found is None else 200, b"", found)

    def do_PUT(self) -> None:
        content = self._body()
        is_new = self.store.put(self._key(), content, only_new=self.headers.get("If-None-Match") == "*")
        self._answer(200 if is_new else 412, b"" if is_new else b"<Error><Code>PreconditionFailed</Code></Error>", content)

    def do_DELETE(self) -> None:
        self.store.objects.pop(self._key(), None)
        self._answer(204, b"")

    def do_POST(self) -> None:
        """Many objects deleted at once."""
        bucket = self._key().strip("/")
        asked = ElementTree.fromstring(self._body())
        keys = [one.text or "" for one in asked.iter() if one.tag.rpartition("}")[2] == "Key"]
        for key in keys:
            self.store.objects.pop(f"{bucket}/{key}", None)
        deleted = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys)
        self._answer(200, f"<DeleteResult>{deleted}</DeleteResult>".encode())

    def _list(self) -> None:
        query, bucket = self._query(), self._key().strip("/")
        prefix, delimiter, after = (query.get(name, [""])[0] for name in ("prefix", "delimiter", "start-after"))
        keys = sorted(key.removeprefix(bucket + "/") for key in self.store.objects if key.startswith(f"{bucket}/{prefix}"))
        folders = {prefix + key[len(prefix) :].split("/")[0] + "/" for key in keys if delimiter and "/" in key[len(prefix) :]}
        files = [key for key in keys if key > after and not (delimiter and "/" in key[len(prefix) :])]
        sizes = {key: len(self.store.objects[f"{bucket}/{key}"]) for key in files}
        rows = "".join(
            f'<Contents><Key>{escape(key)}</Key><LastModified>{_LISTED}</LastModified><ETag>"e"</ETag><Size>{size}</Size></Contents>'
            for key, size in sizes.items()
        )
        rows += "".join(f"<CommonPrefixes><Prefix>{escape(one)}</Prefix></CommonPrefixes>" for one in sorted(folders))
        head = f"<Name>{bucket}</Name><KeyCount>{len(files)}</KeyCount><IsTruncated>false</IsTruncated>"
        self._answer(200, f"<ListBucketResult>{head}{rows}</ListBucketResult>".encode())

    def _query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.path).query, keep_blank_values=True)

    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix("/")

    def _body(self) -> bytes:
        """What was sent, out of the chunks of HTTP and those of the signature."""
        if self.headers.get("Transfer-Encoding") == "chunked":
            content = _unchunked(self.rfile)
        else:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return _unchunked(BytesIO(content)) if self.headers.get("x-amz-content-sha256", "").startswith("STREAMING") else content

    def _answer(self, status: int, content: bytes, whole: bytes | None = None, **headers: str) -> None:
        self.store.requests[f"{self.command} {status}"] += 1
        if f"Credential={KEY_ID}/" not in self.headers.get("Authorization", ""):
            status, content = 403, b"<Error><Code>InvalidAccessKeyId</Code></Error>"
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) if self.command != "HEAD" or whole is None else len(whole)))
        self.send_header("Last-Modified", _WRITTEN)
        if whole is not None:
            self.send_header("ETag", f'"{md5(whole, usedforsecurity=False).hexdigest()}"')
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            # who has what he wanted from the front of a file may be gone
            with suppress(BrokenPipeError, ConnectionResetError):
                self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """The test's output is not the place."""
