"""The routes of the Data page: a file comes in as a stream, rejected rows go out."""

import re
from urllib.parse import unquote

from flask import Flask, Response, jsonify, request
from werkzeug.wsgi import FileWrapper

from dashboard import jobs
from dashboard.noted import Noted
from errors import DatabaseError, InputError
from settings import Settings

SUFFIXES = (
    ".csv",
    ".tsv",
    ".txt",
    ".gz",
    ".zst",
    ".xlsx",
    ".xlsm",
    ".xlsb",
    ".xls",
    ".ods",
    ".parquet",
)
_CHUNK = 1 << 18
_LONGEST_NAME = 100


def register(server: Flask, settings: Settings, noted: Noted) -> None:
    """Add the routes to the server."""

    @server.post("/upload")
    def upload() -> tuple[Response, int] | Response:
        try:
            kept = _kept(settings)
        except InputError as error:
            return jsonify(error=str(error)), 400
        try:
            noted.did("uploaded file", kept.name)
        except DatabaseError as error:
            kept.remove()
            return jsonify(error=f"Who brings a file is noted first, and that cannot be done now. {error}"), 503
        return jsonify(upload=kept.token)

    @server.get("/download/rejected/<int:load_id>.<suffix>")
    def rejected(load_id: int, suffix: str) -> Response:
        if suffix not in ("csv", "toml") or load_id > 2**31 - 1:
            return Response("Not Found.\n", 404, mimetype="text/plain")
        try:
            found = jobs.rejected_file(settings, load_id, f".{suffix}")
        except InputError as error:
            return Response(f"{error}\n", 404, mimetype="text/plain")
        if found is None:
            return Response("This load noted no mapping.\n", 404, mimetype="text/plain")
        try:
            noted.did("downloaded list", f"rejected rows of load {load_id} ({suffix})")
        except DatabaseError as error:
            return Response(f"Who downloads is noted first, and that cannot be done now. {error}\n", 503)
        headers = {
            "Content-Disposition": f'attachment; filename="rejected-{load_id}.{suffix}"',
            "Cache-Control": "no-store",
        }
        body = FileWrapper(found, _CHUNK)
        return Response(body, mimetype="text/csv" if suffix == "csv" else "text/plain", headers=headers)


def safe_name(name: str) -> str:
    """The last part of a file's name in letters, digits, spaces and . _ - alone.

    Raises InputError where its suffix is none that is read.
    """
    last = re.split(r"[\\/]", name)[-1]
    safe = re.sub(r"[^\w. -]", "_", last).strip(" .").lstrip("-")[-_LONGEST_NAME:].lstrip(" .-")
    if not safe.lower().endswith(SUFFIXES):
        raise InputError(f"Files of this kind are not read; save it as one of {', '.join(SUFFIXES)}.")
    return safe


def _kept(settings: Settings) -> jobs.Upload:
    name = safe_name(unquote(request.headers.get("X-File-Name", "")))
    limit = settings.upload_mb * 1_000_000
    too_large = InputError(
        f"The file is larger than {settings.upload_mb} MB; load it on the server with `python -m etl load FILE`, or "
        "raise SPECTRUM_UPLOAD_MB."
    )
    if (request.content_length or 0) > limit:
        raise too_large
    request.max_content_length = limit + _CHUNK  # that of all other requests is 1 MB; ours is counted as it comes
    upload = jobs.new(settings, name)
    received = 0
    try:
        with jobs.room(), (upload.folder / "file" / name).open("wb") as sink:
            while chunk := request.stream.read(_CHUNK):
                received += len(chunk)
                if received > limit:
                    raise too_large
                sink.write(chunk)
        if received != (request.content_length or received):
            raise InputError("The file did not arrive whole; drop it again.")
        if not received:
            raise InputError("The file is empty; export it again.")
    except BaseException:
        upload.remove()
        raise
    return upload
