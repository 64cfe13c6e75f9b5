"""From evidence to a decision, as a pure function that can say why, and why not otherwise.

Many devices that see the same drift are a changed world; one among many is a device with a broken
sensor, and nothing is trained on that. Where the devices' profiles tell who has moved, that is
believed; where they do not yet, the devices that see drift are counted. The table of rules is in
`rules`, what still holds something up in `blockers`.
"""

from fleetloop_hub.decision_records import Alternative
from fleetloop_hub.records import Verdict
from fleetloop_hub.retraining.advice import Advice, Finding
from fleetloop_hub.retraining.blockers import blocker
from fleetloop_hub.retraining.evidence import Evidence
from fleetloop_hub.retraining.rules import RULES, Claim, Rule
from fleetloop_hub.retraining.sight import Sight
from fleetloop_hub.spec.retrain_table import RetrainTable

_Said = tuple[Rule, Claim, str | None]


def decide(evidence: Evidence, policy: RetrainTable, *, trainable: bool = True) -> Advice:
    """What the evidence asks for under this policy.

    The weightiest rule that applies and is not held up wins; where only such as are held up ask
    for something to be done, the weightiest of them waits.

    Args:
        evidence: What has been seen.
        policy: When and on what the model is trained anew.
        trainable: Whether there is something to train; an imported model has its trainer elsewhere.
    """
    sight = Sight(evidence, policy)
    said: list[_Said] = []
    for rule in RULES:
        claim = rule.claim(sight)
        if claim is not None:
            held_up = blocker(rule, evidence, policy, trainable=trainable)
            said.append((rule, claim, held_up))
    deeds = [s for s in said if s[0].asks is not Verdict.WAIT]
    chosen = next((s for s in deeds if s[2] is None), said[0])
    rule, claim, held_up = chosen
    return Advice(
        finding=_finding(evidence, chosen),
        verdict=rule.asks if held_up is None else Verdict.WAIT,
        trigger=rule.trigger,
        reasons=_reasons(evidence, chosen),
        devices=claim.devices,
        numbers=sight.numbers,
        alternatives=_alternatives(sight, said, chosen),
        rule=rule.name,
        version=claim.version,
    )


def standing(evidence: Evidence, policy: RetrainTable) -> frozenset[str]:
    """The triggers of a retraining that the evidence sets off, held up or not."""
    sight = Sight(evidence, policy)
    asking = [rule for rule in RULES if rule.asks is Verdict.RETRAIN]
    return frozenset(str(rule.trigger) for rule in asking if rule.claim(sight) is not None)


def _finding(evidence: Evidence, chosen: _Said) -> Finding:
    _, claim, held_up = chosen
    if held_up is None:
        return claim.finding
    return Finding.LEARNED if held_up == evidence.learned else Finding.NOT_YET


def _reasons(evidence: Evidence, chosen: _Said) -> list[str]:
    rule, claim, held_up = chosen
    if held_up is None:
        labels = [f"{evidence.unlearned:,} new labelled rows to learn from"]
        return claim.reasons + (labels if rule.asks is Verdict.RETRAIN else [])
    if held_up == evidence.learned:
        return [*claim.reasons, held_up]
    return [f"{claim.reasons[0]}; {held_up}", *claim.reasons[1:]]


def _alternatives(sight: Sight, said: list[_Said], chosen: _Said) -> list[Alternative]:
    """Every rule that asks for something else, and one sentence for each deed none asks for."""
    done = chosen[0].asks if chosen[2] is None else Verdict.WAIT
    found = [
        Alternative(verdict=rule.asks, text=_why_not(rule, claim, held_up, chosen[0]))
        for rule, claim, held_up in said
        if rule.asks is not Verdict.WAIT and (rule is not chosen[0] or held_up is not None)
    ]
    named = {alternative.verdict for alternative in found} | {done}
    if done is not Verdict.WAIT:
        text = f"nothing is waited for, and it would leave this as it is: {chosen[1].reasons[0]}"
        found.append(Alternative(verdict=Verdict.WAIT, text=text))
    return found + [
        Alternative(verdict=verdict, text=text)
        for verdict, text in _unasked(sight).items()
        if verdict not in named
    ]


def _why_not(rule: Rule, claim: Claim, held_up: str | None, winner: Rule) -> str:
    why = held_up if held_up is not None else f"{winner.name!r} weighs more"
    return f"{rule.name}: {claim.reasons[0]}; {why}"


def _unasked(sight: Sight) -> dict[Verdict, str]:
    """Why a deed that no rule asks for is not done."""
    evidence = sight.evidence
    labels = "no labels tell how good the model is"
    if evidence.loss is not None:
        labels = evidence.loss.text
    estimated = evidence.estimated
    refused = "" if estimated is None or not estimated.refused else estimated.refused
    return {
        Verdict.RETRAIN: f"{sight.seen}; {labels}"
        + (f"; nothing is estimated: {refused}" if refused else ""),
        Verdict.INVESTIGATE: "no device and no cohort stands apart from the others",
        Verdict.ROLL_BACK: _not_back(evidence, labels),
    }


def _not_back(evidence: Evidence, labels: str) -> str:
    before = evidence.predecessor
    if before is None:
        return f"no earlier version was proven better: {labels}"
    if before.hindrance:
        return f"version {before.version} cannot take over: {before.hindrance}"
    return (
        f"version {before.version} was not proven better on the same {before.rows:,} rows: "
        f"{before.value:.3f} against {before.champion_value:.3f}"
    )
