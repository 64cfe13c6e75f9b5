"""A run is told to end after its time, and only it."""

from fleetloop_agent.turn import Turn


def test_a_run_is_told_to_end_once_after_its_time() -> None:
    told: list[int] = []
    turn = Turn(lambda: told.append(turn.number))
    assert not turn.look(0.0, 5.0)
    turn.number += 1
    assert not turn.look(100.0, 5.0)
    assert not turn.look(104.9, 5.0)
    assert turn.look(105.0, 5.0)
    assert turn.look(106.0, 5.0)
    assert told == [1]
    turn.number += 1
    assert not turn.look(200.0, 5.0)
    assert turn.spoilt


def test_runs_that_follow_each_other_are_not_one_long_run() -> None:
    turn = Turn(lambda: None)
    for now in range(20):
        turn.number += 1
        assert not turn.look(float(now), 2.0)
        turn.number += 1
    assert not turn.spoilt
