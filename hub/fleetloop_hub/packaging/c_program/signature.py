"""A signature in C: features with ranges and categories, classes, and how answers are read."""

import numpy as np

from fleetloop_hub.packaging.c_program.flash import literal
from fleetloop_hub.packaging.c_program.texts import quoted
from fleetloop_shared.manifest import NO_CLASS, REGRESSION, Feature, Signature

_PREDICT = """\
int model_predict(const float *row, model_work *work, model_answer *answer)
{{
{local}    model_outputs(row, answer->outputs, work);
    answer->out_of_range = 0;
    for (size_t i = 0; i < MODEL_FEATURES; i++)
        if (row[i] < model_features[i].low || row[i] > model_features[i].high)
            answer->out_of_range++;
    for (size_t i = 0; i < MODEL_OUTPUTS; i++)
        if (!isfinite(answer->outputs[i]))
            return MODEL_NO_ANSWER;
{rule}    return MODEL_ANSWERED;
}}
"""

_BEST = """\
    for (size_t i = {first}; i < MODEL_OUTPUTS; i++)
        if ({but}answer->outputs[i] > answer->outputs[best])
            best = i;
"""


def tables(signature: Signature) -> str:
    """Features and classes as C tables."""
    features = signature.features
    lists = [
        f"static const char *const categories{k}[{len(f.categories)}] = {{\n"
        + "".join(f"    {quoted(text)},\n" for text in f.categories)
        + "};\n"
        for k, f in enumerate(features)
        if f.categories
    ]
    rows = "".join(f"    {_feature(k, f)},\n" for k, f in enumerate(features))
    parts = [*lists, f"const model_feature model_features[MODEL_FEATURES] = {{\n{rows}}};\n"]
    called = class_names(signature) or [""]
    names = "".join(f"    {quoted(name)},\n" for name in called)
    parts.append(f"const char *const model_classes[{len(called)}] = {{\n{names}}};\n")
    labels = ", ".join(map(str, signature.classes or [0]))
    parts.append(f"const int32_t model_labels[{len(called)}] = {{{labels}}};\n")
    return "\n".join(parts)


def class_names(signature: Signature) -> list[str]:
    """What classes are called, by their number where they have no name."""
    return signature.class_names or [str(label) for label in signature.classes]


def _feature(place: int, feature: Feature) -> str:
    low, high = feature.low, feature.high
    if feature.categories:
        low = 0.0
    limits = [
        literal(np.float32(-np.inf if low is None else low)),
        literal(np.float32(np.inf if high is None else high)),
    ]
    listed = f"categories{place}" if feature.categories else "NULL"
    words = [quoted(feature.name), quoted(feature.unit), *limits, listed]
    return f"{{{', '.join(words)}, {len(feature.categories)}}}"


def predict(signature: Signature) -> str:
    """`model_predict` in C: `answers.Rule` of the same signature."""
    if signature.task == REGRESSION:
        rule = "    answer->score = answer->outputs[0];\n    answer->place = -1;\n"
        return _PREDICT.format(local="", rule=rule)
    if signature.positive == NO_CLASS:
        rule = _BEST.format(first=1, but="")
        rule += "    answer->score = answer->outputs[best];\n"
        rule += "    answer->place = (int16_t)best;\n"
        return _PREDICT.format(local="    size_t best = 0;\n", rule=rule)
    positive = signature.positive
    first = 1 if positive == 0 else 0
    others = [k for k in range(len(signature.classes)) if k != positive]
    rule, local = "", f"    const size_t best = {first};\n"
    if len(others) > 1:
        local = f"    size_t best = {first};\n"
        rule = _BEST.format(first=others[1], but=f"i != {positive} && ")
    limit = literal(at_least(signature.decision_threshold))
    rule += f"    answer->score = answer->outputs[{positive}];\n"
    rule += f"    answer->place = (int16_t)(answer->score >= {limit} ? {positive} : best);\n"
    return _PREDICT.format(local=local, rule=rule)


def at_least(threshold: float) -> np.float32:
    """The smallest float32 that is no smaller: a float32 reaches it where it reaches the double.

    >>> at_least(0.1) >= 0.1, np.nextafter(at_least(0.1), np.float32(0)) < 0.1
    (np.True_, np.True_)
    """
    nearest = np.float32(threshold)
    above: np.float32 = np.nextafter(nearest, np.float32(np.inf))
    return above if float(nearest) < threshold else nearest
