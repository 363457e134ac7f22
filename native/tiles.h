/* Sums over the numbers of a vector, for each of many stored rows of numbers: products with weights, and distances.

   All sums run from 0.0 over the numbers in order, one operation rounded after the other. A sum is never split; what
   runs side by side are sums:

       many rows   a vector's lanes are rows; a tile of 4 outputs x some vectors stays in registers
       few rows    a vector's lanes are outputs, one row after the other

   Both read one layout, in blocks of 8 outputs; the last block is filled up with zeros:

       cells     block 0: number 0 of outputs 0..7, number 1 of outputs 0..7, ...; block 1: ...
       listed    which number of the row each line of 8 cells belongs to; without a list, a block has all, in order
       starts    where each block's lines begin in the list

   Rows are copied before, some vectors of them together: columns of a large table lie 4 KiB apart, and
   evict each other. */
#ifndef PIPELINE_TILES_H
#define PIPELINE_TILES_H

#include "lanes.h"

#define LINE_CELLS 8 /* outputs of a block of cells */
#define TILE_OUTPUTS 4 /* outputs of a tile */
#define TILE_VECTORS (LEVEL == 2 ? 4 : 2) /* vectors of rows of a tile: its sums take half of the registers */
#define TILE_ROWS (TILE_VECTORS * LANES) /* rows that are copied together */
#define LINE_VECTORS (LINE_CELLS / LANES) /* vectors of a block of outputs */

/* `some` cells from 1 to LANES; the other lanes have the first of them. */
ALWAYS vf load_rows(const f64 *from, size_t some)
{
    if (some == LANES)
        return vf_load(from);
    vf value = vf_of(from[0]);
    for (size_t lane = 1; lane < some; lane++)
        value[lane] = from[lane];
    return value;
}

ALWAYS void store_rows(f64 *to, vf value, size_t some)
{
    if (some == LANES) {
        vf_store(to, value);
        return;
    }
    for (size_t lane = 0; lane < some; lane++)
        to[lane] = value[lane];
}

/* What is summed, of a stored number and a row's. */
enum tile_term { TERM_PRODUCT, TERM_SQUARE, TERM_ABSOLUTE, TERM_CHI_SQUARE, TERM_LARGEST };

struct tiles {
    const f64 *cells;
    const i32 *listed; /* or NULL */
    const i64 *starts;
    size_t numbers;
    size_t outputs;
};

ALWAYS vf term_of(enum tile_term term, vf stored, vf number)
{
    if (term == TERM_PRODUCT)
        return stored * number;
    const vf apart = stored - number;
    if (term == TERM_SQUARE)
        return apart * apart;
    if (term == TERM_ABSOLUTE || term == TERM_LARGEST)
        return vf_abs(apart);
    const vf whole = stored + number;
    return vf_where((vi)(whole != 0.0), apart * apart / whole, (vf){0});
}

/* The sum with one more term; instead of a sum, the largest of terms, NaN before all. */
ALWAYS vf with_term(enum tile_term term, vf total, vf stored, vf number)
{
    const vf own = term_of(term, stored, number);
    return term == TERM_LARGEST ? vf_where((vi)(own <= total) | (vi)(total != total), total, own) : total + own;
}

ALWAYS size_t blocks_of(const struct tiles *tiles) { return (tiles->outputs + LINE_CELLS - 1) / LINE_CELLS; }

ALWAYS size_t first_line(const struct tiles *tiles, size_t block)
{
    return tiles->listed ? (size_t)tiles->starts[block] : block * tiles->numbers;
}

/* No bit of finite numbers, some of NaN and infinities. Bits are joined in one cycle, where a sum takes three or four. */
ALWAYS vi bits_of_rest(vf values) { return (vi)(values - values); }

ALWAYS int are_zero(vi bits)
{
    i64 any = 0;
    for (size_t lane = 0; lane < LANES; lane++)
        any |= bits[lane];
    return any == 0;
}

