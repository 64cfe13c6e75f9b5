"""Answers are compressed for who takes that, and the console's own files are kept for good."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from support.hubweb import ADMIN, fill, web_hub

TAKES = {"Accept-Encoding": "gzip, br"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    with web_hub(tmp_path_factory.mktemp("hub")) as hub:
        fill(hub)
        yield hub.client()


def folder_of_static_files() -> Path:
    from fleetloop_hub.web import app  # noqa: PLC0415  # only its place is wanted

    return Path(app.__file__).parent / "static"


@pytest.mark.parametrize("path", ["/", "/api/v1/overview", "/nowhere"])
def test_an_answer_says_the_same_compressed_and_not(client: FlaskClient, path: str) -> None:
    small = client.get(path, headers={**ADMIN, **TAKES})
    plain = client.get(path, headers=ADMIN)
    assert "Accept-Encoding" in plain.vary
    assert "Content-Encoding" not in plain.headers
    if len(plain.data) >= 1_000:
        assert small.headers["Content-Encoding"] == "gzip"
        assert small.content_length == len(small.data) < len(plain.data) / 2
        assert re.sub(rb"\d", b"", gzip.decompress(small.data)) == re.sub(rb"\d", b"", plain.data)
    else:
        assert small.data == plain.data


@pytest.mark.parametrize("refused", ["identity", "gzip;q=0", "br", ""])
def test_who_does_not_take_it_gets_it_plain(client: FlaskClient, refused: str) -> None:
    answer = client.get("/", headers={**ADMIN, "Accept-Encoding": refused})
    assert "Content-Encoding" not in answer.headers
    assert answer.data.startswith(b"<!doctype html>")


def test_the_length_of_an_answer_does_not_tell_exactly_what_it_says(client: FlaskClient) -> None:
    lengths = {
        len(client.get("/api/v1/overview", headers={**ADMIN, **TAKES}).data) for _ in "x" * 9
    }
    assert len(lengths) > 1


def test_a_compressed_answer_that_is_known_is_not_sent_again(client: FlaskClient) -> None:
    first = client.get("/api/v1/versions", headers={**ADMIN, **TAKES})
    known = {**ADMIN, **TAKES, "If-None-Match": first.headers["ETag"]}
    again = client.get("/api/v1/versions", headers=known)
    assert (again.status_code, again.data) == (304, b"")


def test_every_file_that_a_page_names_is_kept_for_good_under_that_name(client: FlaskClient) -> None:
    page = client.get("/", headers=ADMIN).get_data(as_text=True)
    paths = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert len(paths) >= 4
    for path in paths:
        answer = client.get(path, headers=TAKES)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        file = folder_of_static_files() / path.removeprefix("/static/").partition("?")[0]
        body = answer.data
        if answer.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
            assert "Accept-Encoding" in answer.vary
        assert body == file.read_bytes()


def test_a_file_without_its_hash_is_asked_for_again(client: FlaskClient) -> None:
    answer = client.get("/static/console.css")
    assert answer.headers["Cache-Control"] == "no-cache"
    again = client.get("/static/console.css", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    other = client.get("/static/console.css?v=0123456789ab")
    assert other.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["../app.py", "%2e%2e/app.py", "..%2fapp.py", "vendor", "vendor/", "", "none.css"]
)
def test_nothing_outside_the_folder_is_served(client: FlaskClient, path: str) -> None:
    assert client.get(f"/static/{path}", headers=ADMIN).status_code in {308, 404}
