/* arctan, arctan2, arcsin, arccos: portable_math/inverse_trigonometry.py, which says how. */
#ifndef PIPELINE_MATH_ARC_H
#define PIPELINE_MATH_ARC_H

#include "double_double.h"

/* A node c as (1, c, arctan(c) as two doubles), and infinity as (0, 1, pi/2). */
struct arc_row {
    vf a, c, high, low;
};

/* The row of a ratio that is not negative. */
ALWAYS struct arc_row arc_row_of(vf ratio)
{
    const i64 last = (i64)(sizeof arc_table / sizeof *arc_table) / 4 - 1;
    const vi node = (vi)((vu)(vf_bits(ratio) + (INT64_C(1) << 46)) >> 47) - ARC_FIRST_NODE;
    const vi at = clip_index(node, last) << 2;
    const struct vf_pair point = gather_pair(arc_table, at), angle = gather_pair(arc_table + 2, at);
    const struct arc_row row = {point.first, point.second, angle.first, angle.second};
    return row;
}

/* arctan(u) - u, for |u| below 1/64. */
ALWAYS vf arc_series(vf u)
{
    const vf v = u * u;
    return u * v * (v * (ARC_5TH - v * (ARC_7TH - v * (ARC_9TH - v * ARC_11TH))) - ARC_3RD);
}

ALWAYS vf arctan_ordinary(vf x)
{
    const vf size = vf_abs(x);
    const struct arc_row row = arc_row_of(size);
    const vf u = (row.a * size - row.c) / (row.a + row.c * size);
    const struct dd total = fast_two_sum(row.high, u);
    return vf_copysign(total.high + (total.low + (row.low + arc_series(u))), x);
}

static RARE vf arctan_general(vf x)
{
    const vi ordinary = vf_abs(x) <= ARCTAN_FAR;
    const vf near = arctan_ordinary(vf_where(ordinary, x, vf_of(0.0)));
    const vf far = vf_where(x != x, vf_of(CORE_NAN), vf_copysign(vf_of(0.5 * ARC_PI), x));
    return vf_where(ordinary, near, far);
}

static inline vf core_arctan(vf x)
{
    return mask_all(vf_abs(x) <= ARCTAN_FAR) ? arctan_ordinary(x) : arctan_general(x);
}

/* arctan(y / x) as a sum of two doubles, where y and x are such sums and not negative, near the ratio. */
ALWAYS struct dd arc_angle(struct dd y, struct dd x, vf ratio)
{
    const struct arc_row row = arc_row_of(ratio);
    const struct dd part = split(x.high);
    const vf over = (row.a * y.high - row.c * part.high) - row.c * part.low;
    const struct dd value = dd_of(over, row.a * y.low - row.c * x.low);
    const struct dd u = quotient(value, dd_of(row.a * x.high + row.c * y.high, row.a * x.low + row.c * y.low));
    const struct dd total = fast_two_sum(row.high, u.high);
    return dd_of(total.high, total.low + (row.low + (u.low + arc_series(u.high))));
}

/* The angle itself, or pi minus it in the lanes of a mask. */
ALWAYS vf arc_mirrored(vi negative, struct dd angle)
{
    const vf sign = vf_where(negative, vf_of(-1.0), vf_of(1.0)), base = vf_where(negative, vf_of(ARC_PI), vf_of(0.0));
    const vf base_low = vf_where(negative, vf_of(ARC_PI_LOW), vf_of(0.0));
    const struct dd total = fast_two_sum(base, sign * angle.high);
    return total.high + (total.low + (base_low + sign * angle.low));
}

/* sqrt(1 - size**2). */
ALWAYS struct dd arc_leg(vf size)
{
    const struct dd square = product(size, size), first = fast_two_sum(vf_of(1.0), -square.high);
    const struct dd rest = fast_two_sum(first.high, first.low - square.low);
    const vf root = vf_sqrt(rest.high);
    const struct dd again = product(root, root);
    return dd_of(root, ((rest.high - again.high) - again.low + rest.low) / (2.0 * root));
}

ALWAYS vf arcsin_ordinary(vf x)
{
    const vf size = vf_abs(x);
    const struct dd leg = arc_leg(size), angle = arc_angle(dd_of(size, vf_of(0.0)), leg, size / leg.high);
    return vf_copysign(angle.high + angle.low, x);
}

ALWAYS vf arccos_ordinary(vf x)
{
    const vf size = vf_abs(x);
    const struct dd leg = arc_leg(size);
    return arc_mirrored(x < 0.0, arc_angle(leg, dd_of(size, vf_of(0.0)), leg.high / size));
}

