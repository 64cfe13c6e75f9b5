"""Writes the inputs of a draft: what was seen of each column, and what that may mean."""

from fleetloop_hub.drafting import toml_text, words
from fleetloop_hub.drafting.facts import Facts
from fleetloop_hub.drafting.roles import Input, Roles
from fleetloop_hub.drafting.toml_text import comment, pair, raw

_SHOWN_TEXT = 20


def features(roles: Roles) -> list[str]:
    """Each input with what was seen of it, and what is not used."""
    lines = comment(
        "The model's inputs, in this order. Write low and high where you know what can be true: "
        'rows outside are quarantined, or write outside = "clip" or "missing". What was seen '
        "stands in comments, since it is no proof of what can be. A missing value becomes the "
        '"median" of training unless missing says "mean", "constant" (with fill) or "quarantine".'
    )
    left = [f"{name!r} {why}" for name, why in roles.left_out]
    if left:
        lines += comment(f"Not used: {'; '.join(left[:20])}{'; …' if len(left) > 20 else ''}.")  # noqa: PLR2004  # enough to see
    for item in roles.inputs:
        lines += ["", "[[features]]", *_feature(item)]
    return lines


def _feature(item: Input) -> list[str]:
    facts = item.facts
    lines = pair("name", facts.name)
    if facts.missing:
        lines = pair("name", facts.name, f"missing in {facts.missing / facts.rows:.1%} of the rows")
    if item.kind == "category":
        names = sorted(name for name, _ in facts.values)
        if facts.whole:
            names.sort(key=float)
        lines += pair("kind", "category", item.why)
        return lines + pair("categories", names, 'others become "other"; or unseen = "quarantine"')
    if unit := words.unit(facts.name):
        lines += pair("unit", unit, "by its name")
    if facts.texts:
        odd = ", ".join(repr(text[:_SHOWN_TEXT]) for text in facts.texts)
        lines += comment(f"Some rows hold {odd}, which is no number; see `fleetloop check`.")
    low, high, why = words.bounds(facts.name)
    if why and (low is None or facts.low >= low) and (high is None or facts.high <= high):
        ends = [("low", low), ("high", high)]
        return lines + [t for key, end in ends if end is not None for t in pair(key, end, why)]
    if item.why:
        lines += comment(f'{item.why} kind = "category" and categories = {_codes(facts)}')
    return [*lines, f"# low = {facts.low!r}", *raw(f"# high = {facts.high!r}", "as seen")]


def _codes(facts: Facts) -> str:
    return toml_text.value(sorted((name for name, _ in facts.values), key=float))


def rules() -> list[str]:
    """Where checks across columns would stand."""
    return [
        *comment("Checks across the columns of a row; such a row is quarantined, with the name:"),
        "# [[rules]]",
        '# name = "min-below-max"',
        '# check = "low_column <= high_column"',
    ]
