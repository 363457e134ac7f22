/* Walks from root to leaf, sixteen at a time, so that the loads of one overlap those of the others.

   Numbers are compared as integers in the same order, their keys. A tree's slots are numbered so that siblings lie
   together, and a comparison gives the next slot by addition, without a branch:

       slot     1 (a <= 3)    2 right of 1    3 left of 1
       pair     1
       next slot = 2 * pair + (a <= 3)

   A leaf is its own child, so a walk that has arrived stays: it compares a column of keys that are all the least or the
   greatest, so its own key is free, and is its number among the leaves. NaN has nearly the least or the greatest key.

   Keys of float64 take 16 bytes a node. Keys of float32 take 8, and decide the same where either all thresholds are
   float32 (numbers are then rounded up: x <= t is also ceil(x) <= t for t on the grid) or all numbers are (thresholds are
   then rounded down). */
#ifndef PIPELINE_TREES_WALK_H
#define PIPELINE_TREES_WALK_H

enum { WALKS = 16, LINK_FEATURE = 4095, LINK_PAIR = 12, FETCH_NODES = 48, FETCH_LEAVES = 400 };

struct near_node {
    i32 key;
    u32 link; /* pair << 12 | column */
};
struct far_node {
    i64 key;
    u32 link;
    u32 none;
};

/* A number's key of float32, rounded up; notes in `rounded` whether it was. */
static inline i32 near_key(f64 x, i32 missing, i32 *rounded)
{
    union {
        f32 value;
        i32 bits;
    } both = {(f32)x};
    const i32 up = (f64)both.value < x;
    *rounded |= up | ((f64)both.value > x);
    both.value += 0.0f; /* -0.0 is 0.0 */
    const i32 key = (both.bits ^ (both.bits >> 31 & INT32_MAX)) + up;
    return x != x ? missing : key;
}

static inline i64 far_key(f64 x, i64 missing)
{
    const i64 bits = (i64)float_bits(x + 0.0);
    return x != x ? missing : bits ^ ((bits < 0 ? -1 : 0) & INT64_MAX);
}

/* Where sets of categories are looked up; `column` is the first that holds categories. */
struct walk_sets {
    const u64 *bits;
    size_t column;
};

/* One walk's step. Columns of keys lie `stride` apart. For a set the node's key says where its bits begin. */
#define STEP_OF(NAME, NODE, KEY)                                                                                       \
    static inline __attribute__((always_inline)) u32 NAME(const struct NODE *tree, u32 at, const KEY *keys,            \
                                                          size_t stride, const struct walk_sets *sets, int with_sets)  \
    {                                                                                                                  \
        const KEY key = tree[at].key;                                                                                  \
        const u32 link = tree[at].link;                                                                                \
        const size_t column = link & LINK_FEATURE;                                                                     \
        const KEY x = keys[column * stride];                                                                           \
        u32 left = x <= key;                                                                                           \
        if (with_sets) {                                                                                               \
            const u64 is_set = column >= sets->column;                                                                 \
            const u64 word = sets->bits[(u64)(key + (x >> 6)) & (0 - is_set)];                                         \
            left = is_set ? (u32)(word >> (x & 63) & 1) : left;                                                        \
        }                                                                                                              \
        return (link >> LINK_PAIR) * 2 + left;                                                                         \
    }

STEP_OF(near_step, near_node, i32)
STEP_OF(far_step, far_node, i64)

/* Sixteen walks until all have arrived: of one tree by rows whose keys lie side by side, or of trees by one row. */
#define WALK_OF(NAME, STEP, NODE, KEY, TREE, KEYS, STRIDE)                                                             \
    static inline __attribute__((always_inline)) void NAME(const struct NODE *const *trees, i32 depth,                 \
                                                           const KEY *keys, const struct walk_sets *sets,              \
                                                           int with_sets, u64 count, u32 *leaves)                      \
    {                                                                                                                  \
        u32 at[WALKS];                                                                                                 \
        for (int walk = 0; walk < WALKS; walk++)                                                                       \
            at[walk] = 1;                                                                                              \
        for (i32 level = 0; level < depth; level += 4) {                                                               \
            u32 moved = 0;                                                                                             \
            for (int step = 0; step < 3; step++)                                                                       \
                for (int walk = 0; walk < WALKS; walk++)                                                               \
                    at[walk] = STEP(TREE, at[walk], KEYS, STRIDE, sets, with_sets);                                    \
            for (int walk = 0; walk < WALKS; walk++) {                                                                 \
                const u32 next = STEP(TREE, at[walk], KEYS, STRIDE, sets, with_sets);                                  \
                moved |= next ^ at[walk];                                                                              \
                at[walk] = next;                                                                                       \
            }                                                                                                          \
            if (!moved)                                                                                                \
                break;                                                                                                 \
        }                                                                                                              \
        for (int walk = 0; walk < WALKS; walk++) {                                                                     \
            const u64 leaf = (u64)TREE[at[walk]].key;                                                                  \
            leaves[walk] = leaf < count ? (u32)leaf : 0;                                                               \
        }                                                                                                              \
    }

