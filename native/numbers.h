/* Remainders, integer powers and roundings to decimals, with the bits of NumPy's and Python's: arithmetic.py, integers.py
   and rounding.py of operations. */
#ifndef PIPELINE_NUMBERS_H
#define PIPELINE_NUMBERS_H

#include "basic.h"

#define FRACTION_BITS 52
#define FRACTION (((u64)1 << FRACTION_BITS) - 1)
#define LOWEST_POWER (-1074) /* of two, that a double holds */

/* |x| = whole * 2**power, of a finite number. */
struct parts {
    u64 whole;
    i32 power;
};

static inline struct parts parts_of(f64 x)
{
    const u64 bits = float_bits(x) & (UINT64_MAX >> 1);
    const i32 field = (i32)(bits >> FRACTION_BITS);
    if (field == 0)
        return (struct parts){bits, LOWEST_POWER};
    return (struct parts){(bits & FRACTION) | FRACTION + 1, field - 1 + LOWEST_POWER};
}

static inline f64 two_to(i32 power)
{
    return bits_float(power < -1022 ? (u64)1 << (power - LOWEST_POWER) : (u64)(power + 1023) << FRACTION_BITS);
}

/* The remainder with the sign of `a`, exact: 11 bits of the quotient at a time, so that 53 + 11 fit. */
static inline f64 fmod_of(f64 a, f64 b)
{
    if (!(a - a == 0.0) || b != b || b == 0.0)
        return __builtin_nan("");
    if (absolute_of(a) < absolute_of(b))
        return a;
    const struct parts over = parts_of(a), under = parts_of(b);
    u64 rest = over.whole % under.whole;
    for (i32 left = over.power - under.power; left > 0 && rest; left -= 11)
        rest = (rest << (left < 11 ? left : 11)) % under.whole;
    return with_sign_of((f64)rest * two_to(under.power), a);
}

/* The remainder with the sign of `b`, and the quotient rounded down, as npy_divmod has them. */
static inline f64 modulo_of(f64 a, f64 b)
{
    const f64 rest = fmod_of(a, b);
    if (b == 0.0)
        return rest;
    if (rest == 0.0)
        return with_sign_of(0.0, b);
    return (b < 0.0) != (rest < 0.0) ? rest + b : rest;
}

static inline f64 floor_quotient_of(f64 a, f64 b)
{
    if (b == 0.0)
        return a / b;
    const f64 rest = fmod_of(a, b);
    f64 quotient = (a - rest) / b;
    if (rest != 0.0 && (b < 0.0) != (rest < 0.0))
        quotient = quotient - 1.0;
    if (quotient == 0.0)
        return with_sign_of(0.0, a / b);
    const f64 whole = floor_of(quotient);
    return quotient - whole > 0.5 ? whole + 1.0 : whole;
}

TWO(remainder_run, f64, f64, modulo_of(a, b))
TWO(floor_divide_run, f64, f64, floor_quotient_of(a, b))

/* Wraps around; a negative exponent counts as 0. */
static inline i64 power_of_int(i64 base, i64 exponent)
{
    u64 result = 1, square = (u64)base;
    for (; exponent > 0; exponent >>= 1, square *= square)
        result = exponent & 1 ? result * square : result;
    return (i64)result;
}

TWO(power_int_run, i64, i64, power_of_int(a, b))

#define MOST_DECIMALS 22 /* the largest power of ten that a double holds */

static const f64 tens[MOST_DECIMALS + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                            1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* ints[0]: decimals. */
static inline f64 numpy_rounded(f64 x, i64 decimals)
{
    return decimals >= 0 ? rint_of(x * tens[decimals]) / tens[decimals] : rint_of(x / tens[-decimals]) * tens[-decimals];
}

typedef unsigned __int128 wide;

/* num / den, to the nearest integer, halves to even; the quotient is at most 2**53. */
static inline u64 nearest_quotient(wide num, wide den)
{
    u64 quotient = 0;
    int shift = 0;
    while (shift < 54 && den << 1 >> 1 == den && den << 1 <= num) {
        den <<= 1;
        shift++;
    }
    for (;; shift--, den >>= 1) {
        quotient = quotient << 1 | (num >= den);
        num -= num >= den ? den : 0;
        if (shift == 0)
            break;
    }
    return quotient + ((num << 1) > den || ((num << 1) == den && (quotient & 1)));
}

/* |x| * 10**decimals as an exact fraction, rounded to an integer, where that is below 2**53: with 10 = 2 * 5 all of
   it fits in 128 bits. */
static inline f64 exactly_scaled(f64 x, i64 decimals)
{
    const struct parts own = parts_of(x);
    wide five = 1;
    for (i64 index = decimals < 0 ? -decimals : decimals; index > 0; index--)
        five *= 5;
    const i64 power = own.power + decimals;
    const wide num = decimals > 0 ? own.whole * five : own.whole, den = decimals > 0 ? 1 : five;
    if (power >= 0)
        return (f64)nearest_quotient(num << power, den);
    if (power <= -108 || (decimals < 0 && power <= -55))
        return 0.0; /* less than a quarter */
    return (f64)nearest_quotient(num, den << -power);
}

/* As Python's `round`: the exact decimal value, halves to even, to the nearest double. From 2**53 units on the number
   itself is nearest. Where the scaled number is clearly not a half, its rounding error does not matter. */
static inline f64 python_rounded(f64 x, i64 decimals)
{
    const f64 size = absolute_of(x), ten = tens[decimals < 0 ? -decimals : decimals];
    const f64 scaled = decimals < 0 ? size / ten : size * ten;
    if (!(scaled < 9007199254740992.0))
        return x;
    f64 near = rint_of(scaled);
    if (!(0.5 - absolute_of(scaled - near) > scaled * DBL_EPSILON))
        near = exactly_scaled(x, decimals);
    return with_sign_of(decimals < 0 ? near * ten : near / ten, x);
}

ONE(round_decimals_run, f64, f64, numpy_rounded(a, call->instruction->int_at[0]))
ONE(round_python_run, f64, f64, python_rounded(a, call->instruction->int_at[0]))

static const char *decimals_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    if (own->ints != 1 || own->arrays)
        return "other settings than decimals";
    return own->int_at[0] >= -MOST_DECIMALS && own->int_at[0] <= MOST_DECIMALS ? NULL : "too many decimals";
}

#define OPERATIONS_OF_NUMBERS                                                                                          \
    {"remainder", "dd:d", remainder_run, NULL, NULL}, {"floor_divide", "dd:d", floor_divide_run, NULL, NULL},          \
        {"power_int", "ii:i", power_int_run, NULL, NULL},                                                              \
        {"round_decimals", "d:d", round_decimals_run, decimals_check, NULL},                                           \
        {"round_python", "d:d", round_python_run, decimals_check, NULL},

#endif
