/* Whether an instruction's trees can be carried out: every index that walks and scores use is inside its array. */
#ifndef PIPELINE_TREES_CHECK_H
#define PIPELINE_TREES_CHECK_H

static int ints_fit(const struct core_instruction *own, const u32 *widths)
{
    const i64 *ints = own->int_at;
    const u64 outputs = own->array_at[TREES_OUTPUTS].count;
    if (ints[TREES_WIDTH] < 1 || ints[TREES_WIDTH] != (i64)widths[own->inputs])
        return 0;
    if (ints[TREES_COUNT] < 1 || ints[TREES_COUNT] > INT32_MAX)
        return 0;
    if (ints[TREES_WIDE] != (outputs ? 1 : ints[TREES_WIDTH]) || (outputs && outputs != (u64)ints[TREES_COUNT]))
        return 0;
    return ints[TREES_COLUMNS] >= 1 && ints[TREES_COLUMNS] <= LINK_FEATURE && ints[TREES_SET_COLUMN] >= 1 &&
           ints[TREES_SET_COLUMN] <= ints[TREES_COLUMNS] && ints[TREES_SET_SIZE] >= 0 &&
           ints[TREES_SET_SIZE] < INT32_MAX - 1 && ints[TREES_SCORER_ROWS] >= 0 && ints[TREES_SCORER_WIDTH] >= 0 &&
           ints[TREES_SCORER_WIDTH] <= UINT16_MAX;
}

static int kinds_are(const struct core_instruction *own)
{
    const char kinds[] = {'d', 'l', own->int_at[TREES_SINGLE] ? 'f' : 'd',
                          'i', 'l', 'u', 'u', 'l', 'u', 'i', 'u', 'i', 'd', 'i', 'b', 'i', 'b'};
    for (int number = 0; number < TREES_ARRAYS; number++)
        if (own->array_at[number].kind != (u32)kinds[number])
            return 0;
    return 1;
}

/* Whether trees follow each other, each with slots for all its leaves; all arrays have as many cells as they need. */
static int sizes_fit(const struct core_instruction *own, const struct trees *trees)
{
    const struct core_array *arrays = own->array_at;
    if (arrays[TREES_START].count != trees->width || arrays[TREES_AT].count != trees->count + 1 ||
        arrays[TREES_DEPTHS].count != trees->count || arrays[TREES_FROM].count != trees->columns ||
        arrays[TREES_BITS].count < 1 || trees->at[0] != 0)
        return 0;
    const u64 slots = arrays[TREES_NEAR_NODES].count;
    for (size_t tree = 0; tree < trees->count; tree++)
        if (trees->at[tree + 1] <= trees->at[tree] || trees->at[tree + 1] % 2 || (u64)trees->at[tree + 1] > slots)
            return 0;
    const u64 far = trees->ints[TREES_NEAR] ? 0 : slots;
    return (u64)trees->at[trees->count] == slots && arrays[TREES_FAR_NODES].count == 2 * far &&
           arrays[TREES_VALUES].count >= 64 &&
           (arrays[TREES_VALUES].count - 64) / trees->wide >= slots / 2;
}

static int columns_fit(const struct core_instruction *own, const struct trees *trees)
{
    for (size_t column = 0; column < trees->columns; column++) {
        const i32 from = trees->from[column];
        if (from < 0 || (u32)from >> 2 >= own->inputs || ((from & 3) == CATEGORY) != (column >= trees->set_column))
            return 0;
    }
    for (size_t tree = 0; trees->outputs && tree < trees->count; tree++)
        if (trees->outputs[tree] < 0 || (size_t)trees->outputs[tree] >= trees->width)
            return 0;
    return 1;
}

/* Whether a node leads to slots of its tree, and its set is inside the bits. A leaf that is none is seen when a walk ends. */
static int node_fits(const struct core_instruction *own, const struct trees *trees, u32 link, i64 key, u64 slots)
{
    const u64 words = (trees->set_size + 2 + 63) / 64, column = link & LINK_FEATURE;
    const u64 bits = own->array_at[TREES_BITS].count;
    if ((u64)(link >> LINK_PAIR) * 2 + 1 >= slots || column >= trees->columns)
        return 0;
    return column < trees->set_column || (key >= 0 && words <= bits && (u64)key <= bits - words);
}

