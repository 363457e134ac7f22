/* Small trees by one row: the same tests as in trees_scorer.h, of 128 trees side by side instead of rows.

   Test number i of 128 trees is four lines of 128 bytes: column, rank, first leaf, right child's first leaf. A tree with
   fewer tests than others of its block has tests that never fail at the end. The row's ranks are a table of bytes, in
   which the tests' columns are looked up 16 entries at a time. */
#ifndef PIPELINE_TREES_ROW_H
#define PIPELINE_TREES_ROW_H

enum { ROW_TREES = 128, ROW_LINES = 4, ROW_COLUMNS = 256 };

/* Where the tests of a block begin, and how many a tree has. */
struct row_block {
    i64 at, tests;
};

/* MemorySanitizer takes a look-up among 16 bytes for a read of all: of those, too, that no test uses. */
#define ROW_COLUMNS_START
#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#undef ROW_COLUMNS_START
#define ROW_COLUMNS_START = {0}
#endif
#endif

#if LEVEL
static inline u32 rank_of(f64 x, const f64 *thresholds, i64 levels)
{
    u32 place = 0;
    for (u32 half = (u32)1 << levels >> 1; half; half >>= 1)
        place += (u32)(thresholds[place + half - 1] < x) * half;
    return place;
}

static void rank_row(const struct core_call *call, const struct trees *trees, const struct rank *rank,
                     const struct rank *rank_end, const struct set_test *test, const struct set_test *test_end,
                     size_t row, i8 *columns)
{
    const f64 *thresholds = trees_array(call->instruction, TREES_THRESHOLDS);
    const i8 *answers = trees_array(call->instruction, TREES_ANSWERS);
    for (; rank < rank_end; rank++) {
        const struct core_operand *operand = &call->in[rank->input];
        const f64 x = ((const f64 *)operand->at)[operand->constant ? 0 : row];
        const i32 place = (i32)rank_of(x, thresholds + rank->thresholds, rank->levels);
        if (rank->left >= 0)
            columns[rank->left] = (i8)(place + RANK_ZERO);
        if (rank->right >= 0)
            columns[rank->right] = (i8)((x != x ? (i32)rank->count : place) + RANK_ZERO);
    }
    for (; test < test_end; test++) {
        const struct core_operand *operand = &call->in[test->input];
        const f64 x = ((const f64 *)operand->at)[operand->constant ? 0 : row];
        columns[test->column] = answers[test->answers + category_of(x, (i64)trees->set_size)];
    }
}

#if LEVEL == 2
enum { ROW_BYTES = 64 };
typedef __m512i row_vector;
static inline row_vector row_load(const void *from) { return _mm512_loadu_si512(from); }
static inline void row_store(void *to, row_vector value) { _mm512_storeu_si512(to, value); }

/* The ranks of columns, from `count` tables of 16. */
static inline row_vector row_ranks(const i8 *table, int count, row_vector column)
{
    const row_vector low = _mm512_and_si512(column, _mm512_set1_epi8(15));
    const row_vector high = _mm512_and_si512(_mm512_srli_epi16(column, 4), _mm512_set1_epi8(15));
    row_vector found = _mm512_setzero_si512();
    for (int number = 0; number < count; number++) {
        const row_vector some = _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)(table + 16 * number)));
        const __mmask64 here = _mm512_cmpeq_epi8_mask(high, _mm512_set1_epi8((char)number));
        found = _mm512_mask_shuffle_epi8(found, here, some, low);
    }
    return found;
}

static inline row_vector row_moved(row_vector place, row_vector number, const u8 *test)
{
    const __mmask64 fails = _mm512_cmpgt_epi8_mask(number, row_load(test + ROW_TREES));
    const __mmask64 moves = _mm512_mask_cmpeq_epi8_mask(fails, place, row_load(test + 2 * ROW_TREES));
    return _mm512_mask_mov_epi8(place, moves, row_load(test + 3 * ROW_TREES));
}
#else
enum { ROW_BYTES = 32 };
typedef __m256i row_vector;
static inline row_vector row_load(const void *from) { return _mm256_loadu_si256(from); }
static inline void row_store(void *to, row_vector value) { _mm256_storeu_si256(to, value); }

