"""What names of columns give away: units, sensitive groups, times, keys, labels."""

import re

UNITS = {
    "c": "°C", "degc": "°C", "celsius": "°C", "f": "°F", "degf": "°F", "k": "K", "kelvin": "K",
    "pa": "Pa", "hpa": "hPa", "kpa": "kPa", "mpa": "MPa", "bar": "bar", "mbar": "mbar",
    "psi": "psi", "kn": "kn", "mps": "m/s", "kmh": "km/h", "kph": "km/h", "mph": "mph",
    "rpm": "rpm", "s": "s", "sec": "s", "ms": "ms", "us": "µs", "min": "min", "h": "h",
    "hours": "h",
    "mm": "mm", "cm": "cm", "m": "m", "km": "km", "mi": "mi", "ft": "ft", "inch": "in",
    "mg": "mg", "g": "g", "kg": "kg", "lb": "lb", "lbs": "lb", "ml": "ml", "l": "l",
    "w": "W", "kw": "kW", "wh": "Wh", "kwh": "kWh", "v": "V", "mv": "mV", "a": "A", "ma": "mA",
    "hz": "Hz", "khz": "kHz", "mhz": "MHz", "ghz": "GHz", "db": "dB", "dbm": "dBm",
    "pct": "%", "percent": "%", "deg": "°", "rad": "rad", "ppm": "ppm", "ppb": "ppb",
    "lux": "lx", "lx": "lx", "bytes": "bytes", "kb": "kB", "mb": "MB", "usd": "USD", "eur": "EUR",
}  # fmt: skip
"""By the last part of a name, in lower case: `pressure_hpa` is in hPa."""

SENSITIVE = {
    "sex": "sex", "gender": "gender", "race": "race", "rac1p": "race", "ethnicity": "ethnicity",
    "ethnic": "ethnicity", "hispanic": "ethnicity", "hisp": "ethnicity", "religion": "religion",
    "disability": "disability", "disabled": "disability", "dis": "disability",
    "age_group": "age", "agegroup": "age", "age_band": "age", "age_range": "age", "age": "age",
    "agep": "age", "nationality": "nationality", "citizenship": "citizenship", "cit": "citizenship",
    "nativity": "nativity", "orientation": "orientation", "veteran": "veteran status",
}  # fmt: skip
"""Columns that may part people into groups with a right to be treated alike."""

CODES = frozenset({
    "sex", "rac1p", "dis", "mar", "relp", "esp", "cit", "mig", "mil", "anc", "nativity", "dear",
    "deye", "drem", "cow", "schl", "occp", "indp", "pobp", "st", "puma", "hisp", "fer", "dout",
    "dphy", "ddrs",
})  # fmt: skip
"""Names in the US Census's microdata whose whole numbers are codes (schl alone is in order)."""

ORDERED_CODES = frozenset({"schl"})

TIMES = frozenset({
    "time", "timestamp", "datetime", "date", "day", "at", "when", "ts", "created", "created_at",
    "event_time", "observed_at", "recorded_at", "utc", "year", "month_start", "hour_start",
    "epoch",
})  # fmt: skip
KEYS = frozenset({
    "id", "key", "uuid", "guid", "row_id", "record_id", "sample_id", "prediction_id",
    "event_id", "index",
})  # fmt: skip
LABELS = (
    "label", "target", "class", "y", "outcome", "species", "diagnosis", "churn", "default",
    "survived", "result", "quality", "grade", "failure", "fault", "anomaly", "is_fraud", "fraud",
)  # fmt: skip
YES = ("yes", "true", "1", "positive", "malignant", "failed", "fault", "anomaly", "fraud", "bad")

_BRACKETS = re.compile(r"[(\[]\s*([^)\]]{1,20}?)\s*[)\]]\s*$")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def plain(name: str) -> str:
    """A name in lower case, its words parted by underscores.

    Examples:
        >>> plain("Age Group"), plain("eventTime")
        ('age_group', 'event_time')
    """
    return re.sub(r"[^a-z0-9]+", "_", _CAMEL.sub("_", name).lower()).strip("_")


def unit(name: str) -> str:
    """What a column is measured in, if its name says so; "" if not.

    Examples:
        >>> unit("pressure_hpa"), unit("petal width (cm)"), unit("class")
        ('hPa', 'cm', '')
    """
    if found := _BRACKETS.search(name):
        inside = found[1].strip()
        return UNITS.get(inside.lower(), inside)
    words = plain(name).split("_")
    return UNITS.get(words[-1], "") if len(words) > 1 else ""


def sensitive(name: str) -> str:
    """Which sensitive trait a column seems to hold; "" for none."""
    words = plain(name)
    pairs = zip(words.split("_"), words.split("_")[1:], strict=False)
    parts = [words, *(f"{a}_{b}" for a, b in pairs), *words.split("_")]
    return next((SENSITIVE[part] for part in parts if part in SENSITIVE), "")


def bounds(name: str) -> tuple[float | None, float | None, str]:
    """Limits that hold by the meaning of a name, and why; None where nothing is certain."""
    words = plain(name).split("_")
    if unit(name) == "K":
        return 0.0, None, "nothing is colder than absolute zero"
    if words[-1] in {"bytes", "count"}:
        return 0.0, None, "a count is never negative"
    if words[-1] in {"lat", "latitude"}:
        return -90.0, 90.0, "degrees of latitude"
    if words[-1] in {"lon", "lng", "longitude"}:
        return -180.0, 360.0, "degrees of longitude"
    if words == ["month"]:
        return 1.0, 12.0, "months of a year"
    return None, None, ""
