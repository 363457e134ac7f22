/* A filter before exact distances: scores in float32 show which points cannot be among the nearest.

   Rows and points are moved and scaled, so that the points lie around 0 and no number of theirs reaches 1. Let a be a
   row and b a point, moved and scaled; then the reference's square of their distance, scaled alike, is about

       D(b) = |a|**2 + 2 * s(b)    with the score    s(b) = |b|**2 / 2 - a * b

   The bound. Let n be the count of numbers, |a| <= A, |b| <= M, u = 2**-24 and v = 2**-53, the halves of the last place
   of float32 and float64. To first order, and without underflow,

       the score in float32 is off by      (n + 3) * u * (M**2 / 2 + A * M)
           half of |b|**2 is rounded once and each of n differences once: (n + 1) u of |b|**2 / 2 + |a||b|;
           each product once, and each of its factors once: 3 u of |a||b|, of which one is in the n + 1
       D / 2 in float64 is off by          (n + 2) * v * (A + M)**2 / 2 <= (n + 2) * v * (A**2 + M**2)
       adding the bound to the score       u * (M**2 / 2 + A * M)

   all of which is below half of what is taken (n <= 2**16, so that higher orders are 2**-7 of the first one):

       e = 2 * (n + 8) * (u * (M**2 / 2 + A * M) + v * A**2) + (n + 8) * 2**-80

   Underflow adds less than n * 2**-89 to a score, for A up to 2**60 and a scale between 2**-450 and 2**450: there D
   neither overflows, and its terms that underflow lose less than 2**-170. A row that is farther or not finite does not
   use the filter.

   The choice. A block's points have the scores s and one bound e. Let T be the (count + 1)-th smallest of the blocks'
   (smallest s) + e: count + 1 points have D / 2 - |a|**2 / 2 <= T, so no other point can be nearer than the last of them,
   or as near, unless s - e <= T. Blocks with such points get all of their distances in the reference's order.

       scores in float32      block 0    block 1    block 2    block 3     (count + 1 is 2)
           smallest s           0.31       0.12       0.77       0.30
           s + e                0.33       0.14       0.79       0.32      T is 0.32
           s - e                0.29       0.10       0.75       0.28      distances of blocks 0, 1 and 3 */
#ifndef PIPELINE_NEIGHBORS_FILTER_H
#define PIPELINE_NEIGHBORS_FILTER_H

#include "neighbors_lists.h"

#define SINGLES (2 * LANES)  /* rows of a vector of float32 */
#define FILTER_PARTS 2       /* vectors of rows of a tile */
#define FILTER_ROWS (FILTER_PARTS * SINGLES)
#define FARTHEST 0x1p60 /* scaled rows that are farther from the points' middle do not use the filter */

typedef f32 vs __attribute__((vector_size(4 * SINGLES)));
typedef i32 vl __attribute__((vector_size(4 * SINGLES)));
typedef f32 vs_any __attribute__((vector_size(4 * SINGLES), aligned(1), may_alias));

ALWAYS vs vs_load(const f32 *from) { return *(const vs_any *)from; }
ALWAYS void vs_store(f32 *to, vs value) { *(vs_any *)to = value; }
ALWAYS vs vs_of(f32 value) { return value - (vs){0}; }

ALWAYS vs vs_where(vl mask, vs then, vs other) { return (vs)(((vl)then & mask) | ((vl)other & ~mask)); }

ALWAYS vs vs_smaller(vs one, vs other)
{
#if defined(__x86_64__) && LEVEL == 2
    return (vs)_mm512_min_ps((__m512)one, (__m512)other);
#elif defined(__x86_64__) && LEVEL == 1
    return (vs)_mm256_min_ps((__m256)one, (__m256)other);
#else
    return vs_where((vl)(one < other), one, other);
#endif
}

ALWAYS vs vs_larger(vs one, vs other)
{
#if defined(__x86_64__) && LEVEL == 2
    return (vs)_mm512_max_ps((__m512)one, (__m512)other);
#elif defined(__x86_64__) && LEVEL == 1
    return (vs)_mm256_max_ps((__m256)one, (__m256)other);
#else
    return vs_where((vl)(one > other), one, other);
#endif
}

/* A bit for each lane whose mask is set. */
ALWAYS u32 mask_singles(vl mask)
{
#if defined(__x86_64__) && LEVEL == 2
    return _mm512_movepi32_mask((__m512i)mask);
#elif defined(__x86_64__) && LEVEL == 1
    return (u32)_mm256_movemask_ps((__m256)mask);
#else
    u32 lanes = 0;
    for (u32 lane = 0; lane < SINGLES; lane++)
        lanes |= (mask[lane] != 0) ? 1u << lane : 0;
    return lanes;
#endif
}

