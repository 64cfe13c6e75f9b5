"""A story on the terminal: what a person understands in 20 seconds, then all the details."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fleetloop_hub.fleet_records import Rollout
from fleetloop_hub.tables.forms import Noted, table
from fleetloop_hub.tables.runs import pick
from fleetloop_hub.tables.versions import gates_table
from fleetloop_hub.web.words import exactly, number
from fleetloop_hub.why.story import Story
from fleetloop_hub.why.ways import measured, phase


def whole(story: Story) -> RenderableType:
    """The short story, then evidence, alternatives, gates, rollouts, and what happened when."""
    return Group(*_short(story), *_details(story))


def _short(story: Story) -> Iterator[RenderableType]:
    yield Text(story.title, "bold")
    for sentence in story.short:
        yield Padding(Text(sentence), (0, 0, 0, 2))
    if story.next:
        yield Padding(Text(f"Next: {story.next}", "bold"), (0, 0, 0, 2))


def _details(story: Story) -> Iterator[RenderableType]:
    yield from _evidence(story)
    if story.run is not None:
        yield _head(f"Run {story.run.key}: dataset {story.run.dataset[:12]}, seed {story.run.seed}")
        yield pick(story.run)
    if story.made is not None and story.made.gates:
        yield _head("Gates")
        yield gates_table(story.made.gates)
    if story.rollouts:
        yield _head("Rollouts")
        yield _rollouts(story.rollouts)
        yield from _judgements(story.rollouts)
    if story.happened:
        yield _head("What happened")
        happened = table("when", "what", wraps="what")
        for note in story.happened:
            happened.add_row(Text(exactly(note.at)), Text(note.text))
        yield happened
    yield from _chain(story)


def _evidence(story: Story) -> Iterator[RenderableType]:
    decision = story.decision
    if decision is None:
        return
    if story.figures or decision.devices:
        yield _head(f"Evidence of {decision.key}, {decision.verdict} by {decision.trigger}")
        yield _figures(story)
    if decision.moved:
        moved = Noted("moved", "x its threshold", note="how")
        for one in decision.moved:
            moved.add_row(one.feature, f"{one.ratio:.1f}", note=one.text)
        yield moved
    if decision.alternatives:
        yield _head("What else was considered")
        for other in decision.alternatives:
            said = str(other.verdict).replace("-", " ")
            yield Padding(Text(f"{said}: {other.text}"), (0, 0, 0, 2))


def _figures(story: Story) -> Table:
    shown = table("figure", "value", "unit", wraps="figure")
    for figure in story.figures:
        shown.add_row(Text(figure.name), number(figure.value), figure.unit)
    if story.decision is not None and story.decision.devices:
        shown.add_row("named", Text(", ".join(story.decision.devices)), "")
    return shown


def _rollouts(rollouts: list[Rollout]) -> Noted:
    shown = Noted("rollout", "cohort", "instead of", "state", "phase", note="judgement")
    for r in rollouts:
        shown.add_row(
            r.key,
            Text(r.cohort),
            "" if r.control is None else f"v{r.control}",
            str(r.state),
            phase(r),
            note=r.text,
        )
    return shown


def _judgements(rollouts: list[Rollout]) -> Iterator[RenderableType]:
    for rollout in rollouts:
        found = rollout.judgement
        if found is None:
            continue
        yield Padding(Text(f"{rollout.key} is {found.finding}: {found.text}"), (0, 0, 0, 2))
        shown = Noted("measure", "finding", "treated against control", note="in words")
        for one in found.comparisons:
            where = f" on {one.hardware}" if one.hardware else ""
            shown.add_row(f"{one.measure}{where}", str(one.finding), measured(one), note=one.text)
        yield shown


def _chain(story: Story) -> Iterator[RenderableType]:
    yield _head("Before and after")
    before = "nothing came before it" if story.before is None else story.before.text
    yield Padding(Text(f"before: {before}"), (0, 0, 0, 2))
    for link in story.after:
        yield Padding(Text(f"after: {link.text} ({link.decision})"), (0, 0, 0, 2))


def _head(words: str) -> Padding:
    return Padding(Text(words, "dim"), (1, 0, 0, 0))
