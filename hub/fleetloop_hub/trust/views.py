"""Makes what people see of the repositories: keys, what waits for signatures, what expires."""

from collections.abc import Iterable
from datetime import UTC, datetime

from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from fleetloop_hub.config import DAY_S, Lives
from fleetloop_hub.trust import documents as d
from fleetloop_hub.trust.settle import coming_root, current_root, needs_people
from fleetloop_hub.trust.shown import KeyView, Threshold, TrustView, Waiting
from fleetloop_hub.trust.state import State
from fleetloop_hub.trust.terms import Repository, Role


def view(states: Iterable[State], lives: Lives, now: float) -> TrustView:
    """What people see of these repositories."""
    keys: list[KeyView] = []
    thresholds: list[Threshold] = []
    waiting: list[Waiting] = []
    for state in states:
        keys += _keys(state)
        thresholds += _thresholds(state)
        waiting += _waiting(state)
    notices = [
        f"{w.repository} {w.role} version {w.version} waits for signatures, it has {w.progress}: "
        f"fleetloop keys sign --key FILE ({', '.join(w.missing)})"
        for w in waiting
        if w.missing
    ]
    notices += [
        _ending(t.repository, t.role, t.expires_at, now)
        for t in thresholds
        if t.by_people and t.expires_at is not None and t.expires_at - now < lives.announce_s
    ]
    return TrustView(keys=keys, thresholds=thresholds, waiting=waiting, notices=notices)


def _ending(repository: Repository, role: Role, expires_at: float, now: float) -> str:
    day = datetime.fromtimestamp(expires_at, UTC).date().isoformat()
    left_s = expires_at - now
    if left_s <= 0:
        return (
            f"{repository} {role} has expired on {day}: devices install nothing until people have "
            "signed it anew; they go on serving"
        )
    return f"{repository} {role} expires on {day}, in {left_s / DAY_S:.0f} days: people must sign"


def _keys(state: State) -> list[KeyView]:
    current, coming = current_root(state), coming_root(state)
    found = []
    for keyid in {**current.keys, **coming.keys}:
        now_in, then_in = keyid in current.keys, keyid in coming.keys
        root = coming if then_in else current
        name = state.online.get(keyid) or state.people.get(keyid, "")
        found.append(
            KeyView(
                repository=state.repository,
                roles=[role for role in Role if keyid in root.roles[role].keyids],
                keyid=keyid,
                name=name,
                where=f"hub, keys/{name}.pem" if keyid in state.online else "a person",
                standing=(
                    "in use"
                    if now_in and then_in
                    else "comes with the next root"
                    if then_in
                    else "goes with the next root"
                ),
            )
        )
    return found


def _thresholds(state: State) -> list[Threshold]:
    root = current_root(state)
    ends: dict[Role, float | None] = {Role.ROOT: d.expires_at(root)}
    if state.targets:
        ends[Role.TARGETS] = d.expires_at(d.read(state.targets, Targets).signed)
        ends[Role.SNAPSHOT] = d.expires_at(d.read(state.snapshot, Snapshot).signed)
        ends[Role.TIMESTAMP] = d.expires_at(d.read(state.timestamp, Timestamp).signed)
    return [
        Threshold(
            repository=state.repository,
            role=role,
            threshold=root.roles[role].threshold,
            keys=len(root.roles[role].keyids),
            by_people=needs_people(state, root, role),
            expires_at=ends.get(role),
        )
        for role in Role
    ]


def _waiting(state: State) -> list[Waiting]:
    found = []
    if state.next_root:
        root = d.read(state.next_root, Root)
        roots = [current_root(state), root.signed]
        found.append(_one(state, Role.ROOT, root, state.next_root, roots))
    if state.next_targets:
        targets = d.read(state.next_targets, Targets)
        roots = [coming_root(state)]
        found.append(_one(state, Role.TARGETS, targets, state.next_targets, roots))
    return found


def _one(
    state: State, role: Role, metadata: Metadata[d.S], text: str, roots: list[Root]
) -> Waiting:
    counts: list[str] = []
    missing: dict[str, str] = {}
    for root in roots:
        have, needed = d.signed_by(root, role, metadata), root.roles[role].threshold
        counts.append(f"{len(have)} of {needed}")
        if len(have) < needed:
            left = [keyid for keyid in root.roles[role].keyids if keyid not in have]
            missing |= {k: state.people.get(k, k[:8]) for k in left if k not in state.revoked}
    same = len(roots) == 1 or roots[0].roles[role] == roots[1].roles[role]
    progress = counts[0] if same else f"{counts[0]} of the keys before, {counts[1]} of the next"
    before = {Role.ROOT: state.roots[-1], Role.TARGETS: state.targets}[role]
    return Waiting(
        repository=state.repository,
        role=role,
        version=metadata.signed.version,
        text=text,
        before=before,
        roots=state.roots,
        progress=progress,
        missing=list(missing.values()),
        missing_ids=list(missing),
    )
