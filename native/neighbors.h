/* The nearest of stored points, and the mean of their targets.

   Distances are compared as *reduced* ones: squares for euclidean distances. Each row keeps the nearest count + 1
   points in order of distance, then of index: the last of them tells whether a point outside is as near as one inside.
   Only then the rule for ties is asked, which is that of scikit-learn's heap; operations/neighbor_ties.py says how. */
#ifndef PIPELINE_NEIGHBORS_H
#define PIPELINE_NEIGHBORS_H

#include "vectors.h"

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

/* ints: count, whether the distance is the root of the sum, rule for ties, kind of nodes; arrays: cells, and of a tree
   its order, starts and nodes. */
struct neighbor_search {
    struct tiles tiles;
    struct neighbor_tree tree;
    size_t count;
    int root;
    int ties;
};

static struct neighbor_search search_of(const struct core_instruction *own, u32 numbers)
{
    const struct core_array *at = own->array_at;
    const i64 *ints = own->int_at;
    struct neighbor_search search = {{at[0].data, NULL, NULL, numbers, (size_t)ints[4]},
                                     {NULL, NULL, NULL, NULL, 0, (int)ints[3]},
                                     (size_t)ints[0],
                                     ints[1] != 0,
                                     (int)ints[2]};
    if (search.ties == TIES_OF_TREE) {
        search.tree.order = at[1].data;
        search.tree.starts = at[2].data;
        search.tree.first = at[3].data;
        search.tree.second = at[4].data;
        search.tree.leaves = at[2].count - 1;
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

/* What a heap of the nearest points does with one more: the farthest makes room for a nearer one. */
static inline void push_point(f64 *restrict kept, i64 *restrict places, size_t size, f64 value, i64 place)
{
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= size)
            break;
        child += child + 1 < size && kept[child] < kept[child + 1];
        if (value >= kept[child])
            break;
        kept[at] = kept[child];
        places[at] = places[child];
        at = child;
    }
    kept[at] = value;
    places[at] = place;
}

ALWAYS vf not_below_zero(vf value) { return vf_where((vi)(value > 0.0) | (vi)(value != value), value, (vf){0}); }

/* The reduced distances of all nodes from a row, as the tree bounds them from below. */
ALWAYS void measure_boxes(const struct neighbor_search *search, enum tile_term term, const struct neighbor_room *room)
{
    const size_t nodes = 2 * search->tree.leaves - 1, numbers = search->tiles.numbers;
    for (size_t node = 0; node < nodes; node += LANES) {
        const size_t cell = node / LINE_CELLS * numbers * LINE_CELLS + node % LINE_CELLS;
        const f64 *low = search->tree.first + cell, *high = search->tree.second + cell;
        vf total = {0};
        for (size_t number = 0; number < numbers; number++) {
            const vf own = vf_of(room->numbers[number]);
            const vf below = not_below_zero(vf_load(low + number * LINE_CELLS) - own);
            const vf above = not_below_zero(own - vf_load(high + number * LINE_CELLS));
            total = with_term(term, total, below + above, (vf){0});
        }
        vf_store(room->near + node, total);
    }
}

ALWAYS void measure_balls(const struct neighbor_search *search, enum tile_term term, const struct neighbor_room *room)
{
    const size_t nodes = 2 * search->tree.leaves - 1;
    const struct tiles centers = {search->tree.first, NULL, NULL, search->tiles.numbers, nodes};
    sum_row_of_all(room->near, term, &centers, room->numbers);
    for (size_t node = 0; node < nodes; node++) {
        const f64 total = room->near[node] != room->near[node] ? CORE_INF : room->near[node];
        f64 away = (search->root ? __builtin_sqrt(total) : total) - search->tree.second[node];
        away = away > 0.0 || away != away ? away : 0.0;
        room->near[node] = search->root ? away * away : away;
    }
}

/* All points come to the heap in the order of their leaves, those of nearer nodes first. */
ALWAYS void heap_of_tree(const struct neighbor_search *search, enum tile_term term, const struct neighbor_room *room)
{
    const struct neighbor_tree *tree = &search->tree;
    const size_t inner = tree->leaves - 1;
    size_t waiting = 1;
    if (tree->nodes == NODES_ARE_BOXES)
        measure_boxes(search, term, room);
    else
        measure_balls(search, term, room);
    room->stack[0] = 0;
    while (waiting > 0) {
        const size_t node = (size_t)room->stack[--waiting];
        if (node < inner) {
            const size_t left = 2 * node + 1;
            const int right_first = room->near[left] > room->near[left + 1];
            room->stack[waiting++] = (i64)(left + !right_first);
            room->stack[waiting++] = (i64)(left + (size_t)right_first);
            continue;
        }
        for (i64 at = tree->starts[node - inner]; at < tree->starts[node - inner + 1]; at++) {
            const i64 point = tree->order[at];
            if (room->far[point] < room->heap[0])
                push_point(room->heap, room->heap_chosen, search->count, room->far[point], point);
        }
    }
}

