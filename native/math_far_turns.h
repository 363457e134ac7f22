/* x - k*pi/64 for large x, by long division of integers: `_far_remainder` of portable_math/trigonometry.py.

   A double beyond TURN_FAR is an integer of 53 bits times a power of two. It is multiplied with 2**TURN_STEP_BITS and
   divided by turn_step, which is pi/64 as an integer of this scale; its highest bit is set. Integers are arrays of
   32-bit digits from the lowest to the highest; sums that do not fit wrap around, as those of CPUs do. */
#ifndef PIPELINE_MATH_FAR_TURNS_H
#define PIPELINE_MATH_FAR_TURNS_H

#include "simd.h"
#include "tables.h"

#define STEP_DIGITS 41 /* of turn_step */
#define FAR_DIGITS 75  /* of the dividend, and one of 0 on top */
#define REST_DIGITS 6  /* of the remainder less half a step, as a signed number with TABLE_BITS after the point */
typedef char turn_step_has_its_digits[sizeof turn_step == 4 * STEP_DIGITS ? 1 : -1];
typedef char turn_half_step_has_its_digits[sizeof turn_half_step == 4 * STEP_DIGITS ? 1 : -1];

/* k modulo 128, and x - k*pi/64 as a sum of two doubles. */
struct far_turn {
    i64 k;
    f64 high, low;
};

static inline void digits_negate(u32 *digits, int count)
{
    u64 carry = 1;
    for (int digit = 0; digit < count; digit++) {
        carry += (u32)~digits[digit];
        digits[digit] = (u32)carry;
        carry >>= 32;
    }
}

/* digits += value * 2**shift, for a value below 2**54. */
static inline void digits_add(u32 *digits, int count, u64 value, int shift)
{
    const int first = shift / 32, bits = shift % 32;
    const u32 parts[3] = {(u32)(value << bits), (u32)(value << bits >> 32), bits ? (u32)(value >> (64 - bits)) : 0};
    u64 carry = 0;
    for (int digit = first; digit < count; digit++) {
        carry += (u64)digits[digit] + (digit - first < 3 ? parts[digit - first] : 0);
        digits[digit] = (u32)carry;
        carry >>= 32;
    }
}

/* Bits `shift` to `shift` + 63. */
static inline u64 digits_at(const u32 *digits, int count, int shift)
{
    const int first = shift / 32, bits = shift % 32;
    u64 at[3];
    for (int digit = 0; digit < 3; digit++)
        at[digit] = first + digit < count ? digits[first + digit] : 0;
    return (at[0] | at[1] << 32) >> bits | (bits ? at[2] << (64 - bits) : 0);
}

/* How many bits a number has, without its leading zeros. */
static inline int digits_length(const u32 *digits, int count)
{
    while (count > 0 && digits[count - 1] == 0)
        count--;
    return count ? 32 * count - __builtin_clz(digits[count - 1]) : 0;
}

/* How many bits at the end are 0, of a number that is not. */
static inline int digits_zeros(const u32 *digits)
{
    int digit = 0;
    while (digits[digit] == 0)
        digit++;
    return 32 * digit + __builtin_ctz(digits[digit]);
}

/* digits -= step * factor; whether that was too much. `digits` has STEP_DIGITS and one more. */
static inline u64 subtract_product(u32 *digits, const u32 *step, u64 factor)
{
    u64 carry = 0, borrow = 0;
    for (int digit = 0; digit <= STEP_DIGITS; digit++) {
        carry += digit < STEP_DIGITS ? step[digit] * factor : 0;
        const u64 difference = (u64)digits[digit] - (u32)carry - borrow;
        digits[digit] = (u32)difference;
        borrow = difference >> 63;
        carry >>= 32;
    }
    return borrow;
}

/* digits += step, where `step` has STEP_DIGITS and `digits` one more. */
static inline void add_step(u32 *digits, const u32 *step)
{
    u64 carry = 0;
    for (int digit = 0; digit <= STEP_DIGITS; digit++) {
        carry += (u64)digits[digit] + (digit < STEP_DIGITS ? step[digit] : 0);
        digits[digit] = (u32)carry;
        carry >>= 32;
    }
}

