/* ndtr, ndtri, erf: portable_math/gaussian.py, which says how. */
#ifndef PIPELINE_MATH_NORMAL_H
#define PIPELINE_MATH_NORMAL_H

#include "math_exp.h"
#include "math_log.h"

#define MILLS_ROW 12 /* the ratio as two doubles, the coefficients of r to r**9, and 0 */
typedef char mills_rows_are_complete[sizeof mills_table == sizeof(f64) * MILLS_ROW * (NORMAL_LAST + 1) ? 1 : -1];
typedef char mills_rows_have_nine_powers[NORMAL_DEGREE == 9 ? 1 : -1];

/* The highest power's coefficient first. */
ALWAYS vf polynomial(vf x, const f64 *coefficients, int count)
{
    vf total = vf_of(coefficients[0]);
    for (int power = 1; power < count; power++)
        total = total * x + coefficients[power];
    return total;
}

#define POLYNOMIAL(x, table) polynomial(x, table, (int)(sizeof table / sizeof *table))

/* 1/2 - Q(t), for t up to NORMAL_CENTRE. */
ALWAYS struct dd normal_centre(struct dd t)
{
    const vf square = t.high * t.high;
    const struct dd whole = product(t.high, vf_of(NORMAL_DENSITY));
    const vf rest = square * POLYNOMIAL(square, normal_series);
    const vf low = t.high * NORMAL_DENSITY_LOW + t.low * NORMAL_DENSITY;
    return fast_two_sum(whole.high, (whole.low + low) + whole.high * rest);
}

/* 2**n, exp(-t*t/2) / 2**n and Q(t) / 2**n. */
struct normal_tail {
    vi n;
    vf density;
    struct dd value;
};

ALWAYS struct normal_tail normal_tail(struct dd t)
{
    const struct dd square = product(t.high, t.high);
    const struct exp_parts parts = exp_parts(dd_of(-0.5 * square.high, -0.5 * (square.low + 2.0 * t.high * t.low)));
    const vf rounded = t.high + NORMAL_TO_NODE, r = (t.high - (rounded - NORMAL_TO_NODE)) + t.low;
    const vi node = clip_index(vf_bits(rounded) - NORMAL_NODE_BITS, NORMAL_LAST);
    const vi at = (node << 3) + (node << 2); /* MILLS_ROW */
    const struct vf_pair value = gather_pair(mills_table, at);
    vf series = gather_pair(mills_table + NORMAL_DEGREE + 1, at).first;
    for (i64 power = NORMAL_DEGREE - 1; power >= 2; power -= 2) {
        const struct vf_pair pair = gather_pair(mills_table + power, at);
        series = (series * r + pair.second) * r + pair.first;
    }
    const struct dd ratio = fast_two_sum(value.first, value.second + r * series);
    const struct dd whole = product(parts.value.high, ratio.high);
    const vf low = whole.low + (parts.value.high * ratio.low + parts.value.low * ratio.high);
    const struct normal_tail tail = {parts.n, parts.value.high, fast_two_sum(whole.high, low)};
    return tail;
}

/* base + sign * part. */
ALWAYS vf normal_joined(vf base, vf sign, struct dd part)
{
    const struct dd total = fast_two_sum(base, sign * part.high);
    return total.high + (total.low + sign * part.low);
}

ALWAYS struct dd dd_where(vi mask, struct dd then, struct dd other)
{
    return dd_of(vf_where(mask, then.high, other.high), vf_where(mask, then.low, other.low));
}

ALWAYS struct dd dd_scaled(struct dd value, vf scale) { return dd_of(value.high * scale, value.low * scale); }

ALWAYS vf ndtr_ordinary(vf x)
{
    const struct dd t = dd_of(vf_abs(x), vf_of(0.0));
    const struct normal_tail tail = normal_tail(t);
    const vi upper = x > 0.0, centre = t.high <= NORMAL_CENTRE;
    const vf base = vf_where(centre, vf_of(0.5), vf_where(upper, vf_of(1.0), vf_of(0.0)));
    const vf sign = vf_where(centre ^ upper, vf_of(-1.0), vf_of(1.0));
    const struct dd far = dd_scaled(tail.value, power_of_two(tail.n));
    return normal_joined(base, sign, dd_where(centre, normal_centre(t), far));
}

/* Results below the normal range are rounded once. */
static inline vf ndtr_subnormal(vf x)
{
    const struct normal_tail tail = normal_tail(dd_of(vf_abs(x), vf_of(0.0)));
    return vf_ldexp(tail.value.high + tail.value.low, tail.n);
}

