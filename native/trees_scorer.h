/* Small trees by many rows: every test of a tree is evaluated, 16 to 64 rows in one instruction.

   Numbers become ranks, bytes: how many of the thresholds of that input are below. x <= threshold number j is then the
   same as rank <= j. A row's place in a tree is the number of the leftmost leaf below the node that it is at. Tests come
   parents before children, left subtrees first. A row is at a test's node when its place is the node's first leaf; where
   the test fails its place becomes the first leaf of the right child:

          a <= 3              tests     first leaf   right child's      places of a = 4, b = 9
         /      \             a <= 3        0              1                 0 -> 1
       L0      b <= 5         b <= 5        1              2                 1 -> 2: leaf L2
               /    \
             L1      L2

   After all tests the place is the leaf. An ensemble whose inputs have more than 255 thresholds is ranked in parts. */
#ifndef PIPELINE_TREES_SCORER_H
#define PIPELINE_TREES_SCORER_H

typedef int8_t i8;

/* A test: it fails where the column's rank is above `rank`. */
struct score_step {
    u16 column;
    i8 rank;
    u8 first;
    u8 right;
    u8 none[3];
};

/* An input that is ranked: 2**levels - 1 thresholds, padded by infinity, into columns for NaN to the left and right, or
   -1 for none. */
struct rank {
    i64 input, thresholds, levels, count, left, right;
};

/* A test of a set of categories: what it says of each category goes into a column. */
struct set_test {
    i64 input, answers, column;
};

struct score_part {
    i64 trees, ranks, tests; /* ends */
};

enum { RANK_ZERO = -128, RANKED = 16 };

#if LEVEL == 2
enum { LARGE = 256 };
#elif LEVEL == 1
enum { LARGE = 128 };
#else
enum { LARGE = 64 };
#endif

/* Ranks of sixteen rows at a time, by binary search without branches. */
static void rank_rows(const struct rank *rank, const f64 *thresholds, const f64 *numbers, size_t rows, i8 *left,
                      i8 *right)
{
    for (size_t row = 0; row < rows; row += RANKED) {
        const size_t some = rows - row < RANKED ? rows - row : RANKED;
        f64 x[RANKED] = {0};
        u32 place[RANKED] = {0};
        for (size_t lane = 0; lane < some; lane++)
            x[lane] = numbers[row + lane];
        for (u32 half = (u32)1 << rank->levels >> 1; half; half >>= 1)
            for (size_t lane = 0; lane < RANKED; lane++)
                place[lane] += thresholds[place[lane] + half - 1] < x[lane] ? half : 0;
        for (size_t lane = 0; lane < RANKED; lane++) {
            const u32 missing = x[lane] != x[lane] ? (u32)rank->count : place[lane];
            if (left)
                left[row + lane] = (i8)((i32)place[lane] + RANK_ZERO);
            if (right)
                right[row + lane] = (i8)((i32)missing + RANK_ZERO);
        }
    }
}

static void fill_bytes(i8 *to, i8 value, size_t count)
{
    for (size_t index = 0; index < count; index++)
        to[index] = value;
}

static void rank_inputs(const struct core_call *call, const struct rank *rank, const struct rank *end, i8 *columns,
                        size_t padded)
{
    const f64 *thresholds = trees_array(call->instruction, TREES_THRESHOLDS);
    for (; rank < end; rank++) {
        const struct core_operand *operand = &call->in[rank->input];
        i8 *left = rank->left < 0 ? NULL : columns + (size_t)rank->left * padded;
        i8 *right = rank->right < 0 ? NULL : columns + (size_t)rank->right * padded;
        rank_rows(rank, thresholds + rank->thresholds, operand->at, operand->constant ? 1 : call->rows, left, right);
        if (operand->constant && left)
            fill_bytes(left, left[0], padded);
        if (operand->constant && right)
            fill_bytes(right, right[0], padded);
    }
}

static void answer_tests(const struct core_call *call, const struct trees *trees, const struct set_test *test,
                         const struct set_test *end, i8 *columns, i32 *codes, size_t padded)
{
    const i8 *answers = trees_array(call->instruction, TREES_ANSWERS);
    i64 known = -1; /* the input that `codes` are of */
    for (; test < end; test++) {
        if (test->input != known) {
            const struct core_operand *operand = &call->in[test->input];
            const f64 *numbers = operand->at;
            for (size_t row = 0; row < call->rows; row++)
                codes[row] = (i32)category_of(numbers[operand->constant ? 0 : row], (i64)trees->set_size);
            for (size_t row = call->rows; row < padded; row++)
                codes[row] = 0;
            known = test->input;
        }
        const i8 *says = answers + test->answers;
        i8 *column = columns + (size_t)test->column * padded;
        for (size_t row = 0; row < padded; row++)
            column[row] = says[codes[row]];
    }
}

