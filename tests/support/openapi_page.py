"""Writes docs/openapi.json, the document of the API, from the routes of an empty hub."""

import sys
import tempfile
from pathlib import Path

import msgspec

from fleetloop_hub.web.openapi import document
from fleetloop_shared.codec import encode
from support.hubweb import WebHub, web_hub


def text(hub: WebHub) -> str:
    """The document as it lies in docs/, a line a key."""
    return msgspec.json.format(encode(document(hub.client().application)), indent=1).decode() + "\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, web_hub(Path(folder)) as hub:
        Path(sys.argv[1]).write_text(text(hub), "utf-8")