static RARE vf ndtr_general(vf x)
{
    const vi ordinary = (x >= NORMAL_NDTR_NORMAL) & (x <= NORMAL_NDTR_ONE);
    const vi small = (x >= NORMAL_NDTR_ZERO) & (x < NORMAL_NDTR_NORMAL);
    vf result = vf_where(x > 0.0, vf_of(1.0), vf_where(x < 0.0, vf_of(0.0), vf_of(CORE_NAN)));
    result = vf_where(small, ndtr_subnormal(vf_where(small, x, vf_of(NORMAL_NDTR_NORMAL))), result);
    return vf_where(ordinary, ndtr_ordinary(vf_where(ordinary, x, vf_of(0.0))), result);
}

static inline vf core_ndtr(vf x)
{
    return mask_all((x >= NORMAL_NDTR_NORMAL) & (x <= NORMAL_NDTR_ONE)) ? ndtr_ordinary(x) : ndtr_general(x);
}

ALWAYS vf erf_ordinary(vf x)
{
    const vf size = vf_abs(x);
    const struct dd scaled = product(size, vf_of(NORMAL_ROOT2));
    const struct dd t = fast_two_sum(scaled.high, scaled.low + size * NORMAL_ROOT2_LOW);
    const struct normal_tail tail = normal_tail(t);
    const vi centre = t.high <= NORMAL_CENTRE;
    const vf base = vf_where(centre, vf_of(0.0), vf_of(1.0)), sign = vf_where(centre, vf_of(2.0), vf_of(-2.0));
    const struct dd far = dd_scaled(tail.value, power_of_two(tail.n));
    return vf_copysign(normal_joined(base, sign, dd_where(centre, normal_centre(t), far)), x);
}

ALWAYS vi erf_is_ordinary(vf x) { return (vf_abs(x) <= NORMAL_ERF_ONE) & (vf_abs(x) >= NORMAL_ERF_TINY); }

/* Tiny arguments are scaled up first, so that no product is subnormal. */
static RARE vf erf_general(vf x)
{
    const vi tiny = vf_abs(x) < NORMAL_ERF_TINY, ordinary = erf_is_ordinary(x);
    const vf scaled = vf_where(tiny, x * 0x1p200, vf_where(ordinary, x, vf_of(1.0)));
    const vf near = erf_ordinary(scaled), far = vf_where(x == x, vf_copysign(vf_of(1.0), x), vf_of(CORE_NAN));
    return vf_where(x == 0.0, x, vf_where(tiny, near * 0x1p-200, vf_where(ordinary, near, far)));
}

static inline vf core_erf(vf x) { return mask_all(erf_is_ordinary(x)) ? erf_ordinary(x) : erf_general(x); }

/* Acklam's approximations: near 1/2, and in the tail. */
ALWAYS vf ndtri_near_start(vf part)
{
    const vf square = part * part;
    return part * POLYNOMIAL(square, ndtri_near) / POLYNOMIAL(square, ndtri_near_under);
}

ALWAYS vf ndtri_far_start(vf root) { return -(POLYNOMIAL(root, ndtri_far) / POLYNOMIAL(root, ndtri_far_under)); }

/* For the logarithm of the tail, which is p or 1 - p. */
ALWAYS vf ndtri_of(vf p, vf tail, vf logarithm)
{
    const vf part = 0.5 - tail, far = ndtri_far_start(vf_sqrt(-2.0 * logarithm));
    const vf t = vf_where(tail < NORMAL_FAR_BELOW, far, ndtri_near_start(part));
    const struct dd start = dd_of(t, vf_of(0.0));
    const struct normal_tail q = normal_tail(start);
    const struct dd near = normal_centre(start);
    const vf far_miss = ((q.value.high - vf_ldexp(tail, -q.n)) + q.value.low) / (q.density * NORMAL_DENSITY);
    const vf near_miss = ((part - near.high) - near.low) / (q.density * power_of_two(q.n) * NORMAL_DENSITY);
    const vf miss = vf_where(part <= NORMAL_CENTRE_OF_NDTRI, near_miss, far_miss);
    const vf result = t + (miss + 0.5 * t * miss * miss);
    return vf_where(p < 0.5, -result, result);
}

ALWAYS vf ndtri_tail(vf p) { return vf_where(p < 0.5, p, 1.0 - p); }

static RARE vf ndtri_general(vf p)
{
    const vi inside = (p > 0.0) & (p < 1.0);
    const vf safe = vf_where(inside, p, vf_of(0.5)), tail = ndtri_tail(safe);
    const vf end = vf_where(p == 0.0, vf_of(-CORE_INF), vf_where(p == 1.0, vf_of(CORE_INF), vf_of(CORE_NAN)));
    return vf_where(inside, ndtri_of(safe, tail, log_general(tail)), end);
}

static inline vf core_ndtri(vf p)
{
    if (!mask_all((p >= NORMAL_NDTRI_NORMAL) & (p < 1.0)))
        return ndtri_general(p);
    const vf tail = ndtri_tail(p);
    return ndtri_of(p, tail, log_ordinary(tail));
}

#endif
