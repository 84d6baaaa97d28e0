"""Model 5's log density and its gradient in one pass over the months, from which the sampler's machine code is compiled.

The equations are those of `tolerance.py`; `tolerance_density.py` has them in NumPy, and the order of parameters and data. Only arithmetic
stands here, so that the code needs nothing but the C library. Until a parameter's part of the gradient is finished, its place in `gradient`
holds the sum so far.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba

_NUMBERS = numba.types.CPointer(numba.types.double)  # type: ignore[no-untyped-call]
SIGNATURES = {
    "value_and_gradient": numba.types.int64(numba.types.uint64, _NUMBERS, _NUMBERS, _NUMBERS, _NUMBERS),
    "copy": numba.types.int64(numba.types.uint64, numba.types.uint64, _NUMBERS, _NUMBERS, _NUMBERS),
}
"""What the sampler calls. Each returns 0, or another number if it fails."""

_LN2 = math.log(2.0)
_NORMAL = -0.5 * math.log(2.0 * math.pi)
_HALF_NORMAL = 0.5 * math.log(2.0 / math.pi)
_LARGE = 500.0  # an exponential overflows at 709
_NEVER = -1e9


_inlined: Callable[[Any], Any] = numba.njit(inline="always", error_model="numpy")


@_inlined
def _softplus(x: Any) -> Any:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


@_inlined
def _scaled(data: Any, prior: Any, z: Any) -> Any:
    """Location + scale · z, for the two constants at a place of `data`."""
    return data[prior] + data[prior + 1] * z


@_inlined
def _rise(logit_q: Any) -> Any:
    """Monthly log-odds of a rise from the logit of its 12-month probability."""
    c = -_softplus(logit_q) / 12.0
    return math.log(-math.expm1(c)) - c


@_inlined
def _rise_slope(logit_q: Any) -> Any:
    return 1.0 / ((1.0 + math.exp(-logit_q)) * 12.0 * -math.expm1(-_softplus(logit_q) / 12.0))


@_inlined
def _fall(log_m: Any) -> Any:
    """Monthly log-odds of a fall from the log of its median months."""
    x = _LN2 * math.exp(-log_m)
    return x + math.log(-math.expm1(-x))


@_inlined
def _fall_slope(log_m: Any) -> Any:
    x = _LN2 * math.exp(-log_m)
    return x / math.expm1(-x)


@_inlined
def _of_level(level: Any, at0: Any, at1: Any, at2: Any, at3: Any, at4: Any, at5: Any) -> Any:
    if level < 3:
        return at0 if level == 0 else at1 if level == 1 else at2
    return at3 if level == 3 else at4 if level == 4 else at5


def value_and_gradient(n: Any, point: Any, gradient: Any, value: Any, data: Any) -> int:  # noqa: PLR0912, PLR0915, one pass
    """Write the log density at `point` [n] and its gradient [n]; `data` as `tolerance_density.pack` makes it."""
    n_months, n_knots, n_admin = int(data[0]), int(data[1]), int(data[2])
    # places in `point`, as in `tolerance_density.free_parameters`
    RISE, STAY, LEVERAGE, FREE, JUST_RISEN, LEVEL, CHANGE, OPPOSED, MOBILISED, SD_ALPHA, ALPHA = 0, 5, 10, 11, 12, 13, 14, 15, 16, 17, 18
    SD_DRIFT = ALPHA + n_admin
    HALF_LIFE, DRIFT = SD_DRIFT + 1, SD_DRIFT + 2
    if n != DRIFT + n_knots:
        return 1
    # places in `data`, as in `tolerance_density.CONSTANTS` and `COLUMNS`
    rise_prior, stay_prior, effects, scales = 3, 13, 23, 35
    symmetric = data[scales + 6] > 0.5
    used = scales + 7
    rose, fell, level_before, office = used + n_months, used + 2 * n_months, used + 3 * n_months, used + 4 * n_months
    fresh, pressed, deaths_at, change_at = used + 5 * n_months, used + 6 * n_months, used + 7 * n_months, used + 8 * n_months
    opposed_at, mobilised_at = used + 9 * n_months, used + 10 * n_months

    density = 0.0
    for i in range(n):
        gradient[i] = 0.0
        if i in (MOBILISED, SD_ALPHA, SD_DRIFT):
            density += _HALF_NORMAL - 0.5 * math.exp(2.0 * point[i]) + point[i]
        else:
            density += _NORMAL - 0.5 * point[i] * point[i]

    a0 = _rise(_scaled(data, rise_prior, point[RISE]))
    a1 = _rise(_scaled(data, rise_prior + 2, point[RISE + 1]))
    a2 = _rise(_scaled(data, rise_prior + 4, point[RISE + 2]))
    a3 = _rise(_scaled(data, rise_prior + 6, point[RISE + 3]))
    a4 = _rise(_scaled(data, rise_prior + 8, point[RISE + 4]))
    b1 = _fall(_scaled(data, stay_prior, point[STAY]))
    b2 = _fall(_scaled(data, stay_prior + 2, point[STAY + 1]))
    b3 = _fall(_scaled(data, stay_prior + 4, point[STAY + 2]))
    b4 = _fall(_scaled(data, stay_prior + 6, point[STAY + 3]))
    b5 = _fall(_scaled(data, stay_prior + 8, point[STAY + 4]))

    leverage = _scaled(data, effects, point[LEVERAGE])
    free = _scaled(data, effects + 2, point[FREE])
    just_risen = _scaled(data, effects + 4, point[JUST_RISEN])
    by_level = _scaled(data, effects + 6, point[LEVEL])
    by_change = _scaled(data, effects + 8, point[CHANGE])
    opposed = _scaled(data, effects + 10, point[OPPOSED])
    mobilised = data[scales] * math.exp(point[MOBILISED])
    sd_alpha = data[scales + 1] * math.exp(point[SD_ALPHA])
    sd_drift = data[scales + 2] * math.exp(point[SD_DRIFT])
    above = math.exp(_scaled(data, scales + 3, point[HALF_LIFE]))
    half_life = data[scales + 5] + above
    on_falls = -leverage if symmetric else free

    # the drift at unit sd and its slope in ρ, at the knots before and after a month
    log_rho = -12.0 * _LN2 / half_life
    rho = math.exp(log_rho)
    innovation = math.sqrt(-math.expm1(2.0 * log_rho))
    u, u_next = 0.0, point[DRIFT]
    slope, slope_next = 0.0, 0.0

    g_leverage = g_falls = g_just_risen = g_level = g_change = g_opposed = g_mobilised = g_sd_drift = g_rho = 0.0
    for t in range(n_months):
        year, part = t // 12, (t % 12) / 12.0
        if t % 12 == 0:
            u, slope = u_next, slope_next
            u_next = rho * u + innovation * point[DRIFT + year + 1]
            slope_next = u + rho * slope - rho / innovation * point[DRIFT + year + 1]
        if data[used + t] == 0.0:
            continue
        level, governs = int(data[level_before + t]), int(data[office + t])
        pressure, deaths, change = data[pressed + t], data[deaths_at + t], data[change_at + t]
        mobilisation = data[mobilised_at + t]
        opposition = data[opposed_at + t] + mobilised * mobilisation
        drift = (1.0 - part) * u + part * u_next
        theta = sd_alpha * point[ALPHA + governs] + by_level * deaths + by_change * change - opposed * opposition + sd_drift * drift
        up = _of_level(level, a0, a1, a2, a3, a4, _NEVER) + theta + leverage * pressure
        down = _of_level(level, _NEVER, b1, b2, b3, b4, b5) - theta + on_falls * pressure + just_risen * data[fresh + t]
        most = max(up, down)
        if most < _LARGE:
            rise, fall = math.exp(up), math.exp(down)
            total = 1.0 + rise + fall
            density += data[rose + t] * up + data[fell + t] * down - math.log(total)
        else:
            rise, fall = math.exp(up - most), math.exp(down - most)
            total = math.exp(-most) + rise + fall
            density += data[rose + t] * up + data[fell + t] * down - most - math.log(total)
        g_up, g_down = data[rose + t] - rise / total, data[fell + t] - fall / total
        g_theta = g_up - g_down
        if level < 5:
            gradient[RISE + level] += g_up
        if level > 0:
            gradient[STAY + level - 1] += g_down
        gradient[ALPHA + governs] += g_theta
        gradient[DRIFT + year] += (1.0 - part) * g_theta
        gradient[DRIFT + year + 1] += part * g_theta
        g_leverage += g_up * pressure
        g_falls += g_down * pressure
        g_just_risen += g_down * data[fresh + t]
        g_level += g_theta * deaths
        g_change += g_theta * change
        g_opposed -= g_theta * opposition
        g_mobilised -= g_theta * opposed * mobilisation
        g_sd_drift += g_theta * drift
        g_rho += g_theta * sd_drift * ((1.0 - part) * slope + part * slope_next)

    for j in range(5):
        to_rise = _rise_slope(_scaled(data, rise_prior + 2 * j, point[RISE + j])) * data[rise_prior + 2 * j + 1]
        to_fall = _fall_slope(_scaled(data, stay_prior + 2 * j, point[STAY + j])) * data[stay_prior + 2 * j + 1]
        gradient[RISE + j] = gradient[RISE + j] * to_rise - point[RISE + j]
        gradient[STAY + j] = gradient[STAY + j] * to_fall - point[STAY + j]
    if symmetric:
        g_leverage -= g_falls
        g_falls = 0.0
    gradient[LEVERAGE] = g_leverage * data[effects + 1] - point[LEVERAGE]
    gradient[FREE] = g_falls * data[effects + 3] - point[FREE]
    gradient[JUST_RISEN] = g_just_risen * data[effects + 5] - point[JUST_RISEN]
    gradient[LEVEL] = g_level * data[effects + 7] - point[LEVEL]
    gradient[CHANGE] = g_change * data[effects + 9] - point[CHANGE]
    gradient[OPPOSED] = g_opposed * data[effects + 11] - point[OPPOSED]
    g_sd_alpha = 0.0
    for i in range(n_admin):
        g_sd_alpha += gradient[ALPHA + i] * point[ALPHA + i]
        gradient[ALPHA + i] = gradient[ALPHA + i] * sd_alpha - point[ALPHA + i]
    gradient[MOBILISED] = g_mobilised * mobilised - math.exp(2.0 * point[MOBILISED]) + 1.0
    gradient[SD_ALPHA] = g_sd_alpha * sd_alpha - math.exp(2.0 * point[SD_ALPHA]) + 1.0
    gradient[SD_DRIFT] = g_sd_drift * sd_drift - math.exp(2.0 * point[SD_DRIFT]) + 1.0
    rho_slope = rho * 12.0 * _LN2 / (half_life * half_life)
    gradient[HALF_LIFE] = g_rho * rho_slope * above * data[scales + 4] - point[HALF_LIFE]
    ahead = 0.0
    for back in range(n_knots):
        k = n_knots - 1 - back
        ahead = gradient[DRIFT + k] + rho * ahead
        gradient[DRIFT + k] = ahead * sd_drift * (innovation if k > 0 else 1.0) - point[DRIFT + k]

    value[0] = density
    finite = density - density
    for i in range(n):
        finite += gradient[i] - gradient[i]
    return 0 if finite == 0.0 else 3


def copy(n: Any, n_kept: Any, point: Any, kept: Any, data: Any) -> int:
    """What the sampler keeps of a point: all of it, as it is."""
    if n != n_kept:
        return 1
    for i in range(n):
        kept[i] = point[i]
    return 0
