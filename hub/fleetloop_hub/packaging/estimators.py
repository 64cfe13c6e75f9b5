"""The type of scikit-learn's estimators, which ship none: anything."""

from typing import Any

Estimator = Any
