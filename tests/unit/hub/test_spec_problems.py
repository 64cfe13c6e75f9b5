"""A wrong spec is told everything that is wrong with it, each mistake with its line."""

import re

import pytest

from fleetloop_hub.errors import SpecError
from fleetloop_hub.spec import reference
from fleetloop_hub.spec.explain import in_dots
from fleetloop_hub.spec.expressions import names_in
from fleetloop_hub.spec.problems import unknown_columns
from fleetloop_hub.spec.reading import examine, located, parse
from support.learnable import SPEC

LAST = SPEC.count("\n")
BASE = SPEC.replace("[drift]\nwindow_rows = 32\n", "")


def told(added: str) -> list[str]:
    """What is said about the base spec with something added."""
    return [problem.text for problem in examine(BASE + added)[1]]


def test_base_of_these_tests_is_well() -> None:
    assert told("") == []


def test_all_mistakes_are_told_with_their_lines() -> None:
    wrong = """
[gates]
flor = 0.5
floor = "high"
[budget]
artifact_bytes = 0

[[candidates]]
family = "mpl"
[zoo]
"""
    spec, found = examine(SPEC + wrong)
    assert spec is None
    told = {in_dots(p.path): (p.line - LAST, p.text) for p in found}
    assert {key: line for key, (line, _) in told.items()} == {
        "gates.flor": 3,
        "gates.floor": 4,
        "budget.artifact_bytes": 6,
        "candidates[2].name": 8,
        "candidates[2].family": 9,
        "zoo": 10,
    }
    assert "did you mean floor?" in told["gates.flor"][1]
    assert [p.line for p in found] == sorted(p.line for p in found)


def test_contradictions_are_told_beside_mistakes_of_form() -> None:
    texts = told('[rollout]\nphases = [0.5]\n[gates]\nmetric = "f2"\n')
    assert len(texts) == 2
    assert any("ascend and end with 1.0" in text for text in texts)


def test_contradiction_that_only_follows_from_a_mistake_is_not_told() -> None:
    texts = told('[[features]]\nname = "q"\nmissing = "constant"\nfill = "x"\n')
    assert len(texts) == 1
    assert "fill: write a number" in texts[0]


def test_error_for_other_callers_lists_everything() -> None:
    with pytest.raises(SpecError) as caught:
        parse(BASE + "[gates]\nflor = 1\n[zoo]\n")
    first, *rest = str(caught.value).splitlines()
    assert first == "model spec: 2 mistakes"
    assert ["gates.flor" in rest[0], "zoo" in rest[1]] == [True, True]


@pytest.mark.parametrize(
    ("added", "key", "says"),
    [
        ('[fairness]\ngroups = ["a", "a"]', "fairness.groups", "'a' stands twice"),
        ("[fairness]\nselection_gap = 0.1", "fairness.selection_gap", "judges nobody"),
        (
            '[fairness]\ngroups = ["sex"]\nselection_gap = 0.1',
            "fairness.mitigation",
            "make 'sex' a feature, or write mitigation = \"none\"",
        ),
        ('[[slices]]\ncolumn = "a"\nedges = [2, 1]', "slices[0].edges", "numbers that ascend"),
        ('[[rules]]\nname = "r"\ncheck = "a <"', "rules[0].check", "is not an expression"),
        ('[[rules]]\nname = "r"\ncheck = "a + 1"', "rules[0].check", "compares nothing"),
        ('[[rules]]\nname = "r"\ncheck = "f(a) > 1"', "rules[0].check", "'f(a)' is not allowed"),
        (
            '[[features]]\nname = "k"\nkind = "category"',
            "features[2].categories",
            "list the values",
        ),
        (
            '[[features]]\nname = "k"\nout_of_range = "refuse"',
            "features[2].out_of_range",
            "nothing is out of range",
        ),
    ],
)
def test_contradiction_is_named_with_key_and_remedy(added: str, key: str, says: str) -> None:
    _, found = examine(BASE + added)
    assert [in_dots(problem.path) for problem in found] == [key]
    assert says in found[0].text


