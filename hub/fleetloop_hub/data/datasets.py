"""The dataset versions there are: a model's newest, and any one by its key."""

from fleetloop_hub.errors import AbsentError, DataError, TrainingError
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
        AbsentError: There is none.
        DataError: There are several.
    """
    if of_model := versions(catalog, name):
        return of_model[-1]
    found = [d for d in catalog.all(Dataset) if name and d.key.startswith(name)]
    see = f"with {name[:80]!r}, and no model is called so: fleetloop data list"
    if not found:
        raise AbsentError(f"no dataset version begins {see}")
    if len(found) > 1:
        raise DataError(f"several dataset versions begin {see}")
    return found[0]
