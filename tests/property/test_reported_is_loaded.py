"""Whatever happens to a device, it reports the hash of the bytes that answer its rows."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetloop_agent.errors import ModelError, NoModelError
from fleetloop_agent.ports import Finding, Model, Rows, Runtime
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.update.slots import artifact_path
from fleetloop_agent.update.updater import Updater
from fleetloop_firmware_sim.flash import Flash
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.manifest import Signature
from support.agent_board import Bench
from support.hubside import Hubside
from support.update_rig import DEVICE, Rig

HUB = Hubside()
SHIPMENTS = [HUB.ship(version, bias=version / 100) for version in (1, 2, 3)]
ROW = {"temperature": 0.0, "pressure": 0.0}
ACTS = st.sampled_from([
    "one", "two", "three", "nobody", "rows", "time", "restart", "damage", "unloadable", "loadable",
    "test fails", "test passes", "no room", "room", "step",
])  # fmt: skip


class Telltale(Model):
    """Notes whose bytes have answered."""

    def __init__(self, runtime: "TelltaleRuntime", sha256: str) -> None:
        self.runtime, self.sha256 = runtime, sha256

    def outputs(self, rows: Rows) -> Rows:
        self.runtime.answered = self.sha256
        return np.tile(np.array([0.25, 0.75], dtype=np.float32), (len(rows), 1))


class TelltaleRuntime(Runtime):
    """Loads models that tell; refuses all while a test says so."""

    def __init__(self) -> None:
        self.answered: str | None = None
        self.refuses = False

    def load(self, artifact: bytes, signature: Signature) -> Model:
        if self.refuses:
            raise ModelError("told not to load")
        return Telltale(self, sha256_hex(artifact))


class LoadedRig(Rig):
    """A device with the real predictor on a runtime that tells."""

    def __init__(self) -> None:
        self.runtime = TelltaleRuntime()
        super().__init__(Bench(Flash()), HUB)

    def make(self, serving: object) -> Updater:
        bench = self.bench
        self.predictor = Predictor(DEVICE, bench.outbox.boot, self.runtime, bench.clock)
        return super().make(self.predictor)

    def loaded(self) -> str | None:
        """Whose bytes answer a row."""
        self.runtime.answered = None
        try:
            self.predictor.predict([ROW])
        except NoModelError:
            return None
        return self.runtime.answered


def act(rig: LoadedRig, name: str, sequence: int) -> None:  # a list of acts
    disk, bench = rig.bench.disk, rig.bench
    assert isinstance(disk, Flash)
    shipped = {"one": SHIPMENTS[0], "two": SHIPMENTS[1], "three": SHIPMENTS[2]}
    if name in shipped:
        rig.publish(shipped[name], sequence)
    elif name == "nobody":
        rig.publish(SHIPMENTS[0], sequence, phase=0)
    elif name == "rows" and rig.predictor.manifest is not None:
        rig.predictor.predict([ROW] * 20)
    elif name == "time":
        bench.clock.at += 61.0
    elif name == "restart" and rig._statement:
        rig.restart()
    elif name == "damage" and (active := rig.journal.active) is not None:
        disk.write(artifact_path(active.artifact), b"rot", 3)
    else:
        if name.endswith("loadable"):
            rig.runtime.refuses = name == "unloadable"
        if name.startswith("test"):
            bench.self_test.finding = Finding(passed=name == "test passes", text="told")
        if name.endswith("room"):
            disk.limit_bytes = 64_000_000 if name == "room" else 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(ACTS, st.integers(0, 12)), max_size=12))
def test_what_is_reported_is_what_answers(acts: list[tuple[str, int]]) -> None:
    rig = LoadedRig()
    for number, (name, steps) in enumerate(acts, start=1):
        act(rig, name, number)
        assert rig.updater.reported().artifact == rig.loaded()
        for _ in range(steps):
            rig.step()
            rig.bench.clock.at += 0.05
            assert rig.updater.reported().artifact == rig.loaded()