/* The row's list as the rule for ties wants it; `far` and `numbers` hold the row. */
ALWAYS void decide_ties(const struct neighbor_search *search, enum tile_term term, const struct neighbor_room *room,
                        size_t row)
{
    for (size_t at = 0; at < search->count; at++) {
        room->heap[at] = CORE_INF;
        room->heap_chosen[at] = 0;
    }
    if (search->ties == TIES_OF_TREE)
        heap_of_tree(search, term, room);
    else
        for (size_t point = 0; point < search->tiles.outputs; point++)
            if (room->far[point] < room->heap[0])
                push_point(room->heap, room->heap_chosen, search->count, room->far[point], (i64)point);
    const size_t size = search->count + 1;
    f64 *values = room->values + row * size;
    i64 *chosen = room->chosen + row * size;
    for (size_t next = 0; next < search->count; next++) {
        const f64 value = room->heap[next];
        const i64 point = room->heap_chosen[next];
        size_t at = next;
        for (; at > 0 && (values[at - 1] > value || (values[at - 1] == value && chosen[at - 1] > point)); at--) {
            values[at] = values[at - 1];
            chosen[at] = chosen[at - 1];
        }
        values[at] = value;
        chosen[at] = point;
    }
}

static int is_tied(const struct neighbor_search *search, const struct neighbor_room *room, size_t row)
{
    const size_t count = search->count;
    const f64 *values = room->values + row * (count + 1);
    if (search->ties == TIES_BY_INDEX || (search->ties == TIES_ON_HEAP && count == 1))
        return 0;
    return (size_t)room->kept[row] > count && values[count] == values[count - 1];
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

/* The points of a block that are below a row's limit, in the order of their index. */
ALWAYS void keep_block(const struct neighbor_search *search, const struct neighbor_room *room, const vf *sums,
                       size_t vectors, size_t first)
{
    for (size_t output = 0; output < LINE_CELLS && first + output < search->tiles.outputs; output++)
        for (size_t part = 0; part < vectors; part++) {
            const vf own = sums[output * vectors + part];
            const vi near = (vi)(own < vf_load(room->limits + part * LANES));
            f64 values[LANES];
            u32 lanes = mask_lanes(near);
            if (!lanes)
                continue;
            vf_store(values, own);
            for (; lanes; lanes &= lanes - 1) {
                const size_t lane = (size_t)__builtin_ctz(lanes);
                keep_point(room, part * LANES + lane, search->count + 1, values[lane], (i64)(first + output));
            }
        }
}

/* The distances of all points from one row, whose numbers are in place. */
ALWAYS void measure_row(const struct neighbor_search *search, enum tile_term term, const struct neighbor_room *room)
{
    sum_row_of_all(room->far, term, &search->tiles, room->numbers);
}

ALWAYS void nearest_of_panel(const struct core_call *call, const struct neighbor_search *search, enum tile_term term,
                             const struct neighbor_room *room, int vectors, size_t row)
{
    const struct tiles *tiles = &search->tiles;
    const size_t parts = (size_t)vectors, rows = parts * LANES;
    const f64 *from = (const f64 *)call->in[0].at + row;
    copy_panel(room->numbers, from, tiles->numbers, call->stride, parts);
    start_lists(room, rows);
    for (size_t first = 0; first < tiles->outputs; first += LINE_CELLS) {
        vf sums[LINE_CELLS * TILE_VECTORS];
        sum_block(sums, term, vectors, tiles, first / LINE_CELLS, LINE_CELLS, room->numbers, rows);
        keep_block(search, room, sums, parts, first);
    }
    for (size_t own = 0; own < rows; own++) {
        if (is_tied(search, room, own)) {
            copy_row(room->numbers, from + own, tiles->numbers, call->stride);
            measure_row(search, term, room);
            decide_ties(search, term, room, own);
        }
        write_row(call, search, room, own, row + own);
    }
}

ALWAYS void nearest_of_row(const struct core_call *call, const struct neighbor_search *search, enum tile_term term,
                           const struct neighbor_room *room, size_t row)
{
    const size_t points = search->tiles.outputs;
    copy_row(room->numbers, (const f64 *)call->in[0].at + row, search->tiles.numbers, call->stride);
    measure_row(search, term, room);
    start_lists(room, 1);
    for (size_t first = 0; first < points; first += LANES) {
        const vf own = vf_load(room->far + first);
        if (mask_all(~(vi)(own < vf_of(room->limits[0]))))
            continue;
        for (size_t lane = 0; lane < LANES && first + lane < points; lane++)
            if (own[lane] < room->limits[0])
                keep_point(room, 0, search->count + 1, own[lane], (i64)(first + lane));
    }
    if (is_tied(search, room, 0))
        decide_ties(search, term, room, 0);
    write_row(call, search, room, 0, row);
}

ALWAYS int nearest_run(const struct core_call *call, enum tile_term term)
{
    const struct neighbor_search search = search_of(call->instruction, call->in[0].width);
    struct neighbor_room room;
    const size_t nodes = 2 * search.tree.leaves;
    neighbor_cells(&room, call->scratch, search.tiles.numbers, search.tiles.outputs, nodes, search.count);
    size_t row = 0;
    for (; row + TILE_ROWS <= call->rows; row += TILE_ROWS)
        nearest_of_panel(call, &search, term, &room, TILE_VECTORS, row);
    for (; TILE_VECTORS > 1 && row + LANES <= call->rows; row += LANES)
        nearest_of_panel(call, &search, term, &room, 1, row);
    for (; row < call->rows; row++)
        nearest_of_row(call, &search, term, &room, row);
    return CORE_OK;
}

static int nearest_squares_run(const struct core_call *call) { return nearest_run(call, TERM_SQUARE); }
static int nearest_absolutes_run(const struct core_call *call) { return nearest_run(call, TERM_ABSOLUTE); }
static int nearest_largest_run(const struct core_call *call) { return nearest_run(call, TERM_LARGEST); }

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

static const char *nearest_check(const struct core_instruction *own, const u32 *widths)
{
    const i64 *ints = own->int_at;
    if (own->ints != 5 || own->arrays < 1 || ints[2] < TIES_BY_INDEX || ints[2] > TIES_OF_TREE || ints[3] < 0 ||
        ints[3] > NODES_ARE_BALLS || own->arrays != (ints[2] == TIES_OF_TREE ? 5 : 1))
        return "other settings than those of a search";
    if (ints[4] < 1 || ints[4] > (i64)1 << 32 || ints[0] < 1 || ints[0] > ints[4] || ints[0] > (i64)1 << 20)
        return "another count of neighbours than one to all points";
    if ((u64)widths[1] != 2 * (u64)ints[0])
        return "a result of another width than distances and places";
    const char *wrong = check_tiles(own->array_at, 0, widths[0], (u64)ints[4]);
    if (wrong || ints[2] != TIES_OF_TREE)
        return wrong;
    return check_tree(own->array_at + 1, (u64)ints[4], widths[0], ints[3]);
}

static size_t nearest_scratch(const struct core_instruction *own, const u32 *widths, size_t rows)
{
    (void)rows;
    const size_t nodes = own->int_at[2] == TIES_OF_TREE ? 2 * (size_t)own->array_at[2].count : 0;
    return sizeof(f64) * neighbor_cells(NULL, NULL, widths[0], (size_t)own->int_at[4], nodes, (size_t)own->int_at[0]);
}

/* The weighted mean of the targets of what a search found. ints: whether weights are inverse distances; arrays:
   targets, point by point. A place that is none of a point's is refused. */
static int neighbour_mean_run(const struct core_call *call)
{
    const size_t count = call->in[0].width / 2, width = call->out_width, stride = call->stride;
    const f64 *targets = settings_of(call);
    const i64 points = (i64)(call->instruction->array_at->count / width);
    const int by_distance = call->instruction->int_at[0] != 0;
    for (size_t row = 0; row < call->rows; row++) {
        const f64 *distances = (const f64 *)call->in[0].at + row, *places = distances + count * stride;
        f64 *out = (f64 *)call->out + row;
        f64 whole = 0.0;
        int some_zero = 0;
        for (size_t target = 0; target < width; target++)
            out[target * stride] = 0.0;
        for (size_t rank = 0; by_distance && rank < count; rank++)
            some_zero |= distances[rank * stride] == 0.0;
        for (size_t rank = 0; rank < count; rank++) {
            const f64 distance = distances[rank * stride], place = places[rank * stride];
            if (!(place >= 0.0 && place < (f64)points))
                return CORE_REFUSED;
            const f64 near = distance == 0.0 ? 1.0 : 0.0, inverse = 1.0 / distance;
            const f64 weight = !by_distance ? 1.0 : some_zero ? near : inverse;
            const f64 *own = targets + (size_t)place * width;
            for (size_t target = 0; target < width; target++)
                out[target * stride] += weight * own[target];
            whole += weight;
        }
        for (size_t target = 0; target < width; target++)
            out[target * stride] /= whole;
    }
    return CORE_OK;
}

static const char *neighbour_mean_check(const struct core_instruction *own, const u32 *widths)
{
    if (own->ints != 1 || own->arrays != 1 || own->array_at->kind != 'd')
        return "other settings than targets and a kind of weights";
    if (widths[0] % 2 || widths[1] < 1 || own->array_at->count % widths[1])
        return "another count of targets than points x targets";
    return NULL;
}

#define OPERATIONS_OF_NEIGHBORS                                                                                        \
    {"nearest_squares", "v:v", nearest_squares_run, nearest_check, nearest_scratch},                                   \
        {"nearest_absolutes", "v:v", nearest_absolutes_run, nearest_check, nearest_scratch},                           \
        {"nearest_largest", "v:v", nearest_largest_run, nearest_check, nearest_scratch},                               \
        {"neighbour_mean", "v:v", neighbour_mean_run, neighbour_mean_check, NULL},

#endif
