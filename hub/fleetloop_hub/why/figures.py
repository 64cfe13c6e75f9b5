"""The numbers of a decision's evidence with the units that their names imply."""

from fleetloop_hub.why.story import Figure

_UNITS = (
    ("ratio", "x its threshold"),
    ("_s", "s"),
    ("_ms", "ms"),
    ("_bytes", "bytes"),
    ("_rows", "rows"),
    ("labels", "labels"),
    ("devices", "devices"),
    ("share", "share"),
    ("accuracy", "share"),
)


def figures(evidence: dict[str, float]) -> list[Figure]:
    """Names in words, values, units.

    >>> [(f.name, f.unit) for f in figures({"new_labels": 64, "left_s": 9, "odd_devices": 2})]
    [('new labels', 'labels'), ('left', 's'), ('odd devices', 'devices')]
    """
    return [
        Figure(name=_words(name), value=value, unit=_unit(name)) for name, value in evidence.items()
    ]


def _unit(name: str) -> str:
    ends = next((unit for end, unit in _UNITS if name.endswith(end)), "")
    return ends or ("devices" if name.startswith("devices") else "")


def _words(name: str) -> str:
    for end in ("_s", "_ms", "_bytes", "_rows"):
        name = name.removesuffix(end)
    return name.replace("_", " ")