static inline row_vector row_ranks(const i8 *table, int count, row_vector column)
{
    const row_vector low = _mm256_and_si256(column, _mm256_set1_epi8(15));
    const row_vector high = _mm256_and_si256(_mm256_srli_epi16(column, 4), _mm256_set1_epi8(15));
    row_vector found = _mm256_setzero_si256();
    for (int number = 0; number < count; number++) {
        const row_vector some = _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)(table + 16 * number)));
        const row_vector here = _mm256_cmpeq_epi8(high, _mm256_set1_epi8((char)number));
        found = _mm256_or_si256(found, _mm256_and_si256(here, _mm256_shuffle_epi8(some, low)));
    }
    return found;
}

static inline row_vector row_moved(row_vector place, row_vector number, const u8 *test)
{
    const row_vector fails = _mm256_cmpgt_epi8(number, row_load(test + ROW_TREES));
    const row_vector here = _mm256_cmpeq_epi8(place, row_load(test + 2 * ROW_TREES));
    return _mm256_blendv_epi8(place, row_load(test + 3 * ROW_TREES), _mm256_and_si256(fails, here));
}
#endif

static inline __attribute__((always_inline)) void row_places(const u8 *test, i64 tests, const i8 *table, int count,
                                                             u8 *leaves)
{
    row_vector place[ROW_TREES / ROW_BYTES] = {0};
    for (; tests > 0; tests--, test += ROW_LINES * ROW_TREES)
        for (int some = 0; some < ROW_TREES / ROW_BYTES; some++) {
            const row_vector number = row_ranks(table, count, row_load(test + some * ROW_BYTES));
            place[some] = row_moved(place[some], number, test + some * ROW_BYTES);
        }
    for (int some = 0; some < ROW_TREES / ROW_BYTES; some++)
        row_store(leaves + some * ROW_BYTES, place[some]);
}

/* The same with the number of tables known to the compiler. */
static void row_leaves(const u8 *test, i64 tests, const i8 *table, size_t columns, u8 *leaves)
{
    if (columns <= 16)
        row_places(test, tests, table, 1, leaves);
    else if (columns <= 32)
        row_places(test, tests, table, 2, leaves);
    else if (columns <= 48)
        row_places(test, tests, table, 3, leaves);
    else if (columns <= 64)
        row_places(test, tests, table, 4, leaves);
    else
        row_places(test, tests, table, (int)((columns + 15) / 16), leaves);
}

static void add_row_leaves(const struct trees *trees, size_t tree, size_t end, const u8 *leaves, f64 *out, size_t stride)
{
    const i64 *at = trees->at;
    if (trees->width > 1) {
        for (; tree < end; tree++)
            add_leaf(trees, tree, (size_t)at[tree] / 2 + *leaves++, out, stride);
    } else if (trees->single) {
        f32 total = (f32)*out;
        for (; tree < end; tree++)
            total += trees->single_values[at[tree] / 2 + *leaves++];
        *out = (f64)total;
    } else {
        f64 total = *out;
        for (; tree < end; tree++)
            total += trees->values[at[tree] / 2 + *leaves++];
        *out = total;
    }
}

static void score_row(const struct core_call *call, const struct trees *trees, size_t row)
{
    const struct core_instruction *own = call->instruction;
    const struct score_part *part = trees_array(own, TREES_PARTS);
    const struct row_block *block = trees_array(own, TREES_ROW_BLOCKS);
    const struct rank *ranks = trees_array(own, TREES_RANKS), *rank = ranks;
    const struct set_test *tests = trees_array(own, TREES_TESTS), *test = tests;
    const u8 *lines = trees_array(own, TREES_ROW_TESTS);
    i8 columns[ROW_COLUMNS] ROW_COLUMNS_START;
    u8 leaves[ROW_TREES];
    f64 *out = (f64 *)call->out + row;
    for (size_t number = 0; number < trees->width; number++)
        out[number * call->stride] = trees->start[number];
    for (size_t tree = 0; tree < trees->count; part++) {
        rank_row(call, trees, rank, ranks + part->ranks, test, tests + part->tests, row, columns);
        rank = ranks + part->ranks;
        test = tests + part->tests;
        for (; tree < (size_t)part->trees; block++) {
            const size_t left = (size_t)part->trees - tree, end = tree + (left < ROW_TREES ? left : ROW_TREES);
            row_leaves(lines + block->at, block->tests, columns, (size_t)trees->ints[TREES_SCORER_WIDTH], leaves);
            add_row_leaves(trees, tree, end, leaves, out, call->stride);
            tree = end;
        }
    }
}
#endif

#endif
