"""The firmware's reader of JSON stays within its bounds, and takes nothing that is no JSON."""

import json
import random
import struct
import subprocess
from pathlib import Path

import pytest

from fleetloop_firmware_sim.constrained.building import LINK
from fleetloop_hub.packaging.c_program.program import program
from support import c_programs
from support.c_programs import COMPILER, SANITIZED, STRICT, packed

pytestmark = pytest.mark.skipif(c_programs.COMPILER is None, reason=c_programs.WHY)

HARNESS = r"""
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "json_rows.h"

static float rows[JSON_MOST_ROWS][MODEL_FEATURES];

int main(void)
{
    uint32_t length;
    int many = 0;
    while (fread(&length, sizeof length, 1, stdin) == 1) {
        char *payload = malloc(length + 1), why[JSON_WHY_BYTES] = "";
        if (!payload || (length && fread(payload, length, 1, stdin) != 1))
            return 1;
        payload[length] = 0;
        printf("%d\t%s\n", json_rows(payload, length, rows, &many, why), why);
        free(payload);
    }
    return 0;
}
"""

SEEDS = [
    b'{"a":1,"b":-2.5e3,"c":null,"d":"x","e":"y z"}',
    b'[{"a":0,"b":1,"c":2,"d":"x","e":1},[1,2,3,"w",null]]',
    b'{"rows":[[1,2.25,3,true,"\\u00e9\\ud83d\\ude00"]]}',
    b' [ 1 , 2 , 3 , "x" , false ] ',
]


def payloads(count: int) -> list[bytes]:
    """Good rows, cut, turned, doubled and with other bytes in them."""
    draw = random.Random(7)
    made = list(SEEDS)
    for _ in range(count):
        text = bytearray(draw.choice(SEEDS))
        for _ in range(draw.randint(1, 4)):
            at = draw.randrange(len(text) + 1)
            match draw.randrange(4):
                case 0:
                    text[at:at] = bytes([draw.choice(b'{}[]",:\\\x00u0123e+-.ntf \xff')])
                case 1:
                    del text[at : at + draw.randint(1, 9)]
                case 2:
                    text[at:at] = text[draw.randrange(len(text) + 1) :][:20]
                case _:
                    text = text[:at] or bytearray(b"[")
        made.append(bytes(text))
    return made


def is_json(payload: bytes) -> bool:
    def refuse(word: str) -> None:
        raise ValueError(word)

    try:
        json.loads(payload.decode("utf-8", "replace"), parse_constant=refuse)
    except (ValueError, RecursionError):
        return False
    return True


def test_no_payload_breaks_the_reader_and_none_is_taken_that_is_no_json(tmp_path: Path) -> None:
    for name, content in program(*packed("two", "linear")).files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "main.c").write_text(HARNESS, "utf-8")
    sources = [tmp_path / name for name in ("main.c", "model.c", "model_rows.c")]
    includes = [f"-I{tmp_path}", f"-I{LINK}"]
    target = tmp_path / "harness"
    words = [COMPILER, *STRICT, *SANITIZED, *includes, "-o", target, *sources, LINK / "json_rows.c"]
    subprocess.run([*map(str, words), "-lm"], check=True)
    given = payloads(4_000)
    done = subprocess.run(
        [target],
        input=b"".join(struct.pack("I", len(text)) + text for text in given),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2_000:]
    found = [line.partition(b"\t") for line in done.stdout.splitlines()]
    assert len(found) == len(given)
    taken = [text for text, (count, _, _) in zip(given, found, strict=True) if int(count) > 0]
    assert [text for text in taken if not is_json(text)] == []
    assert len(taken) > 50
    assert taken[: len(SEEDS)] == SEEDS
    assert all(why for count, _, why in found if int(count) < 0)
    assert not any(int(count) == 0 for count, _, _ in found)
