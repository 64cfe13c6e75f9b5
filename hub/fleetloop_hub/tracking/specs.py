"""The model spec of each model, read once for each text."""

from fleetloop_hub.errors import AbsentError
from fleetloop_hub.ports import Blobs, Catalog
from fleetloop_hub.records import Model
from fleetloop_hub.spec import reading
from fleetloop_hub.spec.model_spec import ModelSpec


class Specs:
    """The models that are known, and what their specs say."""

    def __init__(self, catalog: Catalog, blobs: Blobs) -> None:
        """Nothing is read yet."""
        self._catalog, self._blobs = catalog, blobs
        self._read: dict[str, ModelSpec] = {}

    def model(self, name: str) -> Model:
        """A model.

        Raises:
            AbsentError: There is none of this name.
        """
        found = self._catalog.find(Model, name)
        if found is None:
            raise AbsentError(f"no model {name!r}: add one with `fleetloop train SPEC.toml`")
        return found

    def text(self, name: str) -> str:
        """A model's spec as it was written."""
        return self._blobs.get(self.model(name).spec).decode()

    def of(self, name: str) -> ModelSpec:
        """What a model's spec says."""
        sha256 = self.model(name).spec
        if sha256 not in self._read:
            self._read[sha256] = reading.parse(self._blobs.get(sha256).decode())
        return self._read[sha256]
