"""Harm is found, health is told, and neither without evidence."""

from typing import Any

import numpy as np
import pytest

from fleetloop_hub.judgement_records import Comparison, Finding, Judgement
from fleetloop_hub.judging.health import DeviceHealth
from fleetloop_hub.judging.weigh import weigh
from fleetloop_hub.spec.judge_table import JudgeTable
from support.judged import MIB, device, drifting, times
from support.simulated_rollouts import Fault, draw

TABLE = JudgeTable()


def fleet(count: int, prefix: str, **said: Any) -> list[DeviceHealth]:  # noqa: ANN401  # of a report
    """So many devices that say the same."""
    return [device(f"{prefix}-{k}", **said) for k in range(count)]


def of(judgement: Judgement, measure: str, hardware: str = "") -> Comparison:
    (found,) = [c for c in judgement.comparisons if (c.measure, c.hardware) == (measure, hardware)]
    return found


def test_nobody_and_nothing_is_undecided_and_says_so() -> None:
    judgement = weigh([], fleet(3, "control"), TABLE)
    assert judgement.finding is Finding.UNDECIDED
    assert judgement.text == "undecided: no treated device has reported yet"
    silent = [device("quiet", reports=0)]
    assert weigh(silent, [], TABLE).finding is Finding.UNDECIDED


def test_devices_that_do_alike_are_healthy_with_their_figures() -> None:
    judgement = weigh(fleet(5, "treated"), fleet(15, "control"), TABLE)
    assert judgement.finding is Finding.HEALTHY, judgement.text
    errors = of(judgement, "errors")
    assert (errors.treated, errors.control, errors.limit) == (0.0, 0.0, 1.0)
    assert errors.high is not None
    assert errors.high < 1.0
    assert (errors.treated_rows, errors.control_rows) == (10_000, 30_000)
    assert "0.00 % of 10,000 rows" in errors.text


HARM: dict[str, dict[str, Any]] = {
    "errors": {"errors": 4},
    "latency": {"latency_counts": times(100, 17)},
    "slow": {"latency_counts": [a + b for a, b in zip(times(70, 14), times(30, 20), strict=True)]},
    "accuracy": {"labels_correct": 38},
    "abstention": {"abstained": 15, "refused": 15},
    "memory": {"rss_bytes": 200 * MIB},
}


@pytest.mark.parametrize("measure", HARM)
def test_each_harm_is_found_by_its_measure(measure: str) -> None:
    table = JudgeTable(slow_points=5.0)
    judgement = weigh(fleet(6, "treated", **HARM[measure]), fleet(18, "control"), table)
    assert judgement.finding is Finding.HARMFUL
    assert of(judgement, measure).finding is Finding.HARMFUL
    assert judgement.hardware == ["pi4"]
    assert measure in judgement.speaks_against


def test_drift_against_its_own_reference_is_harm() -> None:
    treated = [drifting(f"t-{k}", [3.0, 3.2, 2.9, 3.1]) for k in range(6)]
    control = [drifting(f"c-{k}", [0.5, 0.6, 0.4, 0.5]) for k in range(12)]
    judgement = weigh(treated, control, TABLE)
    assert of(judgement, "drift").finding is Finding.HARMFUL


def test_what_a_table_has_no_limit_for_is_shown_and_stops_nothing() -> None:
    judgement = weigh(fleet(6, "t", answer_counts=[10, 90]), fleet(18, "c"), TABLE)
    assert judgement.finding is Finding.HEALTHY
    answers = of(judgement, "answers")
    assert answers.limit is None
    assert answers.difference == pytest.approx(50, abs=1)
    asked = weigh(
        fleet(6, "t", answer_counts=[10, 90]), fleet(18, "c"), JudgeTable(answer_points=10.0)
    )
    assert asked.finding is Finding.HARMFUL


def test_harm_on_one_hardware_type_names_that_type_only() -> None:
    treated = [*fleet(4, "t4"), *fleet(4, "t3", hardware="pi3", labels_correct=30)]
    control = [*fleet(10, "c4"), *fleet(10, "c3", hardware="pi3")]
    judgement = weigh(treated, control, TABLE)
    assert judgement.finding is Finding.HARMFUL
    assert judgement.hardware == ["pi3"]
    assert of(judgement, "accuracy", "pi4").finding is not Finding.HARMFUL


