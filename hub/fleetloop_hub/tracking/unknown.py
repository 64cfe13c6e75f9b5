"""Says that there is no such version, and which there are instead, the newest first."""

from fleetloop_hub.errors import AbsentError
from fleetloop_hub.ports import Catalog
from fleetloop_hub.records import Version


def no_version(catalog: Catalog, model: str, which: str | int) -> AbsentError:
    """The refusal of a version that is not there.

    Args:
        catalog: The versions that are.
        model: The model that was named.
        which: The number or alias that was named.
    """
    every = list(catalog.all(Version))
    numbers = sorted((v.number for v in every if v.model == model), reverse=True)
    if numbers:
        known = ", ".join(f"{model}@{number}" for number in numbers)
        return AbsentError(f"{model} has no version {which}; there are: {known}")
    models = ", ".join(sorted({version.model for version in every}))
    if models:
        return AbsentError(f"there is no model {model}; there are: {models}")
    return AbsentError(f"there is no model {model}, nor any other yet: fleetloop train SPEC.toml")
