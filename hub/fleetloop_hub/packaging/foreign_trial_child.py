"""The child process of a trial: reads and runs a foreign file under limits, says what it found."""

import resource
import sys
from pathlib import Path

import msgspec
import numpy as np
import onnxruntime
from onnx import ModelProto
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from fleetloop_hub.errors import ModelFileError
from fleetloop_hub.packaging.foreign_adapting import raw_file
from fleetloop_hub.packaging.foreign_form import NUMBERS, Ask, Form, find_form
from fleetloop_hub.packaging.foreign_graph import kernel
from fleetloop_hub.packaging.foreign_reading import read
from fleetloop_hub.packaging.foreign_trial import LENGTH_BYTES, Found, Limits, Question, Rows
from fleetloop_hub.packaging.graph import INPUT

_STATM = Path("/proc/self/statm")
_FATAL = 4
_CLOSE = 1e-4
_TABLE = 2
_FAILURES = (
    ort_errors.EPFail,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
    RuntimeError,
    ValueError,
)


def main() -> None:
    """Read a question from standard input, write what was found to standard output."""
    told = sys.stdin.buffer.read()
    end = LENGTH_BYTES + int.from_bytes(told[:LENGTH_BYTES], "big")
    question = msgspec.json.decode(told[LENGTH_BYTES:end], type=Question)
    values = np.frombuffer(told, np.float32, question.rows * question.features, end)
    data = told[end + values.nbytes :]
    _limit(question.limits)
    try:
        found = _examine(data, question, values.reshape(question.rows, question.features))
    except ModelFileError as error:
        found = Found(refused=str(error))
    except MemoryError:
        found = Found(
            refused=f"the file needs more than {question.limits.memory_bytes // 2**20:,} MiB to be "
            "read and run: export a smaller model"
        )
    sys.stdout.buffer.write(msgspec.json.encode(found))


def _limit(limits: Limits) -> None:
    """No more time and memory than this, and no file written."""
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_s, limits.cpu_s + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if _STATM.exists():
        used = int(_STATM.read_text("ascii").split()[0]) * resource.getpagesize()
        most = used + limits.memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _examine(data: bytes, question: Question, rows: Rows) -> Found:
    model = read(data)
    ask = Ask(question.features, question.task, question.input, question.output)
    form = find_form(model, ask)
    own = _own_answers(model if form.unzipped else data, form, rows)
    session = _load(raw_file(kernel(model, form), form, ask.features))
    together = _answers(session, rows, form)
    again = _answers(session, rows, form)
    alone = np.concatenate([_answers(session, rows[i : i + 1], form) for i in range(len(rows))])
    if not np.array_equal(together, again, equal_nan=True):
        raise ModelFileError(
            "the model answers the same rows differently each time: export it for inference "
            "(model.eval()), without anything random"
        )
    if not _alike(together, alone):
        raise ModelFileError(
            "the model's answer to a row depends on the rows beside it: export it for inference "
            "(model.eval()), with the number of rows left open"
        )
    if not _alike(alone, own):
        raise ModelFileError(
            "the model answers otherwise once its number of rows is left open: export it with a "
            "dynamic first dimension (docs/import.md)"
        )
    return Found(
        producer=f"{model.producer_name} {model.producer_version}".strip()[:80] or "unknown",
        opset=_opsets(model),
        columns=together.shape[1],
    )


def _opsets(model: ModelProto) -> str:
    return ", ".join(f"{e.domain or 'ai.onnx'} {e.version}" for e in model.opset_import)[:200]


def _load(data: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", "/dev/null/none"
    )
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except _FAILURES as error:
        raise _failure("ONNX Runtime does not load the model", error) from error


def _answers(session: onnxruntime.InferenceSession, rows: Rows, form: Form) -> Rows:
    answers = _run(session, None, {INPUT: rows}, form)
    if answers.ndim != _TABLE or len(answers) != len(rows):
        raise ModelFileError(
            f"the model answers {len(rows)} rows in the shape {answers.shape}: export it with the "
            "number of rows left open, one answer a row"
        )
    return answers


def _own_answers(given: bytes | ModelProto, form: Form, rows: Rows) -> Rows:
    """What the file itself says, as it came, to one batch of its own size after the other.

    Of a ZipMap it is what goes into it: ONNX Runtime refuses those of float64 that skl2onnx writes.
    """
    session = _load(given if isinstance(given, bytes) else _without_zip_map(given, form))
    size = form.batch or 1
    kind = np.dtype(NUMBERS[form.kind])
    answers = []
    for start in range(0, len(rows), size):
        batch = np.resize(rows[start : start + size], (size, rows.shape[1]))
        asked = batch.astype(kind).reshape(size, *form.shape)
        table = _run(session, [form.output], {form.input: asked}, form)
        answers.append(np.asarray(table, np.float32).reshape(size, -1)[: len(rows) - start])
    return np.concatenate(answers)


def _without_zip_map(model: ModelProto, form: Form) -> bytes:
    cut = ModelProto()
    cut.CopyFrom(model)
    del cut.graph.output[:]
    cut.graph.output.add(name=form.output)
    kept = [node for node in cut.graph.node if node.op_type != "ZipMap"]
    del cut.graph.node[:]
    cut.graph.node.extend(kept)
    written: bytes = cut.SerializeToString()
    return written


def _run(
    session: onnxruntime.InferenceSession,
    names: list[str] | None,
    given: dict[str, Rows],
    form: Form,
) -> Rows:
    try:
        answer = session.run(names, given)[0]
    except _FAILURES as error:
        hint = "" if form.batch is None else ", or leave the number of rows open (docs/import.md)"
        raise _failure(
            f"the model fails on {len(next(iter(given.values())))} rows{hint}", error
        ) from error
    return np.asarray(answer, np.float32)


def _alike(one: Rows, other: Rows) -> bool:
    if one.shape != other.shape:
        return False
    finite = np.abs(one[np.isfinite(one)])
    scale = max(1.0, float(finite.max(initial=0.0)))
    return np.allclose(one, other, rtol=_CLOSE, atol=_CLOSE * scale, equal_nan=True)


def _failure(what: str, error: Exception) -> ModelFileError:
    if "bad_alloc" in str(error) or "allocate" in str(error):
        raise MemoryError from error
    return ModelFileError(
        f"{what} ({str(error).strip().splitlines()[0][:300]}): check that it runs with onnxruntime "
        "where it was made, and export it again"
    )


if __name__ == "__main__":
    main()
