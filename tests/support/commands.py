"""The command line as a test types it, against a hub that really listens."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from fleetloop_hub import __main__ as program
from fleetloop_hub.config import URL_FILE
from fleetloop_hub.web.admin_token import ADMIN_TOKEN_FILE, read_or_make
from fleetloop_hub.web.app import create_app
from fleetloop_hub.web.server import WebServer
from support.hubweb import WebHub, web_hub


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str


Run = Callable[..., Said]


def runner(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
) -> Run:
    """Runs `fleetloop ARGUMENTS` in `folder`."""
    monkeypatch.delenv("FLEETLOOP_HUB", raising=False)
    monkeypatch.delenv("FLEETLOOP_TOKEN", raising=False)
    monkeypatch.chdir(folder)

    def run(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["fleetloop", *arguments])
        with pytest.raises(SystemExit) as ended:
            program.main()
        said = capsys.readouterr()
        code = ended.value.code
        assert code is None or isinstance(code, int)
        return Said(code or 0, said.out, said.err)

    return run


@contextmanager
def listening_hub(folder: Path) -> Iterator[WebHub]:
    """A hub that listens, whose state folder is where commands look by default."""
    state_dir = folder / ".state" / "hub"
    with web_hub(state_dir) as hub:
        server = WebServer("127.0.0.1", 0)
        server.start(create_app(hub, read_or_make(state_dir / ADMIN_TOKEN_FILE), "127.0.0.1"))
        (state_dir / URL_FILE).write_text(server.url, "utf-8")
        try:
            yield hub
        finally:
            server.stop()


def a_refusal(said: Said) -> str:
    """What a command said that could not do its work: a sentence, never a trace."""
    assert said.code == 1
    assert said.out == ""
    assert said.err.startswith("fleetloop: ")
    assert "Traceback" not in said.err
    return said.err
