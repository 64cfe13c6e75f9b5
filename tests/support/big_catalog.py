"""The catalog of a hub that has been at work for long, grown from one version it has really made.

Every version has an artifact, a manifest and a transport of its own among the blobs; runs, dataset
versions, decisions, rollouts and the audit log are what hundreds of trainings would have left.
"""

import io
from dataclasses import dataclass, field

import numpy as np
import onnx
import pyarrow.parquet as pq
from msgspec.structs import replace

from fleetloop_hub.audit_records import Deed
from fleetloop_hub.decision_records import Decision
from fleetloop_hub.fleet_records import Device, Passage, Rollout, RolloutState
from fleetloop_hub.ports import Audit, Blobs, Catalog
from fleetloop_hub.records import (
    Alias,
    Dataset,
    Model,
    Run,
    RunState,
    Verdict,
    Version,
    VersionState,
)
from fleetloop_hub.run_parts import Reproduction
from fleetloop_shared.chunks import pack
from fleetloop_shared.codec import decode, encode
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.manifest import Manifest

DAY_S = 86_400.0
HARDWARE = ("pi4", "pi5", "jetson", "mcu-gateway")
COHORTS_A_MODEL = 2
_NAMES = ("north", "south", "coast", "hills")
_DATASETS_A_MODEL = 10
_ROLLOUTS_A_MODEL = 12


@dataclass(frozen=True)
class Scale:
    """How much there is."""

    devices: int = 5_000
    versions: int = 500
    runs: int = 2_000
    models: int = 4
    days: int = 30
    seed: int = 1


@dataclass
class Grown:
    """What was grown of one model.

    Attributes:
        name: The model's.
        place: Its place among the models.
        versions: Its versions, oldest first.
        manifests: Theirs.
        artifact: The bytes of the newest.
    """

    name: str
    place: int
    versions: list[Version] = field(default_factory=list)
    manifests: list[Manifest] = field(default_factory=list)

    @property
    def cohorts(self) -> list[str]:
        return [self.name.removeprefix("rain-") + f"-{k + 1}" for k in range(COHORTS_A_MODEL)]


