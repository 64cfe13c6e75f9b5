"""What a terminal knows of a card and of itself when a card is used: only what came before."""

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fleetloop_firmware_sim.stories.fraud.payments import DAY_S, FALLBACK, Payments
from fleetloop_firmware_sim.stories.fraud.places import Region

NUMBERS = (
    "amount_eur",
    "hour",
    "weekday",
    "home_km",
    "last_use_km",
    "last_use_h",
    "uses_last_hour",
    "uses_last_day",
    "amount_ratio",
    "terminal_uses_last_hour",
    "terminal_fallbacks_last_hour",
    "terminal_amount_ratio",
)
"""The numbers of a row, in this order; category and entry are texts beside them."""

_HOUR_S = 3600.0
_LONGEST_H = 168.0
_MEMORY = 0.1


@dataclass
class _Card:
    at: float = -math.inf
    x: float = math.nan
    y: float = math.nan
    mean_eur: float = math.nan
    recent: deque[float] = field(default_factory=deque)


@dataclass
class _Terminal:
    mean_eur: float = math.nan
    recent: deque[tuple[float, bool]] = field(default_factory=deque)


def numbers(payments: Payments, region: Region) -> npt.NDArray[np.float32]:
    """One row of `NUMBERS` a use, computed from that use and those before it.

    Args:
        payments: In time order.
        region: Where they are.
    """
    cards: dict[int, _Card] = {}
    terminals: dict[int, _Terminal] = {}
    rows = np.empty((len(payments), len(NUMBERS)), np.float32)
    uses = zip(
        payments.at.tolist(),
        payments.customer.tolist(),
        payments.terminal.tolist(),
        payments.amount_eur.tolist(),
        (payments.entry == FALLBACK).tolist(),
        region.terminal_at[payments.terminal].tolist(),
        region.home_at[payments.customer].tolist(),
        strict=True,
    )
    for number, (at, customer, place, amount, fallback, (x, y), home) in enumerate(uses):
        card = cards.setdefault(customer, _Card())
        terminal = terminals.setdefault(place, _Terminal())
        rows[number] = (
            amount,
            at % DAY_S / _HOUR_S,
            at // DAY_S % 7,
            math.hypot(x - home[0], y - home[1]),
            *_since(card, at, x, y, amount),
            *_there(terminal, at, amount),
        )
        _remember(card, at, x, y, amount)
        terminal.recent.append((at, fallback))
        terminal.mean_eur = _moved(terminal.mean_eur, amount)
    return rows.round(2)


def _since(card: _Card, at: float, x: float, y: float, amount: float) -> tuple[float, ...]:
    while card.recent and card.recent[0] < at - DAY_S:
        card.recent.popleft()
    last_hour = sum(use >= at - _HOUR_S for use in card.recent)
    ago_h = min(_LONGEST_H, (at - card.at) / _HOUR_S)
    away_km = math.hypot(x - card.x, y - card.y)
    known = 1.0 if math.isnan(card.mean_eur) else amount / card.mean_eur
    return (0.0 if math.isnan(away_km) else away_km, ago_h, last_hour, len(card.recent), known)


def _there(terminal: _Terminal, at: float, amount: float) -> tuple[float, ...]:
    while terminal.recent and terminal.recent[0][0] < at - _HOUR_S:
        terminal.recent.popleft()
    fallbacks = sum(fallback for _, fallback in terminal.recent)
    known = 1.0 if math.isnan(terminal.mean_eur) else amount / terminal.mean_eur
    return len(terminal.recent), fallbacks, known


def _remember(card: _Card, at: float, x: float, y: float, amount: float) -> None:
    card.at, card.x, card.y = at, x, y
    card.mean_eur = _moved(card.mean_eur, amount)
    card.recent.append(at)


def _moved(mean: float, amount: float) -> float:
    return amount if math.isnan(mean) else mean + _MEMORY * (amount - mean)
