"""The document of MQTT before the official parser, in Node; `make asyncapi` installs it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build" / "asyncapi"
NODE = shutil.which("node")
PROGRAM = """
const { Parser } = require("@asyncapi/parser");
const text = require("fs").readFileSync(0, "utf-8");
new Parser().parse(text).then(({ document, diagnostics }) => {
  console.log(JSON.stringify({
    channels: document ? document.channels().all().length : 0,
    errors: diagnostics.filter((d) => d.severity === 0).map((d) => `${d.path}: ${d.message}`),
    warnings: diagnostics.filter((d) => d.severity === 1).map((d) => `${d.path}: ${d.message}`),
  }));
});
"""

pytestmark = pytest.mark.skipif(
    NODE is None or not (FOLDER / "node_modules" / "@asyncapi" / "parser").is_dir(),
    reason="the AsyncAPI parser is not installed: run `make asyncapi` (needs node and npm)",
)


def parsed(text: str) -> dict[str, object]:
    done = subprocess.run(  # the node of this machine, with a program of ours
        [str(NODE), "-e", PROGRAM],
        input=text,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        cwd=FOLDER,
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_the_official_parser_has_nothing_to_object_to() -> None:
    text = (ROOT / "docs" / "asyncapi.json").read_text("utf-8")
    found = parsed(text)
    assert found["errors"] == []
    assert found["warnings"] == []
    assert found["channels"] == len(json.loads(text)["channels"])


def test_it_objects_to_an_operation_on_no_channel() -> None:
    told = json.loads((ROOT / "docs" / "asyncapi.json").read_text("utf-8"))
    del told["operations"]["hub_sends_ack"]["channel"]
    assert parsed(json.dumps(told))["errors"]