static int nodes_fit(const struct core_instruction *own, const struct trees *trees)
{
    const struct near_node *near = trees_array(own, TREES_NEAR_NODES);
    const struct far_node *far = trees_array(own, TREES_FAR_NODES);
    for (size_t tree = 0; tree < trees->count; tree++) {
        const size_t end = (size_t)trees->at[tree + 1];
        const u64 slots = end - (size_t)trees->at[tree];
        for (size_t slot = (size_t)trees->at[tree]; slot < end; slot++) {
            if (!node_fits(own, trees, near[slot].link, near[slot].key, slots))
                return 0;
            if (!trees->ints[TREES_NEAR] && !node_fits(own, trees, far[slot].link, far[slot].key, slots))
                return 0;
        }
        if (trees->depths[tree] < 0 || (u64)trees->depths[tree] > slots)
            return 0;
    }
    return 1;
}

static int ranks_fit(const struct core_instruction *own, const struct trees *trees)
{
    const struct rank *rank = trees_array(own, TREES_RANKS);
    const i64 columns = trees->ints[TREES_SCORER_WIDTH];
    const u64 thresholds = own->array_at[TREES_THRESHOLDS].count, count = own->array_at[TREES_RANKS].count / 6;
    for (u64 number = 0; number < count; number++, rank++) {
        if (rank->input < 0 || rank->input >= (i64)own->inputs || rank->levels < 0 || rank->levels > 8 ||
            rank->left < -1 || rank->left >= columns || rank->right < -1 || rank->right >= columns ||
            rank->count < 0 || rank->count > 255 || rank->thresholds < 0)
            return 0;
        const u64 size = ((u64)1 << rank->levels) - 1;
        if (size > thresholds || (u64)rank->thresholds > thresholds - size)
            return 0;
    }
    return own->array_at[TREES_RANKS].count == 6 * count;
}

static int tests_fit(const struct core_instruction *own, const struct trees *trees)
{
    const struct set_test *test = trees_array(own, TREES_TESTS);
    const u64 answers = own->array_at[TREES_ANSWERS].count, count = own->array_at[TREES_TESTS].count / 3;
    for (u64 number = 0; number < count; number++, test++)
        if (test->input < 0 || test->input >= (i64)own->inputs || test->column < 0 ||
            test->column >= trees->ints[TREES_SCORER_WIDTH] || test->answers < 0 || trees->set_size + 2 > answers ||
            (u64)test->answers > answers - trees->set_size - 2)
            return 0;
    return own->array_at[TREES_TESTS].count == 3 * count;
}

/* How many columns a part's ranks and tests fill, which are numbered in order; -1 where they are not. A column that
   nothing fills would hold what the memory held before. */
static i64 columns_filled(const struct core_instruction *own, const struct score_part *before,
                          const struct score_part *part)
{
    const struct rank *rank = trees_array(own, TREES_RANKS);
    const struct set_test *test = trees_array(own, TREES_TESTS);
    i64 known = 0;
    for (i64 number = before->ranks; number < part->ranks; number++) {
        if (rank[number].right >= 0 && rank[number].right != known++)
            return -1;
        if (rank[number].left >= 0 && rank[number].left != known++)
            return -1;
    }
    for (i64 number = before->tests; number < part->tests; number++)
        if (test[number].column != known++)
            return -1;
    return known;
}

/* Whether the tests of one tree use columns that are filled, and lead to its leaves. */
static int steps_fit(const struct score_step *step, i64 leaves, i64 columns)
{
    if (leaves > 256)
        return 0;
    for (i64 test = 1; test < leaves; test++, step++)
        if (step->column >= columns || step->right >= leaves)
            return 0;
    return 1;
}