WALK_OF(near_rows, near_step, near_node, i32, trees[0], keys + walk, WALKS)
WALK_OF(near_trees, near_step, near_node, i32, trees[walk], keys, 1)
WALK_OF(far_rows, far_step, far_node, i64, trees[0], keys + walk, WALKS)
WALK_OF(far_trees, far_step, far_node, i64, trees[walk], keys, 1)

/* The keys of one column in some rows of a tile. */
#define COLUMN_KEYS_OF(NAME, KEY, LEAST, MOST, NUMBER_KEY)                                                             \
    static inline i32 NAME(const f64 *numbers, int constant, i32 kind, i64 set_size, size_t rows, KEY *keys)           \
    {                                                                                                                  \
        i32 rounded = 0;                                                                                               \
        const KEY missing = kind == NUMBER_LEFT ? LEAST + 1 : MOST;                                                    \
        if (kind == CATEGORY)                                                                                          \
            for (size_t row = 0; row < rows; row++)                                                                    \
                keys[row] = (KEY)category_of(numbers[constant ? 0 : row], set_size);                                   \
        else if (constant)                                                                                             \
            for (size_t row = 0; row < rows; row++) {                                                                  \
                const f64 x = numbers[0];                                                                              \
                keys[row] = NUMBER_KEY;                                                                                \
            }                                                                                                          \
        else                                                                                                           \
            for (size_t row = 0; row < rows; row++) {                                                                  \
                const f64 x = numbers[row];                                                                            \
                keys[row] = NUMBER_KEY;                                                                                \
            }                                                                                                          \
        return rounded;                                                                                                \
    }

COLUMN_KEYS_OF(near_column_keys, i32, INT32_MIN, INT32_MAX, near_key(x, missing, &rounded))
COLUMN_KEYS_OF(far_column_keys, i64, INT64_MIN, INT64_MAX, far_key(x, missing))

/* The keys of `rows` rows from `row` on, in tiles of rows, each column by column. */
#define KEYS_OF(NAME, COLUMN_KEYS, KEY, LEAST, MOST)                                                                   \
    static i32 NAME(const struct core_call *call, const struct trees *trees, size_t row, size_t rows, size_t tile,     \
                    KEY *keys)                                                                                         \
    {                                                                                                                  \
        i32 rounded = 0;                                                                                               \
        for (size_t start = 0; start < rows; start += tile)                                                            \
            for (size_t column = 0; column < trees->columns; column++, keys += tile) {                                 \
                const i32 kind = trees->from[column] & 3;                                                              \
                const struct core_operand *operand = &call->in[trees->from[column] >> 2];                              \
                const f64 *numbers = operand->at;                                                                      \
                const size_t some = rows - start < tile ? rows - start : tile;                                         \
                if (!operand->constant)                                                                                \
                    numbers += row + start;                                                                            \
                for (size_t lane = kind == ENDS ? 0 : some; lane < tile; lane++)                                       \
                    keys[lane] = kind != ENDS ? 0 : column + 1 == trees->set_column ? MOST : LEAST;                    \
                if (kind != ENDS)                                                                                      \
                    rounded |= COLUMN_KEYS(numbers, (int)operand->constant, kind, (i64)trees->set_size, some, keys);   \
            }                                                                                                          \
        return rounded;                                                                                                \
    }

KEYS_OF(near_keys, near_column_keys, i32, INT32_MIN, INT32_MAX)
KEYS_OF(far_keys, far_column_keys, i64, INT64_MIN, INT64_MAX)

/* Fetch the share of a block of memory that belongs to the rows from `row` on, of `rows`. */
static inline void fetch_share(const void *start, size_t bytes, size_t row, size_t rows)
{
    const u8 *at = start;
    const size_t end = bytes * (row + WALKS) / rows;
    for (size_t byte = bytes * row / rows; byte < end && byte < bytes; byte += 64)
        __builtin_prefetch(at + byte, 0, 2);
}

/* Where one of all leaves is; a tree's first leaf is where its leaves begin. */
static inline const u8 *leaf_place(const struct trees *trees, size_t leaf)
{
    const size_t bytes = trees->wide * (trees->single ? sizeof(f32) : sizeof(f64));
    return (const u8 *)(const void *)trees->values + leaf * bytes;
}

/* Many rows read most of a tree, in no order: while they walk through one, the next comes into the cache. Its leaves
   take more rows: of each only one is read. */
static inline void fetch_tree(const struct trees *trees, size_t tree, const void *nodes, size_t node_bytes, size_t row,
                              size_t rows)
{
    if (tree >= trees->count || rows < FETCH_NODES)
        return;
    const size_t first = (size_t)trees->at[tree], slots = (size_t)trees->at[tree + 1] - first;
    fetch_share((const u8 *)nodes + first * node_bytes, slots * node_bytes, row, rows);
    if (rows >= FETCH_LEAVES)
        fetch_share(leaf_place(trees, first / 2), (size_t)(leaf_place(trees, slots / 2) - leaf_place(trees, 0)), row,
                    rows);
}

