"""Both repositories of a hub: what it tells its devices, signed."""

from collections.abc import Mapping

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Snapshot, Targets, Timestamp

from fleetloop_hub.config import Lives
from fleetloop_hub.errors import GateError, KeyFileError, SigningError
from fleetloop_hub.trust import changes
from fleetloop_hub.trust import documents as d
from fleetloop_hub.trust.changes import People
from fleetloop_hub.trust.keyring import Keyring, NewKey
from fleetloop_hub.trust.offline import public_keys
from fleetloop_hub.trust.repository import Kept
from fleetloop_hub.trust.settle import sign_heads
from fleetloop_hub.trust.shown import PersonSignature, TrustView
from fleetloop_hub.trust.state import State, path_of
from fleetloop_hub.trust.terms import Repository, Role
from fleetloop_hub.trust.views import view
from fleetloop_shared.codec import decode_compressed, encode_compressed
from fleetloop_shared.durable import Disk
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.trust import Bundle, desired_target


class Trust:
    """Image and director; for one thread at a time, the caller holds a lock."""

    def __init__(
        self,
        disk: Disk,
        lives: Lives | None = None,
        new_key: NewKey = CryptoSigner.generate_ed25519,
    ) -> None:
        """Nothing is read yet: see `open`.

        Args:
            disk: The hub's state folder.
            lives: How long what is signed holds.
            new_key: Where keys come from.
        """
        self._lives = lives or Lives()
        self._kept = {
            which: Kept(disk, which, self._lives, Keyring(disk, new_key)) for which in Repository
        }
        self._image, self._director = (self._kept[which] for which in Repository)
        self._bundle: tuple[State, bytes] | None = None

    def open(self, now: float, *, relied_on: bool = False) -> list[str]:
        """Read what is kept, or make what is not there yet; returns what was made.

        Args:
            now: Unix seconds.
            relied_on: Whether there are devices that trust it, so that another one would not do.

        Raises:
            KeyFileError: Something is damaged, or gone while devices rely on it.
            DiskFullError: No room; the next start makes what is missing.
        """
        made: list[str] = []
        for which, kept in self._kept.items():
            if kept.load():
                continue
            if relied_on:
                raise KeyFileError(
                    f"{path_of(which)} is gone, and devices trust what was in it: restore it from a"
                    " copy of the state folder, with the folder keys; without one, these devices "
                    "must enrol anew at a new state folder. They go on serving what they have"
                )
            kept.make(now)
            made.append(which)
        self._director.settle(None, now)
        return made

    def prepare(self, people: People, now: float) -> None:
        """Make both repositories in a fresh state folder, the image's for keys that people hold.

        Raises:
            SigningError: There are repositories already, or the threshold cannot be reached.
            DiskFullError: No room.
        """
        self.check_fresh()
        self._image.make(now, people)
        self._director.make(now)

    def check_fresh(self) -> None:
        """See that nothing was made yet.

        Raises:
            SigningError: There are repositories already.
        """
        if any(kept.load() for kept in self._kept.values()):
            raise SigningError(
                "this state folder has its keys already; give it others, while its hub runs, with "
                "`fleetloop keys rotate image --threshold 2 --of 3 --out FOLDER`"
            )

    # --- what a device pins -----------------------------------------------------------------------

    def root_versions(self) -> tuple[int, int]:
        """The versions of both roots that a device should pin now: image, director."""
        return len(self._image.state.roots), len(self._director.state.roots)

    def pins(self, versions: tuple[int, int]) -> tuple[str, str]:
        """Both roots of these versions, as a device pins them; it follows the others from there."""
        image, director = versions
        return self._image.state.roots[image - 1], self._director.state.roots[director - 1]

    # --- image: what exists -----------------------------------------------------------------------

    def list_files(self, wanted: Mapping[str, tuple[int, str]], now: float) -> bool:
        """Have the image repository list these files and no others, and sign what is due.

        Args:
            wanted: Length and SHA-256 of each manifest, by its path.
            now: Unix seconds.

        Returns:
            Whether something else is published now.

        Raises:
            DiskFullError: No room; what was published stands.
        """
        return self._image.settle(wanted, now)

    def image_bundle(self) -> bytes:
        """What is published of the image repository."""
        state = self._image.state
        if self._bundle is None or self._bundle[0] is not state:
            bundle = Bundle(
                roots=state.roots,
                timestamp=state.timestamp,
                snapshot=state.snapshot,
                targets=state.targets,
            )
            self._bundle = (state, encode_compressed(bundle))
        return self._bundle[1]

    def lists(self, path: str) -> bool:
        """Whether what is published lists this file."""
        targets = d.read(self._image.state.targets, Targets).signed
        return path in targets.targets

    def check_listed(self, path: str, name: str) -> None:
        """See that devices can know of a file.

        Args:
            path: Of its manifest.
            name: What a person calls it.

        Raises:
            GateError: It waits for signatures; the text says whose.
        """
        if self.lists(path):
            return
        waiting = [w for w in self.view(0.0).waiting if w.repository == Repository.IMAGE]
        have = "; ".join(f"{w.role} has {w.progress}" for w in waiting) or "nothing is signed yet"
        raise GateError(
            f"{name} waits for signatures of people before devices may have it ({have}): each of "
            "them runs `fleetloop keys sign --key FILE`; `fleetloop keys list` says whose are "
            "missing. Nothing was changed"
        )

    # --- director: what a cohort should run -------------------------------------------------------

    def renew_director(self, now: float) -> None:
        """Sign the director's root anew where it is due.

        Raises:
            DiskFullError: No room; the root that was published stands.
        """
        self._director.settle(None, now)

    def director_bundle(self, cohort: str, desired: bytes, version: int, now: float) -> bytes:
        """What one cohort should run, signed.

        Args:
            cohort: Whose it is.
            desired: The desired state, encoded.
            version: Of targets, snapshot and timestamp; the caller never uses one twice.
            now: Unix seconds.
        """
        path, lives, signers = desired_target(cohort), self._lives, self._director.ring.signers
        root = self._director.root
        made = d.make_targets(
            version, now + lives.director_targets_s, {path: (len(desired), sha256_hex(desired))}
        )
        targets = d.text_of(d.with_signatures(made, d.signers_of(root, Role.TARGETS, signers)))
        snapshot, timestamp = sign_heads(root, signers, version, targets, now, lives)
        return encode_compressed(
            Bundle(
                roots=self._director.state.roots,
                timestamp=timestamp,
                snapshot=snapshot,
                targets=targets,
                files={path: desired.decode()},
            )
        )

    def is_due(self, payload: bytes, now: float) -> bool:
        """Whether to sign a director bundle anew: it grows old, or the root has changed."""
        bundle, lives = decode_compressed(payload, Bundle), self._lives
        if bundle.roots != self._director.state.roots:
            return True
        timestamp = d.read(bundle.timestamp, Timestamp).signed
        if lives.is_overlong(d.expires_at(timestamp), now):
            return True
        ends = (
            (timestamp, lives.timestamp_s),
            (d.read(bundle.snapshot, Snapshot).signed, lives.snapshot_s),
            (d.read(bundle.targets, Targets).signed, lives.director_targets_s),
        )
        return any(lives.is_due(d.expires_at(s), life, now, people=False) for s, life in ends)

    # --- keys -------------------------------------------------------------------------------------

    def rotate(
        self, which: Repository, people: Mapping[str, str], threshold: int, now: float
    ) -> None:
        """Give a repository new keys.

        Args:
            which: The repository.
            people: Public keys, hexadecimal, by name, that are to sign root and targets (of the
                director: root); empty to make those keys anew that lie on the hub.
            threshold: How many of them must sign.
            now: Unix seconds.

        Raises:
            SigningError: The threshold cannot be reached; nothing has changed.
            DiskFullError: No room; nothing has changed.
        """
        lives = self._lives
        if people:
            new = People(public_keys(people), threshold)
            self._kept[which].change(lambda s, m: changes.hand_over(s, new, m, now, lives), now)
        else:
            self._kept[which].change(lambda s, m: changes.rotate(s, m, now, lives), now)

    def take_back(self, which: Repository, now: float) -> None:
        """Let keys on the hub sign everything again.

        Raises:
            DiskFullError: No room; nothing has changed.
        """
        lives = self._lives
        self._kept[which].change(lambda s, m: changes.take_back(s, m, now, lives), now)

    def revoke(self, keyid: str, now: float) -> Repository:
        """Take a key out; returns of which repository.

        Args:
            keyid: Its id, or how it begins.
            now: Unix seconds.

        Raises:
            SigningError: It is not in use, or too few would be left to sign.
            DiskFullError: No room; nothing has changed.
        """
        found = {
            (which, full)
            for which, kept in self._kept.items()
            for root in (kept.root, kept.coming)
            for full in root.keys
            if len(keyid) >= _FEWEST_DIGITS and full.startswith(keyid)
        }
        if len(found) != 1:
            raise SigningError(f"{keyid!r} names no key that is in use: see `fleetloop keys list`")
        which, full = found.pop()
        lives = self._lives
        self._kept[which].change(lambda s, m: changes.revoke(s, full, m, now, lives), now)
        return which

    def sign(self, signature: PersonSignature, now: float) -> None:
        """Take a person's signature over what waits.

        Raises:
            SigningError: Nothing of that kind waits, the key may not sign it, or the signature
                does not verify; nothing has changed.
            DiskFullError: No room; nothing has changed.
        """
        self._kept[signature.repository].sign(signature, now)

    def view(self, now: float) -> TrustView:
        """Which keys there are, what waits for signatures, what expires when; needs no lock."""
        return view([kept.state for kept in self._kept.values()], self._lives, now)


_FEWEST_DIGITS = 8
