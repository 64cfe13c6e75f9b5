"""Other keys for a repository: the next root, built on the one before; pure but for new keys."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace
from securesystemslib.signer import CryptoSigner, Key, Signature
from tuf.api.metadata import Metadata, Root, Targets

from fleetloop_hub.config import Lives
from fleetloop_hub.errors import SigningError
from fleetloop_hub.trust import documents as d
from fleetloop_hub.trust.settle import coming_root, current_root, needs_people
from fleetloop_hub.trust.state import State
from fleetloop_hub.trust.terms import PEOPLE_ROLES, Repository, Role

Maker = Callable[[str], tuple[Key, str]]
"""Makes a key that lies on the hub, from what it is for; returns its public half and its name."""


@dataclass(frozen=True)
class People:
    """Keys that people hold.

    Attributes:
        keys: Public halves, by the name of the key.
        threshold: How many of them must sign.
        signers: Private halves, where they are at hand: when everything is made for the first time.
    """

    keys: Mapping[str, Key]
    threshold: int
    signers: Sequence[CryptoSigner] = ()

    @property
    def names(self) -> dict[str, str]:
        """The names of the keys, by key id."""
        return {key.keyid: name for name, key in self.keys.items()}


def first(
    repository: Repository, make: Maker, people: People | None, now: float, lives: Lives
) -> State:
    """A repository with a root that is not signed yet.

    Args:
        repository: Which.
        make: Makes keys.
        people: Who signs what people may sign, None to have all keys on the hub.
        now: Unix seconds.
        lives: How long what is signed holds.

    Raises:
        SigningError: The threshold of the people cannot be reached.
    """
    root = Root(version=1, expires=d.date(now + lives.root_s), consistent_snapshot=False)
    theirs = PEOPLE_ROLES[repository] if people else ()
    names = {}
    if people:
        _give(root, theirs, people)
        names = people.names
    online = _on_hub(root, [role for role in Role if role not in theirs], repository, make)
    roots = [d.text_of(Metadata(root))]
    return State(repository=repository, online=online, people=names, roots=roots)


def _give(root: Root, roles: Sequence[Role], people: People) -> None:
    """Let people's keys, and no others, sign these roles."""
    keys, threshold = list(people.keys.values()), people.threshold
    if not 1 <= threshold <= len(keys) or len({key.keyid for key in keys}) != len(keys):
        raise SigningError(
            f"{threshold} of {len(keys)} keys cannot be asked for: write --threshold 2 --of 3"
        )
    for role in roles:
        _replace(root, role, keys)
        root.roles[role].threshold = threshold


def rotate(state: State, make: Maker, now: float, lives: Lives) -> State:
    """New keys for every role that the hub signs alone; what people sign keeps its keys."""
    root = _successor(state, now, lives)
    own = [role for role in Role if not needs_people(state, root, role)]
    online = state.online | _on_hub(root, own, state.repository, make)
    return _waiting(replace(state, online=online), root)


def hand_over(state: State, people: People, make: Maker, now: float, lives: Lives) -> State:
    """Give people what they may sign; the hub's other keys are made anew too.

    Raises:
        SigningError: The threshold cannot be reached.
    """
    theirs = PEOPLE_ROLES[state.repository]
    root = _successor(state, now, lives)
    _give(root, theirs, people)
    own = [role for role in Role if role not in theirs]
    online = state.online | _on_hub(root, own, state.repository, make)
    return _waiting(replace(state, online=online, people=state.people | people.names), root)


def take_back(state: State, make: Maker, now: float, lives: Lives) -> State:
    """Let keys on the hub sign everything; whoever signs the root now must sign this once more."""
    root = _successor(state, now, lives)
    online = state.online | _on_hub(root, list(Role), state.repository, make)
    return _waiting(replace(state, online=online), root)


