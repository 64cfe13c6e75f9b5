"""The model spec of the fraud story: is this use of a card fraud?"""

from fleetloop_firmware_sim.stories.fraud.payments import ENTRIES
from fleetloop_firmware_sim.stories.fraud.places import CATEGORIES
from fleetloop_firmware_sim.stories.fraud.running import NUMBERS

WINDOW_ROWS = 1_024

_LOOP = """\
[sampling]
random_share = 1.0
bytes_per_day = 100_000_000
most_of_one_device = 1.0

[retrain]
drift_devices = 0.5
min_labels = 18_000
cooldown_s = 10.0
most_a_day = 6
window = "sliding"
window_rows = 14_000
"""

_NO_LOOP = """\
[retrain]
by_drift = false
by_accuracy = false
"""


def spec_text(model: str, *, loop: bool) -> str:
    """The spec of a model; without the loop nothing is sampled and nothing trained anew.

    >>> "[sampling]" in spec_text("still", loop=False)
    False
    """
    features = [f'[[features]]\nname = "{name}"\n' for name in NUMBERS]
    for name, categories in (("category", CATEGORIES), ("entry", ENTRIES)):
        listed = ", ".join(f'"{one}"' for one in categories)
        kind = f'kind = "category"\ncategories = [{listed}]\n'
        features.append(f'[[features]]\nname = "{name}"\n{kind}')
    return "\n".join(
        [
            f'[model]\nname = "{model}"\nseed = 7\n',
            '[[sources]]\ncsv = "past.csv"\n',
            '[rows]\ntime = "at_s"\n',
            '[label]\ncolumn = "fraud"\npositive = 1\n',
            *features,
            '[[candidates]]\nname = "boosting"\nfamily = "gradient-boosting"',
            "trees = 100\nleaves = 15\nlearning_rate = 0.1\n",
            '[training]\ncalibration = "none"\nvalidation = 0.25\n',
            "[budget]\nartifact_bytes = 200_000\n",
            '[gates]\nmetric = "average_precision"\nfloor = 0.45\nchampion_margin = 0.05',
            "held_out = 0.12\n",
            f"[drift]\nwindow_rows = {WINDOW_ROWS}\nfalse_alarms_per_million_rows = 10.0\n",
            "[rollout]\nphases = [0.34, 1.0]\nsoak_rows = 64\nsoak_s = 60.0\n",
            '[judge]\nneeds = ["errors"]\nmin_rows = 200\npatience_s = 10.0\n',
            _LOOP if loop else _NO_LOOP,
        ]
    )
