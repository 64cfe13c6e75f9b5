"""Pages that are made from the code say what the code says."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from fleetloop_agent.update import states_page
from fleetloop_agent.update.states import TRANSITIONS, Event, State
from fleetloop_hub.alerting import terms as alert_terms
from fleetloop_hub.delivery import rollout_states, rollouts_page
from fleetloop_hub.spec import reference
from fleetloop_hub.spec.reading import parse

DOCS = Path(__file__).parents[2] / "docs"


def test_page_of_the_spec_is_what_the_types_say() -> None:
    assert (DOCS / "spec.md").read_text("utf-8") == reference.page(), "run: make docs"


def test_page_of_the_states_is_what_the_table_says() -> None:
    assert (DOCS / "states.md").read_text("utf-8") == states_page.page(), "run: make docs"


def test_page_of_rollouts_has_the_table() -> None:
    text = (DOCS / "rollouts.md").read_text("utf-8")
    assert text == rollouts_page.filled(text), "run: make docs"
    assert text.count("\n| `open` | `harm` | `halting` |") == 1


def test_every_event_and_effect_of_a_rollout_is_explained() -> None:
    for of in (rollout_states.Event, rollout_states.Effect):
        assert set(rollouts_page.explained(of)) == {member.name for member in of}


@pytest.mark.parametrize("state", State)
def test_page_of_the_states_shows_every_state_and_what_leads_from_it(state: State) -> None:
    lines = states_page.page().splitlines()
    assert sum(line.startswith(f"| `{state}` |") for line in lines) == 1 + len(TRANSITIONS[state])
    for event, following in TRANSITIONS[state].items():
        name, after = (one.replace("-", "_") for one in (state, following))
        assert f"    {name} --> {after}: {event}" in lines


def test_every_event_is_explained() -> None:
    assert set(states_page._events()) == {event.name for event in Event}


def test_example_is_a_spec_and_sets_every_key_of_every_table() -> None:
    text = reference.example()
    spec = parse(text)
    for table, key in keys(type(spec)):
        assert f"{key} =" in text or f".{key}]" in text, f"{table}.{key} is not shown to the reader"


@pytest.mark.parametrize("key", ["true_positive_gap", "chunk_bytes", "within_s", "neighbours"])
def test_page_explains_keys_of_all_depths(key: str) -> None:
    row = next(line for line in reference.page().splitlines() if line.startswith(f"| `{key}`"))
    assert len(row.split(" | ")) == 4


def keys(form: type[msgspec.Struct]) -> Iterator[tuple[str, str]]:
    """Every key below the top, with the name of its table."""
    for field in msgspec.structs.fields(form):
        for part in parts(field.type):
            for inner in msgspec.structs.fields(part):
                yield part.__name__, inner.name
            yield from keys(part)


def parts(hint: object) -> Iterator[type[msgspec.Struct]]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
    for inner in getattr(hint, "__args__", ()):
        yield from parts(inner)


def test_page_of_alerts_has_the_table_of_kinds() -> None:
    text = (DOCS / "alerts.md").read_text("utf-8")
    assert f"<!-- kinds: begin -->\n\n{alert_terms.table()}\n\n<!-- kinds: end -->" in text
