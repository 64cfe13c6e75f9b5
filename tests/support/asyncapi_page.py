"""Writes docs/asyncapi.json, the document of MQTT, with the golden files as examples."""

import json
import sys
from pathlib import Path

import msgspec

from fleetloop_hub.web.asyncapi import document
from fleetloop_shared.codec import encode

GOLDEN = Path(__file__).parents[1] / "golden" / "wire" / "v1"


def text() -> str:
    """The document as it lies in docs/, a line a key."""
    examples = {path.stem: json.loads(path.read_bytes()) for path in GOLDEN.glob("*.json")}
    return msgspec.json.format(encode(document(examples)), indent=1).decode() + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), "utf-8")