/* `count` <= TILE_ROWS rows next to each other, [number][vectors * LANES]. Returns whether all numbers are finite. */
static int copy_panel(f64 *restrict panel, const f64 *restrict from, size_t numbers, size_t stride, size_t vectors)
{
    vi rest = {0};
    for (size_t number = 0; number < numbers; number++)
        for (size_t part = 0; part < vectors; part++) {
            const vf values = vf_load(from + number * stride + part * LANES);
            vf_store(panel + (number * vectors + part) * LANES, values);
            rest |= bits_of_rest(values);
        }
    return are_zero(rest);
}

/* Whether all numbers of `vectors` vectors of rows are finite. */
static int are_finite(const f64 *restrict from, size_t numbers, size_t stride, size_t vectors)
{
    vi rest = {0};
    for (size_t number = 0; number < numbers; number++)
        for (size_t part = 0; part < vectors; part++)
            rest |= bits_of_rest(vf_load(from + number * stride + part * LANES));
    return are_zero(rest);
}

static int copy_row(f64 *restrict row, const f64 *restrict from, size_t numbers, size_t stride)
{
    f64 rest = 0.0;
    for (size_t number = 0; number < numbers; number++) {
        const f64 value = from[number * stride];
        row[number] = value;
        rest += value - value;
    }
    return rest == 0.0;
}

/* The sums of `outputs` <= TILE_OUTPUTS outputs for `vectors` vectors of rows; `at` is the first line's cell of the
   first of the outputs, numbers of a row are `step` cells apart. */
ALWAYS void sum_tile(vf *restrict sums, enum tile_term term, int outputs, int vectors, const f64 *restrict at,
                     const i32 *restrict listed, size_t lines, const f64 *restrict rows, size_t step)
{
    vf total[TILE_OUTPUTS][TILE_VECTORS];
    for (int output = 0; output < outputs; output++)
        for (int part = 0; part < vectors; part++)
            total[output][part] = (vf){0};
    for (size_t line = 0; line < lines; line++) {
        const f64 *numbers = rows + (listed ? (size_t)listed[line] : line) * step;
        const f64 *stored = at + line * LINE_CELLS;
        vf number[TILE_VECTORS];
        for (int part = 0; part < vectors; part++)
            number[part] = vf_load(numbers + part * LANES);
#pragma GCC unroll 4
        for (int output = 0; output < outputs; output++) {
            const vf own = vf_of(stored[output]);
#pragma GCC unroll 4
            for (int part = 0; part < vectors; part++)
                total[output][part] = with_term(term, total[output][part], own, number[part]);
        }
    }
    for (int output = 0; output < outputs; output++)
        for (int part = 0; part < vectors; part++)
            sums[output * vectors + part] = total[output][part];
}

/* The sums of all outputs of `blocks` neighbouring blocks for one row; without a list. */
ALWAYS void sum_row(f64 *restrict sums, enum tile_term term, int blocks, const f64 *restrict at,
                    const i32 *restrict listed, size_t lines, const f64 *restrict row)
{
    vf total[8][LINE_VECTORS];
    for (int block = 0; block < blocks; block++)
        for (int part = 0; part < LINE_VECTORS; part++)
            total[block][part] = (vf){0};
    for (size_t line = 0; line < lines; line++) {
        const vf number = vf_of(row[listed ? (size_t)listed[line] : line]);
#pragma GCC unroll 8
        for (int block = 0; block < blocks; block++) {
            const f64 *stored = at + ((size_t)block * lines + line) * LINE_CELLS;
#pragma GCC unroll 4
            for (int part = 0; part < LINE_VECTORS; part++)
                total[block][part] = with_term(term, total[block][part], vf_load(stored + part * LANES), number);
        }
    }
    for (int block = 0; block < blocks; block++)
        for (int part = 0; part < LINE_VECTORS; part++)
            vf_store(sums + block * LINE_CELLS + part * LANES, total[block][part]);
}

/* The sums of all outputs for one row, [8 * blocks]. As many blocks at once as registers hold hide each other's wait
   for the sum before. */
