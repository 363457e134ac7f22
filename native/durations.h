/* Dates and durations, in microseconds: operations/durations.py, dates.py and `elapsed` of calendar.py. A missing one
   makes the result missing, or false; what 64 bits do not hold is refused. */
#ifndef PIPELINE_DURATIONS_H
#define PIPELINE_DURATIONS_H

#include "basic.h"
#include "calendar.h"

/* The loop over two columns of integers; `refused` becomes 1 where a row is to be refused. */
#define MOMENTS(NAME, OUT, EXPRESSION)                                                                                 \
    static int NAME(const struct core_call *call)                                                                      \
    {                                                                                                                  \
        const i64 *restrict a_at = call->in[0].at, *restrict b_at = call->in[1].at;                                    \
        const size_t a_step = !call->in[0].constant, b_step = !call->in[1].constant;                                   \
        const struct core_instruction *own = call->instruction;                                                        \
        OUT *restrict out = call->out;                                                                                 \
        int refused = 0;                                                                                               \
        (void)own;                                                                                                     \
        for (size_t row = 0; row < call->rows; row++) {                                                                \
            const i64 a = a_at[row * a_step], b = b_at[row * b_step];                                                  \
            const int missing = (a == CORE_NAT) | (b == CORE_NAT);                                                     \
            out[row] = EXPRESSION;                                                                                     \
        }                                                                                                              \
        return refused ? CORE_REFUSED : CORE_OK;                                                                       \
    }

#define NOT_A_NUMBER __builtin_nan("")

/* A sum, difference or product of 64 bits; the one of all bits that means missing is not held, either. */
#define HELD(FUNCTION, COMPUTE)                                                                                        \
    static inline i64 FUNCTION(i64 a, i64 b, int missing, int *refused)                                                \
    {                                                                                                                  \
        i64 result;                                                                                                    \
        const int beyond = COMPUTE(a, b, &result);                                                                     \
        *refused |= (beyond | (result == CORE_NAT)) & !missing;                                                        \
        return missing ? CORE_NAT : result;                                                                            \
    }

HELD(held_sum, __builtin_add_overflow)
HELD(held_difference, __builtin_sub_overflow)
HELD(held_product, __builtin_mul_overflow)

MOMENTS(add_moments_run, i64, held_sum(a, b, missing, &refused))
MOMENTS(subtract_moments_run, i64, held_difference(a, b, missing, &refused))
MOMENTS(scale_moments_run, i64, held_product(a, b, missing, &refused))
MOMENTS(date_equal_run, u8, (u8)((a == b) & !missing))
MOMENTS(divide_durations_run, f64, missing ? NOT_A_NUMBER : (f64)a / (f64)b)
MOMENTS(floor_divide_durations_run, f64, missing ? NOT_A_NUMBER : (f64)floor_divide_of(a, b))
MOMENTS(remainder_durations_run, i64, missing ? CORE_NAT : b == 0 ? a : remainder_of(a, b))

#define MOST_ELAPSED (INT64_MAX / 1000 + 1) /* microseconds that do not fit in 64 bits as nanoseconds any more */

/* arrays: the unit in nanoseconds. */
static inline f64 elapsed_of(i64 a, i64 b, f64 unit, int missing, int *refused)
{
    i64 apart;
    const int beyond = __builtin_sub_overflow(a, b, &apart) || apart >= MOST_ELAPSED || apart <= -MOST_ELAPSED;
    *refused |= beyond & !missing;
    return missing | beyond ? NOT_A_NUMBER : (f64)(apart * 1000) / unit;
}

MOMENTS(elapsed_run, f64, elapsed_of(a, b, *(const f64 *)own->array_at->data, missing, &refused))

static const char *elapsed_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    const int one = own->ints == 0 && own->arrays == 1 && own->array_at->kind == 'd' && own->array_at->count == 1;
    return one ? NULL : "other settings than one unit";
}

/* The integer that means missing has no other sign: it stays. */
ONE(negate_duration_run, i64, i64, 0 - (u64)a)
ONE(absolute_duration_run, i64, i64, a < 0 ? 0 - (u64)a : (u64)a)

ONE(duration_days_run, i64, f64, a == CORE_NAT ? NOT_A_NUMBER : (f64)down(a, A_DAY))
ONE(duration_seconds_part_run, i64, f64, a == CORE_NAT ? NOT_A_NUMBER : (f64)down(above(a, A_DAY), A_SECOND))
ONE(duration_microseconds_run, i64, f64, a == CORE_NAT ? NOT_A_NUMBER : (f64)above(a, A_SECOND))

