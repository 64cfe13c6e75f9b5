"""The hub of a story: the real one, on a simulated disk and with a virtual clock.

This and its parts are the modules of the simulator that import the hub (ADR 0027): the stories are
to find out what devices and hub do *together*; a stand-in would keep the hub's own mistakes out.
Training and pages are left out; versions are put where a run would have put them.
"""

import functools
import itertools
import random
from collections import Counter
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner

from fleetloop_firmware_sim.chaos import wares
from fleetloop_firmware_sim.chaos.device import Surroundings
from fleetloop_firmware_sim.chaos.real_hub_parts import SPEC, FlashBlobs, HubLink, NotOurs, Stored
from fleetloop_firmware_sim.chaos.story import HUB, Act, Flavour, Story
from fleetloop_firmware_sim.clock import EPOCH_S
from fleetloop_firmware_sim.crash import Image
from fleetloop_firmware_sim.enrolment import HARDWARE
from fleetloop_firmware_sim.flash import Flash
from fleetloop_firmware_sim.network import SimLink
from fleetloop_firmware_sim.power import Moments, PowerCut
from fleetloop_firmware_sim.scenarios.releases import MODEL
from fleetloop_hub.data.additions import Additions
from fleetloop_hub.decision_records import Decision
from fleetloop_hub.fleet_records import Device, Rollout, RolloutState
from fleetloop_hub.hub import Hub
from fleetloop_hub.hub_parts import Parts
from fleetloop_hub.records import Alias, Model, Verdict, Version, VersionState
from fleetloop_hub.storage.catalog import TinyDbCatalog
from fleetloop_hub.trust.trust import Trust
from fleetloop_hub.version_parts import Parity
from fleetloop_shared.codec import encode
from fleetloop_shared.errors import FleetloopError
from fleetloop_shared.link import Will
from fleetloop_shared.messages import EnrolAnswer, HubState
from fleetloop_shared.reports import Report
from fleetloop_shared.topics import Topic

STATES = 6
"""Of so many states that a cut may leave on the hub's disk, one is taken."""


