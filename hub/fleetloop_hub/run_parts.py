"""Parts of a run's record: the machine, an imported file, and what came of doing it again."""

from typing import Literal

import msgspec


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