ALWAYS void sum_row_of_all(f64 *restrict sums, enum tile_term term, const struct tiles *tiles, const f64 *restrict row)
{
    const size_t blocks = blocks_of(tiles), lines = tiles->numbers;
    size_t block = 0;
    if (tiles->listed) {
        for (; block < blocks; block++) {
            const size_t first = first_line(tiles, block), count = first_line(tiles, block + 1) - first;
            const f64 *cells = tiles->cells + first * LINE_CELLS;
            sum_row(sums + block * LINE_CELLS, term, 1, cells, tiles->listed + first, count, row);
        }
        return;
    }
    for (; LEVEL == 2 && block + 8 <= blocks; block += 8)
        sum_row(sums + block * LINE_CELLS, term, 8, tiles->cells + block * lines * LINE_CELLS, NULL, lines, row);
    for (; LEVEL >= 1 && block + 4 <= blocks; block += 4)
        sum_row(sums + block * LINE_CELLS, term, 4, tiles->cells + block * lines * LINE_CELLS, NULL, lines, row);
    for (; block + 2 <= blocks; block += 2)
        sum_row(sums + block * LINE_CELLS, term, 2, tiles->cells + block * lines * LINE_CELLS, NULL, lines, row);
    for (; block < blocks; block++)
        sum_row(sums + block * LINE_CELLS, term, 1, tiles->cells + block * lines * LINE_CELLS, NULL, lines, row);
}

/* The sums of the first `some` outputs of a block for some vectors of rows, [8][vectors]. */
ALWAYS void sum_block(vf *restrict sums, enum tile_term term, int vectors, const struct tiles *tiles, size_t block,
                      size_t some, const f64 *restrict rows, size_t step)
{
    const size_t first = first_line(tiles, block), lines = first_line(tiles, block + 1) - first;
    const f64 *cells = tiles->cells + first * LINE_CELLS;
    const i32 *listed = tiles->listed ? tiles->listed + first : NULL;
    if (some == 1) {
        sum_tile(sums, term, 1, vectors, cells, listed, lines, rows, step);
        return;
    }
    for (size_t output = 0; output < LINE_CELLS && output < some; output += TILE_OUTPUTS) {
        vf *own = sums + output * (size_t)vectors;
        if (listed)
            sum_tile(own, term, TILE_OUTPUTS, vectors, cells + output, listed, lines, rows, step);
        else
            sum_tile(own, term, TILE_OUTPUTS, vectors, cells + output, NULL, lines, rows, step);
    }
}

/* The bytes that a panel, or a row and its sums, take. */
static size_t tiles_scratch(size_t numbers, size_t outputs)
{
    return sizeof(f64) * (numbers * TILE_ROWS + TILE_ROWS * LINE_CELLS + (outputs / LINE_CELLS + 1) * LINE_CELLS);
}

/* What is wrong with a layout: arrays `at` (cells) and, where `lists`, at + 1 (starts) and at + 2 (numbers). */
static const char *check_tiles(const struct core_array *at, int lists, u64 numbers, u64 outputs)
{
    const u64 blocks = (outputs + LINE_CELLS - 1) / LINE_CELLS;
    if (at[0].kind != 'd' || (lists && (at[1].kind != 'i' || at[2].kind != 'l')))
        return "arrays of other kinds than a layout's";
    if (!lists)
        return at[0].count == blocks * numbers * LINE_CELLS ? NULL : "another count of cells than outputs x numbers";
    if (at[1].count != blocks + 1 || at[2].count > UINT64_MAX / LINE_CELLS || at[0].count != at[2].count * LINE_CELLS)
        return "another count of cells than lines";
    const i64 *starts = at[1].data;
    if (starts[0] != 0 || (u64)starts[blocks] != at[2].count)
        return "blocks that do not cover all lines";
    for (u64 block = 0; block < blocks; block++)
        if (starts[block] > starts[block + 1])
            return "blocks that end before they start";
    const i32 *listed = at[2].data;
    for (u64 line = 0; line < at[2].count; line++)
        if (listed[line] < 0 || (u64)listed[line] >= numbers)
            return "a number beyond the vector";
    return NULL;
}

#endif
