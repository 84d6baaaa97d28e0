"""Model 5's log density and its gradient as one pass over the months, in the form that the sampler's compiled code is made from.

The equations are those of `tolerance.py`; `tolerance_density.py` has them in NumPy, and the order of the parameters. This module is
compiled, never run as it stands, so it knows nothing but plain arithmetic. Where a parameter's part of the gradient is not finished, its
place in `gradient` holds the sum so far.
"""

from __future__ import annotations

import math
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


@numba.njit(inline="always")
def _softplus(x: Any) -> Any:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def value_and_gradient(n: Any, point: Any, gradient: Any, value: Any, data: Any) -> int:  # noqa: PLR0912, PLR0915, one pass
    """Write the log density at `point` [n] and its gradient [n]; `data` as `tolerance_density.pack` makes it."""
    n_months, n_knots, n_admin = int(data[0]), int(data[1]), int(data[2])
    if n != 28 - 8 + n_admin + n_knots:
        return 1
    prior = 3  # where the constants of the priors start
    months = prior + 39  # where the columns of the months start
    RISE, STAY, LEVERAGE, FREE, JUST_RISEN, LEVEL, CHANGE, OPPOSED, MOBILISED, SD_ALPHA, ALPHA = 0, 5, 10, 11, 12, 13, 14, 15, 16, 17, 18
    SD_DRIFT = ALPHA + n_admin
    HALF_LIFE, DRIFT = SD_DRIFT + 1, SD_DRIFT + 2

    density = 0.0
    for i in range(n):
        gradient[i] = 0.0
        if i in (MOBILISED, SD_ALPHA, SD_DRIFT):
            density += _HALF_NORMAL - 0.5 * math.exp(2.0 * point[i]) + point[i]
        else:
            density += _NORMAL - 0.5 * point[i] * point[i]

    # the ladder: a_j from the 12-month probability of a rise, b_j from the median months before a fall, and their slopes
    a0 = a1 = a2 = a3 = a4 = b1 = b2 = b3 = b4 = b5 = 0.0
    for j in range(5):
        c = -_softplus(data[prior + 2 * j] + data[prior + 2 * j + 1] * point[RISE + j]) / 12.0
        a = math.log(-math.expm1(c)) - c
        x = _LN2 * math.exp(-(data[prior + 10 + 2 * j] + data[prior + 11 + 2 * j] * point[STAY + j]))
        b = x + math.log(-math.expm1(-x))
        if j == 0:
            a0, b1 = a, b
        elif j == 1:
            a1, b2 = a, b
        elif j == 2:
            a2, b3 = a, b
        elif j == 3:
            a3, b4 = a, b
        else:
            a4, b5 = a, b

    effect = prior + 20
    leverage = data[effect] + data[effect + 1] * point[LEVERAGE]
    free = data[effect + 2] + data[effect + 3] * point[FREE]
    just_risen = data[effect + 4] + data[effect + 5] * point[JUST_RISEN]
    by_level = data[effect + 6] + data[effect + 7] * point[LEVEL]
    by_change = data[effect + 8] + data[effect + 9] * point[CHANGE]
    opposed = data[effect + 10] + data[effect + 11] * point[OPPOSED]
    mobilised = data[effect + 12] * math.exp(point[MOBILISED])
    sd_alpha = data[effect + 13] * math.exp(point[SD_ALPHA])
    sd_drift = data[effect + 14] * math.exp(point[SD_DRIFT])
    above = math.exp(data[effect + 15] + data[effect + 16] * point[HALF_LIFE])
    half_life = data[effect + 17] + above
    symmetric = data[effect + 18] > 0.5
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
        if data[months + t] == 0.0:  # not used
            continue
        rose, fell = data[months + n_months + t], data[months + 2 * n_months + t]
        level, office = int(data[months + 3 * n_months + t]), int(data[months + 4 * n_months + t])
        fresh, pressure = data[months + 5 * n_months + t], data[months + 6 * n_months + t]
        deaths, change = data[months + 7 * n_months + t], data[months + 8 * n_months + t]
        mobilisation = data[months + 10 * n_months + t]
        opposition = data[months + 9 * n_months + t] + mobilised * mobilisation
        drift = (1.0 - part) * u + part * u_next
        theta = sd_alpha * point[ALPHA + office] + by_level * deaths + by_change * change - opposed * opposition + sd_drift * drift
        if level == 0:
            a, b = a0, _NEVER
        elif level == 1:
            a, b = a1, b1
        elif level == 2:
            a, b = a2, b2
        elif level == 3:
            a, b = a3, b3
        elif level == 4:
            a, b = a4, b4
        else:
            a, b = _NEVER, b5
        up = a + theta + leverage * pressure
        down = b - theta + on_falls * pressure + just_risen * fresh
        most = max(up, down)
        if most < _LARGE:
            rise, fall = math.exp(up), math.exp(down)
            total = 1.0 + rise + fall
            density += rose * up + fell * down - math.log(total)
        else:
            rise, fall = math.exp(up - most), math.exp(down - most)
            total = math.exp(-most) + rise + fall
            density += rose * up + fell * down - most - math.log(total)
        g_up, g_down = rose - rise / total, fell - fall / total
        g_theta = g_up - g_down
        if level < 5:
            gradient[RISE + level] += g_up
        if level > 0:
            gradient[STAY + level - 1] += g_down
        gradient[ALPHA + office] += g_theta
        gradient[DRIFT + year] += (1.0 - part) * g_theta
        gradient[DRIFT + year + 1] += part * g_theta
        g_leverage += g_up * pressure
        g_falls += g_down * pressure
        g_just_risen += g_down * fresh
        g_level += g_theta * deaths
        g_change += g_theta * change
        g_opposed -= g_theta * opposition
        g_mobilised -= g_theta * opposed * mobilisation
        g_sd_drift += g_theta * drift
        g_rho += g_theta * sd_drift * ((1.0 - part) * slope + part * slope_next)

    for j in range(5):
        logit = data[prior + 2 * j] + data[prior + 2 * j + 1] * point[RISE + j]
        c = -_softplus(logit) / 12.0
        to_a = 1.0 / ((1.0 + math.exp(-logit)) * 12.0 * -math.expm1(c))
        gradient[RISE + j] = gradient[RISE + j] * to_a * data[prior + 2 * j + 1] - point[RISE + j]
        x = _LN2 * math.exp(-(data[prior + 10 + 2 * j] + data[prior + 11 + 2 * j] * point[STAY + j]))
        gradient[STAY + j] = gradient[STAY + j] * x / math.expm1(-x) * data[prior + 11 + 2 * j] - point[STAY + j]
    if symmetric:
        g_leverage -= g_falls
        g_falls = 0.0
    gradient[LEVERAGE] = g_leverage * data[effect + 1] - point[LEVERAGE]
    gradient[FREE] = g_falls * data[effect + 3] - point[FREE]
    gradient[JUST_RISEN] = g_just_risen * data[effect + 5] - point[JUST_RISEN]
    gradient[LEVEL] = g_level * data[effect + 7] - point[LEVEL]
    gradient[CHANGE] = g_change * data[effect + 9] - point[CHANGE]
    gradient[OPPOSED] = g_opposed * data[effect + 11] - point[OPPOSED]
    g_sd_alpha = 0.0
    for i in range(n_admin):
        g_sd_alpha += gradient[ALPHA + i] * point[ALPHA + i]
        gradient[ALPHA + i] = gradient[ALPHA + i] * sd_alpha - point[ALPHA + i]
    gradient[MOBILISED] = g_mobilised * mobilised - math.exp(2.0 * point[MOBILISED]) + 1.0
    gradient[SD_ALPHA] = g_sd_alpha * sd_alpha - math.exp(2.0 * point[SD_ALPHA]) + 1.0
    gradient[SD_DRIFT] = g_sd_drift * sd_drift - math.exp(2.0 * point[SD_DRIFT]) + 1.0
    rho_slope = rho * 12.0 * _LN2 / (half_life * half_life)
    gradient[HALF_LIFE] = g_rho * rho_slope * above * data[effect + 16] - point[HALF_LIFE]
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
