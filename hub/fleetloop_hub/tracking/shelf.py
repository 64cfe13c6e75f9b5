"""What people do with versions: name, tag and archive them, and give up old ones."""

import re
from contextlib import AbstractContextManager

from msgspec.structs import replace

from fleetloop_hub.errors import AbsentError, GateError
from fleetloop_hub.fleet_records import Cohort, Rollout
from fleetloop_hub.ports import Blobs, Catalog, Telemetry
from fleetloop_hub.records import Alias, Run, Version, VersionState
from fleetloop_hub.tracking.needed import Facts, reasons
from fleetloop_hub.tracking.registry import CHAMPION, PREVIOUS
from fleetloop_hub.tracking.retention import Retained, retain
from fleetloop_hub.tracking.unknown import no_version
from fleetloop_shared.codec import decode
from fleetloop_shared.messages import ReportedState

_NAME = re.compile("[a-z][a-z0-9-]{0,31}")
_TAG = re.compile("[a-z][a-z0-9_.-]{0,63}")
_TAG_CHARS = 500
_MOST_TAGS = 50


class Shelf:
    """The versions of every model, as people keep them. Safe to be called from many threads."""

    def __init__(
        self,
        catalog: Catalog,
        telemetry: Telemetry,
        blobs: Blobs,
        held: AbstractContextManager[object],
    ) -> None:
        """Nothing is changed yet.

        Args:
            catalog: Every record.
            telemetry: What devices report.
            blobs: The content.
            held: While it is held, the hub does nothing of itself.
        """
        self._catalog, self._telemetry, self._blobs = catalog, telemetry, blobs
        self._held = held

    def find(self, model: str, number: int) -> Version:
        """A version.

        Raises:
            AbsentError: There is none of that number.
        """
        version = self._catalog.find(Version, f"{model}/{number}")
        if version is None:
            raise no_version(self._catalog, model, number)
        return version

    def aliases(self, version: Version) -> list[str]:
        """What a version is called beside its number."""
        return sorted(
            alias.key.partition("/")[2]
            for alias in self._catalog.all(Alias)
            if alias.key.startswith(f"{version.model}/") and alias.version == version.number
        )

    def alias(self, model: str, number: int, name: str) -> Alias:
        """Let a name mean this version, whatever it meant before.

        Raises:
            AbsentError: No such version.
            GateError: It is deleted, or the name is not for people to give.
        """
        if name == CHAMPION:
            raise GateError(
                "the champion is what a rollout has brought to devices: "
                f"fleetloop rollouts start {model}@{number}"
            )
        if _NAME.fullmatch(name) is None:
            raise GateError(f"alias {name[:40]!r}: write letters a-z, digits and dashes, up to 32")
        with self._held:
            self._present(model, number)
            alias = Alias(key=f"{model}/{name}", version=number)
            self._catalog.put(alias)
        return alias

    def tag(self, model: str, number: int, key: str, value: str) -> Version:
        """Note something about a version; an empty value takes the note away.

        Raises:
            AbsentError: No such version.
            GateError: The tag cannot be kept.
        """
        if _TAG.fullmatch(key) is None or len(value) > _TAG_CHARS:
            raise GateError(
                f"tag {key[:40]!r}: write key=value with a key of a-z, 0-9, '_', '.' and '-', and "
                f"a value of at most {_TAG_CHARS} characters"
            )
        with self._held:
            version = self.find(model, number)
            tags = {k: v for k, v in version.tags.items() if k != key}
            if value:
                tags[key] = value
            if len(tags) > _MOST_TAGS:
                raise GateError(f"{version.key} has {_MOST_TAGS} tags already: take one away first")
            tagged = replace(version, tags=tags)
            self._catalog.put(tagged)
        return tagged

    def archive(self, model: str, number: int) -> Version:
        """Put a version aside: it is kept, but nobody can roll it out.

        Raises:
            AbsentError: No such version.
            GateError: It is in use; the text says where.
        """
        with self._held:
            version = self._present(model, number)
            facts = self._facts(model)
            ruling = [a for a in facts.aliases if a.key.endswith((f"/{CHAMPION}", f"/{PREVIOUS}"))]
            used = reasons(
                Facts(
                    versions=[version],
                    aliases=ruling,
                    rollouts=facts.rollouts,
                    cohorts=facts.cohorts,
                    runs=facts.runs,
                    reported=facts.reported,
                )
            )
            if version.key in used:
                raise GateError(f"{version.key} stays: {'; '.join(used[version.key])}")
            archived = replace(version, state=VersionState.ARCHIVED)
            self._catalog.put(archived)
        return archived

    def retain(self, model: str, keep: int, *, delete: bool) -> Retained:
        """Give up all versions but the newest `keep` and those that are needed, or tell which.

        Raises:
            AbsentError: There is no such model.
        """
        with self._held:
            facts = self._facts(model)
            if not facts.versions and not any(run.model == model for run in facts.runs):
                raise AbsentError(f"no model {model[:80]!r} has versions: see `fleetloop models`")
            return retain(self._catalog, self._blobs, facts, model=model, keep=keep, delete=delete)

    def reported(self) -> dict[str, ReportedState]:
        """The last reported state of every device that was ever heard of."""
        return {
            pulse.device: decode(pulse.reported, ReportedState)
            for pulse in self._telemetry.pulses()
            if pulse.reported is not None
        }

    def _present(self, model: str, number: int) -> Version:
        version = self.find(model, number)
        if version.state is VersionState.DELETED:
            raise GateError(f"{version.key} is deleted; only its record is left")
        return version

    def _facts(self, model: str) -> Facts:
        return Facts(
            versions=[v for v in self._catalog.all(Version) if v.model == model],
            aliases=self._catalog.all(Alias),
            rollouts=self._catalog.all(Rollout),
            cohorts=self._catalog.all(Cohort),
            runs=self._catalog.all(Run),
            reported=self.reported(),
        )
