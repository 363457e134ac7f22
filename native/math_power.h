/* pow, cbrt: portable_math/powers.py, which says how. */
#ifndef PIPELINE_MATH_POWER_H
#define PIPELINE_MATH_POWER_H

#include "math_exp.h"
#include "math_log.h"

#define POWER_FAR 700.0 /* exponents of e whose power is normal */

/* Odd and even integers, and other numbers. */
ALWAYS vi is_whole(vf y) { return vf_rint(y) == y; }

ALWAYS vi is_odd(vf y)
{
    const vf half = 0.5 * y;
    return is_whole(y) & (vf_rint(half) != half);
}

/* y * log(x), of which the first part decides whether the power is normal. */
ALWAYS struct dd power_exponent(struct dd logarithm, vf y)
{
    const struct dd exponent = product(logarithm.high, y);
    return dd_of(exponent.high, exponent.low + logarithm.low * y);
}

/* |x| ** y with the sign that x and y give it; NaN for a negative x and a y that is no integer. */
ALWAYS vf power_signed(vf power, vf x, vf y)
{
    const vi negative = x < 0.0, sign = vf_bits(x) & is_odd(y) & SIGN_BIT;
    return vf_where(negative & ~is_whole(y), vf_of(CORE_NAN), vi_floats(vf_bits(power) ^ sign));
}

/* |x| ** y where |x| is 0 or infinite or |y| is above 2**65. */
static inline vf extreme_power(vf size, vf y)
{
    const vf power = vf_where((size > 1.0) == (y > 0.0), vf_of(CORE_INF), vf_of(0.0));
    return vf_where(size == 1.0, size, power);
}

/* Special cases as in C99, annex F.9.4.4. */
static RARE vf pow_general(vf x, vf y)
{
    const vf size = vf_abs(x), one = vf_of(1.0);
    const vi missing = (x != x) | (y != y), usual = is_positive(size) & (vf_abs(y) <= POWER_HUGE);
    const struct dd logarithm = log_far(log_reduce_positive(vf_where(usual, size, one)));
    const vf power = exp_of_sum_general(power_exponent(logarithm, vf_where(usual, y, one)));
    const vi sign = vf_bits(x) & is_odd(y) & SIGN_BIT;
    vf result = vi_floats(vf_bits(extreme_power(size, y)) ^ sign);
    result = vf_where(usual, power_signed(power, x, y), result);
    result = vf_where(missing, vf_of(CORE_NAN), result);
    return vf_where((y == 0.0) | (x == 1.0), one, result);
}

static inline vf core_pow(vf x, vf y)
{
    const vf size = vf_abs(x);
    if (!mask_all(is_normal(size) & (vf_abs(y) <= POWER_HUGE)))
        return pow_general(x, y);
    const struct dd exponent = power_exponent(log_far(log_reduce(size)), y);
    if (!mask_all(vf_abs(exponent.high) <= POWER_FAR))
        return pow_general(x, y);
    const vf power = exp_of_sum_ordinary(exponent);
    return mask_all(x > 0.0) ? power : power_signed(power, x, y);
}

/* Cube root of v = m * root**3, for m from 1/2 to 1. */
ALWAYS vf cube_root_of(vf m, vf v, vf root)
{
    vf t = (POWER_START_0 + m * (POWER_START_1 + m * (m * POWER_START_3 + POWER_START_2))) * root;
    const vf cube = t * t * t;
    t = t * ((cube + 2.0 * v) / (2.0 * cube + v));
    t = (t + POWER_ROUND_TO_26_BITS) - POWER_ROUND_TO_26_BITS;
    const vf square = t * t;
    const struct dd part = split(square);
    const vf miss = (v - part.high * t) - part.low * t;
    return t + t * miss / (2.0 * square * t + v);
}

ALWAYS vf cbrt_ordinary(vf x)
{
    const vi bits = vf_bits(vf_abs(x)), exponent = (vi)((vu)bits >> 52) - 1022;
    const vi third = (vi)((vu)((exponent + 1200) * 21846) >> 16) - 400; /* exponent // 3 */
    const vi triple = third + (third << 1);
    const vf m = vi_floats(bits - (exponent << 52));
    const vf root = cube_root_of(m, vi_floats(bits - (triple << 52)), gather(cube_root_table, (exponent - triple) & 3));
    return vf_copysign(vi_floats(vf_bits(root) + (third << 52)), x);
}

static RARE vf cbrt_general(vf x)
{
    const vf size = vf_abs(x);
    const vi small = size < LOG_SMALLEST_NORMAL, inside = is_positive(size);
    const vf root = cbrt_ordinary(vf_where(inside, vf_where(small, x * 0x1p54, x), vf_of(1.0)));
    return vf_where(inside, vf_where(small, root * 0x1p-18, root), x);
}

static inline vf core_cbrt(vf x) { return mask_all(is_normal(vf_abs(x))) ? cbrt_ordinary(x) : cbrt_general(x); }

#endif
