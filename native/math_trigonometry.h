/* sin, cos, tan: portable_math/trigonometry.py, which says how. */
#ifndef PIPELINE_MATH_TRIGONOMETRY_H
#define PIPELINE_MATH_TRIGONOMETRY_H

#include "double_double.h"
#include "math_far_turns.h"

/* x = k*pi/64 + r; the low bits of k are the integer. */
struct turn_reduced {
    vi k;
    struct dd r;
};

/* For |x| up to TURN_FAR. */
ALWAYS struct turn_reduced turn_reduce(vf x)
{
    const vf rounded = x * TURN_PER_STEP + TURN_ROUND, k = rounded - TURN_ROUND;
    const struct dd near = two_sum(x - k * TURN_FIRST, -(k * TURN_SECOND));
    const struct turn_reduced reduced = {vf_bits(rounded), fast_two_sum(near.high, near.low - k * TURN_THIRD)};
    return reduced;
}

/* For every finite x: those beyond TURN_FAR one by one, by exact integers. */
static inline struct turn_reduced turn_reduce_finite(vf x)
{
    const vi far = vf_abs(x) > TURN_FAR;
    struct turn_reduced reduced = turn_reduce(vf_where(far, vf_of(0.0), x));
    for (int lane = 0; lane < LANES; lane++) {
        if (!far[lane])
            continue;
        const struct far_turn turn = far_remainder(x[lane]);
        reduced.k[lane] = turn.k;
        reduced.r.high[lane] = turn.high;
        reduced.r.low[lane] = turn.low;
    }
    return reduced;
}

/* sin(k*pi/64 + r). */
ALWAYS struct dd sine_of(vi k, struct dd r)
{
    const vi at = (k & 127) << 2;
    const struct vf_pair sine = gather_pair(turn_table, at), cosines = gather_pair(turn_table + 2, at);
    const vf high = sine.first, low = sine.second, head = cosines.first, rest = cosines.second;
    const struct dd part = split(r.high), total = fast_two_sum(high, head * part.high);
    const vf square = r.high * r.high, cosine = head + rest;
    const vf less_one = square * (square * (TURN_24TH - square * TURN_720TH) - 0.5);
    const vf sine_rest = r.high * square * (square * (TURN_120TH - square * TURN_5040TH) - TURN_6TH);
    const vf carried = (low + cosine * r.low) + (head * part.low + rest * r.high);
    return dd_of(total.high, total.low + (carried + (high * less_one + cosine * sine_rest)));
}

/* The sums lose the sign of zero. */
ALWAYS vf sin_of(vf x, struct turn_reduced turn)
{
    const struct dd sine = sine_of(turn.k, turn.r);
    return vf_where(x == 0.0, x, sine.high + sine.low);
}

ALWAYS vf cos_of(vf x, struct turn_reduced turn)
{
    (void)x;
    const struct dd cosine = sine_of(turn.k + 32, turn.r);
    return cosine.high + cosine.low;
}

ALWAYS vf tan_of(vf x, struct turn_reduced turn)
{
    const struct dd sine = sine_of(turn.k, turn.r), cosine = sine_of(turn.k + 32, turn.r);
    const struct dd ratio = quotient(fast_two_sum(sine.high, sine.low), fast_two_sum(cosine.high, cosine.low));
    return vf_where(x == 0.0, x, ratio.high + ratio.low);
}

#define TURN_FUNCTION(NAME)                                                                                            \
    static RARE vf NAME##_general(vf x)                                                                                \
    {                                                                                                                  \
        const vi finite = x - x == 0.0;                                                                                \
        const vf safe = vf_where(finite, x, vf_of(0.0));                                                               \
        return vf_where(finite, NAME##_of(safe, turn_reduce_finite(safe)), vf_of(CORE_NAN));                           \
    }                                                                                                                  \
    static inline vf core_##NAME(vf x)                                                                                 \
    {                                                                                                                  \
        return mask_all(vf_abs(x) <= TURN_FAR) ? NAME##_of(x, turn_reduce(x)) : NAME##_general(x);                     \
    }

TURN_FUNCTION(sin)
TURN_FUNCTION(cos)
TURN_FUNCTION(tan)

#endif
