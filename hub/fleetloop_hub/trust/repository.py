"""One TUF repository on disk: what it says is durable before anybody can read it from here."""

import contextlib
from collections.abc import Callable, Iterator

from msgspec.structs import replace
from securesystemslib.signer import Key, Signature
from tuf.api.metadata import Root, Targets

from fleetloop_hub.config import Lives
from fleetloop_hub.errors import KeyFileError, SigningError
from fleetloop_hub.trust import changes
from fleetloop_hub.trust import documents as d
from fleetloop_hub.trust import state as states
from fleetloop_hub.trust.changes import People
from fleetloop_hub.trust.documents import Listed
from fleetloop_hub.trust.keyring import Keyring
from fleetloop_hub.trust.settle import coming_root, current_root, settle
from fleetloop_hub.trust.shown import PersonSignature
from fleetloop_hub.trust.state import State
from fleetloop_hub.trust.terms import Repository, Role
from fleetloop_shared.durable import Disk
from fleetloop_shared.errors import DiskFullError

_LOOK_S = 60.0
"""How often expiries are looked at where nothing else has changed."""


class Kept:
    """A repository, its keys on the hub, and the one file in which it is kept.

    For one thread at a time; the caller holds a lock.
    """

    def __init__(
        self, disk: Disk, repository: Repository, lives: Lives, ring: Keyring | None = None
    ) -> None:
        """Nothing is read yet: see `load` and `make`.

        Args:
            disk: The hub's state folder.
            repository: Which.
            lives: How long what is signed holds.
            ring: Its keys; by default those of the state folder.
        """
        self._disk, self._repository, self._lives = disk, repository, lives
        self.ring = ring or Keyring(disk)
        self._state = State(repository=repository)
        self._settled: tuple[object, float] | None = None

    @property
    def state(self) -> State:
        """What is durable."""
        return self._state

    @property
    def root(self) -> Root:
        """The root that is published."""
        return current_root(self._state)

    @property
    def coming(self) -> Root:
        """The root that waits for signatures, or else the one that is published."""
        return coming_root(self._state)

    def load(self) -> bool:
        """Read what is kept; returns whether there is anything.

        Raises:
            KeyFileError: It is damaged, or a key that it needs is gone or another one.
        """
        found = states.load(self._disk, self._repository)
        if found is None:
            return False
        self.ring.load(found.online)
        before: Root | None = None
        for text in found.roots:
            root = d.read(text, Root)
            if not d.follows(root, before):
                raise KeyFileError(
                    f"{states.path_of(self._repository)}: root {root.signed.version} is not signed"
                    " as it should be: restore the file from a copy, with the folder keys"
                )
            before = root.signed
        self._state = found
        return True

    def make(self, now: float, people: People | None = None) -> None:
        """Make keys and root version 1, and an empty list where there is a list.

        Raises:
            DiskFullError: No room; there is no repository.
            SigningError: People's threshold cannot be reached.
        """
        with self._new_keys() as make:
            made = changes.first(self._repository, make, people, now, self._lives)
            at_hand = {s.public_key.keyid: s for s in (people.signers if people else ())}
            signers = self.ring.signers | at_hand
            root = d.read(made.roots[0], Root)
            d.with_signatures(root, d.signers_of(root.signed, Role.ROOT, signers))
            if not d.is_signed(root.signed, Role.ROOT, root):
                raise SigningError("too few private keys are at hand to sign the first root")
            made = replace(made, roots=[d.text_of(root)])
            self._keep(settle(made, self._nothing(), signers, now, self._lives))

    def settle(self, wanted: Listed | None, now: float) -> bool:
        """Sign what is due; returns whether something else is published now.

        Args:
            wanted: What should be listed, None where the repository has no list of its own.
            now: Unix seconds.

        Raises:
            DiskFullError: No room; what was published stands.
        """
        if self._settled is not None:
            before, at = self._settled
            if before == wanted and 0 <= now - at < _LOOK_S:
                return False
        published = (self._state.roots, self._state.timestamp)
        self._keep(settle(self._state, wanted, self.ring.signers, now, self._lives))
        self._settled = (wanted, now)
        return published != (self._state.roots, self._state.timestamp)

    def change(self, how: Callable[[State, changes.Maker], State], now: float) -> None:
        """Give it other keys, and sign of that what the hub's keys can.

        Args:
            how: Builds the next root, making keys as it needs them.
            now: Unix seconds.

        Raises:
            SigningError: It cannot be done; nothing has changed.
            DiskFullError: No room; nothing has changed.
        """
        with self._new_keys() as make:
            changed = how(self._state, make)
            self._keep(settle(changed, self._listed(), self.ring.signers, now, self._lives))
        self._settled = None

    def sign(self, given: PersonSignature, now: float) -> None:
        """Take a person's signature over what waits.

        Raises:
            SigningError: Nothing of that kind waits, the key may not sign it, or the signature
                does not verify; nothing has changed.
            DiskFullError: No room; nothing has changed.
        """
        if given.keyid in self._state.revoked:
            raise SigningError(f"key {given.keyid[:8]} was revoked: its signature was not taken")
        signature = Signature(given.keyid, given.signature)
        signed = changes.with_signature(self._state, given.role, given.version, signature)
        self._keep(settle(signed, self._listed(), self.ring.signers, now, self._lives))
        self._settled = None

    def _listed(self) -> Listed | None:
        """What is to be listed as far as it was told: the next list, or else the current one."""
        text = self._state.next_targets or self._state.targets
        return d.listed_in(d.read(text, Targets).signed) if text else self._nothing()

    def _nothing(self) -> Listed | None:
        return {} if self._repository is Repository.IMAGE else None

    @contextlib.contextmanager
    def _new_keys(self) -> Iterator[changes.Maker]:
        """Keys that go again where the change that needs them comes to nothing."""
        made: dict[str, str] = {}

        def make(label: str) -> tuple[Key, str]:
            signer, name = self.ring.make(label)
            made[signer.public_key.keyid] = name
            return signer.public_key, name

        try:
            yield make
        except (SigningError, DiskFullError):
            # Only after these is it certain that no state on the disk names the new keys.
            for keyid in made.keys() - self._state.online.keys():
                self.ring.drop(keyid, made[keyid])
            raise

    def _keep(self, state: State) -> None:
        """Make it durable where it has changed; then keys that no root knows can go."""
        retired = changes.unused(state)
        for keyid in retired:
            state = changes.without(state, keyid)
        if state != self._state:
            states.save(self._disk, state)
            self._state = state
        for keyid, name in retired.items():
            self.ring.drop(keyid, name)
