"""What the sampling table of a spec can be wrong about beside the rest of it."""

from collections.abc import Iterator

from fleetloop_hub.spec.explain import Problem, in_dots
from fleetloop_hub.spec.lines import Path
from fleetloop_hub.spec.model_spec import ModelSpec


def sampling_problems(spec: ModelSpec) -> Iterator[Problem]:
    """Each contradiction; nothing if there is none."""
    sampling = spec.sampling
    for place, name in enumerate(sampling.never):
        path: Path = ("sampling", "never", place)
        feature = next((f for f in spec.features if f.name == name), None)
        if feature is None:
            wrong = f"{name!r} is no feature, so no device has it; its features are "
            yield _at(path, f"{wrong}{', '.join(spec.feature_names[:20])}")
        elif feature.missing == "quarantine":
            yield _at(
                path,
                f'rows from the field never have {name!r}, and missing = "quarantine" keeps each '
                "of them out of training; let it be filled in, or leave it out here",
            )
    if sampling.low_confidence and spec.model.task == "regression":
        wrong = "a number is neither sure nor unsure; leave it out, or write random_share"
        yield _at(("sampling", "low_confidence"), wrong)


def _at(path: Path, what: str) -> Problem:
    return Problem(path=path, text=f"{in_dots(path)}: {what}")
