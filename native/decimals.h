/* Decimal numbers as doubles, rounded once: what any correct reader gives.

   The first 19 digits and a power of ten up to 27 either way are a quotient or product of whole numbers below 2^128. For
   other powers, and where digits beyond the 19th could decide, the quotient of two large whole numbers is taken bit by bit:

       digits * 10^power = number / divisor     64 bits of it, and whether something is left

   A number halfway between two doubles has at most 767 digits: those beyond 800 only say whether something is left. */
#ifndef PIPELINE_DECIMALS_H
#define PIPELINE_DECIMALS_H

#include "core.h"

enum { MOST_DIGITS = 19, MOST_POWER = 27, SMALL_POWER = 22, LARGE_DIGITS = 800 };
enum { HUGE_POWER = 310, TINY_POWER = -400, KEPT_BITS = 56 }; /* 1e310 is infinite; 1e19 times 1e-400 is 0 */
enum { LIMBS = 66, LEAST_POWER = -1074, LARGEST_POWER = 1023 }; /* 10^1181 has 3924 bits: 800 digits, the last of 1e-400 */
#define EXACT_INTEGER ((u64)1 << 53)

typedef unsigned __int128 u128;

struct decimal {
    u64 digits;
    i64 power; /* of ten */
    int more;  /* whether digits that are not 0 are left out */
    int negative;
    const u8 *start, *end; /* of all digits, with a point and underscores in between */
    i64 exponent;          /* behind the e */
};

struct number_scan {
    const u8 *at, *end;
    u64 count; /* digits, leading zeros too */
    int significant;
    int underscores; /* between digits */
};

static inline int is_digit(u8 byte) { return byte >= '0' && byte <= '9'; }

static inline void take_digit(struct number_scan *scan, struct decimal *number, u64 digit, int fraction)
{
    scan->count++;
    if (scan->significant < MOST_DIGITS) {
        number->digits = number->digits * 10 + digit;
        scan->significant += number->digits != 0;
        number->power -= fraction;
        return;
    }
    number->more |= digit != 0;
    number->power += !fraction;
}

static void scan_digits(struct number_scan *scan, struct decimal *number, int fraction)
{
    const u8 *start = scan->at;
    for (; scan->at < scan->end; scan->at++) {
        if (is_digit(*scan->at))
            take_digit(scan, number, (u64)(*scan->at - '0'), fraction);
        else if (*scan->at != '_' || !scan->underscores || scan->at == start || scan->at + 1 == scan->end ||
                 !is_digit(scan->at[-1]) || !is_digit(scan->at[1]))
            return;
    }
}

static int scan_sign(struct number_scan *scan)
{
    const int negative = scan->at < scan->end && *scan->at == '-';
    scan->at += scan->at < scan->end && (*scan->at == '-' || *scan->at == '+');
    return negative;
}

/* The power behind an e; 0 where there is none. Beyond any double it stays where it is. */
static int scan_power(struct number_scan *scan, struct decimal *number)
{
    if (scan->at == scan->end || (*scan->at | 32) != 'e')
        return 1;
    scan->at++;
    const int negative = scan_sign(scan);
    struct number_scan digits = *scan;
    struct decimal power = {0};
    digits.count = 0;
    digits.significant = 0;
    scan_digits(&digits, &power, 0);
    scan->at = digits.at;
    const i64 size = power.power || power.digits >> 40 ? (i64)1 << 40 : (i64)power.digits;
    number->exponent = negative ? -size : size;
    number->power += number->exponent;
    return digits.count != 0;
}

/* Whether all of a text is a decimal number. */
static int scan_decimal(struct number_scan *scan, struct decimal *number)
{
    *number = (struct decimal){0};
    number->negative = scan_sign(scan);
    number->start = scan->at;
    scan_digits(scan, number, 0);
    if (scan->at < scan->end && *scan->at == '.') {
        scan->at++;
        scan_digits(scan, number, 1);
    }
    number->end = scan->at;
    return scan->count && scan_power(scan, number) && scan->at == scan->end;
}

static f64 two_to_the(i64 power)
{
    const union {
        u64 bits;
        f64 number;
    } own = {(u64)(power + 1023) << 52};
    return own.number;
}

/* whole * 2^power, or a little more: rounded once, ties to even. `more` only where `whole` has more than 54 bits. */
static f64 rounded_whole(u128 whole, int more, i64 power)
{
    const u64 high = (u64)(whole >> 64), low = (u64)whole;
    const int bits = high ? 128 - __builtin_clzll(high) : 64 - __builtin_clzll(low), left_out = bits - 53;
    if (left_out <= 0)
        return (f64)low * two_to_the(power);
    u64 kept = (u64)(whole >> left_out);
    const u128 rest = whole & (((u128)1 << left_out) - 1), half = (u128)1 << (left_out - 1);
    kept += rest > half || (rest == half && (more || (kept & 1)));
    return (f64)kept * two_to_the(power + left_out);
}

static u64 power_of_five(i64 power)
{
    u64 result = 1;
    while (power--)
        result *= 5;
    return result;
}

/* digits / 5^power * 2^-power: a quotient of 56 bits or more, and whether something is left. */
static f64 divided(u64 digits, i64 power)
{
    const u64 divisor = power_of_five(power);
    const int up = __builtin_clzll(digits);
    u64 quotient = (digits << up) / divisor, rest = (digits << up) % divisor;
    i64 down = -power - up;
    while (quotient >> (KEPT_BITS - 1) == 0) {
        rest *= 2; /* below 2^64: the divisor is below 2^63 */
        quotient = quotient * 2 + (rest >= divisor);
        rest -= rest >= divisor ? divisor : 0;
        down--;
    }
    return rounded_whole(quotient, rest != 0, down);
}

