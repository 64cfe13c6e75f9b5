"""Parts of a run's record: what was tried, the machine, an imported file, and doing it again."""

from typing import Literal

import msgspec

from fleetloop_shared.manifest import CalibrationMap


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting that was tried in a search.

    Attributes:
        parameters: What was fitted.
        scores: The spec's metric on each fold, the newest first, of the float model; None where it
            is not defined; empty where nothing could be fitted.
        note: What a person should know about the fit.
    """

    parameters: dict[str, float | int | str | bool | list[int] | None]
    scores: list[float | None]
    note: str = ""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One algorithm that was tried in a run.

    Attributes:
        name: As the spec calls it.
        parameters: What it was trained with.
        score: The spec's metric on the validation rows, of the float model.
        quantized_score: The same of the quantized artifact.
        float_bytes: Size of the float32 ONNX file.
        artifact_bytes: Size of the quantized ONNX file.
        latency_ms: Median time of one row under ONNX Runtime.
        recipe: How it was quantized.
        note: Why it was, or was not, taken.
        fold_scores: As in `Setting.scores`.
        curves: What was measured as it learned, by name: a value an epoch or round.
        wire_bytes: Size of the quantized file as it travels.
        dominated: Whether another candidate is at least as good by score, bytes and milliseconds,
            and better by one of them.
        calibration: How its scores become probabilities.
        decision_threshold: The score from which it answers yes.
        cost: What its answers to the validation rows cost, a row, in the unit of the spec's costs.
        fairness: The fairness limits that it misses on the validation rows, in words; "" if none.
        warnings: What a person should know about the fit.
    """

    name: str
    parameters: dict[str, float | int | str | bool | list[int] | None]
    score: float
    quantized_score: float
    float_bytes: int
    artifact_bytes: int
    latency_ms: float
    recipe: str
    note: str = ""
    fold_scores: list[float | None] = []
    curves: dict[str, list[float]] = {}
    wire_bytes: int = 0
    dominated: bool = False
    calibration: CalibrationMap = CalibrationMap()
    decision_threshold: float = 0.0
    cost: float | None = None
    fairness: str = ""
    warnings: list[str] = []


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What a run ran on, as far as it may bear on the result.

    Attributes:
        platform: Operating system, its version, and the processor's architecture.
        cpu: The processor's name.
        cores: How many of them the process could use.
        memory_bytes: How much there is; 0 where the system does not say.
        extensions: Instructions of the processor that kernels are chosen by: "avx512_vnni".
        threads: Each library that has threads of its own, with its build and how many it used.
    """

    platform: str
    cpu: str
    cores: int
    memory_bytes: int
    extensions: list[str] = []
    threads: list[str] = []


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """The ONNX file that a run did not train but took in, and what a person said about it.

    Attributes:
        file: The file's name.
        sha256: Of its bytes, which are kept among the blobs.
        length_bytes: How many they are.
        producer: What wrote it, as it says itself.
        opset: What it is written for, in words.
        input: The input's name, None for the only one.
        output: The output's name, None for the one that can be the answer.
        activation: "auto", "none", "sigmoid" or "softmax".
    """

    file: str
    sha256: str
    length_bytes: int
    producer: str = "unknown"
    opset: str = ""
    input: str | None = None
    output: str | None = None
    activation: Literal["auto", "none", "sigmoid", "softmax"] = "auto"


class Reproduction(msgspec.Struct, frozen=True, kw_only=True):
    """What came of training a run once more.

    Attributes:
        equal: Whether both artifacts are the same bytes.
        differences: In words, what may be the cause first.
    """

    equal: bool
    differences: list[str] = []