/* Parts of the scratch, for one panel of rows. */
struct filter_room {
    f64 *panel;      /* [number][rows]: the rows as they are */
    f32 *rows;       /* [number][rows]: moved, scaled and rounded */
    f32 *sizes;      /* [rows]: A */
    f32 *steady;     /* [rows]: the bound's term of the row alone */
    f64 *squares;    /* [rows]: |a|**2 */
    f32 *lowest;     /* [block][rows]: smallest score - bound */
    f32 *best;       /* [count + 1][rows]: the smallest of score + bound, ascending */
    i32 *candidates; /* [rows][block] */
    i64 *counts;     /* [rows]: of candidates */
};

static inline size_t filled_lines(size_t cells) { return (cells + LINE_CELLS - 1) / LINE_CELLS * LINE_CELLS; }

static size_t filter_cells(struct filter_room *room, f64 *at, size_t numbers, size_t blocks, size_t count)
{
    const size_t half = FILTER_ROWS / 2; /* a cell holds two numbers of float32 */
    const size_t sizes[] = {numbers * FILTER_ROWS, numbers * half, FILTER_ROWS,        FILTER_ROWS,
                            FILTER_ROWS,           blocks * half,  (count + 1) * half, blocks * half,
                            FILTER_ROWS};
    size_t offsets[sizeof sizes / sizeof *sizes], total = 0;
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        offsets[index] = total;
        total += filled_lines(sizes[index]);
    }
    if (at)
        *room = (struct filter_room){at + offsets[0],          (f32 *)(at + offsets[1]), (f32 *)(at + offsets[2]),
                                     (f32 *)(at + offsets[3]), at + offsets[4],          (f32 *)(at + offsets[5]),
                                     (f32 *)(at + offsets[6]), (i32 *)(at + offsets[7]), (i64 *)(at + offsets[8])};
    return total;
}

/* Copy `some` rows, move and scale them; the others of the panel are 0. A row that cannot use the filter is 0 as well, and
   has a count of -1 candidates. */
ALWAYS void take_filter_rows(const struct neighbor_filter *filter, const struct filter_room *room, const f64 *from,
                             size_t numbers, size_t stride, size_t rows, size_t some)
{
    f64 squares[FILTER_ROWS] = {0};
    for (size_t number = 0; number < numbers; number++) {
        const f64 middle = filter->middle[number], scale = filter->middle[numbers];
        const f64 *own = from + number * stride;
        f64 *panel = room->panel + number * rows;
        f32 *single = room->rows + number * rows;
        for (size_t row = 0; row < rows; row++)
            panel[row] = row < some ? own[row] : 0.0;
        for (size_t row = 0; row < rows; row++) {
            const f64 moved = (panel[row] - middle) * scale;
            squares[row] += moved * moved;
            single[row] = (f32)moved;
        }
    }
    const f64 digits = (f64)(numbers + 8);
    for (size_t row = 0; row < rows; row++) {
        const f64 size = __builtin_sqrt(squares[row]) * (1 + 0x1p-20);
        room->squares[row] = squares[row];
        const int usable = row < some && size < FARTHEST;
        room->sizes[row] = usable ? (f32)size : 0.0f;
        room->steady[row] = (f32)(digits * (usable ? 0x1p-52 * size * size + 0x1p-80 : 0.0));
        room->counts[row] = usable ? 0 : -1;
        for (size_t number = 0; !usable && number < numbers; number++)
            room->rows[number * rows + row] = 0.0f;
    }
}

/* The smallest score of a block's points for each row; `points` of them at a time. */
ALWAYS void score_block(vs *restrict smallest, int points, int parts, const f32 *restrict cells,
                        const f32 *restrict halves, size_t numbers, const f32 *restrict rows)
{
    const size_t step = (size_t)parts * SINGLES;
    for (int first = 0; first < LINE_CELLS; first += points) {
        vs score[LINE_CELLS][FILTER_PARTS];
        for (int point = 0; point < points; point++)
            for (int part = 0; part < parts; part++)
                score[point][part] = vs_of(halves[first + point]);
        for (size_t number = 0; number < numbers; number++) {
            const f32 *stored = cells + number * LINE_CELLS + first;
            vs own[FILTER_PARTS];
            for (int part = 0; part < parts; part++)
                own[part] = vs_load(rows + number * step + part * SINGLES);
#pragma GCC unroll 8
            for (int point = 0; point < points; point++) {
                const vs cell = vs_of(stored[point]);
#pragma GCC unroll 2
                for (int part = 0; part < parts; part++)
                    score[point][part] -= cell * own[part];
            }
        }
        for (int part = 0; part < parts; part++) {
            vs least = score[0][part];
            for (int point = 1; point < points; point++)
                least = vs_smaller(least, score[point][part]);
            smallest[part] = first ? vs_smaller(smallest[part], least) : least;
        }
    }
}

/* Put what is smaller than the last of `size` ascending numbers among them, in each lane. */
ALWAYS void keep_smallest(f32 *best, size_t step, size_t size, vs value)
{
    if (!mask_singles((vl)(value < vs_load(best + (size - 1) * step))))
        return;
    for (size_t rank = 0; rank < size; rank++) {
        const vs own = vs_load(best + rank * step);
        vs_store(best + rank * step, vs_smaller(own, value));
        value = vs_larger(own, value);
    }
}

