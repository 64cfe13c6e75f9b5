"""Parts of a run's record: the machine it ran on, and what came of doing it again."""

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


class Reproduction(msgspec.Struct, frozen=True, kw_only=True):
    """What came of training a run once more.

    Attributes:
        equal: Whether both artifacts are the same bytes.
        differences: In words, what may be the cause first.
    """

    equal: bool
    differences: list[str] = []
