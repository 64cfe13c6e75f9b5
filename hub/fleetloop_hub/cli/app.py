"""Every command, under the name a person types."""

from importlib import metadata
from typing import Annotated

import typer

from fleetloop_hub.cli import (
    accuracy,
    alerts,
    approve,
    channels,
    cohorts,
    data,
    drift,
    export_model,
    fairness,
    fleet,
    import_model,
    keys,
    labels,
    models,
    people,
    predict,
    quarantine,
    retrain,
    rollout_start,
    rollouts,
    run_files,
    runs,
    shadow,
    simulate,
    spec,
    train,
    why,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Fleetloop's hub: train, validate, roll out, watch and retrain models on devices.",
)


def _tell_version(asked: bool) -> None:  # noqa: FBT001  # as typer calls it
    if asked:
        typer.echo(f"fleetloop {metadata.version('fleetloop-hub')}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_tell_version, is_eager=True, help="Say which version this is."
        ),
    ] = False,
) -> None:
    """Take what stands before every command."""


app.command()(fleet.serve)
app.command()(spec.init)
app.command()(spec.check)
app.command()(train.train)
app.command()(why.why)
app.add_typer(data.app, name="data")
app.add_typer(labels.app, name="labels")
runs.app.command()(run_files.plot)
runs.app.command()(run_files.export)
app.add_typer(runs.app, name="runs")
retrain.app.command()(simulate.simulate)
app.add_typer(retrain.app, name="retrain")
app.command()(predict.predict)
app.command()(accuracy.accuracy)
app.command()(fairness.fairness)
app.command()(export_model.export)
models.app.command("import")(import_model.import_model)
app.add_typer(models.app, name="models")
app.add_typer(keys.app, name="keys")
app.command()(approve.approve)
app.command()(approve.waive)
app.command()(approve.reject)
app.command()(approve.audit)
app.command()(fleet.token)
app.command()(fleet.devices)
app.command()(drift.drift)
app.command()(drift.health)
app.command()(fleet.attempts)
rollouts.app.command()(rollout_start.plan)
rollouts.app.command()(rollout_start.start)
app.add_typer(rollouts.app, name="rollouts")
app.add_typer(people.app, name="people")
app.add_typer(people.tokens, name="tokens")
app.add_typer(cohorts.app, name="cohorts")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(alerts.app, name="alerts")
app.add_typer(channels.app, name="channels")
app.add_typer(shadow.app, name="shadow")
app.command(
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(fleet.demo)
