/* What elementary functions do with lanes: masks, tables, powers of two, and loops over columns. */
#ifndef PIPELINE_LANES_H
#define PIPELINE_LANES_H

#include "simd.h"

#if defined(__x86_64__) && LEVEL
#include <immintrin.h>
#endif

#define ALWAYS static inline __attribute__((always_inline)) /* inside of loops, whose registers keep the constants */
#define RARE __attribute__((noinline, cold)) /* arguments that few columns have: out of the way of the loops */
#define CORE_NAN (__builtin_nan(""))
#define CORE_INF (__builtin_inf())
#define ONE_BITS (INT64_C(1023) << 52)
#define SIGN_BIT INT64_MIN
#define ROUND_WHOLE 0x1.8p+52 /* adding it rounds to an integer: its last place is 1 */

/* Whether a mask holds in every lane. */
static inline int mask_all(vi mask)
{
#if defined(__x86_64__) && LEVEL == 2
    return _mm512_movepi64_mask((__m512i)mask) == 0xff;
#elif defined(__x86_64__) && LEVEL == 1
    return _mm256_movemask_pd((__m256d)mask) == 0xf;
#else
    i64 all = -1;
    for (int lane = 0; lane < LANES; lane++)
        all &= mask[lane];
    return all != 0;
#endif
}

/* table[index] in every lane. */
static inline vf gather(const f64 *table, vi index)
{
#if defined(__x86_64__) && LEVEL == 2
    return (vf)_mm512_i64gather_pd((__m512i)index, table, 8);
#elif defined(__x86_64__) && LEVEL == 1
    return (vf)_mm256_i64gather_pd(table, (__m256i)index, 8);
#else
    vf found;
    for (int lane = 0; lane < LANES; lane++)
        found[lane] = table[index[lane]];
    return found;
#endif
}

static inline vf vf_sqrt(vf value)
{
#if defined(__x86_64__) && LEVEL == 2
    return (vf)_mm512_sqrt_pd((__m512d)value);
#elif defined(__x86_64__) && LEVEL == 1
    return (vf)_mm256_sqrt_pd((__m256d)value);
#else
    for (int lane = 0; lane < LANES; lane++)
        value[lane] = __builtin_sqrt(value[lane]);
    return value;
#endif
}

static inline vf vf_abs(vf value) { return vi_floats(vf_bits(value) & INT64_MAX); }

/* The size of `value` with the sign of `sign`. */
static inline vf vf_copysign(vf value, vf sign)
{
    return vi_floats((vf_bits(value) & INT64_MAX) | (vf_bits(sign) & SIGN_BIT));
}

/* Integers below 2**51 as doubles: added to 1.5 * 2**52, whose last place is 1. */
static inline vf vi_to_vf(vi value) { return vi_floats(value + vf_bits(vf_of(ROUND_WHOLE))) - ROUND_WHOLE; }

/* The nearest integer, halves to even, of numbers of any size. */
static inline vf vf_rint(vf value)
{
    const vf size = vf_abs(value);
    return vf_copysign(vf_where(size < 0x1p52, (size + 0x1p52) - 0x1p52, size), value);
}

/* 2**n in the normal range. */
static inline vf power_of_two(vi n) { return vi_floats((n << 52) + ONE_BITS); }

/* value * 2**n rounded once, for |n| below 2000 and a value of which the first product is exact. */
static inline vf vf_ldexp(vf value, vi n)
{
    const vi half = n >> 1;
    return value * power_of_two(half) * power_of_two(n - half);
}

/* `index` between 0 and `last`. */
static inline vi clip_index(vi index, i64 last)
{
    index = vi_where(index < 0, vi_of(0), index);
    return vi_where(index > last, vi_of(last), index);
}

/* `number` cells from 1 to LANES; of fewer than LANES, the other lanes have the first cell. */
ALWAYS vf load_some(const f64 *from, size_t number)
{
    if (number == LANES)
        return vf_load(from);
    vf value = vf_of(from[0]);
    for (size_t lane = 1; lane < number; lane++)
        value[lane] = from[lane];
    return value;
}

ALWAYS void store_some(f64 *to, vf value, size_t number)
{
    if (number == LANES)
        vf_store(to, value);
    else
        for (size_t lane = 0; lane < number; lane++)
            to[lane] = value[lane];
}

/* The loop over `count` cells from 1: the last vector of a longer column overlaps the one before. */
#define CELLS_OF_ONE(NAME, FUNCTION)                                                                                   \
    static void NAME##_cells(const f64 *restrict x, f64 *restrict out, size_t count)                                   \
    {                                                                                                                  \
        const size_t number = count < LANES ? count : LANES;                                                           \
        for (size_t row = 0; row < count; row += LANES) {                                                              \
            const size_t at = row + number <= count ? row : count - number;                                            \
            const vf result = FUNCTION(load_some(x + at, number));                                                     \
            store_some(out + at, result, number);                                                                      \
        }                                                                                                              \
    }

static inline void fill_cells(f64 *out, f64 value, size_t count)
{
    for (size_t row = 0; row < count; row++)
        out[row] = value;
}

/* A function of a column, as an operation "d:d"; and of each number of a vector, as "v:v". */
#define COLUMN_OF_ONE(NAME)                                                                                            \
    static int NAME##_run(const struct core_call *call)                                                                \
    {                                                                                                                  \
        f64 *out = call->out;                                                                                          \
        NAME##_cells(call->in[0].at, out, call->in[0].constant ? 1 : call->rows);                                      \
        if (call->in[0].constant)                                                                                      \
            fill_cells(out, out[0], call->rows);                                                                       \
        return CORE_OK;                                                                                                \
    }

#define VECTOR_OF_ONE(NAME)                                                                                            \
    static int NAME##_vector_run(const struct core_call *call)                                                         \
    {                                                                                                                  \
        const f64 *x = call->in[0].at;                                                                                 \
        f64 *out = call->out;                                                                                          \
        for (size_t number = 0; number < call->out_width; number++)                                                    \
            NAME##_cells(x + number * call->stride, out + number * call->stride, call->rows);                          \
        return CORE_OK;                                                                                                \
    }

/* The same for a function of two columns, "dd:d". */
ALWAYS vf load_operand(const f64 *x, u32 constant, size_t at, size_t number)
{
    return constant ? vf_of(x[0]) : load_some(x + at, number);
}

#define COLUMN_OF_TWO(NAME, FUNCTION)                                                                                  \
    static int NAME##_run(const struct core_call *call)                                                                \
    {                                                                                                                  \
        const f64 *x = call->in[0].at, *y = call->in[1].at;                                                            \
        const u32 x_constant = call->in[0].constant, y_constant = call->in[1].constant;                                \
        f64 *out = call->out;                                                                                          \
        const size_t rows = call->rows, number = rows < LANES ? rows : LANES;                                          \
        for (size_t row = 0; row < rows; row += LANES) {                                                               \
            const size_t at = row + number <= rows ? row : rows - number;                                              \
            const vf result =                                                                                          \
                FUNCTION(load_operand(x, x_constant, at, number), load_operand(y, y_constant, at, number));            \
            store_some(out + at, result, number);                                                                      \
        }                                                                                                              \
        return CORE_OK;                                                                                                \
    }

/* Functions of vectors have neither integers nor arrays, and results as wide as their input. */
static const char *same_width_check(const struct core_instruction *own, const u32 *widths)
{
    if (own->ints || own->arrays)
        return "settings where there are none";
    return widths[0] == widths[1] ? NULL : "a result of another width than its input";
}

#endif