/* Leaves the remainder in the lowest digits and returns the lowest digit of the quotient. A digit of the quotient is
   guessed from the highest two digits, which is at most 2 too large: Knuth, The Art of Computer Programming 2,
   section 4.3.1, theorem B. */
static inline u32 divide_by_step(u32 *digits)
{
    u32 quotient = 0;
    for (int at = FAR_DIGITS - STEP_DIGITS - 1; at >= 0; at--) {
        u32 *part = digits + at;
        const u64 head = (u64)part[STEP_DIGITS] << 32 | part[STEP_DIGITS - 1];
        u64 guess = head / turn_step[STEP_DIGITS - 1];
        guess = guess > UINT32_MAX ? UINT32_MAX : guess;
        quotient = (u32)guess;
        for (u64 too_much = subtract_product(part, turn_step, guess); too_much; too_much = part[STEP_DIGITS] != 0) {
            add_step(part, turn_step);
            quotient--;
        }
    }
    return quotient;
}

/* The double nearest to a signed number of REST_DIGITS digits, halves to even, which is subtracted from the number. */
static inline f64 take_double(u32 *digits)
{
    const int negative = digits[REST_DIGITS - 1] >> 31 != 0;
    if (negative)
        digits_negate(digits, REST_DIGITS);
    const int length = digits_length(digits, REST_DIGITS), shift = length > 53 ? length - 53 : 0;
    u64 mantissa = digits_at(digits, REST_DIGITS, shift);
    if (shift) {
        u32 rounded[REST_DIGITS];
        for (int digit = 0; digit < REST_DIGITS; digit++)
            rounded[digit] = digits[digit];
        digits_add(rounded, REST_DIGITS, 1, shift - 1);
        mantissa = digits_at(rounded, REST_DIGITS, shift);
        if (digits_zeros(rounded) >= shift) /* it was a half */
            mantissa &= ~UINT64_C(1);
    }
    digits_negate(digits, REST_DIGITS);
    digits_add(digits, REST_DIGITS, mantissa, shift);
    if (!negative)
        digits_negate(digits, REST_DIGITS);
    const f64 size = (f64)mantissa * bits_float((u64)(1023 + shift - TABLE_BITS) << 52);
    return negative ? -size : size;
}

static inline struct far_turn far_remainder(f64 x)
{
    const u64 bits = float_bits(x), mantissa = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;
    const int shift = (int)(bits >> 52 & 2047) - 1075 + TURN_STEP_BITS;
    u32 digits[FAR_DIGITS] = {0};
    add_step(digits, turn_half_step);
    if (x < 0.0) { /* plus a multiple of 128 steps, so that the dividend is positive */
        add_step(digits + FAR_DIGITS - 1 - STEP_DIGITS, turn_step);
        digits_negate(digits, FAR_DIGITS);
        digits_add(digits, FAR_DIGITS, mantissa, shift);
        digits_negate(digits, FAR_DIGITS);
    } else {
        digits_add(digits, FAR_DIGITS, mantissa, shift);
    }
    struct far_turn turn;
    turn.k = divide_by_step(digits) & 127;
    /* the remainder less half a step, rounded down to TABLE_BITS after the point */
    digits_negate(digits, STEP_DIGITS + 1);
    add_step(digits, turn_half_step);
    digits_negate(digits, STEP_DIGITS + 1);
    u32 rest[REST_DIGITS];
    for (int digit = 0; digit < REST_DIGITS - 1; digit++)
        rest[digit] = (u32)digits_at(digits, STEP_DIGITS + 1, TURN_STEP_BITS - (int)TABLE_BITS + 32 * digit);
    rest[REST_DIGITS - 1] = digits[STEP_DIGITS]; /* the sign */
    turn.high = take_double(rest);
    turn.low = take_double(rest);
    return turn;
}

#endif
