"""The document of MQTT: whole, valid, the same as in docs/, and true of golden messages."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import (  # type: ignore[import-untyped]  # it ships no types
    Draft7Validator,
    Draft202012Validator,
)

from fleetloop_hub.web.asyncapi import document
from fleetloop_shared.topics import Topic, parse
from support.asyncapi_page import GOLDEN, text
from support.hubweb import web_hub

ROOT = Path(__file__).parents[3]
Json = dict[str, Any]


@pytest.fixture(scope="module")
def told() -> Json:
    found: Json = json.loads(text())
    return found


def test_the_page_in_docs_is_what_the_code_says() -> None:
    assert (ROOT / "docs" / "asyncapi.json").read_text("utf-8") == text(), "run `make docs`"


def test_it_is_valid_by_the_official_schema(told: Json) -> None:
    schema = json.loads((ROOT / "tests/golden/asyncapi/3.0.0.json").read_bytes())
    check = Draft7Validator(schema)
    assert not [error.message for error in check.iter_errors(told)]
    del told["operations"]["hub_sends_ack"]["action"]
    assert list(check.iter_errors(told)), "the schema refuses nothing"
    told["operations"]["hub_sends_ack"]["action"] = "send"


def test_every_topic_is_a_channel_that_its_example_parameters_make_a_topic_of(told: Json) -> None:
    for topic in Topic:
        channel = told["channels"][topic.name.lower()]
        names = {k: v["examples"][0] for k, v in channel.get("parameters", {}).items()}
        address = parse(channel["address"].format(**names))
        assert address is not None
        assert address.topic is topic
        assert address.names == names


def test_every_topic_is_sent_by_one_and_received_by_another(told: Json) -> None:
    for topic in Topic:
        name = f"#/channels/{topic.name.lower()}"
        acts = [o for o in told["operations"].values() if o["channel"]["$ref"] == name]
        sent = [o for o in acts if o["action"] == "send"]
        (binding,) = [o["bindings"]["mqtt"] for o in sent]
        assert (binding["qos"], binding["retain"]) == (topic.row.qos, topic.row.retained)
        assert [o for o in acts if o["action"] == "receive"]


def test_every_golden_message_is_as_its_schema_says(told: Json) -> None:
    names = {t.row.message.__name__ for t in Topic if t.row.message is not None}
    for name in sorted(names):
        schema = {"$ref": f"#/components/schemas/{name}", "components": told["components"]}
        payload = json.loads((GOLDEN / f"{name}.json").read_bytes())
        assert not [e.message for e in Draft202012Validator(schema).iter_errors(payload)], name
        assert told["components"]["messages"][name]["examples"][0]["payload"] == payload
        payload["schema"] = "one"
        assert list(Draft202012Validator(schema).iter_errors(payload)), name


def test_what_may_be_personal_is_offered_to_no_subscriber(told: Json) -> None:
    offered = {name for name in told["operations"] if name.startswith("subscriber_")}
    assert offered
    assert not {name for name in offered if name.endswith(("samples", "labels"))}


def test_the_hub_serves_it(tmp_path: Path) -> None:
    with web_hub(tmp_path) as hub:
        assert hub.client().get("/api/v1/asyncapi.json").get_json() == document()
