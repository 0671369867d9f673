"""Files elsewhere: s3:// and gs:// through Arrow, http(s):// plainly, every other address through fsspec."""

import base64
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from errors import ConfigurationError, InputError

_ADDRESS = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*)://")
_CREDENTIALS = re.compile(r"^[^:]+://([^/@:]*@|[^/@:]*:(?![0-9]+/)[^@]*@)")
_ARROW = {"s3": "", "gs": "retry_limit_seconds=30"}
_REFUSED = re.compile(
    r"ACCESS_DENIED|FORBIDDEN|\b40[13]\b|INVALID_ACCESS_KEY|SIGNATURE_DOES_NOT_MATCH|PERMISSION_DENIED"
)
_PATIENCE = 60
_LONGEST_NAME = 100
_SHORT = 3
"""No secret is so short, and hiding such pieces would hide half of a message."""


def is_address(what: str) -> bool:
    """Whether this is a place elsewhere rather than a path."""
    return _ADDRESS.match(what) is not None


def shown(address: str) -> str:
    """The address without credentials, options and fragment."""
    return address.partition("?")[0].replace(_credentials(address), "", 1)


def files(address: str) -> list[str] | None:
    """The addresses of the files that a pattern (* and **) or a folder elsewhere has; None for a single file."""
    if _scheme(address).startswith("http"):
        return None
    with _reached(address):
        filesystem, path = _place(address)
        if "*" not in path and not filesystem.isdir(path):
            return None
        pattern = path if "*" in path else f"{path.rstrip('/')}/*"
        found = [one for one, info in filesystem.glob(pattern, detail=True).items() if info["type"] == "file"]
        base, mark, options = address.partition("?")
        base, path = base.rstrip("/"), path.rstrip("/")
        root = base.removesuffix(path) if base.endswith(path) else ""
        return [f"{root}{one}{mark}{options}" if root else filesystem.unstrip_protocol(one) for one in sorted(found)]


def copy(address: str, directory: Path) -> Path:
    """Copy a file from elsewhere into a directory, under its own name. Raises InputError where it cannot be had."""
    base = shown(address)
    name = PurePosixPath(unquote(base) if _scheme(address).startswith("http") else base).name
    target = directory / name[-_LONGEST_NAME:]
    with _reached(address), _open(address) as source, target.open("wb") as sink:
        shutil.copyfileobj(source, sink, 1 << 20)
    return target


def _credentials(address: str) -> str:
    """`user@` or `key:secret@`; the secret may have slashes, as those of S3 do."""
    found = _CREDENTIALS.match(address)
    return found[1] if found else ""


def _scheme(address: str) -> str:
    return address.split("://", 1)[0].lower()


@contextmanager
def _open(address: str) -> Iterator[IO[bytes]]:
    if not _scheme(address).startswith("http"):
        filesystem, path = _place(address)
        with filesystem.open(path, "rb") as stream:
            yield stream
        return
    parts = urlsplit(address)
    user, _, host = parts.netloc.rpartition("@")
    request = Request(urlunsplit(parts._replace(netloc=host)))  # noqa: S310 (http alone comes here)
    if user:
        request.add_unredirected_header("Authorization", f"Basic {base64.b64encode(unquote(user).encode()).decode()}")
    try:
        with urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310  # nosec B310 (https alone comes here)
            yield answer
            if answer.length:  # urllib does not mind that an answer ends early
                raise OSError(f"the connection ended {answer.length:,} bytes early")
    except HTTPError as error:
        kind = {401: PermissionError, 403: PermissionError, 404: FileNotFoundError, 410: FileNotFoundError}
        raise kind.get(error.code, OSError)(f"HTTP {error.code}") from error


def _place(address: str) -> tuple[Any, str]:
    """The file system of an address, and the path in it."""
    from fsspec.core import url_to_fs  # here, for it takes a while and few loads need it

    scheme = _scheme(address)
    if scheme not in _ARROW:
        filesystem, path = url_to_fs(address)
        return filesystem, str(path)
    from fsspec.implementations.arrow import ArrowFSWrapper
    from pyarrow.fs import FileSystem

    base, _, options = address.partition("?")
    bucket, _, key = base.split("://", 1)[1].partition("/")
    options = "&".join(filter(None, (_ARROW[scheme], options)))
    filesystem, root = FileSystem.from_uri(f"{scheme}://{bucket}?{options}" if options else f"{scheme}://{bucket}")
    return ArrowFSWrapper(filesystem, skip_instance_cache=True), f"{root}/{key}"


@contextmanager
def _reached(address: str) -> Iterator[None]:
    """Whatever a driver raises becomes one sentence without credentials."""
    where = shown(address)
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"There is no file {where}; check the address.") from error
    except ImportError as error:
        raise ConfigurationError(
            f"{where} needs a package that is not installed ({_said(error, address)}); install it into .venv."
        ) from error
    except Exception as error:  # every driver raises its own
        said = _said(error, address)
        if isinstance(error, PermissionError) or _REFUSED.search(said):
            raise InputError(f"{where} may not be read with the credentials given; check them.") from error
        raise InputError(f"{where} cannot be fetched ({said}); check the address and the network.") from error


def _said(error: Exception, address: str) -> str:
    """The first words of an error, without what the address hides."""
    said = " ".join(str(error).split()) or type(error).__name__
    credentials, options = _credentials(address).rstrip("@"), address.partition("?")[2]
    for secret in (credentials, options, *re.split("[:/]", credentials), *options.split("&")):
        if len(secret) > _SHORT:
            said = said.replace(secret, "***")
    return said[:200]