/* digits * 10^power for digits from 1 on. */
static f64 scaled(u64 digits, i64 power)
{
    static const f64 TENS[SMALL_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                              1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (digits <= EXACT_INTEGER && power >= -SMALL_POWER && power <= SMALL_POWER) /* both exact: rounded once */
        return power < 0 ? (f64)digits / TENS[-power] : (f64)digits * TENS[power];
    return power < 0 ? divided(digits, -power) : rounded_whole((u128)digits * power_of_five(power), 0, power);
}

/* A whole number of `count` limbs, the lowest first. */
struct large {
    u64 limb[LIMBS];
    u32 count;
};

static void times_plus(struct large *own, u64 factor, u64 more)
{
    for (u32 at = 0; at < own->count; at++) {
        const u128 product = (u128)own->limb[at] * factor + more;
        own->limb[at] = (u64)product;
        more = (u64)(product >> 64);
    }
    if (more && own->count < LIMBS)
        own->limb[own->count++] = more;
}

static void times_ten_to(struct large *own, i64 power)
{
    for (; power >= MOST_DIGITS; power -= MOST_DIGITS)
        times_plus(own, 10000000000000000000u, 0);
    while (power-- > 0)
        times_plus(own, 10, 0);
}

static void times_two_to(struct large *own, i64 power)
{
    for (; power >= 63; power -= 63)
        times_plus(own, (u64)1 << 63, 0);
    times_plus(own, (u64)1 << power, 0);
}

static i64 bits_of_large(const struct large *own)
{
    return 64 * (i64)own->count - __builtin_clzll(own->limb[own->count - 1]);
}

static int is_below(const struct large *left, const struct large *right)
{
    if (left->count != right->count)
        return left->count < right->count;
    for (u32 at = left->count; at-- > 0;)
        if (left->limb[at] != right->limb[at])
            return left->limb[at] < right->limb[at];
    return 0;
}

static void subtract_large(struct large *from, const struct large *other)
{
    u64 borrow = 0;
    for (u32 at = 0; at < from->count; at++) {
        const u64 own = at < other->count ? other->limb[at] : 0, before = from->limb[at];
        from->limb[at] = before - own - borrow;
        borrow = before < own || (before == own && borrow);
    }
    while (from->count && !from->limb[from->count - 1])
        from->count--;
}

/* All digits as a whole number; returns the power of ten it has to be multiplied by. */
static i64 large_digits(const struct decimal *number, struct large *own, int *more)
{
    i64 power = number->exponent, fraction = 0, count = 0;
    own->count = 0;
    for (const u8 *at = number->start; at < number->end; at++) {
        if (!is_digit(*at)) {
            fraction |= *at == '.';
        } else if (count < LARGE_DIGITS) {
            times_plus(own, 10, (u64)(*at - '0'));
            count += own->count != 0;
            power -= fraction;
        } else {
            *more |= *at != '0';
            power += !fraction;
        }
    }
    return power;
}

/* 2^power times a number from 1 to below 2 whose 64 bits are `bits`; `more`: a little above. */
static f64 rounded_bits(u64 bits, int more, i64 power)
{
    const i64 least = LEAST_POWER - power + 63; /* bits below the last one of a small number */
    const i64 left_out = least > 11 ? least : 11;
    if (left_out > 64)
        return 0.0;
    const u128 whole = bits, rest = whole & (((u128)1 << left_out) - 1), half = (u128)1 << (left_out - 1);
    u64 kept = (u64)(whole >> left_out);
    kept += rest > half || (rest == half && (more || (kept & 1)));
    if (power > LARGEST_POWER)
        return __builtin_inf();
    const union {
        u64 bits;
        f64 number;
    } own = {kept + (least >= 11 ? 0 : (u64)(power + 1022) << 52)}; /* a carry goes on to the exponent, up to infinity */
    return own.number;
}

static f64 divided_large(const struct decimal *number)
{
    struct large own, divisor = {{1}, 1};
    int more = 0;
    const i64 power = large_digits(number, &own, &more);
    times_ten_to(power < 0 ? &divisor : &own, power < 0 ? -power : power);
    i64 up = bits_of_large(&divisor) - bits_of_large(&own); /* so that the quotient is from 1/2 to below 2 */
    times_two_to(up < 0 ? &divisor : &own, up < 0 ? -up : up);
    if (is_below(&own, &divisor)) {
        times_plus(&own, 2, 0);
        up++;
    }
    u64 bits = 0;
    for (int bit = 0; bit < 64; bit++) {
        const int one = !is_below(&own, &divisor);
        bits = bits << 1 | (u64)one;
        if (one)
            subtract_large(&own, &divisor);
        times_plus(&own, 2, 0);
    }
    return rounded_bits(bits, more || own.count, -up);
}

static f64 size_of_decimal(const struct decimal *number)
{
    if (!number->digits || number->power < TINY_POWER)
        return 0.0;
    if (number->power > HUGE_POWER)
        return __builtin_inf();
    if (number->power < -MOST_POWER || number->power > MOST_POWER)
        return divided_large(number);
    const f64 size = scaled(number->digits, number->power);
    return number->more && size != scaled(number->digits + 1, number->power) ? divided_large(number) : size;
}

/* The double nearest to a decimal number. */
static f64 double_of(const struct decimal *number)
{
    const f64 size = size_of_decimal(number);
    return number->negative ? -size : size;
}

#endif
