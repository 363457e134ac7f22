/* exp, expm1, sigmoid, tanh: portable_math/exponentials.py, which says how.

   Each function has an ordinary form, for lanes whose results are normal, and a form for all arguments. */
#ifndef PIPELINE_MATH_EXP_H
#define PIPELINE_MATH_EXP_H

#include "double_double.h"

/* x = steps * log(2)/128 + rest; the low bits of k are the integer `steps`. */
struct exp_reduced {
    vi k;
    vf steps;
};

ALWAYS struct exp_reduced exp_reduce(vf x)
{
    const vf rounded = x * EXP_PER_STEP + EXP_ROUND;
    const struct exp_reduced reduced = {vf_bits(rounded), rounded - EXP_ROUND};
    return reduced;
}

/* 2**(k / 128) without its power of two. */
ALWAYS struct dd exp_row(vi k)
{
    const struct vf_pair row = gather_pair(exp_table, (k & 127) << 1);
    return dd_of(row.first, row.second);
}

/* k // 128 in the place of an exponent, and as an integer. */
ALWAYS vi exp_exponent(vi k) { return (k & -128) << 45; }
ALWAYS vi exp_power(vi k) { return (k - EXP_ROUND_BITS) >> 7; }

ALWAYS vf exp_rest(vf x, vf steps) { return (x - steps * EXP_STEP) - steps * EXP_STEP_LOW; }

/* exp(r) - 1 for small r. */
ALWAYS vf exp_series(vf r)
{
    return r + r * r * (0.5 + r * (EXP_SIXTH + r * (EXP_24TH + r * EXP_120TH)));
}

ALWAYS vf scaled_exp(struct dd row, vf r) { return row.high + (row.low + row.high * exp_series(r)); }

ALWAYS vf exp_ordinary(vf x)
{
    const struct exp_reduced reduced = exp_reduce(x);
    const vf value = scaled_exp(exp_row(reduced.k), exp_rest(x, reduced.steps));
    return vi_floats(vf_bits(value) + exp_exponent(reduced.k));
}

static RARE vf exp_general(vf x)
{
    const vf safe = vf_where((x >= EXP_SMALLEST) & (x <= EXP_LARGEST), x, vf_of(0.0));
    const struct exp_reduced reduced = exp_reduce(safe);
    const vf value = scaled_exp(exp_row(reduced.k), exp_rest(safe, reduced.steps));
    vf result = vf_ldexp(value, exp_power(reduced.k));
    result = vf_where(x > EXP_LARGEST, vf_of(CORE_INF), result);
    result = vf_where(x < EXP_SMALLEST, vf_of(0.0), result);
    return vf_where(x != x, vf_of(CORE_NAN), result);
}

static inline vf core_exp(vf x)
{
    return mask_all((x >= EXP_NORMAL) & (x <= EXP_LARGEST)) ? exp_ordinary(x) : exp_general(x);
}

/* exp(high + low) for normal results. */
ALWAYS vf exp_of_sum_ordinary(struct dd x)
{
    const struct exp_reduced reduced = exp_reduce(x.high);
    const vf r = (x.high - reduced.steps * EXP_STEP) + (x.low - reduced.steps * EXP_STEP_LOW);
    return vi_floats(vf_bits(scaled_exp(exp_row(reduced.k), r)) + exp_exponent(reduced.k));
}

/* exp(high + low) for any finite sum. */
ALWAYS vf exp_of_sum_general(struct dd x)
{
    const vi inside = (x.high >= EXP_SMALLEST - 0.1) & (x.high <= EXP_LARGEST + 0.1);
    const struct dd safe = dd_of(vf_where(inside, x.high, vf_of(0.0)), vf_where(inside, x.low, vf_of(0.0)));
    const struct exp_reduced reduced = exp_reduce(safe.high);
    const vf r = (safe.high - reduced.steps * EXP_STEP) + (safe.low - reduced.steps * EXP_STEP_LOW);
    const vf value = vf_ldexp(scaled_exp(exp_row(reduced.k), r), exp_power(reduced.k));
    return vf_where(inside, value, vf_where(x.high > 0.0, vf_of(CORE_INF), vf_of(0.0)));
}

/* A power of two n, and two doubles whose sum times 2**n is exp(high + low). */
struct exp_parts {
    vi n;
    struct dd value;
};

ALWAYS struct dd exp_parts_of(vf r, struct dd row)
{
    return fast_two_sum(row.high, row.low + row.high * exp_series(r));
}

ALWAYS struct exp_parts exp_parts(struct dd x)
{
    const struct exp_reduced reduced = exp_reduce(x.high);
    const vf r = (x.high - reduced.steps * EXP_STEP) + (x.low - reduced.steps * EXP_STEP_LOW);
    const struct exp_parts parts = {exp_power(reduced.k), exp_parts_of(r, exp_row(reduced.k))};
    return parts;
}

/* 2**(k / 128) with its power of two. */
ALWAYS struct dd exp_scaled_row(vi k)
{
    const struct dd row = exp_row(k);
    const vf scale = vi_floats(exp_exponent(k) + ONE_BITS);
    return dd_of(row.high * scale, row.low * scale);
}

