"""Challengers beside champions: shadow start, stop, show."""

from typing import Annotated

import typer

from fleetloop_hub.cli.options import DEFAULT_DIR, HubUrl, Json, StateDir, out, print_json
from fleetloop_hub.errors import RemoteError
from fleetloop_hub.remote import find_hub
from fleetloop_hub.shadowing.shown import ShadowView
from fleetloop_hub.tables import shadows as tables

app = typer.Typer(
    no_args_is_help=True,
    help="Challengers that run beside the champion on devices: their answers are only counted.",
)

Which = Annotated[str, typer.Argument(metavar="MODEL@VERSION", help="Which version, by number.")]
Where = Annotated[str, typer.Option("--cohort", help="On whose devices.")]


@app.command()
def start(  # noqa: PLR0913  # each is an argument or option of the command
    version: Which,
    *,
    cohort: Where = "default",
    share: Annotated[
        float | None, typer.Option(help="Share of the rows that it scores; by default the spec's.")
    ] = None,
    answers: Annotated[
        float | None,
        typer.Option(help="Share of the keys that it answers in the champion's place: A/B."),
    ] = None,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Have a version run beside the champion of a cohort. The champion goes on answering."""
    ask: dict[str, object] = {**_named(version), "cohort": cohort}
    ask |= {"rows_share": share, "answer_share": answers}
    made = find_hub(state_dir, hub, change=True).post("/shadows", ask, dict[str, object])
    if json:
        print_json(made)
    else:
        out.print(
            f"{version} will run beside the champion of {cohort}: see what it shows with"
            " fleetloop shadow show",
            soft_wrap=True,
        )


@app.command()
def stop(
    version: Which,
    *,
    cohort: Where = "default",
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Have a version run beside the champion of a cohort no more."""
    ask: dict[str, object] = {**_named(version), "cohort": cohort}
    made = find_hub(state_dir, hub, change=True).post("/shadows/stop", ask, dict[str, object])
    if json:
        print_json(made)
    else:
        out.print(f"{version} runs beside the champion of {cohort} no more", soft_wrap=True)


@app.command()
def show(*, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None, json: Json = False) -> None:
    """Show what challengers have shown: agreement, accuracy where labels came, rows left out."""
    found = find_hub(state_dir, hub, change=False).listed("/shadows", "shadows", ShadowView)
    if json:
        print_json(found)
    elif found:
        out.print(tables.shadows_table(found))
    else:
        out.print("No version has run beside a champion yet: fleetloop shadow start MODEL@VERSION")


def _named(version: str) -> dict[str, object]:
    model, _, number = version.rpartition("@")
    if not model or not number.isdecimal():
        raise RemoteError(
            f"{version!r} names no version, and nothing was asked: write MODEL@VERSION, as rain@3"
        )
    return {"model": model, "version": int(number)}
