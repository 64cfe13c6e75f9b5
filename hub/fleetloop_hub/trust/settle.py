"""Brings one repository up to date: signs what the hub's keys can, publishes what is complete.

Pure: from what is kept to what is to be kept, with a clock that is passed in. It may run at any
time and any number of times; where nothing is due it returns what it was given.

1. A root that is about to expire gets a successor, and the hub's keys sign what they may of it.
2. Where another list is wanted, the list is about to expire, or the next root has other keys for
   it, there is a next list, signed likewise.
3. A next root is published once the root before it and itself are satisfied, and only together
   with a list that it accepts; a next list once its root's threshold is reached.
4. Snapshot and timestamp follow what is published, and are signed anew at half of their life.
"""

from msgspec.structs import replace
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from fleetloop_hub.config import Lives
from fleetloop_hub.trust import documents as d
from fleetloop_hub.trust.documents import Listed, Signers
from fleetloop_hub.trust.state import State
from fleetloop_hub.trust.terms import Role
from fleetloop_shared.ids import sha256_hex


def settle(
    state: State, wanted: Listed | None, signers: Signers, now: float, lives: Lives
) -> State:
    """The repository as it should be now.

    Args:
        state: As it is.
        wanted: What should be listed; None for a repository without a list of its own.
        signers: The keys that lie on the hub.
        now: Unix seconds.
        lives: How long what is signed holds.
    """
    state = _next_root(state, signers, now, lives)
    if wanted is not None:
        state = _next_targets(state, wanted, signers, now, lives)
    state = _publish(state, has_list=wanted is not None)
    return _follow(state, signers, now, lives) if state.targets else state


def current_root(state: State) -> Root:
    """The root that is published."""
    return d.read(state.roots[-1], Root).signed


def coming_root(state: State) -> Root:
    """The root that waits for signatures, or else the one that is published."""
    return d.read(state.next_root, Root).signed if state.next_root else current_root(state)


def needs_people(state: State, root: Root, role: Role) -> bool:
    """Whether the hub's keys alone are too few to sign `role`."""
    online = [keyid for keyid in root.roles[role].keyids if keyid in state.online]
    return len(online) < root.roles[role].threshold


def _next_root(state: State, signers: Signers, now: float, lives: Lives) -> State:
    current, coming = current_root(state), coming_root(state)
    people = needs_people(state, coming, Role.ROOT) or needs_people(state, current, Role.ROOT)
    if lives.is_due(d.expires_at(coming), lives.root_s, now, people=people):
        coming.version, coming.expires = current.version + 1, d.date(now + lives.root_s)
        state = replace(state, next_root=d.text_of(Metadata(coming)))
    if not state.next_root:
        return state
    waiting = d.read(state.next_root, Root)
    own = [*d.signers_of(current, Role.ROOT, signers), *d.signers_of(coming, Role.ROOT, signers)]
    return replace(state, next_root=d.text_of(d.with_signatures(waiting, own)))


def _next_targets(
    state: State, wanted: Listed, signers: Signers, now: float, lives: Lives
) -> State:
    root = coming_root(state)
    people = needs_people(state, root, Role.TARGETS)

    def serves(text: str) -> bool:
        """Whether a list says what is wanted, for long enough."""
        if not text:
            return False
        targets = d.read(text, Targets).signed
        until, life_s = d.expires_at(targets), lives.image_targets_s
        return d.listed_in(targets) == dict(wanted) and not lives.is_due(
            until, life_s, now, people=people
        )

    if serves(state.targets) and d.is_signed(root, Role.TARGETS, d.read(state.targets, Targets)):
        return replace(state, next_targets="")
    if not serves(state.next_targets):
        version = state.targets_version + 1
        made = d.make_targets(version, now + lives.image_targets_s, wanted)
        state = replace(state, next_targets=d.text_of(made), targets_version=version)
    waiting = d.read(state.next_targets, Targets)
    own = d.signers_of(root, Role.TARGETS, signers)
    return replace(state, next_targets=d.text_of(d.with_signatures(waiting, own)))


def _publish(state: State, *, has_list: bool) -> State:
    """Move what is signed in full from next to current."""
    if state.next_root:
        root = d.read(state.next_root, Root)
        fitting = [
            text
            for text in (state.next_targets, state.targets)
            if text and d.is_signed(root.signed, Role.TARGETS, d.read(text, Targets))
        ]
        if d.follows(root, current_root(state)) and (fitting or not has_list):
            state = replace(state, roots=[*state.roots, state.next_root], next_root="")
            if fitting:
                state = _published(state, fitting[0])
    if state.next_targets:
        waiting = d.read(state.next_targets, Targets)
        if d.is_signed(current_root(state), Role.TARGETS, waiting):
            state = _published(state, state.next_targets)
    return state


def _published(state: State, targets: str) -> State:
    waiting = "" if targets == state.next_targets else state.next_targets
    return replace(state, targets=targets, next_targets=waiting)


def _follow(state: State, signers: Signers, now: float, lives: Lives) -> State:
    """Snapshot and timestamp for what is published, signed anew where they are due."""
    root = current_root(state)
    if state.timestamp and not _is_stale(state, root, now, lives):
        return state
    version = 1
    if state.timestamp:
        version += d.read(state.timestamp, Timestamp).signed.version
    snapshot, timestamp = sign_heads(root, signers, version, state.targets, now, lives)
    return replace(state, snapshot=snapshot, timestamp=timestamp)


def sign_heads(  # noqa: PLR0913, PLR0917  # a signing is all of these
    root: Root, signers: Signers, version: int, targets: str, now: float, lives: Lives
) -> tuple[str, str]:
    """Snapshot and timestamp over a list, as texts, both of this version."""
    snapshot = d.text_of(
        d.with_signatures(
            d.make_snapshot(version, now + lives.snapshot_s, targets),
            d.signers_of(root, Role.SNAPSHOT, signers),
        )
    )
    timestamp = d.text_of(
        d.with_signatures(
            d.make_timestamp(version, now + lives.timestamp_s, snapshot, now),
            d.signers_of(root, Role.TIMESTAMP, signers),
        )
    )
    return snapshot, timestamp


def _is_stale(state: State, root: Root, now: float, lives: Lives) -> bool:
    snapshot = d.read(state.snapshot, Snapshot)
    timestamp = d.read(state.timestamp, Timestamp)
    named = snapshot.signed.meta["targets.json"].hashes or {}
    return (
        lives.is_overlong(d.expires_at(timestamp.signed), now)
        or lives.is_due(d.expires_at(timestamp.signed), lives.timestamp_s, now, people=False)
        or lives.is_due(d.expires_at(snapshot.signed), lives.snapshot_s, now, people=False)
        or named.get("sha256") != sha256_hex(state.targets.encode())
        or not d.is_signed(root, Role.SNAPSHOT, snapshot)
        or not d.is_signed(root, Role.TIMESTAMP, timestamp)
    )