#define MOST_SECONDS ((i64)1 << 53)

REFUSE(no_long_duration_run, i64, (a != CORE_NAT) & ((a > MOST_SECONDS) | (a < -MOST_SECONDS)))
ONE(whole_and_rest_run, i64, f64,
    a == CORE_NAT ? NOT_A_NUMBER : (f64)down(a, A_SECOND) + (f64)above(a, A_SECOND) / 1000000.0)

static int duration_seconds_run(const struct core_call *call)
{
    return no_long_duration_run(call) ? CORE_REFUSED : whole_and_rest_run(call);
}

/* A date rounded to multiples of a unit, ints[0]: the last one, the next one, or the nearest, halves to even. */
static inline i64 round_down(i64 date, i64 unit, int *beyond)
{
    i64 result;
    *beyond = __builtin_sub_overflow(date, above(date, unit), &result);
    return result;
}

static inline i64 round_up(i64 date, i64 unit, int *beyond)
{
    i64 result;
    *beyond = __builtin_add_overflow(date, above(-date, unit), &result);
    return result;
}

static inline i64 round_near(i64 date, i64 unit, int *beyond)
{
    const i64 count = down(date, unit), rest = date - count * unit;
    const i64 up = (2 * rest > unit) | ((2 * rest == unit) & (count & 1));
    i64 result;
    *beyond = __builtin_mul_overflow(count + up, unit, &result);
    return result;
}

#define ROUNDED(NAME, ROUND)                                                                                           \
    static int NAME(const struct core_call *call)                                                                      \
    {                                                                                                                  \
        const i64 *restrict dates = call->in[0].at;                                                                    \
        i64 *restrict out = call->out;                                                                                 \
        const size_t step = !call->in[0].constant;                                                                     \
        const i64 unit = call->instruction->int_at[0];                                                                 \
        int refused = 0;                                                                                               \
        for (size_t row = 0; row < call->rows; row++) {                                                                \
            const i64 date = dates[row * step];                                                                        \
            int beyond;                                                                                                \
            const i64 result = ROUND(date, unit, &beyond);                                                             \
            refused |= (beyond | (result == CORE_NAT)) & (date != CORE_NAT);                                           \
            out[row] = date == CORE_NAT ? CORE_NAT : result;                                                           \
        }                                                                                                              \
        return refused ? CORE_REFUSED : CORE_OK;                                                                       \
    }

ROUNDED(date_floor_run, round_down)
ROUNDED(date_ceil_run, round_up)
ROUNDED(date_round_run, round_near)

/* Twice a rest must fit in 64 bits. */
static const char *unit_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    if (own->ints != 1 || own->arrays)
        return "other settings than one unit";
    return own->int_at[0] >= 1 && own->int_at[0] <= (i64)1 << 62 ? NULL : "a unit of no microseconds, or of too many";
}

#define OPERATIONS_OF_DURATIONS                                                                                        \
    {"add_moments", "ii:i", add_moments_run, NULL, NULL}, {"subtract_moments", "ii:i", subtract_moments_run, NULL,     \
                                                           NULL},                                                      \
        {"scale_moments", "ii:i", scale_moments_run, NULL, NULL}, {"date_equal", "ii:b", date_equal_run, NULL, NULL},  \
        {"divide_durations", "ii:d", divide_durations_run, NULL, NULL},                                                \
        {"floor_divide_durations", "ii:d", floor_divide_durations_run, NULL, NULL},                                    \
        {"remainder_durations", "ii:i", remainder_durations_run, NULL, NULL},                                          \
        {"elapsed", "ii:d", elapsed_run, elapsed_check, NULL},                                                         \
        {"negate_duration", "i:i", negate_duration_run, NULL, NULL},                                                   \
        {"absolute_duration", "i:i", absolute_duration_run, NULL, NULL},                                               \
        {"duration_part_days", "i:d", duration_days_run, NULL, NULL},                                                  \
        {"duration_part_seconds", "i:d", duration_seconds_part_run, NULL, NULL},                                       \
        {"duration_part_microseconds", "i:d", duration_microseconds_run, NULL, NULL},                                  \
        {"duration_seconds", "i:d", duration_seconds_run, NULL, NULL},                                                 \
        {"date_floor", "i:i", date_floor_run, unit_check, NULL},                                                       \
        {"date_ceil", "i:i", date_ceil_run, unit_check, NULL}, {"date_round", "i:i", date_round_run, unit_check, NULL},

#endif
