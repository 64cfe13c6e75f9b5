"""Lists as files."""

import json

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from fleetloop_hub.web import exports


@given(st.text())
def test_no_cell_begins_as_a_formula_does_unless_it_is_a_number(text: str) -> None:
    told = exports.cell(text)
    if told[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        assert told[1:].replace(".", "").replace("e", "").replace("E", "").strip("+-").isascii()
        float(told)
    assert told.removeprefix("'") == text.removeprefix("'") or told == text


@pytest.mark.parametrize("value", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1"])
def test_a_formula_is_told_as_text(value: str) -> None:
    assert exports.cell(value) == f"'{value}"


def test_a_list_is_a_file_with_a_harmless_name() -> None:
    rows: list[dict[str, object]] = [{"name": "a,b", "count": 3}, {"name": "=x", "count": None}]
    with Flask("x").test_request_context("/?format=csv"):
        told = exports.answer('runs"../x', rows, ("name", "count"))
    assert told.data == b'name,count\r\n"a,b",3\r\n\'=x,\r\n'
    assert told.headers["Content-Disposition"] == 'attachment; filename="runs-..-x.csv"'
    with Flask("x").test_request_context("/?format=json"):
        assert json.loads(exports.answer("runs", rows, ("name",)).data) == {"runs": rows}
