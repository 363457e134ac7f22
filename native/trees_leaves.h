/* Leaves added to rows' sums, in tree order. */
#ifndef PIPELINE_TREES_LEAVES_H
#define PIPELINE_TREES_LEAVES_H

/* A sum of two float32 in float64, rounded to float32, is their sum in float32. */
static inline void add_single(f64 *total, f32 value) { *total = (f64)(f32)(*total + (f64)value); }

/* Add a tree's leaf to the sums of one row, which lie `stride` cells apart. */
static inline void add_leaf(const struct trees *trees, size_t tree, size_t leaf, f64 *totals, size_t stride)
{
    if (trees->outputs)
        totals += (size_t)trees->outputs[tree] * stride;
    for (size_t number = 0; number < trees->wide; number++)
        if (trees->single)
            add_single(totals + number * stride, trees->single_values[leaf * trees->wide + number]);
        else
            totals[number * stride] += trees->values[leaf * trees->wide + number];
}

/* The same for rows side by side. */
static inline void add_leaves(const struct trees *trees, size_t tree, const u32 *leaf, size_t rows, f64 *totals,
                              size_t stride)
{
    if (trees->outputs)
        totals += (size_t)trees->outputs[tree] * stride;
    for (size_t number = 0; number < trees->wide; number++, totals += stride) {
        const f64 *values = trees->values + number;
        const f32 *single_values = trees->single_values + number;
        if (trees->single)
            for (size_t row = 0; row < rows; row++)
                add_single(totals + row, single_values[leaf[row] * trees->wide]);
        else if (trees->wide == 1)
            for (size_t row = 0; row < rows; row++)
                totals[row] += values[leaf[row]];
        else
            for (size_t row = 0; row < rows; row++)
                totals[row] += values[leaf[row] * trees->wide];
    }
}

/* The same for leaves that are numbered within their tree, whose leaves begin at `values`. */
#define ADD_BYTES_OF(NAME, TYPE)                                                                                       \
    static inline void NAME(const TYPE *restrict values, size_t wide, const u8 *restrict leaf, size_t rows,            \
                            TYPE *restrict totals, size_t stride)                                                      \
    {                                                                                                                  \
        if (wide == 1)                                                                                                 \
            for (size_t row = 0; row < rows; row++)                                                                    \
                totals[row] += values[leaf[row]];                                                                      \
        else                                                                                                           \
            for (size_t number = 0; number < wide; number++, totals += stride, values++)                               \
                for (size_t row = 0; row < rows; row++)                                                                \
                    totals[row] += values[leaf[row] * wide];                                                           \
    }

ADD_BYTES_OF(add_bytes_double, f64)
ADD_BYTES_OF(add_bytes_single, f32)

#if LEVEL == 2
/* Up to 64 leaves as tables in registers; rows are a multiple of 16. */
static inline __m512d find_double(const __m512d *table, int tables, __m512i leaf)
{
    __m512d found = _mm512_permutex2var_pd(table[0], leaf, table[1]);
    if (tables > 2)
        found = _mm512_mask_blend_pd(_mm512_test_epi64_mask(leaf, _mm512_set1_epi64(16)), found,
                                     _mm512_permutex2var_pd(table[2], leaf, table[3]));
    if (tables > 4) {
        const __mmask8 fourth = _mm512_test_epi64_mask(leaf, _mm512_set1_epi64(16));
        const __m512d other = _mm512_mask_blend_pd(fourth, _mm512_permutex2var_pd(table[4], leaf, table[5]),
                                                   _mm512_permutex2var_pd(table[6], leaf, table[7]));
        found = _mm512_mask_blend_pd(_mm512_test_epi64_mask(leaf, _mm512_set1_epi64(32)), found, other);
    }
    return found;
}

static inline __m512 find_single(const __m512 *table, int tables, __m512i leaf)
{
    __m512 found = _mm512_permutex2var_ps(table[0], leaf, table[1]);
    if (tables > 2)
        found = _mm512_mask_blend_ps(_mm512_test_epi32_mask(leaf, _mm512_set1_epi32(32)), found,
                                     _mm512_permutex2var_ps(table[2], leaf, table[3]));
    return found;
}

#define ADD_TABLE_OF(NAME, TABLES)                                                                                     \
    static void NAME##_double(const f64 *values, const u8 *leaf, size_t rows, f64 *totals)                             \
    {                                                                                                                  \
        __m512d table[TABLES];                                                                                         \
        for (int number = 0; number < TABLES; number++)                                                                \
            table[number] = _mm512_loadu_pd(values + 8 * number);                                                      \
        for (size_t row = 0; row < rows; row += 8) {                                                                   \
            const __m512i at = _mm512_cvtepu8_epi64(_mm_loadl_epi64((const void *)(leaf + row)));                      \
            const __m512d sum = _mm512_add_pd(_mm512_loadu_pd(totals + row), find_double(table, TABLES, at));          \
            _mm512_storeu_pd(totals + row, sum);                                                                       \
        }                                                                                                              \
    }

#define ADD_SINGLE_TABLE_OF(NAME, TABLES)                                                                              \
    static void NAME##_single(const f32 *values, const u8 *leaf, size_t rows, f32 *totals)                             \
    {                                                                                                                  \
        __m512 table[TABLES];                                                                                          \
        for (int number = 0; number < TABLES; number++)                                                                \
            table[number] = _mm512_loadu_ps(values + 16 * number);                                                     \
        for (size_t row = 0; row < rows; row += 16) {                                                                  \
            const __m512i at = _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)(leaf + row)));                      \
            const __m512 sum = _mm512_add_ps(_mm512_loadu_ps(totals + row), find_single(table, TABLES, at));           \
            _mm512_storeu_ps(totals + row, sum);                                                                       \
        }                                                                                                              \
    }

ADD_TABLE_OF(add_table_16, 2)
ADD_TABLE_OF(add_table_32, 4)
ADD_TABLE_OF(add_table_64, 8)
ADD_SINGLE_TABLE_OF(add_table_32, 2)
ADD_SINGLE_TABLE_OF(add_table_64, 4)
#endif

/* Leaves of a scored tree: `rows` is a multiple of 64, sums are float32 where trees are single. */
static void add_scored(const struct trees *trees, size_t tree, const u8 *leaf, size_t rows, void *sums)
{
    const size_t first = (size_t)trees->at[tree] / 2, output = trees->outputs ? (size_t)trees->outputs[tree] : 0;
    const f64 *values = trees->values + first * trees->wide;
    const f32 *single_values = trees->single_values + first * trees->wide;
    f64 *totals = (f64 *)sums + output * rows;
    f32 *single_totals = (f32 *)sums + output * rows;
#if LEVEL == 2
    const size_t leaves = (size_t)trees->at[tree + 1] / 2 - first;
    if (trees->wide == 1 && leaves <= 64) {
        if (trees->single)
            (leaves <= 32 ? add_table_32_single : add_table_64_single)(single_values, leaf, rows, single_totals);
        else
            (leaves <= 16   ? add_table_16_double
             : leaves <= 32 ? add_table_32_double
                            : add_table_64_double)(values, leaf, rows, totals);
        return;
    }
#endif
    if (trees->single)
        add_bytes_single(single_values, trees->wide, leaf, rows, single_totals, rows);
    else
        add_bytes_double(values, trees->wide, leaf, rows, totals, rows);
}

#endif
