"""Whatever comes and goes: an alert opens and closes only after its time, and never flaps."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fleetloop_hub.alert_records import AlertKind
from fleetloop_hub.alerting.condition import Cause
from fleetloop_hub.alerting.hysteresis import Hysteresis
from fleetloop_hub.alerting.terms import TERMS

CAUSES: list[Cause] = [
    (AlertKind.DRIFT, "rain@default"),
    (AlertKind.ODD_DEVICE, "rain"),
    (AlertKind.RUN_FAILED, "rain"),
]
LOOKS = st.lists(
    st.tuples(
        st.floats(0, 400, allow_nan=False),
        st.sets(st.sampled_from(CAUSES)),
        st.sets(st.sampled_from([AlertKind.DRIFT])),
    ),
    max_size=40,
)


@settings(max_examples=100)
@given(LOOKS)
def test_an_alert_opens_after_for_s_and_closes_after_clear_s_and_nothing_else(
    looks: list[tuple[float, set[Cause], set[AlertKind]]],
) -> None:
    hysteresis, open_, now = Hysteresis(), set[Cause](), 1_000.0
    history: list[tuple[float, set[Cause], set[AlertKind]]] = []
    for passed_s, standing, blind in looks:
        now += passed_s
        history.append((now, standing, blind))
        turn = hysteresis.look(standing, open_, now, blind)
        for cause in CAUSES:
            stood_s = _for(history, cause, present=True)
            gone_s = _for(history, cause, present=False)
            if cause in open_:
                assert (cause in turn.over) == (gone_s is not None and gone_s >= _clear(cause))
                assert (cause in turn.due) == (cause in standing)
            else:
                assert cause not in turn.over
                waited = stood_s is not None and stood_s >= TERMS[cause[0]].for_s
                assert (cause in turn.due) == (cause in standing and waited)
        open_ = (open_ | turn.due) - turn.over


def _clear(cause: Cause) -> float:
    return TERMS[cause[0]].clear_s


def _for(
    history: list[tuple[float, set[Cause], set[AlertKind]]], cause: Cause, *, present: bool
) -> float | None:
    """How long a condition has stood, or been seen to be gone, without a break.

    A look that cannot see leaves what stands standing, and sees nothing gone.
    """
    stands_since: float | None = None
    gone_since: float | None = None
    for at, standing, blind in history:
        stands = cause in standing or (cause[0] in blind and stands_since is not None)
        stands_since = (at if stands_since is None else stands_since) if stands else None
        is_gone = not stands and cause[0] not in blind
        gone_since = (at if gone_since is None else gone_since) if is_gone else None
    since = stands_since if present else gone_since
    return None if since is None else history[-1][0] - since


def test_a_clock_that_goes_back_begins_the_wait_anew() -> None:
    hysteresis, cause = Hysteresis(), CAUSES[0]
    assert hysteresis.look([cause], [], 1_000.0).due == set()
    assert hysteresis.look([cause], [], 0.0).due == set()
    assert hysteresis.look([cause], [], 9.0).due == set()
    assert hysteresis.look([cause], [], 10.0).due == {cause}
