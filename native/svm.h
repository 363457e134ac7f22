/* Kernels of stored points, distances from them, the nearest centre, and probabilities from pairwise decisions. */
#ifndef PIPELINE_SVM_H
#define PIPELINE_SVM_H

#include "double_double.h"
#include "math_exp.h"
#include "tiles.h"

/* What is made of a sum. */
enum finish { FINISH_NONE, FINISH_ROOT, FINISH_RADIAL, FINISH_POWER, FINISH_TANH };

struct finishing {
    f64 gamma, coef0;
    i64 degree;
};

/* An integer power by repeated squaring, as libsvm's `powi`. */
ALWAYS vf power_of(vf base, i64 times)
{
    vf result = vf_of(1.0);
    for (; times > 0; times /= 2) {
        if (times % 2)
            result = result * base;
        base = base * base;
    }
    return result;
}

ALWAYS vf finished(enum finish finish, const struct finishing *with, vf sum)
{
    if (finish == FINISH_ROOT)
        return vf_sqrt(sum);
    if (finish == FINISH_RADIAL)
        return core_exp(-with->gamma * sum);
    if (finish == FINISH_POWER)
        return power_of(with->gamma * sum + with->coef0, with->degree);
    if (finish == FINISH_TANH)
        return core_tanh(with->gamma * sum + with->coef0);
    return sum;
}

/* `vectors` vectors of rows, from `row` on. */
ALWAYS void point_rows(const struct core_call *call, const struct tiles *tiles, enum tile_term term, enum finish finish,
                       const struct finishing *with, int vectors, size_t row)
{
    f64 *panel = call->scratch;
    const size_t parts = (size_t)vectors;
    copy_panel(panel, (const f64 *)call->in[0].at + row, tiles->numbers, call->stride, parts);
    for (size_t first = 0; first < tiles->outputs; first += LINE_CELLS) {
        vf sums[LINE_CELLS * TILE_VECTORS];
        const size_t some = tiles->outputs - first;
        sum_block(sums, term, vectors, tiles, first / LINE_CELLS, some, panel, parts * LANES);
        for (size_t output = 0; output < LINE_CELLS && output < some; output++) {
            f64 *out = (f64 *)call->out + (first + output) * call->stride + row;
            for (size_t part = 0; part < parts; part++)
                vf_store(out + part * LANES, finished(finish, with, sums[output * parts + part]));
        }
    }
}

ALWAYS int point_run(const struct core_call *call, enum tile_term term, enum finish finish, struct finishing with)
{
    const struct tiles tiles = {call->instruction->array_at->data, NULL, NULL, call->in[0].width, call->out_width};
    size_t row = 0;
    for (; row + TILE_ROWS <= call->rows; row += TILE_ROWS)
        point_rows(call, &tiles, term, finish, &with, TILE_VECTORS, row);
    for (; row + LANES <= call->rows; row += LANES)
        point_rows(call, &tiles, term, finish, &with, 1, row);
    f64 *numbers = call->scratch, *sums = numbers + tiles.numbers;
    for (; row < call->rows; row++) {
        copy_row(numbers, (const f64 *)call->in[0].at + row, tiles.numbers, call->stride);
        sum_row_of_all(sums, term, &tiles, numbers);
        for (size_t first = 0; first < tiles.outputs; first += LANES)
            vf_store(sums + first, finished(finish, &with, vf_load(sums + first)));
        for (size_t output = 0; output < tiles.outputs; output++)
            ((f64 *)call->out)[output * call->stride + row] = sums[output];
    }
    return CORE_OK;
}

/* Kernels of libsvm. ints: degree; arrays: cells, gamma and coef0. */
static struct finishing finishing_of(const struct core_call *call)
{
    const f64 *numbers = call->instruction->array_at[1].data;
    const struct finishing with = {numbers[0], numbers[1], call->instruction->int_at[0]};
    return with;
}

static int kernel_linear_run(const struct core_call *call)
{
    return point_run(call, TERM_PRODUCT, FINISH_NONE, finishing_of(call));
}

static int kernel_rbf_run(const struct core_call *call)
{
    return point_run(call, TERM_SQUARE, FINISH_RADIAL, finishing_of(call));
}

static int kernel_poly_run(const struct core_call *call)
{
    return point_run(call, TERM_PRODUCT, FINISH_POWER, finishing_of(call));
}

static int kernel_sigmoid_run(const struct core_call *call)
{
    return point_run(call, TERM_PRODUCT, FINISH_TANH, finishing_of(call));
}

