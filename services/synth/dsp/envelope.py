"""Envelopes in closed form: the amplitude at any time, without what came before.

All functions are elementwise over broadcast tensors; times are seconds.
"""

import math

import torch

_DB_TO_NEPER = -math.log(10) / 20


def smoothstep(x: torch.Tensor) -> torch.Tensor:
    """``3x^2 - 2x^3``, 0 below 0 and 1 above 1: no corner at either end."""
    x = x.clamp(0.0, 1.0)
    return x * x * (3 - 2 * x)


def attack(since_onset_s: torch.Tensor, attack_s: torch.Tensor) -> torch.Tensor:
    """From 0 at the onset to 1 after ``attack_s``."""
    return smoothstep(since_onset_s / attack_s)


def release(since_release_s: torch.Tensor, release_s: torch.Tensor) -> torch.Tensor:
    """1 until the gate closes, then down to exactly 0 after ``release_s``, faster first."""
    remaining = 1 - smoothstep(since_release_s / release_s)
    return remaining * remaining


def two_stage_decay(
    since_onset_s: torch.Tensor, fast_db_s: torch.Tensor, slow_db_s: torch.Tensor, slow_share: torch.Tensor
) -> torch.Tensor:
    """A struck partial: a fast decay into a slow one whose share is ``slow_share`` (0 to 1).

    Rates are decibels a second, 0 for a partial that sustains (Weinreich 1977 for the piano's two stages).
    """
    t = since_onset_s.clamp(min=0.0) * _DB_TO_NEPER
    return (1 - slow_share) * torch.exp(t * fast_db_s) + slow_share * torch.exp(t * slow_db_s)


def wander(
    at_s: torch.Tensor, rate_hz: torch.Tensor, phase_turns: torch.Tensor, depth_db: torch.Tensor
) -> torch.Tensor:
    """A slow movement of a partial's level, ± ``depth_db`` (a gain)."""
    swing = torch.sin(2 * math.pi * (at_s * rate_hz + phase_turns))
    return torch.exp(swing * depth_db * -_DB_TO_NEPER)


def low_pass(freq_hz: torch.Tensor, cutoff_hz: torch.Tensor) -> torch.Tensor:
    """Gain of a second-order (12 dB an octave) low-pass for a partial at ``freq_hz``."""
    ratio = freq_hz / cutoff_hz
    square = ratio * ratio
    return torch.rsqrt(1 + square * square)
