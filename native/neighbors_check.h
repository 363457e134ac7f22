/* What is checked of a search's settings when a plan is loaded: every index and size that it uses. */
#ifndef PIPELINE_NEIGHBORS_CHECK_H
#define PIPELINE_NEIGHBORS_CHECK_H

#include "neighbors_lists.h"

/* Each point once, in leaves one after the other, and the nodes of a full binary tree. */
static const char *check_tree(const struct core_array *at, u64 points, u64 numbers, i64 nodes)
{
    const u64 leaves = at[1].count - 1, all = 2 * leaves - 1; /* used only once there are leaves */
    if (at[0].kind != 'i' || at[1].kind != 'i' || at[2].kind != 'd' || at[3].kind != 'd' || at[0].count != points)
        return "arrays of other kinds than a tree's";
    if (at[1].count < 2 || (leaves & (leaves - 1)) || leaves > (u64)1 << 40)
        return "leaves that are not those of a full binary tree";
    const char *wrong = check_tiles(at + 2, 0, numbers, all);
    if (!wrong && nodes == NODES_ARE_BOXES)
        wrong = check_tiles(at + 3, 0, numbers, all);
    if (wrong || (nodes == NODES_ARE_BALLS && at[3].count != all))
        return "another count of nodes than that of the leaves";
    const i64 *order = at[0].data, *starts = at[1].data;
    if (starts[0] != 0 || starts[leaves] != (i64)points)
        return "leaves that do not hold all points";
    for (u64 leaf = 0; leaf < leaves; leaf++)
        if (starts[leaf] > starts[leaf + 1])
            return "leaves that end before they start";
    for (u64 place = 0; place < points; place++)
        if (order[place] < 0 || order[place] >= (i64)points)
            return "a tree's point beyond the points";
    return NULL;
}

/* The arrays of a filter; there are more blocks than nearest points, so that each of these has one. */
static const char *check_filter(const struct core_array *at, u64 points, u64 numbers, u64 count)
{
    const u64 blocks = (points + LINE_CELLS - 1) / LINE_CELLS;
    if (at[0].kind != 'f' || at[1].kind != 'f' || at[2].kind != 'f' || at[3].kind != 'd')
        return "arrays of other kinds than a filter's";
    if (blocks <= count || blocks > INT32_MAX || at[0].count != blocks * numbers * LINE_CELLS ||
        at[1].count != blocks * LINE_CELLS || at[2].count != 2 * blocks || at[3].count != numbers + 1)
        return "a filter of other points than the search";
    return NULL;
}

static const char *check_search(const struct core_instruction *own, const u32 *widths, int filters)
{
    const i64 *ints = own->int_at;
    if (own->ints != SEARCH_INTS || ints[SEARCH_TIES] < TIES_BY_INDEX || ints[SEARCH_TIES] > TIES_OF_TREE ||
        ints[SEARCH_NODES] < 0 || ints[SEARCH_NODES] > NODES_ARE_BALLS || ints[SEARCH_FILTERED] < 0 ||
        ints[SEARCH_FILTERED] > filters)
        return "other settings than those of a search";
    const u64 of_tree = tree_arrays(ints[SEARCH_TIES]), points = (u64)ints[SEARCH_POINTS];
    if (own->arrays != 1 + of_tree + (ints[SEARCH_FILTERED] ? FILTER_ARRAYS : 0))
        return "another count of arrays than a search has";
    if (ints[SEARCH_POINTS] < 1 || ints[SEARCH_POINTS] > (i64)1 << 32 || ints[SEARCH_COUNT] < 1 ||
        ints[SEARCH_COUNT] > ints[SEARCH_POINTS] || ints[SEARCH_COUNT] > (i64)1 << 20)
        return "another count of neighbours than one to all points";
    if ((u64)widths[1] != 2 * (u64)ints[SEARCH_COUNT])
        return "a result of another width than distances and places";
    const char *wrong = check_tiles(own->array_at, 0, widths[0], points);
    if (!wrong && of_tree)
        wrong = check_tree(own->array_at + 1, points, widths[0], ints[SEARCH_NODES]);
    if (!wrong && ints[SEARCH_FILTERED])
        wrong = check_filter(own->array_at + 1 + of_tree, points, widths[0], (u64)ints[SEARCH_COUNT]);
    return wrong;
}

static const char *nearest_check(const struct core_instruction *own, const u32 *widths)
{
    return check_search(own, widths, 0);
}

/* Squares may have a filter. */
static const char *nearest_squares_check(const struct core_instruction *own, const u32 *widths)
{
    return check_search(own, widths, 1);
}

#endif