static const char *kernel_check(const struct core_instruction *own, const u32 *widths)
{
    if (own->ints != 1 || own->arrays != 2 || own->array_at[1].kind != 'd' || own->array_at[1].count != 2)
        return "other settings than points, two numbers and a degree";
    return check_tiles(own->array_at, 0, widths[0], widths[1]);
}

static size_t point_scratch(const struct core_instruction *own, const u32 *widths, size_t rows)
{
    (void)own, (void)rows;
    return tiles_scratch(widths[0], widths[1]);
}

/* Distances. arrays: cells. */
static const struct finishing nothing_more = {0.0, 0.0, 0};

static int distances_run(const struct core_call *call)
{
    return point_run(call, TERM_SQUARE, FINISH_ROOT, nothing_more);
}

static int distances_squared_run(const struct core_call *call)
{
    return point_run(call, TERM_SQUARE, FINISH_NONE, nothing_more);
}

static int distances_manhattan_run(const struct core_call *call)
{
    return point_run(call, TERM_ABSOLUTE, FINISH_NONE, nothing_more);
}

static int distances_chi_squared_run(const struct core_call *call)
{
    return point_run(call, TERM_CHI_SQUARE, FINISH_NONE, nothing_more);
}

static const char *distances_check(const struct core_instruction *own, const u32 *widths)
{
    if (own->ints || own->arrays != 1)
        return "other settings than points";
    return check_tiles(own->array_at, 0, widths[0], widths[1]);
}

/* The nearest centre, as KMeans finds it: operations/centres.py says how. arrays: cells of the centres, their squared
   lengths, and three numbers: the rounding of two sums, the largest sum of a centre's magnitudes (twice), the largest
   squared length. */
struct centres {
    struct tiles tiles;
    const f64 *squares;
    const f64 *numbers;
};

/* a * b + c rounded once, of finite numbers: operations/fused.py. */
static vf fused_multiply_add(vf a, vf b, vf c)
{
    const struct dd multiplied = product(a, b), sum = two_sum(c, multiplied.low);
    const struct dd most = two_sum(multiplied.high, sum.high);
    const struct dd small = two_sum(sum.low, most.low);
    const vi bits = vf_bits(small.high);
    const vi towards = vi_where((vi)(small.low > 0.0) ^ (vi)(small.high > 0.0), vi_of(-1), vi_of(1));
    const vi even = (vi)(small.low != 0.0) & (vi)((bits & 1) == 0);
    return most.high + vi_floats(vi_where(even, bits + towards, bits));
}

/* The same decision by fused sums, of LANES centres at a time. */
static RARE i64 nearest_by_fused_sums(const struct centres *centres, const f64 *row, size_t step)
{
    const struct tiles *tiles = &centres->tiles;
    i64 best = 0;
    f64 least = 0.0;
    for (size_t first = 0; first < tiles->outputs; first += LANES) {
        const f64 *cells = tiles->cells + first / LINE_CELLS * tiles->numbers * LINE_CELLS + first % LINE_CELLS;
        vf total = {0};
        for (size_t number = 0; number < tiles->numbers; number++)
            total = fused_multiply_add(vf_load(cells + number * LINE_CELLS), vf_of(row[number * step]), total);
        for (size_t lane = 0; lane < LANES && first + lane < tiles->outputs; lane++) {
            const f64 far = centres->squares[first + lane] - 2.0 * total[lane];
            const int less = far < least || (far != far && least == least) || first + lane == 0;
            best = less ? (i64)(first + lane) : best;
            least = less ? far : least;
        }
    }
    return best;
}

/* `far` (centres x step) of some rows: the first smallest of each, and whether another is within the rounding. */
ALWAYS void nearest_of_rows(const struct centres *centres, const f64 *far, const f64 *numbers, size_t step, i64 *out)
{
    const struct tiles *tiles = &centres->tiles;
    vf least = vf_load(far), most = {0};
    vi best = {0}, near = {0};
    for (size_t centre = 1; centre < tiles->outputs; centre++) {
        const vf own = vf_load(far + centre * step);
        const vi less = (vi)(own < least) | ((vi)(own != own) & (vi)(least == least));
        best = vi_where(less, vi_of((i64)centre), best);
        least = vf_where(less, own, least);
    }
    for (size_t number = 0; number < tiles->numbers; number++) {
        const vf size = vf_abs(vf_load(numbers + number * step));
        most = vf_where((vi)(size <= most) | (vi)(most != most), most, size);
    }
    const vf limit = least + centres->numbers[0] * (centres->numbers[1] * most + centres->numbers[2]);
    for (size_t centre = 0; centre < tiles->outputs; centre++)
        near += (vi)(vf_load(far + centre * step) <= limit);
    for (size_t lane = 0; lane < LANES; lane++)
        out[lane] = near[lane] < -1 ? nearest_by_fused_sums(centres, numbers + lane, step) : best[lane];
}