/* Score all points, and list each row's blocks that may hold some of the nearest. */
ALWAYS void filter_blocks(const struct neighbor_search *search, const struct filter_room *room, int parts)
{
    const struct neighbor_filter *filter = &search->filter;
    const size_t numbers = search->tiles.numbers, blocks = blocks_of(&search->tiles), size = search->count + 1;
    const size_t rows = (size_t)parts * SINGLES;
    for (size_t index = 0; index < size * rows; index++)
        room->best[index] = __builtin_inff();
    for (size_t block = 0; block < blocks; block++) {
        vs smallest[FILTER_PARTS];
        score_block(smallest, parts == 1 ? LINE_CELLS : TILE_OUTPUTS, parts, filter->cells + block * numbers * LINE_CELLS,
                    filter->halves + block * LINE_CELLS, numbers, room->rows);
        for (int part = 0; part < parts; part++) {
            const size_t lane = (size_t)part * SINGLES;
            const vs bound = vs_of(filter->bounds[2 * block]) +
                             vs_of(filter->bounds[2 * block + 1]) * vs_load(room->sizes + lane) +
                             vs_load(room->steady + lane);
            vs_store(room->lowest + block * rows + lane, smallest[part] - bound);
            keep_smallest(room->best + lane, rows, size, smallest[part] + bound);
        }
    }
    for (size_t block = 0; block < blocks; block++)
        for (int part = 0; part < parts; part++) {
            const size_t first = (size_t)part * SINGLES;
            const vs limit = vs_load(room->best + search->count * rows + first);
            u32 lanes = mask_singles((vl)(vs_load(room->lowest + block * rows + first) <= limit));
            for (; lanes; lanes &= lanes - 1) {
                const size_t row = first + (size_t)__builtin_ctz(lanes);
                if (room->counts[row] >= 0)
                    room->candidates[row * blocks + (size_t)room->counts[row]++] = (i32)block;
            }
        }
}

/* The distances of the points of two blocks from a row, [2][8]. */
ALWAYS void measure_two(f64 *restrict sums, const f64 *restrict one, const f64 *restrict other, size_t numbers,
                        const f64 *restrict row)
{
    vf total[2][LINE_VECTORS];
    for (int part = 0; part < LINE_VECTORS; part++)
        total[0][part] = total[1][part] = (vf){0};
    for (size_t number = 0; number < numbers; number++) {
        const vf own = vf_of(row[number]);
#pragma GCC unroll 4
        for (int part = 0; part < LINE_VECTORS; part++) {
            const size_t at = number * LINE_CELLS + part * LANES;
            total[0][part] = with_term(TERM_SQUARE, total[0][part], vf_load(one + at), own);
            total[1][part] = with_term(TERM_SQUARE, total[1][part], vf_load(other + at), own);
        }
    }
    for (int part = 0; part < LINE_VECTORS; part++) {
        vf_store(sums + part * LANES, total[0][part]);
        vf_store(sums + LINE_CELLS + part * LANES, total[1][part]);
    }
}

/* A distance that count + 1 points are below: D <= |a|**2 + 2 * T, rounded up. */
static f64 first_limit(const struct neighbor_search *search, f64 squares, f32 best)
{
    const f64 scale = search->filter.middle[search->tiles.numbers];
    const f64 rounding = 1 + (f64)(search->tiles.numbers + 8) * 0x1p-52;
    return (squares * rounding + 2.0 * (f64)best) * (1 + 0x1p-40) / scale / scale + 0x1p-1000;
}

/* The list of a row, whose numbers are in place, from the points of its candidates, which come by index. */
ALWAYS void list_candidates(const struct neighbor_search *search, const struct neighbor_room *room,
                            const i32 *candidates, size_t count, f64 limit)
{
    const struct tiles *tiles = &search->tiles;
    const size_t cells = tiles->numbers * LINE_CELLS;
    start_lists(room, 1);
    room->limits[0] = limit;
    for (size_t at = 0; at < count; at += 2) {
        const size_t blocks[] = {(size_t)candidates[at], (size_t)candidates[at + 1 < count ? at + 1 : at]};
        f64 far[2 * LINE_CELLS];
        measure_two(far, tiles->cells + blocks[0] * cells, tiles->cells + blocks[1] * cells, tiles->numbers,
                    room->numbers);
        for (size_t own = 0; own < 2 && at + own < count; own++)
            for (size_t part = 0; part < LINE_CELLS; part += LANES) {
                u32 lanes = mask_lanes((vi)(vf_load(far + own * LINE_CELLS + part) < vf_of(room->limits[0])));
                for (; lanes; lanes &= lanes - 1) {
                    const size_t output = part + (size_t)__builtin_ctz(lanes);
                    const size_t point = blocks[own] * LINE_CELLS + output;
                    const f64 value = far[own * LINE_CELLS + output];
                    if (point < tiles->outputs && value < room->limits[0])
                        keep_point(room, 0, search->count + 1, value, (i64)point);
                }
            }
    }
}

#endif
