"""Runs artifacts with ONNX Runtime; the only place on a device that imports it."""

import os
import threading
import weakref

import numpy as np
import onnxruntime as ort

from fleetloop_agent.errors import DeadlineError, ModelError
from fleetloop_agent.model_file import check_model_file
from fleetloop_agent.ports import Model, Rows, Runtime
from fleetloop_agent.turn import Turn
from fleetloop_shared.manifest import Signature

DEADLINE_S = 10.0
"""What a run may take unless told otherwise."""

RUN_ROWS = 2_048
"""Rows given to the model at once: more gain nothing, and take memory."""

TWICE_BYTES = 256 * 1024
"""Up to this size an artifact is loaded once more for single rows."""

_FATAL = 4
_NOWHERE = f"{os.devnull}/none"

_ROWS_AND_COLUMNS = 2


class OrtRuntime(Runtime):
    """ONNX Runtime, set up for small models on small devices: one thread, no spinning, no hoarding.

    An artifact is complete in itself: initializers that lie in files are looked for in a folder
    that cannot exist, so that a model never reads the device's disk.

    A small model is loaded twice: for single rows with a plan of its memory, which saves a tenth of
    the time; for many rows without, since the runtime keeps a plan for every number of rows that
    ever came, and would grow by hundreds of megabytes.
    """

    def __init__(self, deadline_s: float = DEADLINE_S) -> None:
        """Nothing is loaded yet.

        Args:
            deadline_s: What a run of `RUN_ROWS` rows at most may take, in seconds.
        """
        self._deadline_s = deadline_s
        self._models: weakref.WeakSet[OrtModel] = weakref.WeakSet()

    def load(self, artifact: bytes, signature: Signature) -> Model:
        check_model_file(artifact)
        session = _session(artifact, planned=False)
        _check_input(session, signature)
        _check_output(session, signature)
        alone = _session(artifact, planned=True) if len(artifact) <= TWICE_BYTES else session
        model = OrtModel(session, alone, signature, self._deadline_s)
        self._models.add(model)
        return model

    def end_overdue(self, now: float) -> int:
        return sum(model.end_overdue(now) for model in list(self._models))

    def apart(self) -> Runtime:
        return OrtRuntime(self._deadline_s)


class _Place(Turn):
    """Where one run at a time takes place: its memory, and the word that ends it.

    A row is copied into memory that the session knows already, and its outputs are read from
    memory that it knows: that saves a third of the time of a small model.
    """

    __slots__ = ("binding", "options", "outputs", "row")

    def __init__(self, session: ort.InferenceSession, signature: Signature) -> None:
        """Bind memory for one row.

        Args:
            session: The session.
            signature: What it was checked against.
        """
        options = ort.RunOptions()
        options.log_severity_level = _FATAL
        options.add_run_config_entry("gpu_graph_id", "-1")  # unset, each run looks for it: 30 µs
        super().__init__(lambda: setattr(options, "terminate", True))
        given = np.zeros((1, len(signature.features)), np.float32)
        said = np.zeros((1, signature.columns), np.float32)
        self.binding = session.io_binding()
        for bind, name, memory in (
            (self.binding.bind_input, signature.input_name, given),
            (self.binding.bind_output, signature.score_name, said),
        ):
            bind(name, "cpu", 0, np.float32, memory.shape, memory.ctypes.data)
        self.options = options
        self.row = given.data.cast("B")
        self.outputs = said.reshape(-1)


class OrtModel(Model):
    """A loaded artifact; safe to be called from many threads."""

    def __init__(
        self,
        session: ort.InferenceSession,
        alone: ort.InferenceSession,
        signature: Signature,
        deadline_s: float,
    ) -> None:
        """Take sessions whose inputs and outputs were checked.

        Args:
            session: For many rows.
            alone: For single rows, of the same artifact.
            signature: What they were checked against.
            deadline_s: What a run may take.
        """
        self._session = session
        self._alone = alone
        self._signature = signature
        self._deadline_s = deadline_s
        self._output = [signature.score_name]
        self._run_bound = alone.run_with_iobinding
        self._lock = threading.Lock()
        self._places: weakref.WeakSet[_Place] = weakref.WeakSet()
        self._free: list[_Place] = []

    def one(self, row: bytes) -> list[float]:
        try:
            place = self._free.pop()  # one step, also for many threads
        except IndexError:
            place = self._new_place()
        place.row[:] = row
        place.number += 1
        try:
            self._run_bound(place.binding, place.options)
        except Exception as error:  # noqa: BLE001  # its errors have no other common parent
            self._failed(place, error)
            return self.one(row)
        place.number += 1
        values: list[float] = place.outputs.tolist()
        self._free.append(place)
        return values

    def outputs(self, rows: Rows) -> Rows:
        if len(rows) <= RUN_ROWS:
            return self._outputs(rows)
        parts = [self._outputs(rows[at : at + RUN_ROWS]) for at in range(0, len(rows), RUN_ROWS)]
        return np.concatenate(parts)

    def end_overdue(self, now: float) -> int:
        """Tell the runs to end that take too long; how many of them still go on.

        Args:
            now: Monotonic seconds.
        """
        with self._lock:
            places = list(self._places)
        return sum(place.look(now, self._deadline_s) for place in places)

    def _outputs(self, rows: Rows) -> Rows:
        try:
            place = self._free.pop()
        except IndexError:
            place = self._new_place()
        place.number += 1
        try:
            given = {self._signature.input_name: rows}
            outputs: Rows = self._session.run(self._output, given, place.options)[0]
        except Exception as error:  # noqa: BLE001  # its errors have no other common parent
            self._failed(place, error)
            return self._outputs(rows)
        place.number += 1
        self._free.append(place)
        if outputs.shape != (len(rows), self._signature.columns):
            raise ModelError(
                f"the model answered in shape {outputs.shape} instead of its manifest's, "
                f"{(len(rows), self._signature.columns)}"
            )
        return outputs

    def _new_place(self) -> _Place:
        place = _Place(self._alone, self._signature)
        with self._lock:
            self._places.add(place)
        return place

    def _failed(self, place: _Place, error: Exception) -> None:
        """Say why a run failed, unless it heard a word that was for the run before it.

        Raises:
            DeadlineError: It was told to end.
            ModelError: Anything else.
        """
        late, spoilt = place.ended == place.number, place.spoilt
        place.number += 1
        if late:
            raise DeadlineError(
                f"the model took longer than {self._deadline_s:g} s and was told to end"
            ) from error
        if not spoilt:
            self._free.append(place)
            raise ModelError(f"the model failed: {_first_line(error)}") from error


def _session(artifact: bytes, *, planned: bool) -> ort.InferenceSession:
    options = _session_options()
    options.enable_mem_pattern = planned
    try:
        return ort.InferenceSession(artifact, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no other common parent
        raise ModelError(f"the artifact does not load: {_first_line(error)}") from error


def _session_options() -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.enable_cpu_mem_arena = False
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
