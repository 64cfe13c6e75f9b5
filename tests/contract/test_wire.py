"""The bytes on the wire: what a schema version looks like is written down, once, for ever."""

from pathlib import Path

import pytest

from fleetloop_shared import messages
from fleetloop_shared.codec import decode, decode_compressed, encode, encode_compressed
from fleetloop_shared.manifest import SCHEMA as MANIFEST_SCHEMA
from fleetloop_shared.manifest_check import check
from fleetloop_shared.topics import Topic
from support.examples import MANIFEST, MESSAGES

GOLDEN = Path(__file__).parents[1] / "golden" / "wire"

CASES = [(f"v{messages.SCHEMA}", m) for m in MESSAGES] + [(f"v{MANIFEST_SCHEMA}", MANIFEST)]


@pytest.mark.parametrize(("folder", "message"), CASES, ids=[type(m).__name__ for _, m in CASES])
def test_a_message_is_written_as_in_its_golden_file(folder: str, message: object) -> None:
    golden = (GOLDEN / folder / f"{type(message).__name__}.json").read_bytes()
    assert encode(message) + b"\n" == golden


@pytest.mark.parametrize(("folder", "message"), CASES, ids=[type(m).__name__ for _, m in CASES])
def test_a_golden_file_is_read_as_the_message(folder: str, message: object) -> None:
    golden = (GOLDEN / folder / f"{type(message).__name__}.json").read_bytes()
    assert decode(golden, type(message)) == message
    assert decode_compressed(encode_compressed(message), type(message)) == message


def test_every_message_of_the_topic_table_has_a_golden_file() -> None:
    told = {t.row.message for t in Topic if t.row.message is not None}
    assert told <= {type(m) for m in MESSAGES}


def test_a_reader_ignores_a_field_that_a_newer_writer_adds() -> None:
    ack = decode(b'{"boot":1,"seqs":[2],"colour":"red"}', messages.Ack)
    assert ack == messages.Ack(boot=1, seqs=[2])


def test_the_example_manifest_agrees_with_itself() -> None:
    assert check(MANIFEST) is MANIFEST
