"""Lists as files: CSV for spreadsheets, JSON for programs."""

import csv
import io
import re

from flask import Response, request

from fleetloop_shared.codec import encode

_FORMULA = re.compile(r"^[=+\-@\t\r]")
_NUMBER = re.compile(r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$")
_NAME = re.compile(r"[^a-zA-Z0-9._-]")


def asked_format() -> str:
    """What `?format=` asks for: "csv", "json" or "" for the page."""
    asked = request.args.get("format", "")
    return asked if asked in {"csv", "json"} else ""


def answer(name: str, rows: list[dict[str, object]], columns: tuple[str, ...]) -> Response:
    """A list in the format that was asked for, as a file to be kept.

    Args:
        name: What the file is called, without its ending.
        rows: By column.
        columns: Their names, in order.
    """
    as_csv = asked_format() == "csv"
    told = _csv(rows, columns) if as_csv else encode({name: rows})
    kind = "text/csv; charset=utf-8" if as_csv else "application/json"
    file = f"{_NAME.sub('-', name)}.{'csv' if as_csv else 'json'}"
    return Response(
        told,
        content_type=kind,
        headers={"Content-Disposition": f'attachment; filename="{file}"'},
    )


def cell(value: object) -> str:
    """A value as a spreadsheet may read it: never as a formula.

    What would be taken for a formula gets an apostrophe before it, as OWASP advises against CSV
    injection; numbers stay numbers.

    >>> cell("=HYPERLINK(1)"), cell(-1.5), cell("-1.5"), cell(None)
    ("'=HYPERLINK(1)", '-1.5', '-1.5', '')
    """
    if value is None:
        return ""
    text = value if isinstance(value, str) else encode(value).decode().strip('"')
    if isinstance(value, str) and _FORMULA.match(text) and not _NUMBER.match(text):
        return f"'{text}"
    return text


def _csv(rows: list[dict[str, object]], columns: tuple[str, ...]) -> bytes:
    told = io.StringIO()
    writer = csv.writer(told, lineterminator="\r\n")
    writer.writerow([cell(column) for column in columns])
    writer.writerows([cell(row.get(column)) for column in columns] for row in rows)
    return told.getvalue().encode()