/* All rows through one tree after the other. */
#define BY_ROWS(NAME, WALK, NODE, KEY, WITH_SETS)                                                                      \
    static void NAME(const struct core_call *call, const struct trees *trees, const struct NODE *nodes)                \
    {                                                                                                                  \
        const struct walk_sets sets = {trees->bits, trees->set_column};                                                \
        f64 *out = call->out;                                                                                          \
        for (size_t tree = 0; tree < trees->count; tree++) {                                                           \
            const struct NODE *own = nodes + trees->at[tree];                                                          \
            const KEY *keys = call->scratch;                                                                           \
            for (size_t row = 0; row < call->rows; row += WALKS, keys += WALKS * trees->columns) {                     \
                u32 leaves[WALKS];                                                                                     \
                fetch_tree(trees, tree + 1, nodes, sizeof(struct NODE), row, call->rows);                              \
                WALK(&own, trees->depths[tree], keys, &sets, WITH_SETS, trees->leaves, leaves);                        \
                const size_t some = call->rows - row < WALKS ? call->rows - row : WALKS;                               \
                add_leaves(trees, tree, leaves, some, out + row, call->stride);                                         \
            }                                                                                                          \
        }                                                                                                              \
    }

BY_ROWS(near_by_rows, near_rows, near_node, i32, 0)
BY_ROWS(near_by_rows_sets, near_rows, near_node, i32, 1)
BY_ROWS(far_by_rows, far_rows, far_node, i64, 0)
BY_ROWS(far_by_rows_sets, far_rows, far_node, i64, 1)

/* One row through sixteen trees at a time. */
#define BY_TREES(NAME, WALK, NODE, KEY, WITH_SETS)                                                                     \
    static void NAME(const struct core_call *call, const struct trees *trees, const struct NODE *nodes, size_t row)    \
    {                                                                                                                  \
        const struct walk_sets sets = {trees->bits, trees->set_column};                                                \
        f64 *out = (f64 *)call->out + row;                                                                             \
        for (size_t tree = 0; tree < trees->count; tree += WALKS) {                                                    \
            const struct NODE *own[WALKS];                                                                             \
            u32 leaves[WALKS];                                                                                         \
            i32 depth = 0;                                                                                             \
            for (size_t walk = 0; walk < WALKS; walk++) {                                                              \
                const size_t number = tree + walk < trees->count ? tree + walk : tree;                                 \
                own[walk] = nodes + trees->at[number];                                                                 \
                depth = trees->depths[number] > depth ? trees->depths[number] : depth;                                 \
            }                                                                                                          \
            WALK(own, depth, (const KEY *)call->scratch, &sets, WITH_SETS, trees->leaves, leaves);                     \
            const size_t some = trees->count - tree < WALKS ? trees->count - tree : WALKS;                             \
            for (size_t walk = 0; walk < some; walk++)                                                                 \
                add_leaf(trees, tree + walk, leaves[walk], out, call->stride);                                         \
        }                                                                                                              \
    }

BY_TREES(near_by_trees, near_trees, near_node, i32, 0)
BY_TREES(near_by_trees_sets, near_trees, near_node, i32, 1)
BY_TREES(far_by_trees, far_trees, far_node, i64, 0)
BY_TREES(far_by_trees_sets, far_trees, far_node, i64, 1)

enum { FEW_ROWS = 8 }; /* rows up to which each walks by itself */

static void walk_rows(const struct core_call *call, const struct trees *trees, const void *near, const void *far)
{
    const int sets = trees->set_column < trees->columns;
    const i32 rounded = near_keys(call, trees, 0, call->rows, WALKS, call->scratch);
    if (!rounded || trees->ints[TREES_NEAR]) {
        (sets ? near_by_rows_sets : near_by_rows)(call, trees, near);
    } else {
        far_keys(call, trees, 0, call->rows, WALKS, call->scratch);
        (sets ? far_by_rows_sets : far_by_rows)(call, trees, far);
    }
}

static void walk_row(const struct core_call *call, const struct trees *trees, const void *near, const void *far,
                     size_t row)
{
    const int sets = trees->set_column < trees->columns;
    const i32 rounded = near_keys(call, trees, row, 1, 1, call->scratch);
    if (!rounded || trees->ints[TREES_NEAR]) {
        (sets ? near_by_trees_sets : near_by_trees)(call, trees, near, row);
    } else {
        far_keys(call, trees, row, 1, 1, call->scratch);
        (sets ? far_by_trees_sets : far_by_trees)(call, trees, far, row);
    }
}

static void walk_trees(const struct core_call *call, const struct trees *trees)
{
    const void *near = trees_array(call->instruction, TREES_NEAR_NODES);
    const void *far = trees_array(call->instruction, TREES_FAR_NODES);
    f64 *out = call->out;
    for (size_t number = 0; number < trees->width; number++)
        for (size_t row = 0; row < call->rows; row++)
            out[number * call->stride + row] = trees->start[number];
    if (call->rows > FEW_ROWS)
        walk_rows(call, trees, near, far);
    else
        for (size_t row = 0; row < call->rows; row++)
            walk_row(call, trees, near, far, row);
}

#endif
