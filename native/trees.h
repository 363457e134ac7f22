/* Ensembles of decision trees: the sum, in tree order, of the leaves that a row falls into.

   There are two ways to find a leaf, both exact. Rows walk from root to leaf, sixteen at a time (trees_walk.h). Or, where
   trees are small and rows are many, every test of a tree is evaluated for 64 rows at once (trees_scorer.h). */
#ifndef PIPELINE_TREES_H
#define PIPELINE_TREES_H

#include "simd.h"

#if LEVEL && defined(__x86_64__)
#include <immintrin.h>
#endif

/* Integers and arrays of an instruction, in this order; `tree_layout.py` writes them. */
enum {
    TREES_WIDTH, /* numbers of the result */
    TREES_WIDE,  /* numbers of a leaf: `width`, or 1 where each tree adds to one output */
    TREES_COUNT,
    TREES_SINGLE,       /* 1: sums and leaves are float32 */
    TREES_NEAR,         /* 1: every threshold is a float32 */
    TREES_COLUMNS,      /* columns of keys for walks */
    TREES_SET_COLUMN,   /* the first of the columns that hold categories */
    TREES_SET_SIZE,     /* categories of a set */
    TREES_SCORER_ROWS,  /* rows from which trees are scored by rows, 0: never */
    TREES_SCORER_WIDTH, /* most columns of ranks */
    TREES_INTS
};
enum {
    TREES_START,      /* d: what sums begin with */
    TREES_OUTPUTS,    /* l: the output that each tree adds to; none where leaves are wide */
    TREES_VALUES,     /* d, f where single: leaves in tree order, from the left; 64 cells more */
    TREES_AT,         /* i: first slot of each tree, and the end; a tree of n leaves has 2 n slots */
    TREES_DEPTHS,     /* l: levels of each tree below its root */
    TREES_NEAR_NODES, /* u: nodes with float32 keys, a slot each */
    TREES_FAR_NODES,  /* u: nodes with float64 keys, two cells a slot; none where all thresholds are float32 */
    TREES_FROM,       /* l: for each column of keys, its input * 4 + its kind */
    TREES_BITS,       /* u: sets of categories; bit c says that category c goes left */
    TREES_PARTS,      /* i: trees that are scored with the same ranks: end of trees, of ranks, of tests */
    TREES_STEPS,      /* u: tests of trees, parents before children, left subtrees first */
    TREES_RANKS,      /* i: for each input that is ranked, see `struct rank` */
    TREES_THRESHOLDS, /* d: thresholds of ranks, ascending */
    TREES_TESTS,      /* i: for each test of a set, see `struct set_test` */
    TREES_ANSWERS,    /* b: what a test says of each category: 127 right, -128 left */
    TREES_ROW_BLOCKS, /* i: for each 128 trees of a part, see `struct row_block`; none where one row walks */
    TREES_ROW_TESTS,  /* b: tests of 128 trees side by side */
    TREES_ARRAYS
};
enum { NUMBER_RIGHT, NUMBER_LEFT, CATEGORY, ENDS }; /* kinds of columns: where NaN goes; a category's number; least or
                                                       greatest keys, in the two columns before the categories */

/* The settings of an instruction. */
struct trees {
    const i64 *ints;
    size_t width, wide, count, leaves, columns, set_column, set_size;
    int single;
    const f64 *start;
    const i32 *outputs;
    const f64 *values;
    const f32 *single_values;
    const i64 *at;
    const i32 *depths;
    const i32 *from;
    const u64 *bits;
};

static inline const void *trees_array(const struct core_instruction *own, int number)
{
    return own->array_at[number].data;
}

static inline struct trees trees_of(const struct core_instruction *own)
{
    const i64 *ints = own->int_at;
    const int wide = ints[TREES_WIDE] > 1 || own->array_at[TREES_OUTPUTS].count == 0;
    return (struct trees){
        .ints = ints,
        .width = (size_t)ints[TREES_WIDTH],
        .wide = (size_t)ints[TREES_WIDE],
        .count = (size_t)ints[TREES_COUNT],
        .leaves = own->array_at[TREES_NEAR_NODES].count / 2,
        .columns = (size_t)ints[TREES_COLUMNS],
        .set_column = (size_t)ints[TREES_SET_COLUMN],
        .set_size = (size_t)ints[TREES_SET_SIZE],
        .single = ints[TREES_SINGLE] != 0,
        .start = trees_array(own, TREES_START),
        .outputs = wide ? NULL : trees_array(own, TREES_OUTPUTS),
        .values = trees_array(own, TREES_VALUES),
        .single_values = trees_array(own, TREES_VALUES),
        .at = trees_array(own, TREES_AT),
        .depths = trees_array(own, TREES_DEPTHS),
        .from = trees_array(own, TREES_FROM),
        .bits = trees_array(own, TREES_BITS),
    };
}

/* The number of a category: itself, else `size`, or `size + 1` where it is missing. */
static inline i64 category_of(f64 x, i64 size)
{
    return x > -1.0 && x < (f64)size ? (i64)x : x != x ? size + 1 : size;
}

#include "trees_leaves.h"
#include "trees_walk.h"
#include "trees_scorer.h"
#include "trees_row.h"
#include "trees_check.h"

static inline size_t padded_rows(size_t rows) { return (rows + 63) & ~(size_t)63; }

static size_t trees_scratch(const struct core_instruction *own, const u32 *widths, size_t rows)
{
    (void)widths;
    const struct trees trees = trees_of(own);
    const size_t walk = padded_rows(rows) * trees.columns * 8;
    const size_t score =
        padded_rows(rows) * ((size_t)trees.ints[TREES_SCORER_WIDTH] + 2 + 8 * trees.width + sizeof(i32)) + 256;
    return walk > score ? walk : score;
}

enum { FEW_BASELINE = 5 }; /* rows from which trees are scored by rows where one row must walk */

static int trees_run(const struct core_call *call)
{
    const struct trees trees = trees_of(call->instruction);
    const int by_row = LEVEL && call->instruction->array_at[TREES_ROW_BLOCKS].count;
    size_t scorer_rows = (size_t)trees.ints[TREES_SCORER_ROWS];
    if (!by_row && scorer_rows > FEW_BASELINE)
        scorer_rows = FEW_BASELINE;
    if (scorer_rows && call->rows >= scorer_rows)
        score_trees(call, &trees);
#if LEVEL
    else if (scorer_rows && by_row)
        for (size_t row = 0; row < call->rows; row++)
            score_row(call, &trees, row);
#endif
    else
        walk_trees(call, &trees);
    return CORE_OK;
}

#define OPERATIONS_OF_TREES                                       \
    {"trees", "d+:d", trees_run, trees_check, trees_scratch},     \
    {"trees_vector", "d+:v", trees_run, trees_check, trees_scratch},

#endif