/* Whether parts cover all trees, and no test leads beyond its tree's leaves. */
static int scorer_fits(const struct core_instruction *own, const struct trees *trees)
{
    const struct score_part *part = trees_array(own, TREES_PARTS);
    const struct core_array *arrays = own->array_at;
    const u64 parts = arrays[TREES_PARTS].count / 3;
    struct score_part before = {0, 0, 0};
    for (u64 number = 0; number < parts; before = part[number++])
        if (part[number].trees <= before.trees || part[number].ranks < before.ranks ||
            part[number].tests < before.tests)
            return 0;
    if (!parts || before.trees != (i64)trees->count || before.ranks > (i64)(arrays[TREES_RANKS].count / 6) ||
        before.tests > (i64)(arrays[TREES_TESTS].count / 3))
        return 0;
    const struct score_step *step = trees_array(own, TREES_STEPS);
    if (arrays[TREES_STEPS].count != arrays[TREES_NEAR_NODES].count / 2 - trees->count)
        return 0;
    before = (struct score_part){0, 0, 0};
    for (size_t tree = 0; tree < trees->count; before = *part++) {
        const i64 columns = columns_filled(own, &before, part);
        for (; tree < (size_t)part->trees; tree++) {
            const i64 leaves = (trees->at[tree + 1] - trees->at[tree]) / 2;
            if (!steps_fit(step, leaves, columns))
                return 0;
            step += leaves - 1;
        }
    }
    return 1;
}

/* Whether the tests of one block stay within its trees' leaves. */
static int row_block_fits(const struct core_instruction *own, const struct trees *trees, const struct row_block *block,
                          i64 columns, size_t tree, size_t end)
{
    const u64 cells = own->array_at[TREES_ROW_TESTS].count, size = (u64)ROW_LINES * ROW_TREES;
    if (block->at < 0 || block->tests < 0 || (u64)block->at > cells ||
        (u64)block->tests > (cells - (u64)block->at) / size)
        return 0;
    const u8 *line = (const u8 *)trees_array(own, TREES_ROW_TESTS) + block->at;
    for (i64 test = 0; test < block->tests; test++, line += size)
        for (size_t lane = 0; lane < end - tree; lane++) {
            const i64 leaves = (trees->at[tree + lane + 1] - trees->at[tree + lane]) / 2;
            if (line[lane] >= columns || line[3 * ROW_TREES + lane] >= leaves)
                return 0;
        }
    return 1;
}

/* Called after the parts are known to fit. */
static int row_blocks_fit(const struct core_instruction *own, const struct trees *trees)
{
    const struct score_part *part = trees_array(own, TREES_PARTS);
    const struct row_block *block = trees_array(own, TREES_ROW_BLOCKS);
    const u64 blocks = own->array_at[TREES_ROW_BLOCKS].count / 2;
    u64 known = 0;
    if (!own->array_at[TREES_ROW_BLOCKS].count)
        return 1;
    if (trees->ints[TREES_SCORER_WIDTH] > ROW_COLUMNS)
        return 0;
    struct score_part before = {0, 0, 0};
    for (size_t tree = 0; tree < trees->count; before = *part++) {
        const i64 columns = columns_filled(own, &before, part);
        for (; tree < (size_t)part->trees; known++, block++) {
            const size_t left = (size_t)part->trees - tree, end = tree + (left < ROW_TREES ? left : ROW_TREES);
            if (known >= blocks || !row_block_fits(own, trees, block, columns, tree, end))
                return 0;
            tree = end;
        }
    }
    return own->array_at[TREES_ROW_BLOCKS].count == 2 * known;
}

static const char *trees_check(const struct core_instruction *own, const u32 *widths)
{
    if (own->ints != TREES_INTS || own->arrays != TREES_ARRAYS || !own->inputs || !ints_fit(own, widths))
        return "trees with other settings";
    const struct trees trees = trees_of(own);
    if (!kinds_are(own) || !sizes_fit(own, &trees))
        return "trees with arrays of another kind or size";
    if (!columns_fit(own, &trees) || !nodes_fit(own, &trees))
        return "a tree that leads out of its arrays";
    if (trees.ints[TREES_SCORER_ROWS] && !(ranks_fit(own, &trees) && tests_fit(own, &trees) &&
                                           scorer_fits(own, &trees) && row_blocks_fit(own, &trees)))
        return "tests of trees that lead out of their arrays";
    return NULL;
}

#endif