def test_a_gain_on_one_hardware_type_does_not_hide_what_is_not_known_of_another() -> None:
    control = [*fleet(15, "c4"), *fleet(15, "c3", hardware="pi3")]
    better = fleet(5, "t4", reports=60, labels_correct=49)
    few = fleet(5, "t3", reports=1, hardware="pi3", labels_correct=45)
    none = fleet(5, "t3", reports=0, hardware="pi3")
    many = fleet(5, "t3", reports=20, hardware="pi3", labels_correct=45)
    for told, finding in ((few, "undecided"), (none, "undecided"), (many, "healthy")):
        judgement = weigh([*better, *told], control, TABLE)
        assert of(judgement, "accuracy").finding is Finding.HEALTHY
        assert judgement.finding == finding, judgement.text


def test_labels_are_not_waited_for_on_a_type_from_which_none_ever_came() -> None:
    mute: dict[str, Any] = {"hardware": "pi3", "labels": 0, "labels_correct": 0}
    treated = [*fleet(5, "t4"), *fleet(5, "t3", **mute)]
    control = [*fleet(15, "c4"), *fleet(15, "c3", **mute)]
    assert weigh(treated, control, TABLE).finding is Finding.HEALTHY


def test_a_few_errors_of_one_device_prove_nothing() -> None:
    treated = [device("t", reports=2, errors=1)]
    judgement = weigh(treated, fleet(5, "c"), TABLE)
    assert judgement.finding is Finding.UNDECIDED


def test_one_device_that_is_bad_among_others_is_no_harm_of_the_version() -> None:
    treated = [*fleet(4, "t"), device("t-odd", reports=60, errors=60)]
    judgement = weigh(treated, fleet(15, "c"), TABLE)
    assert judgement.finding is not Finding.HARMFUL
    alone = weigh([device("t-odd", reports=60, errors=60)], fleet(15, "c"), TABLE)
    assert alone.finding is Finding.HARMFUL


@pytest.mark.parametrize("seed", [80, 130])
def test_one_devices_burst_of_errors_stops_no_healthy_version(seed: int) -> None:
    """Healthy phases of a hard fleet, in which one device of a type has very bad hours."""
    looks = draw(seed, Fault()).looks(4)
    found = [weigh(treated, control, TABLE).finding for _, treated, control in looks]
    assert Finding.HARMFUL not in found


def test_without_a_control_the_past_is_used_and_called_weaker() -> None:
    past = device("x").now
    good = [device(f"t-{k}", before=past) for k in range(6)]
    bad = [device(f"t-{k}", before=past, labels_correct=20) for k in range(6)]
    judgement = weigh(bad, [], TABLE)
    assert judgement.finding is Finding.HARMFUL
    assert "weaker evidence" in of(judgement, "accuracy").text
    assert weigh(good, [], TABLE).finding is not Finding.HARMFUL


def test_more_of_the_same_evidence_never_takes_a_finding_back() -> None:
    found = [
        weigh(fleet(4, "t", reports=n, labels_correct=38), fleet(12, "c", reports=n), TABLE).finding
        for n in (1, 5, 25, 125)
    ]
    first = found.index(Finding.HARMFUL)
    assert set(found[first:]) == {Finding.HARMFUL}


def test_who_looks_all_the_time_is_not_misled_by_equal_versions() -> None:
    """15 healthy rollouts, looked at ten times each: at alpha = 0.01 a stop is very unlikely."""
    rng = np.random.default_rng(6)
    stopped = 0
    for _ in range(15):
        rates = rng.normal(0.9, 0.02, 8)
        sides = {n: rng.binomial(50, rates[n], 10) for n in range(8)}
        for look in range(1, 11):
            devices = [
                device(
                    f"d-{n}",
                    reports=1,
                    labels=50 * look,
                    labels_correct=int(sides[n][:look].sum()),
                )
                for n in range(8)
            ]
            stopped += weigh(devices[:3], devices[3:], TABLE).finding is Finding.HARMFUL
    assert stopped == 0