def revoke(state: State, keyid: str, make: Maker, now: float, lives: Lives) -> State:
    """Take one key out: a key on the hub is replaced, one that a person holds is not.

    Raises:
        SigningError: It is not in use, or too few would be left to sign.
    """
    root = _successor(state, now, lives)
    roles = [role for role in Role if keyid in root.roles[role].keyids]
    if not roles:
        raise SigningError(f"no key {keyid} is in use: see `fleetloop keys list`")
    online = dict(state.online)
    for role in roles:
        left = [key for key in d.keys_of(root, role) if key.keyid != keyid]
        if keyid in state.online:
            key, name = make(f"{state.repository}-{role}")
            online[key.keyid] = name
            left.append(key)
        threshold = root.roles[role].threshold
        if len(left) < threshold:
            raise SigningError(
                f"without {keyid[:8]} there are {len(left)} keys for {state.repository} {role}, "
                f"where {threshold} must sign: give it new ones with `fleetloop keys rotate "
                f"{state.repository} --threshold {threshold} --of N --out FOLDER`"
            )
        _replace(root, role, left)
    revoked = state.revoked | {keyid: now}
    state = replace(state, online=online, revoked=revoked, next_targets=_unsigned(state, keyid))
    return _waiting(state, root)


def with_signature(state: State, role: Role, version: int, signature: Signature) -> State:
    """What waits for signatures, with one more.

    Raises:
        SigningError: Nothing of that kind waits, the key may not sign it, or the signature does
            not verify.
    """
    if role is Role.ROOT and state.next_root:
        root = d.read(state.next_root, Root)
        _add(state, role, root, version, signature)
        return replace(state, next_root=d.text_of(root))
    if role is Role.TARGETS and state.next_targets:
        targets = d.read(state.next_targets, Targets)
        _add(state, role, targets, version, signature)
        return replace(state, next_targets=d.text_of(targets))
    raise _not_waiting(state, role, version)


def _not_waiting(state: State, role: Role, version: int) -> SigningError:
    return SigningError(
        f"{state.repository} {role} version {version} does not wait for signatures (any more):"
        " see `fleetloop keys list`, and sign what waits now"
    )


def _add(
    state: State, role: Role, metadata: Metadata[d.S], version: int, signature: Signature
) -> None:
    if metadata.signed.version != version:
        raise _not_waiting(state, role, version)
    roots = [coming_root(state)] + ([current_root(state)] if role is Role.ROOT else [])
    known = {key.keyid: key for root in roots for key in d.keys_of(root, role)}
    key = known.get(signature.keyid)
    if key is None:
        raise SigningError(
            f"key {signature.keyid[:8]} may not sign {state.repository} {role}: nothing was taken"
        )
    if not d.verifies(key, signature, metadata):
        raise SigningError(
            f"the signature of key {signature.keyid[:8]} does not verify: nothing was taken; "
            "sign again what waits now"
        )
    metadata.signatures[signature.keyid] = signature


def without(state: State, keyid: str) -> State:
    """The same without one key on the hub."""
    online = {other: name for other, name in state.online.items() if other != keyid}
    return replace(state, online=online)


def unused(state: State) -> dict[str, str]:
    """Names of the keys on the hub that neither the current nor the coming root knows, by id."""
    known = current_root(state).keys.keys() | coming_root(state).keys.keys()
    return {keyid: name for keyid, name in state.online.items() if keyid not in known}


def _unsigned(state: State, keyid: str) -> str:
    """The list that waits, without the signature of one key."""
    if not state.next_targets:
        return ""
    waiting = d.read(state.next_targets, Targets)
    waiting.signatures.pop(keyid, None)
    return d.text_of(waiting)


def _successor(state: State, now: float, lives: Lives) -> Root:
    """The root that comes next, to be changed: all that already waits is in it."""
    root = coming_root(state)
    root.version, root.expires = current_root(state).version + 1, d.date(now + lives.root_s)
    return root


def _replace(root: Root, role: Role, keys: Sequence[Key]) -> None:
    for keyid in list(root.roles[role].keyids):
        root.revoke_key(keyid, role)
    for key in keys:
        root.add_key(key, role)


def _on_hub(
    root: Root, roles: Sequence[Role], repository: Repository, make: Maker
) -> dict[str, str]:
    """Give each of these roles one new key on the hub; returns their names, by key id."""
    online = {}
    for role in roles:
        key, name = make(f"{repository}-{role}")
        online[key.keyid] = name
        _replace(root, role, [key])
        root.roles[role].threshold = 1
    return online


def _waiting(state: State, root: Root) -> State:
    return replace(state, next_root=d.text_of(Metadata(root)))
