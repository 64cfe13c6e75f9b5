"""Takes in an ONNX file at the hub: it is tried in a process with limits, and kept if it passes."""

from pathlib import Path

from msgspec.structs import replace

from fleetloop_hub.errors import ModelFileError
from fleetloop_hub.packaging.foreign_form import Ask
from fleetloop_hub.packaging.foreign_reading import LARGEST_BYTES
from fleetloop_hub.packaging.foreign_trial import try_out
from fleetloop_hub.run_parts import Imported
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_shared.ids import sha256_hex


def tried(path: Path, spec: ModelSpec, said: Imported) -> tuple[Imported, bytes]:
    """The file's bytes, and what it says of itself; nothing is stored.

    Args:
        path: The file, on this machine.
        spec: Says how many features there are.
        said: What a person says about it; hash, length and producer are filled in.

    Raises:
        ModelFileError: There is no such file, or it is not taken.
    """
    data = _read(path)
    ask = Ask(len(spec.features), spec.model.task, said.input, said.output)
    found = try_out(data, ask)
    return replace(
        said,
        file=path.name,
        sha256=sha256_hex(data),
        length_bytes=len(data),
        producer=found.producer,
        opset=found.opset,
    ), data


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise ModelFileError(f"{path} is no file on the hub's machine: name one that is")
        with path.open("rb") as file:
            return file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read by the hub: {error}") from error
