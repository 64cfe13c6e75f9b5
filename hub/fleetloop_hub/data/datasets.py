"""The dataset versions there are: a model's newest, and any one by its key."""

from fleetloop_hub.errors import DataError, TrainingError
from fleetloop_hub.ports import Catalog
from fleetloop_hub.records import Dataset


def versions(catalog: Catalog, model: str) -> list[Dataset]:
    """A model's versions, the newest last."""
    found = [d for d in catalog.all(Dataset) if d.model == model]
    return sorted(found, key=lambda d: d.created_at)


def newest(catalog: Catalog, model: str) -> Dataset:
    """A model's newest version.

    Raises:
        TrainingError: It has none.
    """
    found = versions(catalog, model)
    if not found:
        raise TrainingError(f"no model {model!r}: add one with `fleetloop train SPEC.toml`")
    return found[-1]


def find(catalog: Catalog, name: str) -> Dataset:
    """The version that is meant: by the beginning of its key, or a model's newest by its name.

    Raises:
        DataError: There is none, or there are several.
    """
    if of_model := versions(catalog, name):
        return of_model[-1]
    found = [d for d in catalog.all(Dataset) if name and d.key.startswith(name)]
    if len(found) != 1:
        how = "several dataset versions begin" if found else "no dataset version begins"
        raise DataError(f"{how} with {name[:80]!r}, and no model is called so: fleetloop data list")
    return found[0]
