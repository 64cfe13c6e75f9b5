"""Which devices of a long list are meant, in which order, and how they are told of."""

import re

import pytest

from fleetloop_hub.monitoring.device_choice import choices
from fleetloop_hub.monitoring.device_list import Wish, counts, matching, ordered
from fleetloop_hub.monitoring.overview import DeviceView, Level
from fleetloop_hub.web.time_plot import TimePlot
from fleetloop_shared.errors import QueryError


def a_view(name: str, **told: object) -> DeviceView:
    fields: dict[str, object] = {
        "device": name,
        "cohort": "north",
        "hardware": "pi4",
        "online": True,
        "level": Level.GOOD,
        "state": "serving",
        "words": "serving v1",
        "model": "rain",
        "version": 1,
        "seen_at": 1.0,
    }
    return DeviceView(**(fields | told))  # type: ignore[arg-type]  # the fields of a view


FLEET = [
    a_view("a", called={"site": "roof"}, drift_ratio=0.5),
    a_view("b", hardware="pi3", online=False, level=Level.OFF, drift_ratio=2.0, alarm=True),
    a_view("c", cohort="south", version=2, level=Level.WARN, odd="colder"),
    a_view("d", cohort="", seen_at=None, online=False, version=None, model=None),
    a_view("e", target=2, level=Level.BUSY, words="fetching v2"),
]


@pytest.mark.parametrize(
    ("wish", "names"),
    [
        (Wish(), "abcde"),
        (Wish(state="online"), "ace"),
        (Wish(state="offline"), "b"),
        (Wish(state="never heard of"), "d"),
        (Wish(state="updating"), "e"),
        (Wish(state="wants attention"), "c"),
        (Wish(state="nonsense"), "abcde"),
        (Wish(cohort="south"), "c"),
        (Wish(hardware="pi3"), "b"),
        (Wish(version="rain@1"), "abe"),
        (Wish(alarm="drift"), "b"),
        (Wish(alarm="apart"), "c"),
        (Wish(alarm="none"), "ade"),
        (Wish(text="ROOF"), "a"),
        (Wish(text="fetching"), "e"),
        (Wish(where='hardware = "pi4" and not site = "roof"'), "cde"),
        (Wish(cohort="north", state="online", where='site = "roof"'), "a"),
    ],
)
def test_a_wish_is_about_the_devices_that_fulfil_all_of_it(wish: Wish, names: str) -> None:
    assert "".join(d.device for d in matching(FLEET, wish)) == names


def test_what_is_no_label_query_is_refused() -> None:
    with pytest.raises(QueryError):
        matching(FLEET, Wish(where="site is roof"))


@pytest.mark.parametrize(("largest_first", "names"), [(False, "abcde"), (True, "bacde")])
def test_devices_that_do_not_say_come_last_in_either_order(
    *, largest_first: bool, names: str
) -> None:
    found = ordered(FLEET, "drift", largest_first=largest_first)
    assert "".join(d.device for d in found) == names


def test_every_state_is_counted() -> None:
    assert list(counts(FLEET).values()) == [3, 1, 1, 1, 1]


def test_chosen_devices_are_told_of_by_name_a_cohort_at_a_time() -> None:
    found = choices(FLEET[:4], Wish(), picked=True)
    assert [(c.cohort, c.where) for c in found] == [
        ("north", 'device in ("a", "b")'),
        ("south", 'device = "c"'),
    ]
    assert found[0].command == (
        'fleetloop rollouts plan MODEL@VERSION --cohort north --where \'device in ("a", "b")\''
    )


def test_a_wish_that_only_labels_fulfil_also_takes_devices_to_come() -> None:
    roof = Wish(cohort="north", hardware="pi4", where='site = "roof"')
    [choice] = choices(matching(FLEET, roof), roof, picked=False)
    assert choice.lasting
    assert choice.where == 'hardware = "pi4" and (site = "roof")'
    [whole] = choices(matching(FLEET, Wish(cohort="north")), Wish(cohort="north"), picked=False)
    assert (whole.where, whole.command.endswith("--cohort north")) == ("", True)
    passing = Wish(cohort="north", state="online")
    [by_name] = choices(matching(FLEET, passing), passing, picked=False)
    assert by_name.where == 'device in ("a", "e")'


def test_more_names_than_a_query_holds_are_said_to_be_too_many() -> None:
    many = [a_view(f"device-{k}") for k in range(101)]
    [choice] = choices(many, Wish(), picked=True)
    assert (choice.too_many, choice.where) == (True, "")
    quoted = Wish(hardware='a"b')
    [choice] = choices([a_view("a", hardware='a"b')], quoted, picked=False)
    assert choice.where == 'device = "a"'


def test_a_drawing_over_time_stays_in_its_frame_and_breaks_where_nothing_is_known() -> None:
    values = [1.0, 9.0, None, -2.0, float("inf"), 3.0]
    plot = TimePlot("Speed", "ms", [10.0, 20.0, 30.0, 40.0, 50.0, 60.0], {"p99": values})
    lines = re.findall(r'points="([^"]+)"', plot.drawn)
    assert [len(line.split()) for line in lines] == [2, 1, 1]
    ys = [float(y) for y in re.findall(r"[\d.]+,([\d.]+)", " ".join(lines))]
    assert (min(ys), max(ys)) == (6.0, 114.0)
    assert "-2 to 9 ms" in plot.drawn
    assert TimePlot("Speed", "ms", [], {"p99": []}).drawn == ""
    assert TimePlot("Speed", "ms", [1.0], {"p99": [0.0]}, limit=2.0).told["kind"] == "lines"