static RARE vf arcsin_general(vf x)
{
    const vf near = arcsin_ordinary(vf_where(vf_abs(x) < 1.0, x, vf_of(0.0)));
    const vf end = vf_where(vf_abs(x) == 1.0, vf_copysign(vf_of(0.5 * ARC_PI), x), vf_of(CORE_NAN));
    return vf_where(vf_abs(x) < 1.0, near, end);
}

static RARE vf arccos_general(vf x)
{
    const vf near = arccos_ordinary(vf_where(vf_abs(x) < 1.0, x, vf_of(0.5)));
    const vf end = vf_where(x == 1.0, vf_of(0.0), vf_where(x == -1.0, vf_of(ARC_PI), vf_of(CORE_NAN)));
    return vf_where(vf_abs(x) < 1.0, near, end);
}

static inline vf core_arcsin(vf x) { return mask_all(vf_abs(x) < 1.0) ? arcsin_ordinary(x) : arcsin_general(x); }
static inline vf core_arccos(vf x) { return mask_all(vf_abs(x) < 1.0) ? arccos_ordinary(x) : arccos_general(x); }

/* Sizes of which neither products nor quotients leave the normal range. */
ALWAYS vi arctan2_usual(vf above, vf right)
{
    return (above >= ARC_SMALL) & (above <= ARC_LARGE) & (right >= ARC_SMALL) & (right <= ARC_LARGE);
}

ALWAYS vf arctan2_ordinary(vf y, vf x)
{
    const vf above = vf_abs(y), right = vf_abs(x), zero = vf_of(0.0);
    const struct dd angle = arc_angle(dd_of(above, zero), dd_of(right, zero), above / right);
    return vf_copysign(arc_mirrored(x < 0.0, angle), y);
}

/* A positive number as mantissa * 2**exponent, with a mantissa from 1/2 to 1. */
struct mantissa {
    vf value;
    vi exponent;
};

static inline struct mantissa mantissa_of(vf x)
{
    const vi small = x < LOG_SMALLEST_NORMAL, bits = vf_bits(vf_where(small, x * 0x1p54, x));
    const vi exponent = (bits >> 52) - 1022;
    const struct mantissa result = {vi_floats(bits - (exponent << 52)), exponent - (small & 54)};
    return result;
}

/* The size of the angle where one of |y| and |x| is zero or infinite. */
static inline vf angle_on_axis(vf above, vf right, vi negative)
{
    const vf flat = vf_where(negative, vf_of(ARC_PI), vf_of(0.0));
    const vf diagonal = vf_where(negative, vf_of(ARC_THREE_QUARTERS), vf_of(0.25 * ARC_PI));
    const vf angle = vf_where((above == 0.0) | (right == CORE_INF), flat, vf_of(0.5 * ARC_PI));
    return vf_where((above == CORE_INF) & (right == CORE_INF), diagonal, angle);
}

/* The angle of very large or small numbers: both are scaled, so that |x| is from 1/2 to 1. */
static inline vf angle_of_scaled(vf above, vf right, vi negative)
{
    const struct mantissa up = mantissa_of(above), along = mantissa_of(right);
    const vi gap = up.exponent - along.exponent, flat = gap < -70, steep = gap > 70;
    const vf zero = vf_of(0.0), height = up.value * power_of_two(vi_where(flat | steep, vi_of(0), gap));
    const struct dd angle = arc_angle(dd_of(height, zero), dd_of(along.value, zero), height / along.value);
    const vf result = vf_where(steep, vf_of(0.5 * ARC_PI), arc_mirrored(negative, angle));
    return vf_where(flat, vf_where(negative, vf_of(ARC_PI), above / right), result);
}

/* Special cases as in C99, annex F.9.1.4. */
static RARE vf arctan2_general(vf y, vf x)
{
    const vf above = vf_abs(y), right = vf_abs(x), one = vf_of(1.0);
    const vi negative = vf_bits(x) < 0, usual = arctan2_usual(above, right);
    const vi axis = (above == 0.0) | (right == 0.0) | (above == CORE_INF) | (right == CORE_INF);
    const vi scaled = ~(usual | axis | (x != x) | (y != y));
    vf result = angle_of_scaled(vf_where(scaled, above, one), vf_where(scaled, right, one), negative);
    result = vf_copysign(vf_where(axis, angle_on_axis(above, right, negative), result), y);
    result = vf_where(usual, arctan2_ordinary(vf_where(usual, y, one), vf_where(usual, x, one)), result);
    return vf_where((x != x) | (y != y), vf_of(CORE_NAN), result);
}

static inline vf core_arctan2(vf y, vf x)
{
    return mask_all(arctan2_usual(vf_abs(y), vf_abs(x))) ? arctan2_ordinary(y, x) : arctan2_general(y, x);
}

#endif
