"""Runs artifacts with ONNX Runtime; the only place on a device that imports it."""

import os

import onnxruntime as ort

from fleetloop_agent.errors import ModelError
from fleetloop_agent.model_file import check_model_file
from fleetloop_agent.ports import Model, Rows, Runtime
from fleetloop_shared.manifest import Signature

_FATAL = 4
_NOWHERE = f"{os.devnull}/none"

_ROWS_AND_COLUMNS = 2


class OrtRuntime(Runtime):
    """ONNX Runtime, set up for small models on small devices: one thread, no spinning, no hoarding.

    An artifact is complete in itself: initializers that lie in files are looked for in a folder
    that cannot exist, so that a model never reads the device's disk.
    """

    def load(self, artifact: bytes, signature: Signature) -> Model:
        check_model_file(artifact)
        try:
            session = ort.InferenceSession(
                artifact, _session_options(), providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its errors have no other common parent
            raise ModelError(f"the artifact does not load: {_first_line(error)}") from error
        _check_input(session, signature)
        _check_output(session, signature)
        return OrtModel(session, signature)


class OrtModel(Model):
    """A loaded artifact; safe to be called from many threads."""

    def __init__(self, session: ort.InferenceSession, signature: Signature) -> None:
        """Take a session whose inputs and outputs were checked.

        Args:
            session: The session.
            signature: What it was checked against.
        """
        self._session = session
        self._input = signature.input_name
        self._output = [signature.score_name]
        self._columns = signature.columns

    def outputs(self, rows: Rows) -> Rows:
        try:
            answers: Rows = self._session.run(self._output, {self._input: rows})[0]
        except Exception as error:  # its errors have no other common parent
            raise ModelError(f"the model failed: {_first_line(error)}") from error
        if answers.shape != (len(rows), self._columns):
            raise ModelError(
                f"the model answered in shape {answers.shape} instead of its manifest's, "
                f"{(len(rows), self._columns)}"
            )
        return answers


def _session_options() -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.log_severity_level = _FATAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", _NOWHERE
    )
    return options


def _check_input(session: ort.InferenceSession, signature: Signature) -> None:
    found = {i.name: (i.type, i.shape) for i in session.get_inputs()}
    if set(found) != {signature.input_name}:
        raise ModelError(
            f"the artifact has the inputs {sorted(found)}, its manifest names "
            f"{signature.input_name!r}"
        )
    kind, shape = found[signature.input_name]
    _check_tensor("input", kind, shape, len(signature.features))


def _check_output(session: ort.InferenceSession, signature: Signature) -> None:
    found = {o.name: (o.type, o.shape) for o in session.get_outputs()}
    if signature.score_name not in found:
        raise ModelError(
            f"the artifact has the outputs {sorted(found)}, its manifest names "
            f"{signature.score_name!r}"
        )
    kind, shape = found[signature.score_name]
    _check_tensor("output", kind, shape, signature.columns)


def _check_tensor(what: str, kind: str, shape: list[int | str | None], width: int) -> None:
    """A width that the graph leaves open is checked when it answers."""
    rows, columns = shape if len(shape) == _ROWS_AND_COLUMNS else (0, 0)
    if (
        kind != "tensor(float)"
        or isinstance(rows, int)
        or (isinstance(columns, int) and columns != width)
    ):
        raise ModelError(
            f"the artifact's {what} is {kind} of shape {shape}; its manifest needs float32 of any "
            f"number of rows and {width} columns"
        )


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0][:300]
