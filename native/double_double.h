/* Double-double arithmetic, as in portable_math/double_double.py: the order of every operation counts. */
#ifndef PIPELINE_DOUBLE_DOUBLE_H
#define PIPELINE_DOUBLE_DOUBLE_H

#include "lanes.h"
#include "tables.h"

/* The unevaluated sum of two doubles in each lane: the value rounded to 53 bits, and the rest. */
struct dd {
    vf high, low;
};

ALWAYS struct dd dd_of(vf high, vf low)
{
    struct dd both = {high, low};
    return both;
}

ALWAYS struct dd two_sum(vf a, vf b)
{
    const vf total = a + b, b_part = total - a;
    return dd_of(total, (a - (total - b_part)) + (b - b_part));
}

/* The same for |a| >= |b| or a == 0. */
ALWAYS struct dd fast_two_sum(vf a, vf b)
{
    const vf total = a + b;
    return dd_of(total, b - (total - a));
}

/* `a` as the exact sum of two doubles of at most 26 bits each. */
ALWAYS struct dd split(vf a)
{
    const vf scaled = a * SPLITTER, high = scaled - (scaled - a);
    return dd_of(high, a - high);
}

ALWAYS struct dd product(vf a, vf b)
{
    const struct dd x = split(a), y = split(b);
    const vf rounded = a * b;
    return dd_of(rounded, ((x.high * y.high - rounded) + x.high * y.low + x.low * y.high) + x.low * y.low);
}

ALWAYS struct dd quotient(struct dd value, struct dd divisor)
{
    const vf first = value.high / divisor.high;
    const struct dd multiplied = product(first, divisor.high);
    const vf rest = (((value.high - multiplied.high) - multiplied.low) + value.low) - first * divisor.low;
    return fast_two_sum(first, rest / divisor.high);
}

#endif