/* exp(x) - 1 as a sum of two doubles. */
ALWAYS struct dd less_one(vf x)
{
    const struct exp_reduced reduced = exp_reduce(x);
    const struct dd row = exp_scaled_row(reduced.k);
    const vf head = x - reduced.steps * EXP_STEP, tail = reduced.steps * EXP_STEP_LOW, r = head - tail;
    const struct dd base = two_sum(row.high, vf_of(-1.0)), total = fast_two_sum(base.high, head);
    const vf series = r * r * (0.5 + r * (EXP_SIXTH + r * (EXP_24TH + r * (EXP_120TH + r * EXP_720TH))));
    const vf rest = row.low * (1.0 + r) + ((base.high * r - tail) + row.high * series);
    return dd_of(total.high, (total.low + base.low) + rest);
}

ALWAYS vf expm1_ordinary(vf x)
{
    const struct dd sum = less_one(x);
    return vf_copysign(sum.high + sum.low, x);
}

static RARE vf expm1_general(vf x)
{
    const vi ordinary = (x >= -EXPM1_FAR) & (x <= EXPM1_FAR);
    const vf near = expm1_ordinary(vf_where(ordinary, x, vf_of(0.0)));
    return vf_where(ordinary, near, vf_where(x < 0.0, vf_of(-1.0), exp_general(x)));
}

static inline vf core_expm1(vf x)
{
    return mask_all((x >= -EXPM1_FAR) & (x <= EXPM1_FAR)) ? expm1_ordinary(x) : expm1_general(x);
}

/* E / (1 + E) for E = exp(x). */
ALWAYS vf sigmoid_ordinary(vf x)
{
    const struct exp_reduced reduced = exp_reduce(x);
    const struct dd e = exp_parts_of(exp_rest(x, reduced.steps), exp_scaled_row(reduced.k));
    const struct dd divisor = two_sum(vf_of(1.0), e.high);
    const struct dd result = quotient(e, dd_of(divisor.high, divisor.low + e.low));
    return result.high + result.low;
}

static RARE vf sigmoid_general(vf x)
{
    const vi ordinary = (x >= EXP_SIGMOID_FAR) & (x <= EXP_SIGMOID_ONE);
    const vf near = sigmoid_ordinary(vf_where(ordinary, x, vf_of(0.0)));
    return vf_where(ordinary, near, vf_where(x > 0.0, vf_of(1.0), exp_general(x)));
}

static inline vf core_sigmoid(vf x)
{
    return mask_all((x >= EXP_SIGMOID_FAR) & (x <= EXP_SIGMOID_ONE)) ? sigmoid_ordinary(x) : sigmoid_general(x);
}

/* E / (E + 2) for E = exp(2 * |x|) - 1. */
ALWAYS vf tanh_ordinary(vf x)
{
    const struct dd sum = less_one(2.0 * vf_abs(x)), e = fast_two_sum(sum.high, sum.low);
    const struct dd divisor = two_sum(vf_of(2.0), e.high);
    const struct dd result = quotient(e, dd_of(divisor.high, divisor.low + e.low));
    return vf_copysign(result.high + result.low, x);
}

static RARE vf tanh_general(vf x)
{
    const vi ordinary = (x >= -EXP_TANH_ONE) & (x <= EXP_TANH_ONE);
    const vf near = tanh_ordinary(vf_where(ordinary, x, vf_of(0.0)));
    const vf far = vf_where(x != x, vf_of(CORE_NAN), vf_copysign(vf_of(1.0), x));
    return vf_where(ordinary, near, far);
}

static inline vf core_tanh(vf x)
{
    return mask_all((x >= -EXP_TANH_ONE) & (x <= EXP_TANH_ONE)) ? tanh_ordinary(x) : tanh_general(x);
}

/* exp of float32 numbers, as operations/float32_functions.py: computed in double, rounded to float. */
typedef f32 vf_single __attribute__((vector_size(4 * LANES)));

static inline vf core_exp_float32(vf value)
{
    vf x = vf_where(value < SINGLE_LOW, vf_of(SINGLE_LOW), value);
    x = vf_where(x > SINGLE_HIGH, vf_of(SINGLE_HIGH), x);
    const vf scaled = x * SINGLE_PER_LOG_2, rounded = scaled + ROUND_WHOLE, rest = scaled - (rounded - ROUND_WHOLE);
    const vi number = vf_bits(rounded);
    const vf root = gather(single_table, number & (SINGLE_PARTS - 1));
    const vf scale = vi_floats(vf_bits(root) + ((number & -SINGLE_PARTS) << (52 - 5))); /* SINGLE_PARTS is 2**5 */
    const vf power = (SINGLE_CUBIC * rest + SINGLE_SQUARE) * (rest * rest) + (SINGLE_LINEAR * rest + 1.0);
    const vf result = __builtin_convertvector(__builtin_convertvector(power * scale, vf_single), vf);
    return vf_where(x == SINGLE_HIGH, vf_of(CORE_INF), result);
}

#endif
