"""What a simulation's process is told, where the hub runs it."""

import msgspec


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset version to be replayed under every policy.

    Attributes:
        spec: The model spec's text, TOML.
        rows: The dataset version's file.
        name: What it is called in the result.
        devices: Over how many devices rows are dealt.
        label_delay_s: How long after its row a label is known, seconds.
        unit_s: Seconds that 1 in the time column is.
    """

    spec: str
    rows: str
    name: str
    devices: int
    label_delay_s: float
    unit_s: float
