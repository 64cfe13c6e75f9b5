"""The two repositories of this device: what exists, and what it should run."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from fleetloop_agent import sealed
from fleetloop_agent.ports import Clock
from fleetloop_agent.trust.belief import Belief, listed
from fleetloop_agent.trust.refresh import refresh
from fleetloop_shared.codec import decode, decode_compressed
from fleetloop_shared.durable import Disk
from fleetloop_shared.errors import (
    FreezeError,
    MixAndMatchError,
    SignatureError,
    WrongCohortError,
)
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.messages import DesiredState, EnrolAnswer, Release
from fleetloop_shared.trust import Bundle, desired_target, manifest_target

IMAGE, DIRECTOR = Path("trust/image"), Path("trust/director")


class Trust:
    """What this device believes. A bundle is believed in memory first, and durable after `keep`.

    Attributes:
        damage: What was found torn or changed on the disk, in words.
    """

    def __init__(self, identity: EnrolAnswer, disk: Disk, clock: Clock) -> None:
        """Read what is believed.

        Args:
            identity: Cohort and pinned roots.
            disk: The state folder.
            clock: The wall clock, which may be wrong.
        """
        self._identity, self._disk, self._clock = identity, disk, clock
        self.damage: list[str] = []
        self._alone: set[Path] = set()
        self._image = self._kept_image = self._load(IMAGE)
        self._director = self._kept_director = self._load(DIRECTOR)

    @property
    def image(self) -> Belief:
        """What exists."""
        return self._image

    @property
    def director(self) -> Belief:
        """What this device should run."""
        return self._director

    @property
    def durable(self) -> tuple[Belief, Belief]:
        """What exists and what to run, as far as no power cut undoes it: what may be told."""
        return self._kept_image, self._kept_director

    @property
    def time_floor(self) -> float:
        """It was this late at least, Unix seconds, by what was signed."""
        return max(self._image.time_floor, self._director.time_floor)

    @property
    def trusted_until(self) -> float | None:
        """When the first of what is believed expires, None while a repository is not known."""
        if not (self._image.root and self._director.root):
            return None
        return min(self._image.expires_at, self._director.expires_at)

    def now(self) -> float:
        """Unix seconds: the clock's, or the time floor where the clock is behind it."""
        return max(self._clock.now(), self.time_floor)

    def desired(self) -> DesiredState | None:
        """The desired state of the believed director bundle."""
        text = self._director.desired
        return decode(text.encode(), DesiredState) if text else None

    def take_image(self, payload: bytes) -> bool:
        """Believe an image bundle.

        Returns:
            Whether other files are listed now.

        Raises:
            RefusedError: A check has failed; nothing has changed.
            DiskFullError: No room to check it.
        """
        name = sha256_hex(payload)
        if name == self._image.bundle:
            return False
        bundle = decode_compressed(payload, Bundle)
        moved = refresh(self._image, self._identity.image_root, bundle, self.now())
        changed = moved.targets != self._image.targets
        self._image = msgspec.structs.replace(moved, bundle=name)
        return changed

    def take_director(
        self, payload: bytes, check: Callable[[DesiredState, bool], None]
    ) -> DesiredState | None:
        """Believe a director bundle.

        Args:
            payload: The message.
            check: Raises `RefusedError` where this device may not follow the desired state; told
                with it is whether the director has a newer root than the believed one.

        Returns:
            The desired state, None where the bundle is the believed one.

        Raises:
            RefusedError: A check has failed; nothing has changed.
            DiskFullError: No room to check it.
        """
        name = sha256_hex(payload)
        if name == self._director.bundle:
            return None
        bundle = decode_compressed(payload, Bundle)
        moved = refresh(self._director, self._identity.director_root, bundle, self.now())
        text = self._stated(moved, bundle)
        desired = decode(text.encode(), DesiredState)
        check(desired, bool(self._director.root) and moved.root != self._director.root)
        self._director = msgspec.structs.replace(moved, bundle=name, desired=text)
        return desired

    def keep(self) -> None:
        """Make durable what is believed; writes nothing where nothing has changed.

        Raises:
            DiskFullError: No room; what was durable stands.
        """
        if self._image is not self._kept_image or IMAGE in self._alone:
            self._image = self._kept_image = self._save(IMAGE, self._image)
        if self._director is not self._kept_director or DIRECTOR in self._alone:
            self._director = self._kept_director = self._save(DIRECTOR, self._director)

    def lists(self, release: Release) -> bool:
        """Whether the image repository lists the release's manifest, under this length and hash.

        Raises:
            MixAndMatchError: It lists another one under this name.
        """
        found = listed(self._image, manifest_target(release.model, release.version))
        if found is None:
            return False
        if found != (release.manifest_bytes, release.manifest_sha256):
            raise MixAndMatchError(
                f"director and image repository name different files for {release.model}"
                f" {release.version}"
            )
        return True

    def check_fresh(self) -> None:
        """See that nothing believed has expired.

        Raises:
            FreezeError: Something has; nothing may be installed on its word.
        """
        until = self.trusted_until
        if until is not None and until < self.now():
            late_s = self.now() - until
            raise FreezeError(
                f"what was signed has expired {late_s:,.0f} s ago and nothing newer has come:"
                " nothing is installed, and what is served stays; see that the hub runs and that"
                " this device's clock is right"
            )

    def _save(self, folder: Path, belief: Belief) -> Belief:
        saved = sealed.save_both(self._disk, folder, belief)
        self._alone.discard(folder)
        return saved

    def _stated(self, moved: Belief, bundle: Bundle) -> str:
        path = desired_target(self._identity.cohort)
        entry = listed(moved, path)
        if entry is None:
            raise WrongCohortError(f"a statement that is not for cohort {self._identity.cohort}")
        text = bundle.files.get(path, "")
        data = text.encode()
        if (len(data), sha256_hex(data)) != entry:
            raise MixAndMatchError("the desired state is not the one that the director has signed")
        return text

    def _load(self, folder: Path) -> Belief:
        copies = sealed.load(self._disk, folder, Belief)
        newest, older = copies.newest or Belief(), copies.older or Belief()
        self.damage += copies.damage
        if newest.bundle != older.bundle:
            self._alone.add(folder)
        return newest


def unlisted(release: Release) -> SignatureError:
    """The refusal of a release that the image repository does not know."""
    return SignatureError(
        f"the director names {release.model} {release.version}, and the image repository lists no"
        " such file"
    )
