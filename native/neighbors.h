/* The nearest of stored points, and the mean of their targets.

   Distances are compared as *reduced* ones: squares for euclidean distances. */
#ifndef PIPELINE_NEIGHBORS_H
#define PIPELINE_NEIGHBORS_H

#include "neighbors_check.h"
#include "neighbors_filter.h"
#include "neighbors_lists.h"
#include "neighbors_mean.h"
#include "neighbors_ties.h"

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

/* Up to FILTER_ROWS rows, of which only the points that may be among the nearest are measured. */
ALWAYS void nearest_of_filtered(const struct core_call *call, const struct neighbor_search *search,
                                const struct neighbor_room *room, const struct filter_room *filter, int parts,
                                size_t row)
{
    const size_t rows = (size_t)parts * SINGLES, left = call->rows - row, some = left < rows ? left : rows;
    const size_t numbers = search->tiles.numbers, blocks = blocks_of(&search->tiles);
    take_filter_rows(&search->filter, filter, (const f64 *)call->in[0].at + row, numbers, call->stride, rows, some);
    filter_blocks(search, filter, parts);
    for (size_t own = 0; own < some; own++) {
        if (filter->counts[own] < 0) {
            nearest_of_row(call, search, TERM_SQUARE, room, row + own);
            continue;
        }
        copy_row(room->numbers, filter->panel + own, numbers, rows);
        const f64 limit = first_limit(search, filter->squares[own], filter->best[search->count * rows + own]);
        list_candidates(search, room, filter->candidates + own * blocks, (size_t)filter->counts[own], limit);
        if (is_tied(search, room, 0)) {
            measure_row(search, TERM_SQUARE, room);
            decide_ties(search, TERM_SQUARE, room, 0);
        }
        write_row(call, search, room, 0, row + own);
    }
}

enum { FEW_FILTERED = 3 }; /* rows from which scores of a whole vector of rows take less time than distances of few */

static void nearest_filtered_run(const struct core_call *call, const struct neighbor_search *search,
                                 const struct neighbor_room *room, f64 *scratch)
{
    struct filter_room filter;
    filter_cells(&filter, scratch, search->tiles.numbers, blocks_of(&search->tiles), search->count);
    size_t row = 0;
    for (; row + SINGLES < call->rows; row += FILTER_ROWS)
        nearest_of_filtered(call, search, room, &filter, FILTER_PARTS, row);
    if (row < call->rows)
        nearest_of_filtered(call, search, room, &filter, 1, row);
}

ALWAYS int nearest_run(const struct core_call *call, enum tile_term term)
{
    const struct neighbor_search search = search_of(call->instruction, call->in[0].width);
    struct neighbor_room room;
    const size_t nodes = 2 * search.tree.leaves;
    const size_t cells =
        neighbor_cells(&room, call->scratch, search.tiles.numbers, search.tiles.outputs, nodes, search.count);
    if (term == TERM_SQUARE && search.filter.cells && call->rows >= FEW_FILTERED) {
        nearest_filtered_run(call, &search, &room, (f64 *)call->scratch + filled_lines(cells));
        return CORE_OK;
    }
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

static size_t nearest_scratch(const struct core_instruction *own, const u32 *widths, size_t rows)
{
    const i64 *ints = own->int_at;
    const size_t nodes = ints[SEARCH_TIES] == TIES_OF_TREE ? 2 * (size_t)own->array_at[2].count : 0;
    const size_t points = (size_t)ints[SEARCH_POINTS], count = (size_t)ints[SEARCH_COUNT];
    size_t cells = filled_lines(neighbor_cells(NULL, NULL, widths[0], points, nodes, count));
    if (ints[SEARCH_FILTERED] && rows >= FEW_FILTERED)
        cells += filter_cells(NULL, NULL, widths[0], (points + LINE_CELLS - 1) / LINE_CELLS, count);
    return sizeof(f64) * cells;
}

#define OPERATIONS_OF_NEIGHBORS                                                                                        \
    {"nearest_squares", "v:v", nearest_squares_run, nearest_squares_check, nearest_scratch},                           \
        {"nearest_absolutes", "v:v", nearest_absolutes_run, nearest_check, nearest_scratch},                           \
        {"nearest_largest", "v:v", nearest_largest_run, nearest_check, nearest_scratch},                               \
        {"neighbour_mean", "v:v", neighbour_mean_run, neighbour_mean_check, NULL},

#endif
