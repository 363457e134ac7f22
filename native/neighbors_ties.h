/* Which of points at one distance are among the nearest: scikit-learn's heap; operations/neighbor_ties.py says how. */
#ifndef PIPELINE_NEIGHBORS_TIES_H
#define PIPELINE_NEIGHBORS_TIES_H

#include "neighbors_lists.h"

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

#endif
