"""Whether a challenger can take the champion's rows as they are, and answer in its place."""

from fleetloop_shared.manifest import Signature


def why_not_scored(champion: Signature, challenger: Signature) -> str | None:
    """Why the champion's rows say nothing to the challenger, None where they do.

    Their features must be the same, in the same order, with the same categories: a category is a
    number by then. Ranges may differ.
    """
    if champion.task != challenger.task:
        return f"it is a {challenger.task}, the champion a {champion.task}"
    ours = [(f.name, f.categories) for f in champion.features]
    theirs = [(f.name, f.categories) for f in challenger.features]
    if ours != theirs:
        return "it reads other features than the champion, or other categories of them"
    return None


def why_not_split(champion: Signature, challenger: Signature) -> str | None:
    """Why it cannot answer in the champion's place, None where nobody would see a difference."""
    ours = champion.score_name, champion.classes, champion.class_names
    theirs = challenger.score_name, challenger.classes, challenger.class_names
    return None if ours == theirs else "its answers are other classes than the champion's"
