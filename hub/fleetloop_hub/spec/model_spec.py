"""The whole spec: its tables, in the order of a model's life."""

from typing import Annotated

import msgspec
from msgspec import Meta

from fleetloop_hub.spec.data_tables import (
    MOST_FEATURES,
    FeatureTable,
    LabelTable,
    ModelTable,
    RowsTable,
    RuleTable,
    SliceTable,
    SourceTable,
)
from fleetloop_hub.spec.fleet_tables import DeliveryTable, DriftTable
from fleetloop_hub.spec.judge_table import JudgeTable
from fleetloop_hub.spec.retrain_table import RetrainTable
from fleetloop_hub.spec.rollout_table import RolloutTable
from fleetloop_hub.spec.sampling_table import SamplingTable
from fleetloop_hub.spec.scalars import Table
from fleetloop_hub.spec.shadow_table import ShadowTable
from fleetloop_hub.spec.training_tables import (
    BudgetTable,
    CandidateTable,
    QuantizationTable,
    TrainingTable,
)
from fleetloop_hub.spec.validation_tables import FairnessTable, GateTable


class ModelSpec(Table, frozen=True, kw_only=True):
    """Everything about one model's life."""

    model: ModelTable
    sources: Annotated[list[SourceTable], Meta(min_length=1)]
    rows: RowsTable = RowsTable()
    label: LabelTable = LabelTable()
    features: Annotated[list[FeatureTable], Meta(min_length=1, max_length=MOST_FEATURES)]
    rules: list[RuleTable] = msgspec.field(default_factory=list)
    slices: list[SliceTable] = msgspec.field(default_factory=list)
    candidates: list[CandidateTable] = msgspec.field(default_factory=list)
    training: TrainingTable = TrainingTable()
    budget: BudgetTable = BudgetTable()
    quantization: QuantizationTable = QuantizationTable()
    gates: GateTable = GateTable()
    fairness: FairnessTable = FairnessTable()
    drift: DriftTable = DriftTable()
    delivery: DeliveryTable = DeliveryTable()
    rollout: RolloutTable = RolloutTable()
    judge: JudgeTable = JudgeTable()
    shadow: ShadowTable = ShadowTable()
    sampling: SamplingTable = SamplingTable()
    retrain: RetrainTable = RetrainTable()

    @property
    def feature_names(self) -> list[str]:
        """The model's inputs, in order."""
        return [feature.name for feature in self.features]

    @property
    def group_columns(self) -> list[str]:
        """Columns that part the rows for slices and fairness, in the order they are named."""
        return list(dict.fromkeys([*self.fairness.groups, *(s.column for s in self.slices)]))
