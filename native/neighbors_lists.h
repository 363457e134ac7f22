/* What a search for the nearest of stored points needs: its settings, its room, and each row's list of points.

   A list holds the nearest count + 1 points in order of distance, then of index: the last of them tells whether a point
   outside is as near as one inside. */
#ifndef PIPELINE_NEIGHBORS_LISTS_H
#define PIPELINE_NEIGHBORS_LISTS_H

#include "tiles.h"

enum { TIES_BY_INDEX, TIES_ON_HEAP, TIES_OF_TREE };
enum { NODES_ARE_BOXES, NODES_ARE_BALLS };

/* A fitted tree: the points in its order, where each leaf starts in it, and for each node its box's low and high
   corners, or its ball's center and radius. Node n has the children 2n + 1 and 2n + 2. Corners and centers are cells of
   a layout (see tiles.h), whose outputs are nodes. */
struct neighbor_tree {
    const i64 *order;
    const i64 *starts;
    const f64 *first;
    const f64 *second;
    size_t leaves;
    int nodes;
};

/* What neighbors_filter.h needs: the points moved, scaled and rounded, in blocks as they are; half of the square of each
   point's length; for each block its bound's term, and that to be multiplied by a row's length; and the middle of the
   points, with the scale behind. */
struct neighbor_filter {
    const f32 *cells;
    const f32 *halves;
    const f32 *bounds;
    const f64 *middle;
};
enum { FILTER_ARRAYS = 4 };

/* ints: count, whether the distance is the root of the sum, rule for ties, kind of nodes, points, whether there is a
   filter; arrays: cells, of a tree its order, starts and nodes, and those of a filter. */
enum { SEARCH_COUNT, SEARCH_ROOT, SEARCH_TIES, SEARCH_NODES, SEARCH_POINTS, SEARCH_FILTERED, SEARCH_INTS };
struct neighbor_search {
    struct tiles tiles;
    struct neighbor_tree tree;
    struct neighbor_filter filter;
    size_t count;
    int root;
    int ties;
};

static inline size_t tree_arrays(i64 ties) { return ties == TIES_OF_TREE ? 4 : 0; }

static struct neighbor_search search_of(const struct core_instruction *own, u32 numbers)
{
    const struct core_array *at = own->array_at;
    const i64 *ints = own->int_at;
    struct neighbor_search search = {{at[0].data, NULL, NULL, numbers, (size_t)ints[SEARCH_POINTS]},
                                     {NULL, NULL, NULL, NULL, 0, (int)ints[SEARCH_NODES]},
                                     {NULL, NULL, NULL, NULL},
                                     (size_t)ints[SEARCH_COUNT],
                                     ints[SEARCH_ROOT] != 0,
                                     (int)ints[SEARCH_TIES]};
    if (search.ties == TIES_OF_TREE) {
        search.tree.order = at[1].data;
        search.tree.starts = at[2].data;
        search.tree.first = at[3].data;
        search.tree.second = at[4].data;
        search.tree.leaves = at[2].count - 1;
    }
    if (ints[SEARCH_FILTERED]) {
        const struct core_array *own = at + tree_arrays(ints[SEARCH_TIES]);
        search.filter = (struct neighbor_filter){own[1].data, own[2].data, own[3].data, own[4].data};
    }
    return search;
}

/* Parts of the scratch, for one panel of rows. */
struct neighbor_room {
    f64 *numbers;       /* of the panel, or of one row */
    f64 *far;           /* of all points from one row */
    f64 *near;          /* of all nodes from one row */
    f64 *limits;        /* [row]: what is not below it is not kept */
    f64 *values;        /* [row][count + 1], ascending */
    i64 *chosen;        /* [row][count + 1] */
    i64 *kept;          /* [row]: how many */
    f64 *heap;          /* [count] */
    i64 *heap_chosen;   /* [count] */
    i64 *stack;         /* of nodes */
};

#define TREE_DEPTH 64

static size_t neighbor_cells(struct neighbor_room *room, f64 *at, size_t numbers, size_t points, size_t nodes,
                             size_t count)
{
    const size_t padded = (points / LINE_CELLS + 1) * LINE_CELLS, all = (nodes / LINE_CELLS + 1) * LINE_CELLS;
    const size_t list = TILE_ROWS * (count + 1);
    const size_t sizes[] = {numbers * TILE_ROWS, padded, all,   TILE_ROWS, list, list,
                            TILE_ROWS,           count,  count, TREE_DEPTH};
    size_t offsets[sizeof sizes / sizeof *sizes], total = 0;
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        offsets[index] = total;
        total += sizes[index];
    }
    if (at) {
        const struct neighbor_room made = {at + offsets[0], at + offsets[1], at + offsets[2], at + offsets[3],
                                           at + offsets[4], (i64 *)(at + offsets[5]), (i64 *)(at + offsets[6]),
                                           at + offsets[7], (i64 *)(at + offsets[8]), (i64 *)(at + offsets[9])};
        *room = made;
    }
    return total;
}

/* Put a point into a row's list, behind those that are as near. */
static inline void keep_point(const struct neighbor_room *room, size_t row, size_t size, f64 value, i64 point)
{
    f64 *values = room->values + row * size;
    i64 *chosen = room->chosen + row * size;
    size_t at = (size_t)room->kept[row] < size ? (size_t)room->kept[row]++ : size - 1;
    for (; at > 0 && values[at - 1] > value; at--) {
        values[at] = values[at - 1];
        chosen[at] = chosen[at - 1];
    }
    values[at] = value;
    chosen[at] = point;
    if ((size_t)room->kept[row] == size)
        room->limits[row] = values[size - 1];
}

static void start_lists(const struct neighbor_room *room, size_t rows)
{
    for (size_t row = 0; row < rows; row++) {
        room->kept[row] = 0;
        room->limits[row] = CORE_INF;
    }
}

/* A row's points, with the infinitely far ones by index where there are not enough others. */
static void fill_list(const struct neighbor_room *room, size_t row, size_t size, size_t count)
{
    f64 *values = room->values + row * size;
    i64 *chosen = room->chosen + row * size;
    const size_t near = (size_t)room->kept[row];
    size_t at = near;
    for (i64 point = 0; at < count; point++) {
        size_t taken = 0;
        while (taken < near && chosen[taken] != point)
            taken++;
        if (taken < near)
            continue;
        values[at] = CORE_INF;
        chosen[at++] = point;
    }
}

/* Complete a row's list and write it: `row` of the list, `at` of the call. */
static void write_row(const struct core_call *call, const struct neighbor_search *search,
                      const struct neighbor_room *room, size_t row, size_t at)
{
    const size_t count = search->count;
    fill_list(room, row, count + 1, count);
    f64 *out = (f64 *)call->out + at;
    for (size_t rank = 0; rank < count; rank++) {
        const f64 value = room->values[row * (count + 1) + rank];
        out[rank * call->stride] = search->root ? __builtin_sqrt(value) : value;
        out[(count + rank) * call->stride] = (f64)room->chosen[row * (count + 1) + rank];
    }
}

#endif
