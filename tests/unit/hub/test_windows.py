"""Which rows a retraining learns from, by each policy."""

import numpy as np
import pytest

from fleetloop_hub.data.frame import Frame
from fleetloop_hub.data.windows import Window
from fleetloop_hub.spec.retrain_table import RetrainTable
from fleetloop_hub.training.fading import faded

ROWS, SOURCES = 100, 40
AT = np.concatenate([np.arange(40.0), 1e9 + 3_600.0 * np.arange(60)])
SEEN = np.arange(ROWS) >= SOURCES
USABLE = np.arange(ROWS) % 10 != 0
ORDER = np.arange(ROWS)


def kept(policy: RetrainTable, since: float | None = None) -> tuple[list[int], str]:
    order, text = Window(policy, since).kept(ORDER, USABLE, AT, SEEN)
    return order.tolist(), text


def test_all_keeps_also_what_waits_for_its_label() -> None:
    assert kept(RetrainTable()) == (list(range(ROWS)), "all rows")


def test_sliding_keeps_the_newest_that_can_be_trained_on() -> None:
    rows, text = kept(RetrainTable(window="sliding", window_rows=12))
    assert rows == [87, 88, 89, 91, 92, 93, 94, 95, 96, 97, 98, 99]
    assert text == "the newest 12 rows"
    assert kept(RetrainTable(window="sliding", window_rows=200))[1] == "all rows"


def test_sliding_by_days_leaves_out_rows_of_sources_whose_time_may_be_another() -> None:
    rows, text = kept(RetrainTable(window="sliding", window_rows=50, window_days=0.5))
    assert rows[0] == 87
    assert text == "the newest 50 rows of 0.5 days"


@pytest.mark.parametrize(("share", "old"), [(0.0, 0), (0.25, 3), (0.5, 9)])
def test_since_drift_keeps_new_rows_and_a_share_of_old_ones(share: float, old: int) -> None:
    policy = RetrainTable(window="since_drift", old_share=share)
    rows, text = kept(policy, since=1e9 + 3_600 * 50)
    assert rows[old:] == [91, 92, 93, 94, 95, 96, 97, 98, 99]
    assert len(rows) == old + 9
    assert rows == sorted(rows)
    assert text == f"9 rows since the drift began and {old} older ones"


def test_since_drift_without_one_is_all_rows() -> None:
    policy = RetrainTable(window="since_drift")
    assert kept(policy)[1] == "all rows"
    assert kept(policy, since=2e9)[1] == "all rows: none was served since the drift began"


def frame(labels: np.ndarray) -> Frame:
    count = len(labels)
    at = np.arange(count, dtype=np.float64)
    return Frame(
        at[:, None].astype(np.float32), labels, at, at, np.array([""] * count, np.str_), {}
    )


def test_faded_rows_count_half_after_a_half_life_and_stay_in_order() -> None:
    taken, text = faded(frame(np.arange(2_000.0) % 2), 500.0)
    assert len(taken) == 2_000
    assert (np.diff(taken.at) >= 0).all()
    newest, older = (taken.at >= 1_500).sum(), ((taken.at >= 1_000) & (taken.at < 1_500)).sum()
    assert newest / older == pytest.approx(2.0, abs=0.02)
    assert text.startswith("training rows count half after 500 rows")


def test_class_that_is_only_among_old_rows_is_not_lost() -> None:
    train = frame((np.arange(2_000) < 3).astype(float))
    taken, text = faded(train, 50.0)
    assert taken is train
    assert "only among the oldest rows" in text