/* The leaves of `ROWS` rows, in registers. */
#if LEVEL == 2
#define PLACES_OF(NAME, ROWS)                                                                                          \
    static void NAME(const struct score_step *step, const struct score_step *end, const i8 *columns, size_t padded,    \
                     u8 *leaves)                                                                                       \
    {                                                                                                                  \
        __m512i place[ROWS / 64];                                                                                      \
        for (int some = 0; some < ROWS / 64; some++)                                                                   \
            place[some] = _mm512_setzero_si512();                                                                      \
        for (; step < end; step++) {                                                                                   \
            const i8 *column = columns + step->column * padded;                                                        \
            const __m512i rank = _mm512_set1_epi8(step->rank), first = _mm512_set1_epi8((char)step->first),            \
                          right = _mm512_set1_epi8((char)step->right);                                                 \
            for (int some = 0; some < ROWS / 64; some++) {                                                             \
                const __m512i number = _mm512_loadu_si512((const void *)(column + 64 * some));                         \
                const __mmask64 fails = _mm512_cmpgt_epi8_mask(number, rank);                                          \
                const __mmask64 moves = _mm512_mask_cmpeq_epi8_mask(fails, place[some], first);                        \
                place[some] = _mm512_mask_mov_epi8(place[some], moves, right);                                         \
            }                                                                                                          \
        }                                                                                                              \
        for (int some = 0; some < ROWS / 64; some++)                                                                   \
            _mm512_storeu_si512((void *)(leaves + 64 * some), place[some]);                                            \
    }
#else
#define BYTES (LEVEL == 1 ? 32 : 16)
typedef i8 vb __attribute__((vector_size(BYTES)));
typedef i8 vb_any __attribute__((vector_size(BYTES), aligned(1), may_alias));

#define PLACES_OF(NAME, ROWS)                                                                                          \
    static void NAME(const struct score_step *step, const struct score_step *end, const i8 *columns, size_t padded,    \
                     u8 *leaves)                                                                                       \
    {                                                                                                                  \
        vb place[ROWS / BYTES];                                                                                        \
        for (int some = 0; some < ROWS / BYTES; some++)                                                                \
            place[some] = (vb){0};                                                                                     \
        for (; step < end; step++) {                                                                                   \
            const i8 *column = columns + step->column * padded;                                                        \
            const vb rank = (vb){0} + step->rank, first = (vb){0} + (i8)step->first,                                   \
                     change = first ^ ((vb){0} + (i8)step->right);                                                     \
            for (int some = 0; some < ROWS / BYTES; some++) {                                                          \
                const vb number = *(const vb_any *)(column + BYTES * some);                                            \
                const vb moves = (vb)(number > rank) & (vb)(place[some] == first);                                     \
                place[some] ^= moves & change;                                                                         \
            }                                                                                                          \
        }                                                                                                              \
        for (int some = 0; some < ROWS / BYTES; some++)                                                                \
            *(vb_any *)(leaves + BYTES * some) = place[some];                                                          \
    }
#endif

PLACES_OF(places_of_64, 64)
#if LEVEL
PLACES_OF(places_of_large, LARGE)
#else
#define places_of_large places_of_64
#endif

/* What sums begin with, and the sums as results. */
static void start_sums(const struct trees *trees, void *sums, size_t padded)
{
    for (size_t number = 0; number < trees->width; number++)
        for (size_t row = 0; row < padded; row++)
            if (trees->single)
                ((f32 *)sums)[number * padded + row] = (f32)trees->start[number];
            else
                ((f64 *)sums)[number * padded + row] = trees->start[number];
}

static void finish_sums(const struct core_call *call, const struct trees *trees, const void *sums, size_t padded)
{
    f64 *out = call->out;
    for (size_t number = 0; number < trees->width; number++, out += call->stride)
        for (size_t row = 0; row < call->rows; row++)
            out[row] = trees->single ? (f64)((const f32 *)sums)[number * padded + row]
                                     : ((const f64 *)sums)[number * padded + row];
}

static void score_trees(const struct core_call *call, const struct trees *trees)
{
    const struct core_instruction *own = call->instruction;
    const struct score_part *part = trees_array(own, TREES_PARTS);
    const struct score_step *steps = trees_array(own, TREES_STEPS);
    const struct rank *ranks = trees_array(own, TREES_RANKS), *rank = ranks;
    const struct set_test *tests = trees_array(own, TREES_TESTS), *test = tests;
    const size_t padded = (call->rows + 63) & ~(size_t)63;
    f64 *totals = call->scratch;
    i32 *codes = (i32 *)(void *)(totals + padded * trees->width);
    u8 *leaves = (u8 *)(codes + padded);
    i8 *columns = (i8 *)(leaves + padded);
    start_sums(trees, totals, padded);
    for (size_t tree = 0; tree < trees->count; part++) {
        rank_inputs(call, rank, ranks + part->ranks, columns, padded);
        answer_tests(call, trees, test, tests + part->tests, columns, codes, padded);
        rank = ranks + part->ranks;
        test = tests + part->tests;
        for (; tree < (size_t)part->trees; tree++) {
            const struct score_step *step = steps + trees->at[tree] / 2 - tree; /* a tree has one test less than leaves */
            const struct score_step *end = steps + trees->at[tree + 1] / 2 - tree - 1;
            size_t row = 0;
            for (; row + LARGE <= padded; row += LARGE)
                places_of_large(step, end, columns + row, padded, leaves + row);
            for (; row < padded; row += 64)
                places_of_64(step, end, columns + row, padded, leaves + row);
            add_scored(trees, tree, leaves, padded, totals);
        }
    }
    finish_sums(call, trees, totals, padded);
}

#endif
