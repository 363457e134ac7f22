/* log, log1p, log2, log10: portable_math/logarithms.py, which says how. */
#ifndef PIPELINE_MATH_LOG_H
#define PIPELINE_MATH_LOG_H

#include "double_double.h"

/* x = 2**k * m; f is m less its node, and the row of the node is (c, g, high, low). */
struct log_reduced {
    vf k, f, c, g, high, low, scale; /* scale is 2**-k */
};

/* For normal positive x. */
ALWAYS struct log_reduced log_reduce(vf x)
{
    struct log_reduced reduced;
    const vi bits = vf_bits(x), above = bits - LOG_FIRST_BITS, shifted = above & LOG_EXPONENT_BITS;
    const vf m = vi_floats(bits - shifted), rounded = m + LOG_TO_NODE;
    const vi at = (vf_bits(rounded) - LOG_NODE_BITS) << 2;
    const struct vf_pair inverse = gather_pair(log_table, at), logarithm = gather_pair(log_table + 2, at);
    /* k + 2048 without its sign, in the last places of 2**52 */
    const vu biased = (vu)(above ^ SIGN_BIT) >> 52;
    reduced.k = vi_floats((vi)biased | vf_bits(vf_of(0x1p52))) - (0x1p52 + 2048.0);
    reduced.f = m - (rounded - LOG_TO_NODE);
    reduced.c = inverse.first;
    reduced.g = inverse.second;
    reduced.high = logarithm.first;
    reduced.low = logarithm.second;
    reduced.scale = vi_floats(LOG_ONE_BITS - shifted);
    return reduced;
}

/* The same for every positive finite x: subnormal ones are scaled first. */
static inline struct log_reduced log_reduce_positive(vf x)
{
    const vi small = x < LOG_SMALLEST_NORMAL;
    struct log_reduced reduced = log_reduce(vf_where(small, x * 0x1p54, x));
    reduced.k = reduced.k - vf_where(small, vf_of(54.0), vf_of(0.0));
    return reduced;
}

/* log(2**k * (F + f)). */
ALWAYS vf log_near(struct log_reduced x)
{
    const vf r = x.f * x.c + x.g, top = x.k * LOG_LN2_HIGH + x.high, total = top + r;
    const vf series = r * r * (r * (LOG_THIRD + r * (r * LOG_FIFTH - 0.25)) - 0.5);
    return total + (((top - total) + r) + (x.k * LOG_LN2_LOW + x.low) + series);
}

/* log(2**k * (F + f + rest)). */
ALWAYS vf log_near_with(struct log_reduced x, vf rest)
{
    const vf head = x.f * x.c + x.g, tail = rest * x.c, top = x.k * LOG_LN2_HIGH + x.high;
    const vf total = top + head, r = head + tail;
    const vf series = r * r * (r * (LOG_THIRD + r * (r * LOG_FIFTH - 0.25)) - 0.5);
    return total + (((top - total) + head) + (x.k * LOG_LN2_LOW + x.low) + (tail + series));
}

/* log(2**k * (F + f)) as a sum of two doubles, with a relative error of about 2**-68. */
ALWAYS struct dd log_far(struct log_reduced x)
{
    const vf whole = x.f * x.c, first = (whole + LOG_HEAD) - LOG_HEAD, tail = whole - first;
    const vf head = first + x.g, r = head + tail, top = (x.k * LOG_LN2_HIGH + x.high) + head;
    const struct dd halved = fast_two_sum(top, head * head * -0.5), total = fast_two_sum(halved.high, tail);
    const vf cubic = LOG_THIRD + r * (r * (LOG_FIFTH + r * (r * LOG_SEVENTH - LOG_SIXTH)) - 0.25);
    const vf series = r * r * r * cubic - tail * (head + 0.5 * tail);
    return fast_two_sum(total.high, (halved.low + total.low) + ((x.k * LOG_LN2_LOW + x.low) + series));
}

static inline vf other_base(struct dd value, f64 factor, f64 factor_low)
{
    const struct dd whole = product(value.high, vf_of(factor));
    return whole.high + (whole.low + (value.high * factor_low + value.low * factor));
}

ALWAYS vf log_ordinary(vf x) { return log_near(log_reduce(x)); }
ALWAYS vf log2_ordinary(vf x) { return other_base(log_far(log_reduce(x)), LOG2_E, LOG2_E_LOW); }
ALWAYS vf log10_ordinary(vf x) { return other_base(log_far(log_reduce(x)), LOG10_E, LOG10_E_LOW); }

static inline vi is_normal(vf x) { return (x >= LOG_SMALLEST_NORMAL) & (x <= LOG_LARGEST); }
static inline vi is_positive(vf x) { return (x > 0.0) & (x <= LOG_LARGEST); }

/* The logarithm of 0, infinity, negative numbers and NaN, to any base. */
static inline vf log_of_special(vf x)
{
    const vf other = vf_where(x == 0.0, vf_of(-CORE_INF), vf_of(CORE_NAN));
    return vf_where(x == CORE_INF, x, other);
}

static RARE vf log_general(vf x)
{
    const struct log_reduced reduced = log_reduce_positive(vf_where(is_positive(x), x, vf_of(1.0)));
    return vf_where(is_positive(x), log_near(reduced), log_of_special(x));
}

static RARE vf log2_general(vf x)
{
    const struct log_reduced reduced = log_reduce_positive(vf_where(is_positive(x), x, vf_of(1.0)));
    return vf_where(is_positive(x), other_base(log_far(reduced), LOG2_E, LOG2_E_LOW), log_of_special(x));
}

static RARE vf log10_general(vf x)
{
    const struct log_reduced reduced = log_reduce_positive(vf_where(is_positive(x), x, vf_of(1.0)));
    return vf_where(is_positive(x), other_base(log_far(reduced), LOG10_E, LOG10_E_LOW), log_of_special(x));
}

static inline vf core_log(vf x) { return mask_all(is_normal(x)) ? log_ordinary(x) : log_general(x); }
static inline vf core_log2(vf x) { return mask_all(is_normal(x)) ? log2_ordinary(x) : log2_general(x); }
static inline vf core_log10(vf x) { return mask_all(is_normal(x)) ? log10_ordinary(x) : log10_general(x); }

#define LOG1P_SMALLEST (-1.0 + 0x1p-53)
#define LOG1P_LARGEST 0x1p1000

ALWAYS vf log1p_ordinary(vf x)
{
    const struct dd u = two_sum(vf_of(1.0), x);
    const struct log_reduced reduced = log_reduce(u.high);
    return vf_copysign(log_near_with(reduced, u.low * reduced.scale), x);
}

/* Beyond 2**1000 the addition of 1 changes nothing. */
static RARE vf log1p_general(vf x)
{
    const vi inside = (x > -1.0) & (x <= LOG1P_LARGEST);
    const vf near = log1p_ordinary(vf_where(inside, x, vf_of(0.0)));
    return vf_where(inside, near, vf_where(x > LOG1P_LARGEST, log_general(x), log_of_special(1.0 + x)));
}

static inline vf core_log1p(vf x)
{
    return mask_all((x >= LOG1P_SMALLEST) & (x <= LOG1P_LARGEST)) ? log1p_ordinary(x) : log1p_general(x);
}

#endif