/* LANES rows at a time; the last rows are filled up with the first of them. */
static int nearest_centre_run(const struct core_call *call)
{
    const struct core_array *at = call->instruction->array_at;
    const struct core_array *squares = at + 1, *numbers = at + 2;
    const struct centres centres = {
        {at->data, NULL, NULL, call->in[0].width, squares->count}, squares->data, numbers->data};
    const struct tiles *tiles = &centres.tiles;
    f64 *rows = call->scratch, *far = rows + tiles->numbers * TILE_ROWS;
    for (size_t row = 0; row < call->rows; row += LANES) {
        const size_t some = call->rows - row < LANES ? call->rows - row : LANES;
        for (size_t number = 0; number < tiles->numbers; number++)
            vf_store(rows + number * LANES, load_rows((const f64 *)call->in[0].at + number * call->stride + row, some));
        for (size_t first = 0; first < tiles->outputs; first += LINE_CELLS) {
            vf sums[LINE_CELLS];
            sum_block(sums, TERM_PRODUCT, 1, tiles, first / LINE_CELLS, LINE_CELLS, rows, LANES);
            for (size_t output = 0; output < LINE_CELLS && first + output < tiles->outputs; output++)
                vf_store(far + (first + output) * LANES, centres.squares[first + output] - 2.0 * sums[output]);
        }
        i64 best[LANES];
        nearest_of_rows(&centres, far, rows, LANES, best);
        for (size_t lane = 0; lane < some; lane++)
            ((i64 *)call->out)[row + lane] = best[lane];
    }
    return CORE_OK;
}

static const char *nearest_centre_check(const struct core_instruction *own, const u32 *widths)
{
    const struct core_array *at = own->array_at;
    if (own->ints || own->arrays != 3 || at[1].kind != 'd' || at[2].kind != 'd' || at[2].count != 3 || at[1].count < 1)
        return "other settings than centres, their squares and three numbers";
    if (at[1].count > (u64)1 << 24)
        return "too many centres";
    return check_tiles(at, 0, widths[0], at[1].count);
}

static size_t nearest_centre_scratch(const struct core_instruction *own, const u32 *widths, size_t rows)
{
    (void)rows;
    return tiles_scratch(widths[0], 0) + sizeof(f64) * LANES * own->array_at[1].count;
}

/* Probabilities of classes from those of their pairs: method 2 of Wu, Lin and Weng (2004), as libsvm iterates it. LANES
   rows go on until the last of them has stopped. ints: classes; arrays: slopes and offsets of the pairs. */
#define LEAST_SHARE 1e-7 /* libsvm's min_prob */

ALWAYS vf share_of(vf decision, f64 slope, f64 offset)
{
    const vf exponent = decision * slope + offset, small = core_exp(-vf_abs(exponent));
    vf share = vf_where((vi)(exponent >= 0.0), small / (1.0 + small), 1.0 / (1.0 + small));
    share = vf_where((vi)(share < LEAST_SHARE), vf_of(LEAST_SHARE), share);
    return vf_where((vi)(share > 1 - LEAST_SHARE), vf_of(1 - LEAST_SHARE), share);
}

/* wins[t * classes + j]: how likely t wins against j. */
static void couple_system(vf *restrict system, const vf *restrict wins, size_t classes)
{
    for (size_t t = 0; t < classes; t++) {
        vf own = {0};
        for (size_t j = 0; j < classes; j++)
            if (j != t) {
                system[t * classes + j] = -wins[j * classes + t] * wins[t * classes + j];
                own = own + wins[j * classes + t] * wins[j * classes + t];
            }
        system[t * classes + t] = own;
    }
}

static vf couple_products(const vf *restrict system, const vf *restrict chances, vf *restrict rows, size_t classes)
{
    vf total = {0};
    for (size_t t = 0; t < classes; t++) {
        vf sum = {0};
        for (size_t j = 0; j < classes; j++)
            sum = sum + system[t * classes + j] * chances[j];
        rows[t] = sum;
        total = total + chances[t] * sum;
    }
    return total;
}