class Growing:
    """Grows a catalog from the one version that is in it."""

    def __init__(self, catalog: Catalog, blobs: Blobs, scale: Scale, now: float) -> None:
        self._catalog, self._blobs, self._scale, self._now = catalog, blobs, scale, now
        self._random = np.random.default_rng(scale.seed)
        (self._version,) = catalog.all(Version)
        (self._run,), (self._dataset,) = catalog.all(Run), catalog.all(Dataset)
        (self._decision,), (self._model,) = catalog.all(Decision), catalog.all(Model)
        self._every_s = 1.5 * DAY_S
        self._count = scale.versions // scale.models

    def grow(self) -> list[Grown]:
        """Models with their versions, runs, datasets, decisions, rollouts and devices."""
        grown = []
        for k in range(self._scale.models):
            model = Grown(f"rain-{_NAMES[k % len(_NAMES)]}{k // len(_NAMES) or ''}", k)
            self._add(model)
            grown.append(model)
        self._catalog.put(*self._devices(grown))
        self._reproductions_and_failures(grown)
        return grown

    def log(self, audit: Audit, grown: list[Grown], entries: int = 400) -> None:
        """What people did meanwhile."""
        for k in range(entries):
            model = grown[k % len(grown)]
            version = model.versions[k % len(model.versions)]
            action = ("train", "roll out", "approve", "pause")[k % 4]
            deed = Deed(
                by=f"person-{k % 12}", action=action, subject=version.key, reason="as agreed"
            )
            audit.record(deed, self._now - (entries - k) * self._scale.days * DAY_S / entries)

    def _add(self, model: Grown) -> None:
        text = self._blobs.get(self._model.spec).decode()
        spec = self._blobs.put(text.replace('name = "rain"', f'name = "{model.name}"', 1).encode())
        self._catalog.put(replace(self._model, key=model.name, spec=spec))
        datasets = self._datasets(model)
        count = self._count
        artifact = onnx.load_from_string(self._blobs.get(self._version.artifact))
        runs: list[Run] = []
        decisions: list[Decision] = []
        for number in range(1, count + 1):
            at = self._now - (count - number + 1) * self._every_s
            dataset = datasets[number * len(datasets) // (count + 1)]
            artifact.doc_string = f"{model.name} {number}"
            run, decision = self._run_of(model, number, dataset, spec, at)
            runs.append(run)
            decisions.append(decision)
            version, manifest = self._signed(model, number, run, artifact.SerializeToString())
            model.versions.append(replace(version, created_at=at + run.duration_s))
            model.manifests.append(manifest)
        champion, before = count - 1, count - 2
        aliases = {"champion": champion, "previous": before, "challenger": count}
        self._catalog.put(*runs, *decisions, *self._rollouts(model))
        self._catalog.put(
            *model.versions,
            *(Alias(key=f"{model.name}/{n}", version=v) for n, v in aliases.items()),
        )

    def _datasets(self, model: Grown) -> list[Dataset]:
        """Dataset versions with ever more of the rows that there are."""
        rows = pq.read_table(io.BytesIO(self._blobs.get(self._dataset.key)))
        made: list[Dataset] = []
        for k in range(_DATASETS_A_MODEL):
            keep = len(rows) * (k + 1) // _DATASETS_A_MODEL - model.place
            sink = io.BytesIO()
            pq.write_table(rows.slice(0, keep), sink)
            made.append(
                replace(
                    self._dataset,
                    key=self._blobs.put(sink.getvalue()),
                    model=model.name,
                    rows=min(self._dataset.rows, keep),
                    parent=made[-1].key if made else None,
                    created_at=self._now - (_DATASETS_A_MODEL - k) * 18 * DAY_S,
                )
            )
        self._catalog.put(*made)
        return made

    def _run_of(
        self, model: Grown, number: int, dataset: Dataset, spec: str, at: float
    ) -> tuple[Run, Decision]:
        decision = replace(
            self._decision,
            key=f"{model.name}-{number:04d}",
            model=model.name,
            at=at,
            trigger="drift" if number % 3 else "person",
            reasons=["41 of 625 devices see drift, most in dew_point_f"],
            evidence={"new_labels": float(number * 100)},
            verdict=Verdict.RETRAIN,
            version=number,
            outcome=f"version {number} is ready",
            champion=number - 1 or None,
        )
        run = replace(
            self._run,
            key=f"{model.name}-run-{number}",
            model=model.name,
            dataset=dataset.key,
            spec=spec,
            started_at=at,
            number=number,
            decision=decision.key,
            metrics=self._jittered(self._run.metrics),
            candidates=[replace(c, score=c.score + self._drawn()) for c in self._run.candidates],
            reason=decision.reasons[0],
        )
        return run, decision

    def _signed(
        self, model: Grown, number: int, run: Run, artifact: bytes
    ) -> tuple[Version, Manifest]:
        unsigned = self._version.unsigned
        assert unsigned is not None
        transport, encoded = pack(artifact, 2_048)
        manifest = replace(
            decode(self._blobs.get(unsigned), Manifest),
            model=model.name,
            version=number,
            sha256=sha256_hex(artifact),
            length_bytes=len(artifact),
            transport=transport,
            dataset=run.dataset,
            run=run.key,
        )
        written = encode(manifest)
        sha256 = self._blobs.put(written)
        blocked = (self._count - number) % 7 == 3
        version = replace(
            self._version,
            key=f"{model.name}/{number}",
            model=model.name,
            number=number,
            state=VersionState.BLOCKED if blocked else VersionState.RELEASED,
            run=run.key,
            dataset=run.dataset,
            artifact=self._blobs.put(artifact),
            manifest=None if blocked else sha256,
            manifest_bytes=0 if blocked else len(written),
            transport=self._blobs.put(encoded),
            gates=[
                replace(g, passed=g.passed and not (blocked and k == 0))
                for k, g in enumerate(self._version.gates)
            ],
            metrics=run.metrics,
            decision=run.decision,
            unsigned=sha256,
        )
        return version, manifest

    def _rollouts(self, model: Grown) -> list[Rollout]:
        """Those of the last versions, all of which have ended."""
        made = []
        signed = [v for v in model.versions[:-1] if v.manifest is not None]
        for k, version in enumerate(signed[-_ROLLOUTS_A_MODEL:]):
            state = RolloutState.REVERTED if k % 5 == 2 else RolloutState.DONE
            at, cohort = version.created_at + 600, model.cohorts[k % COHORTS_A_MODEL]
            steps = (RolloutState.APPROVED, RolloutState.OPEN, RolloutState.SOAKING, state)
            made.append(
                Rollout(
                    key=f"{model.name}-{version.number}-{cohort}",
                    model=model.name,
                    version=version.number,
                    control=version.number - 1,
                    cohort=cohort,
                    place=cohort,
                    salt=version.key,
                    phases=[0.05, 0.25, 1.0],
                    phase=2,
                    devices=self._scale.devices // (self._scale.models * COHORTS_A_MODEL),
                    state=state,
                    phase_since=at,
                    started_at=at,
                    ended_at=at + DAY_S,
                    evidence={"ok": 620, "failed": 5},
                    text="phase 3 of 3: 620 well, 5 failed",
                    history=[
                        Passage(at=at + n * 3_600, state=s, text="") for n, s in enumerate(steps)
                    ],
                    decision=version.decision,
                    noted=state,
                )
            )
        return made

    def _reproductions_and_failures(self, grown: list[Grown]) -> None:
        runs, made = self._catalog.all(Run), []
        for k in range(self._scale.runs - self._scale.versions):
            before = runs[k % len(runs)]
            at = self._now - self._random.random() * 200 * DAY_S
            run = replace(before, key=f"{before.model}-again-{k}", started_at=at)
            if k % 5 == 0:
                error = "no candidate fits the budget: raise artifact_bytes in [budget]"
                made.append(
                    replace(run, state=RunState.FAILED, error=error, metrics={}, chosen=None)
                )
            else:
                equal = Reproduction(equal=True)
                made.append(
                    replace(
                        run,
                        reproduces=before.key,
                        reproduction=equal,
                        metrics=self._jittered(run.metrics),
                    )
                )
        self._catalog.put(*made)

    def _devices(self, grown: list[Grown]) -> list[Device]:
        cohorts = [cohort for model in grown for cohort in model.cohorts]
        return [
            Device(
                key=f"{cohorts[k % len(cohorts)]}-{k:04d}",
                cohort=cohorts[k % len(cohorts)],
                hardware=HARDWARE[k // len(cohorts) % len(HARDWARE)],
                password=sha256_hex(f"{self._scale.seed} {k}".encode())[:32],
                enrolled_at=self._now - 200 * DAY_S,
            )
            for k in range(self._scale.devices)
        ]

    def _jittered(self, metrics: dict[str, float]) -> dict[str, float]:
        return {name: value + self._drawn() for name, value in metrics.items()}

    def _drawn(self) -> float:
        return float(self._random.normal(0, 0.004))