class RealHub:
    """The hub, over all its starts.

    Attributes:
        running: Whether it is up.
    """

    def __init__(self, story: Story, around: Surroundings, now: Callable[[], float]) -> None:
        """It starts with the first `step`.

        Args:
            story: Devices and releases.
            around: Network, ledger, trace and folder.
            now: Its clock, Unix seconds.
        """
        self._around, self._now, self._story = around, now, story
        self._folder = around.folder / "hub"
        self._image = _signed_image()
        self._moments = Moments()
        self._flash = Flash()
        self._asked: list[tuple[int, str]] = []
        self._hub: Hub | None = None
        self._back_s, self._off_s = -1.0, 0.0
        self._lot = random.Random(story.seed)  # noqa: S311  # to be repeatable
        self._boot()
        self._prepare()

    # --- what happens to it -----------------------------------------------------------------------

    @property
    def running(self) -> bool:
        return self._hub is not None

    def ask(self, version: int, cohort: str) -> None:
        """A person wants a version rolled out, and asks until the hub has begun."""
        self._asked.append((version, cohort))

    def cut_after(self, act: Act, lot: random.Random) -> None:
        """Let its power fail at an act from here on."""
        self._moments.cut_after(act.count, act.place)
        self._lot, self._off_s = lot, act.for_s

    def fill(self, acts: int) -> None:
        """Let so many acts find its disk full."""
        self._flash.full_at = range(self._flash.room_acts, self._flash.room_acts + acts)

    def heal(self, now_s: float) -> None:
        """All trouble ends."""
        self._moments.cut_after(2**40)
        self._flash.full_at = range(0)
        self._back_s = min(self._back_s, now_s)

    # --- what it does -----------------------------------------------------------------------------

    def step(self, now_s: float) -> None:
        """Run for a moment.

        Args:
            now_s: Seconds since the beginning.
        """
        try:
            if self._hub is None:
                if now_s < self._back_s:
                    return
                self._boot()
            self._answer()
            self._there().step()
        except PowerCut as cut:
            self._around.trace.note("hub", f"loses its power, {self._plain(cut)}")
            self._go_off(now_s)
        except FleetloopError as error:  # as its process does: said, and the next step tries again
            self._around.trace.note("hub", f"fails: {self._plain(error)}")

    @property
    def rollouts(self) -> dict[str, int]:
        """How many rollouts are in each state."""
        return dict(sorted(Counter(r.state.value for r in self._catalog.all(Rollout)).items()))

    @property
    def unsettled(self) -> str | None:
        """What the hub has still to do; None: nothing."""
        if self._hub is None or self._asked:
            return "the hub has not done what it was asked to do"
        rollouts = self._catalog.all(Rollout)
        if still := [f"{r.key}: {r.text}" for r in rollouts if r.under_way]:
            return f"there are open rollouts: {'; '.join(still)}"
        done = [r for r in rollouts if r.state is RolloutState.DONE]
        last = max(done, key=lambda r: r.ended_at or 0.0, default=None)
        champion = self._catalog.find(Alias, f"{MODEL}/champion")
        if last is not None and (champion is None or champion.version != last.version):
            return f"version {last.version} has won, and champion is {champion}"
        return None

    def identity(self, device: str, cohort: str) -> EnrolAnswer:
        """What a device was told when it enrolled."""
        image_root, director_root = self._trust.pins(self._trust.root_versions())
        return EnrolAnswer(
            device=device,
            cohort=cohort,
            broker="mqtt://broker",
            username=device,
            password="",
            image_root=image_root,
            director_root=director_root,
        )

    def reports(self, device: str) -> dict[tuple[int, int], Report]:
        """What it has stored of a device, by (boot, seq)."""
        kinds = [t.row.path.rpartition("/")[2] for t in Topic if t.row.outbox]
        stored = [s for kind in kinds for s in self._telemetry.reports(kind, device=device)]
        return {(s.report.boot, s.report.seq): s.report for s in stored}

    def close(self) -> None:
        """The story is over."""
        if self._hub is not None:
            self._hub.stop()
            self._telemetry.close()
            self._catalog.close()
            self._hub = None

    # --- parts ------------------------------------------------------------------------------------

    def _boot(self) -> None:
        around = self._around
        self._moments = Moments()
        self._flash = Flash(self._moments, self._image)
        self._catalog = TinyDbCatalog(self._folder / "catalog", self._flash)
        self._telemetry = Stored(self._folder / "telemetry.sqlite", self._now, around.ledger)
        blobs = FlashBlobs(self._folder / "blobs", self._flash)
        self._blobs = blobs
        self._trust = Trust(self._flash)
        self._trust.open(self._now(), relied_on=True)
        self._sim_link = SimLink(around.air, HUB)
        link = HubLink(self._sim_link, self._moments, around.ledger)
        parts = Parts(
            catalog=self._catalog,
            telemetry=self._telemetry,
            blobs=blobs,
            broker=NotOurs(),
            link=link,
            trust=self._trust,
            hub_password="",
            runs_dir=self._folder / "runs",
            additions=Additions(self._catalog, blobs, self._folder / "data"),
            now=self._now,
        )
        self._hub = Hub(parts)
        around.trace.note("hub", "starts")
        link.start(Will(Topic.HUB.at(), encode(HubState(online=False))))

    def _prepare(self) -> None:
        """Enrol the devices and know the model, before the story begins."""
        spec = self._blobs.put(SPEC.encode())
        devices = [
            Device(key=name, cohort=cohort, hardware=HARDWARE, password="", enrolled_at=0.0)
            for name, cohort in self._story.devices.items()
        ]
        self._catalog.put(Model(key=MODEL, spec=spec, floor=0, added_at=0.0), *devices)

    def _answer(self) -> None:
        """Do what a person has asked for; what the hub has begun is not asked for again."""
        while self._asked:
            number, cohort = self._asked[0]
            rollouts = self._catalog.all(Rollout)
            begun = any((r.version, r.cohort) == (number, cohort) for r in rollouts)
            if not begun:
                self._register(number)
                self._there().roll_out(MODEL, number, cohort)
            del self._asked[0]

    def _register(self, number: int) -> None:
        """Put a version where a run would have put it, once its gates have passed."""
        if self._catalog.find(Version, f"{MODEL}/{number}") is not None:
            return
        flavour = self._story.releases[number - 1]
        made, decision = wares.ware(number, flavour), f"{MODEL}-{number:04d}"
        manifest = encode(made.manifest)
        self._around.ledger.listed.add(made.manifest.sha256)
        if flavour is Flavour.DEADLY:
            self._around.ledger.deadly.add(made.manifest.sha256)
        self._catalog.put(
            Version(
                key=f"{MODEL}/{number}",
                model=MODEL,
                number=number,
                state=VersionState.READY,
                run=f"{MODEL}-{number}",
                dataset=made.manifest.dataset,
                artifact=self._blobs.put(made.artifact),
                manifest=self._blobs.put(manifest),
                manifest_bytes=len(manifest),
                transport=self._blobs.put(made.encoded),
                gates=[],
                parity=_PARITY,
                metrics={},
                decision=decision,
                created_at=self._now(),
            ),
            Decision(
                key=decision,
                model=MODEL,
                at=self._now(),
                verdict=Verdict.RETRAIN,
                trigger="person",
                reasons=["a story needs it"],
                evidence={},
            ),
        )

    def _go_off(self, now_s: float) -> None:
        self._moments.cut()
        self._telemetry.close()
        self._catalog.close()
        self._sim_link.cut()
        self._sim_link.stop()
        left = self._flash.aftermath().some(STATES, self._lot.randrange(2**32))
        self._image = self._lot.choice(left)
        self._hub, self._back_s = None, now_s + self._off_s

    def _there(self) -> Hub:
        if self._hub is None:
            raise ValueError("the hub is off")
        return self._hub

    def _plain(self, error: BaseException) -> str:
        """Its text without the folder, whose name is another every time."""
        return str(error).replace(str(self._folder), "")


_PARITY = Parity(
    rows=1,
    label_flips=0,
    largest_gap=0.0,
    float_bytes=1,
    artifact_bytes=1,
    float_ms=1.0,
    artifact_ms=1.0,
)


@functools.cache
def _signed_image() -> Image:
    """The disk of a hub that has its keys; the same ones in every process."""
    flash, numbers = Flash(), itertools.count(1)

    def key() -> CryptoSigner:
        return CryptoSigner(Ed25519PrivateKey.from_private_bytes(bytes([next(numbers)]) * 32))

    Trust(flash, new_key=key).open(EPOCH_S)
    return flash.image()
