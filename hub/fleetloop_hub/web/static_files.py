"""The console's own files: held in memory, compressed once, and kept by browsers for good.

Their address bears a part of their hash, so that another version of the hub has other addresses.
"""

import gzip
import mimetypes
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.exceptions import NotFound

from fleetloop_hub.web.compression import GZIP, accepted
from fleetloop_shared.ids import sha256_hex

_DIGITS = 12
_FOR_GOOD = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_ENDPOINT = "static"


@dataclass(frozen=True)
class _File:
    body: bytes
    squeezed: bytes | None
    digest: str
    content_type: str


def register(app: Flask) -> None:
    """Serve the folder of static files so, instead of reading it for each request."""
    files = _read(Path(app.static_folder or ""))

    def serve(filename: str) -> Response:
        file = files.get(filename)
        if file is None:
            raise NotFound
        named = request.args.get("v") == file.digest
        response = Response(file.body, content_type=file.content_type)
        response.headers["Cache-Control"] = _FOR_GOOD if named else _ASK_AGAIN
        response.set_etag(file.digest)
        if file.squeezed is not None:
            response.vary.add("Accept-Encoding")
            if accepted():
                response.set_data(file.squeezed)
                response.headers["Content-Encoding"] = GZIP
                response.set_etag(file.digest, weak=True)
        if request.if_none_match.contains_weak(file.digest):
            response.status_code = HTTPStatus.NOT_MODIFIED
            response.set_data(b"")
        return response

    def with_digest(endpoint: str, values: dict[str, object]) -> None:
        file = files.get(str(values.get("filename")))
        if endpoint == _ENDPOINT and file is not None:
            values.setdefault("v", file.digest)

    app.view_functions[_ENDPOINT] = serve
    app.url_defaults(with_digest)


def _read(folder: Path) -> dict[str, _File]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            body = path.read_bytes()
            squeezed = gzip.compress(body, 9, mtime=0)
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            text = kind.startswith("text/") or kind in {"application/javascript", "image/svg+xml"}
            found[path.relative_to(folder).as_posix()] = _File(
                body=body,
                squeezed=squeezed if len(squeezed) < len(body) else None,
                digest=sha256_hex(body)[:_DIGITS],
                content_type=f"{kind}; charset=utf-8" if text else kind,
            )
    return found
