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
ALWAYS int mask_all(vi mask)
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

/* A bit for each lane whose mask is set. */
ALWAYS u32 mask_lanes(vi mask)
{
#if defined(__x86_64__) && LEVEL == 2
    return _mm512_movepi64_mask((__m512i)mask);
#elif defined(__x86_64__) && LEVEL == 1
    return (u32)_mm256_movemask_pd((__m256d)mask);
#else
    u32 lanes = 0;
    for (u32 lane = 0; lane < LANES; lane++)
        lanes |= (mask[lane] != 0) ? 1u << lane : 0;
    return lanes;
#endif
}

/* table[index] in every lane. */
ALWAYS vf gather(const f64 *table, vi index)
{
#if defined(__x86_64__) && LEVEL == 2
    /* onto zeros: onto a register's old value, each gather would wait for the one before */
    return (vf)_mm512_mask_i64gather_pd(_mm512_setzero_pd(), 0xff, (__m512i)index, table, 8);
#elif defined(__x86_64__) && LEVEL == 1
    return (vf)_mm256_i64gather_pd(table, (__m256i)index, 8);
#else
    return (vf){table[index[0]], table[index[1]]}; /* LANES is 2 */
#endif
}

/* table[index] and table[index + 1] in every lane. One load for both beats two gathers, which are slow on many CPUs:

       even lanes   a0 b0 a2 b2 ...
       odd lanes    a1 b1 a3 b3 ...     interleaved: a0 a1 a2 a3 ... and b0 b1 b2 b3 ... */
struct vf_pair {
    vf first, second;
};

#if defined(__x86_64__) && LEVEL
ALWAYS __m256d rows_of_two(const f64 *table, i64 index, i64 other)
{
    return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(table + index)), _mm_loadu_pd(table + other), 1);
}
#endif

ALWAYS struct vf_pair gather_pair(const f64 *table, vi index)
{
    struct vf_pair pair;
#if defined(__x86_64__) && LEVEL
    i64 at[LANES];
    vi_store(at, index);
    __asm__("" : "+m"(at)); /* loads of single indices take less time than moves out of a vector */
#endif
#if defined(__x86_64__) && LEVEL == 2
    const __m512d low_even = _mm512_castpd256_pd512(rows_of_two(table, at[0], at[2]));
    const __m512d low_odd = _mm512_castpd256_pd512(rows_of_two(table, at[1], at[3]));
    const __m512d even = _mm512_insertf64x4(low_even, rows_of_two(table, at[4], at[6]), 1);
    const __m512d odd = _mm512_insertf64x4(low_odd, rows_of_two(table, at[5], at[7]), 1);
    pair.first = (vf)_mm512_unpacklo_pd(even, odd);
    pair.second = (vf)_mm512_unpackhi_pd(even, odd);
#elif defined(__x86_64__) && LEVEL == 1
    const __m256d even = rows_of_two(table, at[0], at[2]), odd = rows_of_two(table, at[1], at[3]);
    pair.first = (vf)_mm256_unpacklo_pd(even, odd);
    pair.second = (vf)_mm256_unpackhi_pd(even, odd);
#else
    pair.first = (vf){table[index[0]], table[index[1]]}; /* LANES is 2 */
    pair.second = (vf){table[index[0] + 1], table[index[1] + 1]};
#endif
    return pair;
}

ALWAYS vf vf_sqrt(vf value)
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

ALWAYS vf vf_abs(vf value) { return vi_floats(vf_bits(value) & INT64_MAX); }

/* The size of `value` with the sign of `sign`. */
ALWAYS vf vf_copysign(vf value, vf sign)
{
    return vi_floats((vf_bits(value) & INT64_MAX) | (vf_bits(sign) & SIGN_BIT));
}

/* Integers below 2**51 as doubles: added to 1.5 * 2**52, whose last place is 1. */
ALWAYS vf vi_to_vf(vi value) { return vi_floats(value + vf_bits(vf_of(ROUND_WHOLE))) - ROUND_WHOLE; }

/* The nearest integer, halves to even, of numbers of any size. */
ALWAYS vf vf_rint(vf value)
{
    const vf size = vf_abs(value);
    return vf_copysign(vf_where(size < 0x1p52, (size + 0x1p52) - 0x1p52, size), value);
}

/* 2**n in the normal range. */
ALWAYS vf power_of_two(vi n) { return vi_floats((n << 52) + ONE_BITS); }

/* value * 2**n rounded once, for |n| below 2000 and a value of which the first product is exact. */
ALWAYS vf vf_ldexp(vf value, vi n)
{
    const vi half = n >> 1;
    return value * power_of_two(half) * power_of_two(n - half);
}

/* `index` between 0 and `last`. */
ALWAYS vi clip_index(vi index, i64 last)
{
    index = vi_where(index < 0, vi_of(0), index);
    return vi_where(index > last, vi_of(last), index);
}

static inline void fill_cells(f64 *out, f64 value, size_t count)
{
    for (size_t row = 0; row < count; row++)
        out[row] = value;
}

static inline void copy_cells(f64 *restrict out, const f64 *restrict x, size_t count)
{
    for (size_t row = 0; row < count; row++)
        out[row] = x[row];
}

/* Where a loop takes a column from: fewer than LANES cells are copied, and the first of them is repeated. */
static inline const f64 *whole_vectors(f64 *copy, const f64 *x, size_t count)
{
    if (count >= LANES)
        return x;
    fill_cells(copy, x[0], LANES);
    copy_cells(copy, x, count);
    return copy;
}

/* The loop over `count` cells from 1: the last vector of a longer column overlaps the one before. */
#define CELLS_OF_ONE(NAME, FUNCTION)                                                                                   \
    static void NAME##_cells(const f64 *x, f64 *out, size_t count)                                                     \
    {                                                                                                                  \
        f64 copy[LANES], few[LANES];                                                                                   \
        const size_t number = count < LANES ? LANES : count;                                                           \
        const f64 *from = whole_vectors(copy, x, count);                                                               \
        f64 *to = count < LANES ? few : out;                                                                           \
        for (size_t row = 0; row < number; row += LANES) {                                                             \
            const size_t at = row + LANES <= number ? row : number - LANES;                                            \
            vf_store(to + at, FUNCTION(vf_load(from + at)));                                                           \
        }                                                                                                              \
        if (count < LANES)                                                                                             \
            copy_cells(out, few, count);                                                                               \
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

/* The same for a function of two columns, "dd:d". A constant is one vector, taken again and again. */
#define COLUMN_OF_TWO(NAME, FUNCTION)                                                                                  \
    static int NAME##_run(const struct core_call *call)                                                                \
    {                                                                                                                  \
        f64 x_copy[LANES], y_copy[LANES], few[LANES], *out = call->out;                                                \
        const size_t count = call->rows, number = count < LANES ? LANES : count;                                       \
        const size_t x_step = !call->in[0].constant, y_step = !call->in[1].constant;                                   \
        const f64 *x = whole_vectors(x_copy, call->in[0].at, x_step ? count : 1);                                      \
        const f64 *y = whole_vectors(y_copy, call->in[1].at, y_step ? count : 1);                                      \
        f64 *to = count < LANES ? few : out;                                                                           \
        for (size_t row = 0; row < number; row += LANES) {                                                             \
            const size_t at = row + LANES <= number ? row : number - LANES;                                            \
            vf_store(to + at, FUNCTION(vf_load(x + at * x_step), vf_load(y + at * y_step)));                           \
        }                                                                                                              \
        if (count < LANES)                                                                                             \
            copy_cells(out, few, count);                                                                               \
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
