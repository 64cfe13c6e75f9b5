"""The model spec: what is wrong with it is said with the key and the remedy."""

from pathlib import Path

import pytest

from fleetloop_hub.errors import SpecError
from fleetloop_hub.spec.reading import load, parse
from support.learnable import SPEC, WEATHER


def test_demo_spec_is_a_spec_and_sets_every_key_of_its_tables() -> None:
    spec, text = load(WEATHER / "rain.toml")
    assert spec.features[0].name == "temperature_f"
    for table in ("budget", "drift", "delivery", "rollout", "sampling", "retrain"):
        for key in getattr(spec, table).__struct_fields__:
            assert f"\n{key} = " in text, f"{table}.{key} is not shown to the reader"


@pytest.mark.parametrize(
    ("added", "says"),
    [
        ("[gates]\nflor = 0.5", "gates.flor is not a key of this form; did you mean floor?"),
        ("[gates]\nzzz = 0.5", "the keys here are metric, floor"),
        ('[gates]\nmetric = "f2"', 'gates.metric = "f2" is not known; write one of "accuracy"'),
        ("[gates]\nfloor = nan", "gates.floor is not a number; write a finite one"),
        ("[gates]\nfloor = 1.5", "gates.floor: write a number <= 1.0"),
        ("[gates]\nheld_out = 0.9", "gates.held_out: write a number <= 0.5"),
        ("[rollout]\nphases = [0.5, inf]", "rollout.phases[1] is not a number"),
        ("[rollout]\nphases = [0.5, 0.2]", "write shares that ascend and end with 1.0"),
        ("[rollout]\nphases = []", "rollout.phases: write a list with a length >= 1"),
        ("[delivery]\nchunk_bytes = 10", "delivery.chunk_bytes: write a whole number >= 1024"),
        ("[delivery]\nchunk_bytes = 1e4", "write a whole number, without a fraction"),
        ('[retrain]\nwindow = "newest"', 'write one of "all", "since_drift"'),
        ('[budget]\nlatency_ms = "1"', "budget.latency_ms: write a number, not text in quotes"),
        ('[[candidates]]\nname = "c"\nfamily = "tree"', 'write one of "extra-trees"'),
        ('[[candidates]]\nname = "C c"\nfamily = "mlp"', "candidates[2].name: write 1 to 64 of"),
        ('[[candidates]]\nname = "net"\nfamily = "mlp"', "'net' stands twice"),
        ('[[candidates]]\nfamily = "mlp"', "candidates[2].name is missing; write it"),
        ('[[features]]\nname = "a"', "'a' stands twice; name each column once"),
        ('[[features]]\nname = "y"', "'y' is label.column"),
        ('[[features]]\nname = "q"\nlow = 2\nhigh = 1', "low (q): write a low that is"),
        ('[sampling]\nnever = ["q"]', "sampling.never[0]: 'q' is no feature"),
        ("[sampling]\nbytes_per_day = 10", "sampling.bytes_per_day: write a whole number >= 10000"),
        ("[sampling]\nrandom_share = 2.0", "sampling.random_share: write a number <= 1.0"),
        ("[slices]\ncolumn = 'a'", "slices: write [[slices]], in two brackets"),
        ("[[gates]]\nfloor = 0.5", "gates: write [gates], in one bracket"),
        ("what = 1 2", "not TOML"),
    ],
)
def test_mistake_is_named_with_its_key_and_what_to_write(added: str, says: str) -> None:
    base = SPEC.replace("[drift]\nwindow_rows = 32\n", "")
    with pytest.raises(SpecError) as caught:
        parse(base + added)
    assert says in str(caught.value)


def test_missing_table_is_named() -> None:
    with pytest.raises(SpecError, match="sources is missing"):
        parse('[model]\nname = "m"')


def test_time_and_label_may_not_be_the_same_column() -> None:
    with pytest.raises(SpecError, match=r"is label\.column as well"):
        parse(SPEC.replace('time = "t"', 'time = "y"'))


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"nowhere\.toml"):
        load(tmp_path / "nowhere.toml")


def test_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "spec.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpecError, match=r"spec\.toml"):
        load(tmp_path / "spec.toml")


def test_a_field_that_never_leaves_and_whose_lack_keeps_rows_out_is_a_contradiction() -> None:
    spec = SPEC.replace('name = "a"', 'name = "a"\nmissing = "quarantine"', 1)
    with pytest.raises(SpecError, match="keeps each of them out of training"):
        parse(spec + '\n[sampling]\nrandom_share = 0.1\nnever = ["a"]\n')
    assert parse(SPEC).sampling.policy is None, "off unless it is asked for"