static void couple_step(const vf *restrict system, vf *restrict chances, vf *restrict rows, vf total, size_t classes)
{
    for (size_t t = 0; t < classes; t++) {
        const vf *weights = system + t * classes;
        const vf step = (-rows[t] + total) / weights[t];
        chances[t] = chances[t] + step;
        total = (total + step * (step * weights[t] + 2.0 * rows[t])) / (1.0 + step) / (1.0 + step);
        for (size_t j = 0; j < classes; j++) {
            rows[j] = (rows[j] + step * weights[j]) / (1.0 + step);
            chances[j] = chances[j] / (1.0 + step);
        }
    }
}

/* `memory` has room for classes x (classes + 3) vectors; the result is its first `classes`. */
static void couple_rows(vf *restrict chances, const vf *restrict system, size_t classes)
{
    vf *rows = chances + classes, *moved = rows + classes;
    const f64 bound = 0.005 / (f64)classes;
    const size_t most = classes > 100 ? classes : 100;
    vi going = vi_of(-1);
    for (size_t index = 0; index < classes; index++)
        chances[index] = vf_of(1.0 / (f64)classes);
    for (size_t times = 0; times < most; times++) {
        const vf total = couple_products(system, chances, rows, classes);
        vf error = vf_abs(rows[0] - total);
        for (size_t t = 1; t < classes; t++) {
            const vf other = vf_abs(rows[t] - total);
            error = vf_where((vi)(other > error), other, error);
        }
        going &= ~(vi)(error < bound);
        if (mask_all(~going))
            return;
        for (size_t t = 0; t < classes; t++)
            moved[t] = chances[t];
        couple_step(system, moved, rows, total, classes);
        for (size_t t = 0; t < classes; t++)
            chances[t] = vf_where(going, moved[t], chances[t]);
    }
}

static int couple_run(const struct core_call *call)
{
    const size_t classes = call->out_width;
    const f64 *slopes = call->instruction->array_at[0].data, *offsets = call->instruction->array_at[1].data;
    vf *chances = call->scratch, *system = chances + 3 * classes, *wins = system + classes * classes;
    for (size_t row = 0; row < call->rows; row += LANES) {
        const size_t some = call->rows - row < LANES ? call->rows - row : LANES;
        size_t pair = 0;
        for (size_t i = 0; i < classes; i++)
            for (size_t j = i + 1; j < classes; j++, pair++) {
                const vf decision = load_rows((const f64 *)call->in[0].at + pair * call->stride + row, some);
                const vf share = share_of(decision, slopes[pair], offsets[pair]);
                wins[i * classes + j] = share;
                wins[j * classes + i] = 1.0 - share;
            }
        couple_system(system, wins, classes);
        couple_rows(chances, system, classes);
        for (size_t index = 0; index < classes; index++)
            store_rows((f64 *)call->out + index * call->stride + row, chances[index], some);
    }
    return CORE_OK;
}

static const char *couple_check(const struct core_instruction *own, const u32 *widths)
{
    const u64 classes = widths[1], pairs = widths[0];
    const struct core_array *at = own->array_at;
    if (own->ints || own->arrays != 2 || at[0].kind != 'd' || at[1].kind != 'd')
        return "other settings than slopes and offsets";
    if (classes < 1 || classes > 4096 || pairs != classes * (classes - 1) / 2)
        return "another count of pairs than that of the classes";
    return at[0].count != pairs || at[1].count != pairs ? "another count of slopes than pairs" : NULL;
}

static size_t couple_scratch(const struct core_instruction *own, const u32 *widths, size_t rows)
{
    (void)own, (void)rows;
    return sizeof(vf) * widths[1] * (2 * (size_t)widths[1] + 3);
}

#define OPERATIONS_OF_SVM                                                                                              \
    {"kernel_linear", "v:v", kernel_linear_run, kernel_check, point_scratch},                                          \
        {"kernel_rbf", "v:v", kernel_rbf_run, kernel_check, point_scratch},                                            \
        {"kernel_poly", "v:v", kernel_poly_run, kernel_check, point_scratch},                                          \
        {"kernel_sigmoid", "v:v", kernel_sigmoid_run, kernel_check, point_scratch},                                    \
        {"distances_euclidean", "v:v", distances_run, distances_check, point_scratch},                                 \
        {"distances_squared", "v:v", distances_squared_run, distances_check, point_scratch},                           \
        {"distances_manhattan", "v:v", distances_manhattan_run, distances_check, point_scratch},                       \
        {"distances_chi_squared", "v:v", distances_chi_squared_run, distances_check, point_scratch},                   \
        {"nearest_centre", "v:i", nearest_centre_run, nearest_centre_check, nearest_centre_scratch},                   \
        {"couple", "v:v", couple_run, couple_check, couple_scratch},

#endif
