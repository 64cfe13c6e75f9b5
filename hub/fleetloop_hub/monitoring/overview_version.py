"""A model version as console and command line show it."""

import msgspec

from fleetloop_hub.version_parts import GateResult


class VersionView(msgspec.Struct, frozen=True, kw_only=True):
    """A model version and how it stands.

    Attributes:
        model: The model.
        number: The version's number.
        state: What may be done with it.
        aliases: "champion", "challenger".
        metric: What the first gate with an interval measures.
        value: What it measured, of the quantized artifact on the held-out rows.
        low: Lower end of the 95 % interval.
        high: Upper end of it.
        gates: Every gate's verdict.
        gates_judged: How many the spec demands; the others are measured and shown.
        gates_passed: How many of these let it through, by themselves or because a person waived
            them.
        float_bytes: Size of the float32 model.
        artifact_bytes: Size of the quantized one.
        label_flips: Held-out rows on which the two answer differently.
        parity_rows: Held-out rows on which they were compared.
        serving: Devices that have it loaded.
        field_labels: Labelled answers that it gave on devices.
        field_accuracy: Share of right ones among those, None without labels or for a regression.
        field_error: Mean distance of a regression's answers from their labels, in the label's unit;
            None without labels, or for other models.
        why: Why it exists, in words.
        decision: The decision record with the whole reason.
        run: The run that made it.
        created_at: Unix seconds.
        delays: How soon devices see which change, in words.
    """

    model: str
    number: int
    state: str
    aliases: list[str]
    metric: str
    value: float | None
    low: float | None
    high: float | None
    gates: list[GateResult]
    gates_judged: int
    gates_passed: int
    float_bytes: int
    artifact_bytes: int
    label_flips: int
    parity_rows: int
    serving: int
    field_labels: int
    field_accuracy: float | None
    field_error: float | None = None
    why: str
    decision: str
    run: str
    created_at: float
    delays: list[str] = []
