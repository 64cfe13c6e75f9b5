"""Tries a staged model: self-test, armed trial, health, then commit or roll back and quarantine."""

from fleetloop_agent.errors import ModelError, SlotError
from fleetloop_agent.ports import Finding
from fleetloop_agent.update import verify
from fleetloop_agent.update.journal import Slot
from fleetloop_agent.update.states import Event, State
from fleetloop_agent.update.transaction import Transaction
from fleetloop_shared.errors import FreezeError, RefusedError, SelfTestError
from fleetloop_shared.reports import EventKind

ATTEMPTS = 3
"""How often an armed trial is loaded before it is given up."""

POLL_S = 0.05
"""How often a running self-test is looked at."""

FRESH_S = 60.0
"""How often a staged model looks whether what was signed is still good."""

HEALTH_S = 0.25
"""How often a trial's health is looked at."""

GROWTH_BYTES = 64 * 1024 * 1024
"""What the agent itself may grow by in a trial: windows, connections, reports that wait."""


class Trial:
    """The steps from a staged artifact to a settled outcome; each returns when to step again."""

    def __init__(self, transaction: Transaction) -> None:
        """Nothing is tried yet.

        Args:
            transaction: The update.
        """
        self._tx = transaction
        self._testing = False
        self._finding: Finding | None = None
        self._loaded_at: float | None = None
        self._most_bytes = 0
        self._verdict: str | None = None

    @property
    def undecided(self) -> bool:
        """Whether there is a trial that has neither failed nor been committed."""
        tx = self._tx
        if tx.journal.state is not State.TRIAL or self._verdict is not None:
            return False
        if self._loaded_at is None:
            return tx.journal.attempts_left > 0
        return tx.serving.health().errors == 0

    def reset(self) -> None:
        """A self-test that is running, or its finding, is of no interest any more."""
        self._testing = False
        self._finding = None

    def leave(self) -> None:
        """Something else is wanted: what was committed serves again, before the journal says so."""
        self.reset()
        if self._loaded_at is not None:
            self._tx.serve_committed()
            self._loaded_at = None

    def staged(self, now: float) -> float:
        """Have the model prove itself away from serving."""
        tx = self._tx
        if not self._testing:
            return self._begin_test(now)
        self._finding = finding = self._finding or tx.board.self_test.poll()
        if finding is None:
            return now + POLL_S
        if finding.passed:
            text = f"on trial: {_name(tx.incoming)}, after its self-test: {finding.text}"
            tx.say(EventKind.TRIAL, text)
            tx.move(Event.ARMED, attempts_left=ATTEMPTS)
        else:
            text = f"self-test of {_name(tx.incoming)} failed: {finding.text}"
            tx.move(Event.FAILED, last_error=text, quarantine=self._quarantine())
            tx.refusals.note(SelfTestError(text), tx.incoming.artifact, now)
        self.reset()
        return now

    def attempt(self, now: float) -> float:
        """Load the model on trial; the attempt is counted durably before.

        Raises:
            DiskFullError: It could not be counted, and was not loaded.
        """
        tx, slot = self._tx, self._tx.incoming
        if tx.journal.attempts_left <= 0:
            return self._fail(f"{_name(slot)} ended the agent in each of {ATTEMPTS} attempts", now)
        tx.note(attempts_left=tx.journal.attempts_left - 1)
        try:
            manifest, artifact = tx.slots.load(slot)
            may_add = manifest.budget.memory_bytes + GROWTH_BYTES
            self._most_bytes = tx.board.host.rss_bytes() + may_add
            tx.serving.load(manifest, artifact)
        except ModelError as error:
            return self._fail(f"{_name(slot)} does not load: {error}", now)
        except SlotError:
            tx.serve_committed()
            tx.move(Event.DAMAGED, attempts_left=0)
            return now
        tx.loaded = None
        self._loaded_at = now
        return now

    def trial(self, now: float) -> float:
        """Watch the model serve for its soak."""
        if self._verdict is not None:
            return self._fail(self._verdict, now)
        if self._loaded_at is None:
            return self.attempt(now)
        tx = self._tx
        health = tx.serving.health()
        if health.errors:
            text = f"{_name(tx.incoming)} failed on {health.errors} of"
            return self._fail(f"{text} {health.rows + health.errors} rows in its trial", now)
        rss_bytes = tx.board.host.rss_bytes()
        if rss_bytes > self._most_bytes:
            text = f"the agent grew to {rss_bytes:,} bytes of memory in the trial of"
            return self._fail(f"{text} {_name(tx.incoming)} (may: {self._most_bytes:,})", now)
        soak_until = self._loaded_at + tx.desired.soak_s
        if health.rows < tx.desired.soak_rows and now < soak_until:
            return min(soak_until, now + HEALTH_S)
        tx.move(
            Event.HEALTHY,
            active=tx.incoming,
            previous=tx.journal.active,
            factory=tx.journal.factory or tx.incoming,
            attempts_left=0,
        )
        tx.loaded = tx.incoming
        self._loaded_at = None
        return now

    def committed(self, now: float) -> float:
        """Say so."""
        tx = self._tx
        text = f"committed {_name(tx.incoming)}"
        tx.say(EventKind.COMMITTED, text)
        tx.move(Event.SETTLED, target=None, incoming=None)
        return now

    def rolled_back(self, now: float) -> float:
        """The committed model serves again; bar the one that failed."""
        self._tx.move(Event.BARRED, quarantine=self._quarantine())
        return now

    def quarantined(self, now: float) -> float:
        """Say so."""
        tx = self._tx
        serving = f"{_name(tx.loaded)} serves" if tx.loaded else "nothing to go back to"
        text = f"rolled back, {serving}: {tx.journal.last_error}"
        tx.say(EventKind.ROLLED_BACK, text)
        tx.move(Event.SETTLED, target=None, incoming=None, declined=tx.target.manifest_sha256)
        return now

    def _begin_test(self, now: float) -> float:
        tx = self._tx
        try:
            payload = tx.slots.manifest_bytes(tx.target.manifest_sha256)
            verify.vouched(tx.target, tx.trust)
            manifest = verify.manifest(payload, tx.target, tx.hardware, tx.journal)
            artifact = tx.slots.artifact(manifest.sha256)
        except SlotError:
            tx.move(Event.DAMAGED)
            return now
        except FreezeError as error:
            return self._wait_for_newer(error, now)
        except RefusedError as error:
            tx.decline(error, now)
            return now
        tx.board.self_test.start(manifest, artifact)
        self._testing = True
        return now + POLL_S

    def _wait_for_newer(self, error: FreezeError, now: float) -> float:
        """Nothing is tried on the word of what has expired; a newer bundle goes on from here."""
        tx = self._tx
        tx.refusals.note(error, f"{tx.trust.trusted_until}", now)
        if tx.journal.last_error is None:
            tx.note(last_error=str(error))
        return now + FRESH_S

    def _fail(self, text: str, now: float) -> float:
        """Back to the committed model at once, and only then the journal: the disk may be full."""
        tx = self._tx
        if self._verdict is None:
            tx.serve_committed()
        self._verdict, self._loaded_at = text, None
        tx.move(Event.UNHEALTHY, last_error=text, attempts_left=0)
        self._verdict = None
        return now

    def _quarantine(self) -> tuple[Slot, ...]:
        listed = self._tx.journal.quarantine
        return listed if self._tx.incoming in listed else (*listed, self._tx.incoming)


def _name(slot: Slot) -> str:
    return f"{slot.model} {slot.version}"
