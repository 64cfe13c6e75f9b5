"""The update's table: complete, closed, and without a way to stay stuck."""

import pytest

from fleetloop_agent.update.states import TRANSITIONS, Event, State, follow


def test_every_state_is_in_the_table_and_can_be_left() -> None:
    assert set(TRANSITIONS) == set(State)
    assert all(TRANSITIONS.values())


def test_every_event_leads_somewhere_from_some_state() -> None:
    assert {event for events in TRANSITIONS.values() for event in events} == set(Event)


@pytest.mark.parametrize("state", State)
def test_serving_can_be_reached_from_every_state(state: State) -> None:
    reached = {state}
    for _ in State:
        reached |= {target for source in reached for target in TRANSITIONS[source].values()}
    assert State.SERVING in reached


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_an_event_that_is_not_in_the_table_is_an_error(state: State, event: Event) -> None:
    if event in TRANSITIONS[state]:
        assert follow(state, event) is TRANSITIONS[state][event]
    else:
        with pytest.raises(ValueError, match=f"cannot be {event} while it is {state}"):
            follow(state, event)


def test_what_is_decided_is_settled_before_a_newer_statement_is_followed() -> None:
    after_arming = (State.COMMITTED, State.ROLLED_BACK, State.QUARANTINED)
    assert not any(Event.SUPERSEDED in TRANSITIONS[state] for state in after_arming)


def test_only_a_healthy_trial_is_committed() -> None:
    ways = [
        (state, event)
        for state, events in TRANSITIONS.items()
        for event, target in events.items()
        if target is State.COMMITTED
    ]
    assert ways == [(State.TRIAL, Event.HEALTHY)]
