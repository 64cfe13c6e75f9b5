"""Writes what a draft proposes to try, and what it demands of a version."""

from fleetloop_hub.drafting import plan
from fleetloop_hub.drafting.roles import Roles
from fleetloop_hub.drafting.sample import Sample
from fleetloop_hub.drafting.toml_text import comment, pair, raw
from fleetloop_hub.spec.scalars import Task


def candidates(task: Task, sample: Sample, roles: Roles) -> list[str]:
    """The algorithms to try."""
    lines = comment(
        "Every run tries all of these and takes the best on newer rows that fits the budget. "
        "search draws settings from a list or a range: { low = 0.01, high = 1.0, log = true }."
    )
    for candidate in plan.candidates(task, sample.rows, len(roles.inputs)):
        lines += ["", "[[candidates]]", *pair("name", candidate.name, candidate.why)]
        lines += pair("family", candidate.family) + candidate.keys
    return lines


def budget() -> list[str]:
    """What a device can bear."""
    return [
        "[budget]",
        *pair("artifact_bytes", 1_000_000, "the largest artifact; devices fetch it over MQTT"),
        *pair("latency_ms", 5.0, "the slowest median answer to one row, measured at the hub"),
        *pair("memory_bytes", 64_000_000, "what loading it may add on a device"),
    ]


def gates(task: Task, roles: Roles) -> list[str]:
    """What a version must reach."""
    classes = (
        plan.classes_of(roles.label.facts) if roles.label and task == "classification" else None
    )
    metric, floor, why = plan.gate(task, classes)
    lines = ["[gates]", *pair("metric", metric, "what candidates are chosen by and judged on")]
    lines += pair("floor", floor, f"for the lower end of its 95 % interval; {why}")
    lines += pair("held_out", 0.2, "the newest rows, on which nothing is fitted or chosen")
    lines += pair("champion_margin", 0.02, "how far below the champion the gain's lower end may be")
    lines += comment("More to demand, once you have seen a run:")
    lines += raw(f"# slice_floor = {floor!r}", "the same for every slice of [[slices]]")
    if task == "classification":
        lines += raw("# calibration_error = 0.1", "how wrong probabilities may be")
    lines += raw("# missing_loss = 0.1", "of the metric, when a tenth of the values is missing")
    return lines + raw("# approval = true", "a person has to approve a version that has passed")


def fairness(task: Task, roles: Roles) -> list[str]:
    """How groups of people may be treated, where there are any."""
    traits = [f"{name} ({trait})" for name, trait in [*roles.groups, *roles.not_groups]]
    if not traits:
        return comment(
            "No column seems to be about a sensitive group of people. If one is, write [fairness] "
            'with groups = ["COLUMN"] and the largest gap you accept, such as true_positive_gap = '
            "0.1."
        )
    several = roles.label is not None and plan.classes_of(roles.label.facts).count != 2  # noqa: PLR2004  # yes and no
    if task != "classification" or several or not roles.groups:
        return comment(
            f"Sensitive columns: {', '.join(traits)}. Rates can be compared between the values of "
            "columns with few of them, where there are two classes; for a number such as an age, "
            "add a column with groups to the data."
        )
    lines = [
        "[fairness]",
        *pair("groups", [n for n, _ in roles.groups], "sensitive by their names"),
    ]
    lines += comment(f"They seem to hold: {', '.join(trait for _, trait in roles.groups)}.")
    if roles.not_groups:
        names = ", ".join(name for name, _ in roles.not_groups)
        lines += comment(
            f"Also sensitive, but with too many values to compare: {names}. Add a column with "
            "groups."
        )
    lines += pair("true_positive_gap", 0.1, "of people to whom the answer is truly yes")
    lines += raw("# false_positive_gap = 0.1", "of those to whom it is truly no")
    return lines + raw(
        "# selection_ratio = 0.8", "of the shares answered yes: the four-fifths rule"
    )


def fleet(sample: Sample) -> list[str]:
    """How devices watch, and where the rest stands."""
    window = next((w for w in (1024, 256, 128, 64, 32) if sample.rows >= 20 * w), 16)
    return [
        "[drift]",
        *pair(
            "window_rows",
            window,
            "that a device reports together; it looks at shorter and longer spans too",
        ),
        "",
        *comment(
            "No row leaves a device until this asks for some; retraining on what devices see needs "
            "rows and their labels. What must stay on a device stands under never."
        ),
        *raw("# [sampling]"),
        *raw("# random_share = 0.1", "of the rows that devices serve"),
        *raw("# never = []", "features whose values stay on the device"),
        "",
        *comment(
            "[training], [quantization], [delivery], [rollout] and [retrain] have values that do "
            "for a start; docs/spec.md lists them."
        ),
    ]