@pytest.mark.parametrize(
    ("search", "says"),
    [
        ("trees = [10, 2.5]", "search.trees[1]: write a whole number, without a fraction"),
        ("trees = [0]", "search.trees[0]: write a whole number >= 1"),
        ("trees = { low = 1, high = 9 }", "trees is a whole number; write whole = true"),
        ("trees = { low = 1, high = 9000, whole = true }", "trees.high: write a whole number <="),
        ("depth = { low = 9, high = 2, whole = true }", "write a low below high"),
        ("leaf_rows = []", "is empty"),
        ("gamma = [0.1]", "search.gamma is not a key of random-forest; it knows"),
    ],
)
def test_search_takes_only_what_the_key_itself_takes(search: str, says: str) -> None:
    forest = '[[candidates]]\nname = "f"\nfamily = "random-forest"\n'
    texts = told(f"{forest}[candidates.search]\n{search}\n")
    assert len(texts) == 1
    assert says in texts[0]


def test_good_searches_pass() -> None:
    net = '[[candidates]]\nname = "n"\nfamily = "mlp"\n[candidates.search]\n'
    assert (
        told(f"{net}hidden = [[8], [16, 8]]\nalpha = {{ low = 0.1, high = 1, log = true }}") == []
    )


def test_costs_are_for_two_classes() -> None:
    three = 'classes = ["0", "1", "2"]\ncost_false_positive = 1\ncost_false_negative = 2\n'
    text = BASE.replace("[label]\n", f"[label]\n{three}")
    assert [in_dots(p.path) for p in examine(text)[1]] == ["label.cost_false_positive"]


def test_columns_that_the_source_lacks_are_named_with_their_lines() -> None:
    text = BASE + '[[rules]]\nname = "r"\ncheck = "a < zz"\n[[slices]]\ncolumn = "place"\n'
    spec, found = examine(text)
    assert spec is not None
    assert found == []
    problems = located(text, unknown_columns(spec, ["t", "a", "y"]))
    assert [in_dots(p.path) for p in problems] == [
        "features[1].name",
        "rules[0].check",
        "slices[0].column",
    ]
    assert all(text.splitlines()[p.line - 1] for p in problems)
    assert "no column 'zz'; it has t, a, y" in problems[1].text


@pytest.mark.parametrize("check", ["__import__('os')", "a.b > 1", "[a] > 1", "a if b else c", "a"])
def test_only_comparisons_of_columns_and_numbers_are_rules(check: str) -> None:
    with pytest.raises(ValueError, match=r"not allowed|compares nothing"):
        names_in(check)


EXAMPLE = reference.example().splitlines()
KEYS = [k for k, line in enumerate(EXAMPLE) if re.match(r"\w+ = ", line)]
TABLES = [k for k, line in enumerate(EXAMPLE) if line.startswith("[")]


def wrong_lines(lines: list[str]) -> list[int]:
    return [problem.line for problem in examine("\n".join(lines))[1]]


@pytest.mark.parametrize("at", KEYS, ids=lambda at: EXAMPLE[at].split("=")[0].strip())
def test_wrong_value_of_any_key_is_told_on_its_line(at: int) -> None:
    key = EXAMPLE[at].split("=")[0]
    broken = [*EXAMPLE[:at], f"{key}= [[[[]]]]", *EXAMPLE[at + 1 :]]
    assert set(wrong_lines(broken)) == {at + 1}


@pytest.mark.parametrize("at", TABLES, ids=lambda at: EXAMPLE[at].split("#")[0].strip())
def test_unknown_key_of_any_table_is_told_on_its_line(at: int) -> None:
    broken = [*EXAMPLE[: at + 1], "", "zzz = [1, 2]", *EXAMPLE[at + 1 :]]
    assert wrong_lines(broken) == [at + 3]


def test_every_key_wrong_at_once_is_every_key_told() -> None:
    broken = list(EXAMPLE)
    for at in KEYS:
        broken[at] = f"{EXAMPLE[at].split('=')[0]}= [[[[]]]]"
    assert set(wrong_lines(broken)) == {at + 1 for at in KEYS}
