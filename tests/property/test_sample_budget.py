"""The budget of samples over any pattern of restarts, rows and clocks that run."""

from itertools import accumulate

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetloop_agent.serving.reports import Reports
from fleetloop_agent.serving.sample_purse import SamplePurse
from fleetloop_firmware_sim.flash import Flash
from fleetloop_shared.codec import encode
from fleetloop_shared.durable import Disk
from fleetloop_shared.reports import SampleReport
from fleetloop_shared.sampling import SamplingPolicy
from support.agent_board import SmallHost, StandingClock
from support.serving_rig import DEVICE, predictor, rows

BYTES_PER_DAY = 20_000
DAY_S = 86_400.0

STARTS = st.lists(
    st.tuples(
        st.integers(0, 3),  # what ends it: 0 is a graceful end, the others are power cuts
        st.lists(st.tuples(st.integers(0, 400), st.floats(0.5, 40_000.0)), max_size=4),
    ),
    min_size=1,
    max_size=6,
)
POLICY = SamplingPolicy(
    random_share=0.9,
    low_confidence=0.5,
    out_of_range=True,
    drifted_first=True,
    bytes_per_day=BYTES_PER_DAY,
    never=["rain"],
)


def written(
    starts: list[tuple[int, list[tuple[int, float]]]], disk: Disk
) -> list[tuple[float, bytes]]:
    """When a device wrote which reports of samples."""
    clock, found = StandingClock(), []
    for boot, (cut, spells) in enumerate(starts, 1):
        made, purse = predictor(), SamplePurse(disk, clock)
        reports = Reports(DEVICE, clock, SmallHost())
        for count, pause_s in spells:
            purse.pay_for(made, POLICY)
            if count:
                made.predict(rows(count, seed=count) * 3)
            for seq, (_, build) in enumerate(reports.of(made.collect(), made.manifest), 1):
                report = build(boot, seq)
                if isinstance(report, SampleReport):
                    found.append((clock.at, encode(report)))
            clock.at += pause_s
        if not cut:
            purse.close()
    return found


@settings(max_examples=25, deadline=None)
@given(STARTS)
def test_no_day_sees_more_bytes_than_the_budget_whatever_the_restarts(
    starts: list[tuple[int, list[tuple[int, float]]]],
) -> None:
    found = written(starts, Flash())
    for begin, _ in found:
        day = [len(data) for at, data in found if begin <= at < begin + DAY_S]
        assert sum(day) <= BYTES_PER_DAY, list(accumulate(day))


@settings(max_examples=10, deadline=None)
@given(STARTS)
def test_a_field_that_never_leaves_is_in_no_byte_that_is_written(
    starts: list[tuple[int, list[tuple[int, float]]]],
) -> None:
    for _, data in written(starts, Flash()):
        report = msgspec.json.decode(data, type=SampleReport)
        assert report.withheld == ["rain"]
        assert all(s.values[1] is None for s in report.samples)
