"""A small S3 on this machine: puts in parts, gets (whole, and by range), heads and listings, for one key pair."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase, BytesIO
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

KEY, SECRET = "shopkey", "shopsecret"
_MODIFIED = "2024-01-01T00:00:00.000Z"


@dataclass
class ObjectStore:
    """What the server holds: `bucket/key` -> content."""

    port: int = 0
    objects: dict[str, bytes] = field(default_factory=dict)
    parts: dict[str, list[bytes]] = field(default_factory=dict)
    """Of uploads that are not complete yet."""

    def address(self, path: str, user: str = f"{KEY}:{SECRET}") -> str:
        return f"s3://{user}@{path}?scheme=http&endpoint_override=127.0.0.1:{self.port}&region=us-east-1"


def _unchunked(stream: BufferedIOBase | BytesIO) -> bytes:
    parts = []
    while size := int(stream.readline().split(b";")[0], 16):
        parts.append(stream.read(size))
        stream.readline()
    while stream.readline().strip():  # what is said of the chunks after the last of them
        pass
    return b"".join(parts)


@contextmanager
def serve() -> Iterator[ObjectStore]:
    """An empty store, as long as the context lasts."""
    store = ObjectStore()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            content = self._content()
            if self._allowed():
                store.parts.setdefault(self._path(), []).append(content)
                self._answer(200)

        def do_POST(self) -> None:
            self._content()
            if not self._allowed():
                return
            if "uploadId" in urlsplit(self.path).query:
                store.objects[self._path()] = b"".join(store.parts.pop(self._path()))
                self._answer(200, b"<CompleteMultipartUploadResult><ETag>1</ETag></CompleteMultipartUploadResult>")
            else:
                answer = "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
                self._answer(200, answer.encode())

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            if not self._allowed():
                return
            bucket, _, key = self._path().partition("/")
            if not any(name.startswith(f"{bucket}/") for name in store.objects):
                self._error(404, "NoSuchBucket")
            elif not key:
                self._listing(bucket)
            elif (content := store.objects.get(f"{bucket}/{key}")) is None:
                self._error(404, "NoSuchKey")
            elif wanted := self.headers.get("Range"):
                first, last = (int(place) for place in wanted.removeprefix("bytes=").split("-"))
                part = content[first : last + 1]
                place = f"bytes {first}-{first + len(part) - 1}/{len(content)}"
                self._answer(206, part, {"Content-Range": place})
            else:
                self._answer(200, content)

        def _listing(self, bucket: str) -> None:
            asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            prefix, delimiter = asked.get("prefix", ""), asked.get("delimiter", "")
            keys = [name.partition("/")[2] for name in sorted(store.objects) if name.startswith(f"{bucket}/{prefix}")]
            deeper = {key for key in keys if delimiter and delimiter in key[len(prefix) :]}
            folders = {prefix + key[len(prefix) :].split(delimiter)[0] + delimiter for key in deeper}
            files = "".join(
                f"<Contents><Key>{escape(key)}</Key><LastModified>{_MODIFIED}</LastModified>"
                f"<Size>{len(store.objects[f'{bucket}/{key}'])}</Size></Contents>"
                for key in keys
                if key not in deeper
            )
            common = "".join(f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" for name in folders)
            count = f"<KeyCount>{len(keys) - len(deeper) + len(folders)}</KeyCount>"
            listing = f"<ListBucketResult><Name>{bucket}</Name><IsTruncated>false</IsTruncated>{count}{files}{common}"
            self._answer(200, f"{listing}</ListBucketResult>".encode())

        def _content(self) -> bytes:
            length = self.headers["Content-Length"]
            content = _unchunked(self.rfile) if length is None else self.rfile.read(int(length))
            packed = "aws-chunked" in self.headers.get("Content-Encoding", "")
            return _unchunked(BytesIO(content)) if packed else content

        def _allowed(self) -> bool:
            if f"Credential={KEY}/" in self.headers.get("Authorization", ""):
                return True
            self._error(403, "AccessDenied")
            return False

        def _path(self) -> str:
            return unquote(urlsplit(self.path).path).strip("/")

        def _error(self, status: int, code: str) -> None:
            self._answer(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())

        def _answer(self, status: int, content: bytes = b"", headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            etag = md5(content, usedforsecurity=False).hexdigest()
            plain = {"Content-Length": str(len(content)), "ETag": f'"{etag}"', "Content-Type": "application/xml"}
            for name, value in {**plain, "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT", **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name there)
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    store.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
