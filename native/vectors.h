/* Vectors: stacked from numbers, taken apart, multiplied by matrices; and sums of weighted numbers. */
#ifndef PIPELINE_VECTORS_H
#define PIPELINE_VECTORS_H

#include "tiles.h"

/* The cells of a vector with those of another column: of a second vector (STEP is the stride), or of one number. */
#define EACH_WITH(NAME, STEP, EXPRESSION)                                                                              \
    static int NAME(const struct core_call *call)                                                                      \
    {                                                                                                                  \
        for (u32 number = 0; number < call->out_width; number++) {                                                     \
            const f64 *restrict a_at = (const f64 *)call->in[0].at + number * call->stride;                            \
            const f64 *restrict b_at = (const f64 *)call->in[1].at + number * (STEP);                                  \
            f64 *restrict out = (f64 *)call->out + number * call->stride;                                              \
            if (call->in[1].constant) {                                                                                \
                const f64 b = b_at[0];                                                                                 \
                for (size_t row = 0; row < call->rows; row++) {                                                        \
                    const f64 a = a_at[row];                                                                           \
                    out[row] = EXPRESSION;                                                                             \
                }                                                                                                      \
                continue;                                                                                              \
            }                                                                                                          \
            for (size_t row = 0; row < call->rows; row++) {                                                            \
                const f64 a = a_at[row], b = b_at[row];                                                                \
                out[row] = EXPRESSION;                                                                                 \
            }                                                                                                          \
        }                                                                                                              \
        return CORE_OK;                                                                                                \
    }

static const f64 *settings_of(const struct core_call *call) { return call->instruction->array_at->data; }

static int vector_scale_run(const struct core_call *call)
{
    const f64 factor = settings_of(call)[0], offset = settings_of(call)[1];
    for (u32 number = 0; number < call->out_width; number++) {
        const f64 *restrict own = (const f64 *)call->in[0].at + number * call->stride;
        f64 *restrict out = (f64 *)call->out + number * call->stride;
        for (size_t row = 0; row < call->rows; row++)
            out[row] = own[row] * factor + offset;
    }
    return CORE_OK;
}

EACH_WITH(vector_add_run, call->stride, a + b)
EACH_WITH(vector_multiply_run, call->stride, a *b)
EACH_WITH(vector_add_number_run, 0, a + b)
EACH_WITH(vector_multiply_number_run, 0, a *b)
EACH_WITH(vector_divide_number_run, 0, a / b)

static const char *first_width_check(const struct core_instruction *own, const u32 *widths)
{
    return own->ints || own->arrays || widths[0] != widths[own->inputs] ? "a result of another width" : NULL;
}

static const char *two_widths_check(const struct core_instruction *own, const u32 *widths)
{
    return widths[0] != widths[1] ? "vectors of two widths" : first_width_check(own, widths);
}

static const char *vector_scale_check(const struct core_instruction *own, const u32 *widths)
{
    if (own->ints || own->arrays != 1 || own->array_at->kind != 'd' || own->array_at->count != 2)
        return "other settings than a factor and an offset";
    return widths[0] != widths[1] ? "a result of another width" : NULL;
}

static int stack_run(const struct core_call *call)
{
    for (u32 number = 0; number < call->out_width; number++) {
        f64 *out = (f64 *)call->out + number * call->stride;
        const f64 *from = call->in[number].at;
        if (call->in[number].constant)
            fill_cells(out, from[0], call->rows);
        else
            copy_cells(out, from, call->rows);
    }
    return CORE_OK;
}

static const char *stack_check(const struct core_instruction *own, const u32 *widths)
{
    return own->ints || own->arrays || widths[own->inputs] != own->inputs ? "a vector of another width" : NULL;
}

static int item_run(const struct core_call *call)
{
    const size_t number = (size_t)call->instruction->int_at[0];
    copy_cells(call->out, (const f64 *)call->in[0].at + number * call->stride, call->rows);
    return CORE_OK;
}

static const char *item_check(const struct core_instruction *own, const u32 *widths)
{
    if (own->ints != 1 || own->arrays || own->int_at[0] < 0)
        return "other settings than a number's place";
    return own->int_at[0] >= (i64)widths[0] ? "a place beyond the vector" : NULL;
}

/* The place of the largest number, the first of equal ones; NaN is the largest. */
static int largest_run(const struct core_call *call)
{
    i64 *restrict best = call->out;
    f64 *restrict most = call->scratch;
    copy_cells(most, call->in[0].at, call->rows);
    for (size_t row = 0; row < call->rows; row++)
        best[row] = 0;
    for (u32 number = 1; number < call->in[0].width; number++) {
        const f64 *restrict own = (const f64 *)call->in[0].at + number * call->stride;
        for (size_t row = 0; row < call->rows; row++) {
            const int more = (own[row] > most[row]) | ((own[row] != own[row]) & (most[row] == most[row]));
            best[row] = more ? (i64)number : best[row];
            most[row] = more ? own[row] : most[row];
        }
    }
    return CORE_OK;
}

static const char *largest_check(const struct core_instruction *own, const u32 *widths)
{
    return own->ints || own->arrays || widths[0] < 1 ? "other settings than none" : NULL;
}

static size_t row_scratch(const struct core_instruction *own, const u32 *widths, size_t rows)
{
    (void)own, (void)widths;
    return rows * sizeof(f64);
}

static int sum_of_squares_run(const struct core_call *call)
{
    f64 *restrict out = call->out;
    fill_cells(out, 0.0, call->rows);
    for (u32 number = 0; number < call->in[0].width; number++) {
        const f64 *restrict own = (const f64 *)call->in[0].at + number * call->stride;
        for (size_t row = 0; row < call->rows; row++)
            out[row] += own[row] * own[row];
    }
    return CORE_OK;
}

static int circular_convolution_run(const struct core_call *call)
{
    const u32 width = call->out_width;
    for (u32 number = 0; number < width; number++) {
        f64 *restrict out = (f64 *)call->out + number * call->stride;
        fill_cells(out, 0.0, call->rows);
        for (u32 index = 0; index < width; index++) {
            const u32 other = number >= index ? number - index : number + width - index;
            const f64 *restrict left = (const f64 *)call->in[0].at + index * call->stride;
            const f64 *restrict right = (const f64 *)call->in[1].at + other * call->stride;
            for (size_t row = 0; row < call->rows; row++)
                out[row] += left[row] * right[row];
        }
    }
    return CORE_OK;
}

/* The sum of numbers times weights: the first product starts it. */
static int dot_run(const struct core_call *call)
{
    const f64 *weights = settings_of(call);
    f64 *restrict out = call->out;
    for (u32 number = 0; number < call->instruction->inputs; number++) {
        const f64 weight = weights[number];
        const f64 *restrict own = call->in[number].at;
        const size_t step = !call->in[number].constant;
        if (number == 0)
            for (size_t row = 0; row < call->rows; row++)
                out[row] = own[row * step] * weight;
        else if (step)
            for (size_t row = 0; row < call->rows; row++)
                out[row] += own[row] * weight;
        else {
            const f64 term = own[0] * weight;
            for (size_t row = 0; row < call->rows; row++)
                out[row] += term;
        }
    }
    return CORE_OK;
}

static const char *dot_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    if (own->ints || own->arrays != 1 || own->array_at->kind != 'd' || own->array_at->count != own->inputs)
        return "another count of weights than of numbers";
    return NULL;
}

/* The same in float32: `start` is the first cell, missing numbers add nothing. */
static int dot_float32_run(const struct core_call *call)
{
    const f32 *weights = call->instruction->array_at->data;
    f32 *restrict total = call->scratch;
    for (size_t row = 0; row < call->rows; row++)
        total[row] = weights[0];
    for (u32 number = 0; number < call->instruction->inputs; number++) {
        const f32 weight = weights[number + 1];
        const f64 *restrict own = call->in[number].at;
        const size_t step = !call->in[number].constant;
        for (size_t row = 0; row < call->rows; row++) {
            const f32 value = (f32)own[row * step], sum = total[row] + value * weight;
            total[row] = value == value ? sum : total[row];
        }
    }
    f64 *restrict out = call->out;
    for (size_t row = 0; row < call->rows; row++)
        out[row] = total[row];
    return CORE_OK;
}

static const char *dot_float32_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    if (own->ints || own->arrays != 1 || own->array_at->kind != 'f' || own->array_at->count != (u64)own->inputs + 1)
        return "another count of weights than of numbers";
    return NULL;
}

/* A row's numbers without NaN, in ascending order, equal ones (0.0 and -0.0) as they come; returns how many. */
static size_t sorted_row(f64 *restrict ordered, const struct core_call *call, size_t row)
{
    size_t count = 0;
    for (u32 number = 0; number < call->instruction->inputs; number++) {
        const f64 value = ((const f64 *)call->in[number].at)[call->in[number].constant ? 0 : row];
        if (value != value)
            continue;
        size_t at = count++;
        for (; at > 0 && ordered[at - 1] > value; at--)
            ordered[at] = ordered[at - 1];
        ordered[at] = value;
    }
    return count;
}

/* The median of the numbers that are not missing; with ints[0], one missing makes it missing. */
static int median_run(const struct core_call *call)
{
    const int plain = call->instruction->int_at[0] != 0;
    f64 *restrict ordered = call->scratch, *restrict out = call->out;
    for (size_t row = 0; row < call->rows; row++) {
        const size_t count = sorted_row(ordered, call, row);
        const int missing = count == 0 || (plain && count < call->instruction->inputs);
        if (missing)
            out[row] = bits_float((u64)0x7ff8 << 48);
        else if (plain && count % 2)
            out[row] = ordered[count / 2];
        else
            out[row] = (ordered[(count - 1) / 2] + ordered[count / 2]) / 2.0;
    }
    return CORE_OK;
}

static const char *median_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    return own->ints != 1 || own->arrays || own->inputs < 1 ? "other settings than one flag" : NULL;
}

static size_t inputs_scratch(const struct core_instruction *own, const u32 *widths, size_t rows)
{
    (void)widths, (void)rows;
    return own->inputs * sizeof(f64);
}

static int distinct_run(const struct core_call *call)
{
    f64 *restrict ordered = call->scratch;
    i64 *restrict out = call->out;
    for (size_t row = 0; row < call->rows; row++) {
        const size_t count = sorted_row(ordered, call, row);
        i64 different = count > 0;
        for (size_t at = 1; at < count; at++)
            different += ordered[at] != ordered[at - 1];
        out[row] = different;
    }
    return CORE_OK;
}

static const char *distinct_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    return own->ints || own->arrays || own->inputs < 1 ? "other settings than none" : NULL;
}

/* Matrix times vector plus offset. ints: whether some weights are 0, whether lines of zeros are left out, whether there
   is an offset; arrays: the cells of a layout (see tiles.h), starts and numbers if lines are left out, offset.

   A weight of 0 leaves its number out, even an infinite one. A finite number times 0 may be added all the same: sums
   start from 0.0 and are never -0.0, so that neither 0.0 nor -0.0 moves them. */
struct affine {
    struct tiles tiles;
    const f64 *offset; /* or NULL */
    int some_zero;
};

static struct affine affine_of(const struct core_instruction *own, u32 numbers, u32 outputs)
{
    const struct core_array *at = own->array_at;
    const int listed = own->int_at[1] != 0, offset = own->int_at[2] != 0;
    struct affine affine = {{at[0].data, NULL, NULL, numbers, outputs}, NULL, own->int_at[0] != 0};
    if (listed) {
        affine.tiles.starts = at[1].data;
        affine.tiles.listed = at[2].data;
    }
    if (offset)
        affine.offset = at[listed ? 3 : 1].data;
    return affine;
}

/* The sums of one row, with every zero looked at. */
static void careful_row(f64 *restrict sums, const struct tiles *tiles, const f64 *restrict row, size_t step)
{
    for (size_t output = 0; output < tiles->outputs; output++) {
        const size_t block = output / LINE_CELLS, last = first_line(tiles, block + 1);
        f64 total = 0.0;
        for (size_t line = first_line(tiles, block); line < last; line++) {
            const f64 weight = tiles->cells[line * LINE_CELLS + output % LINE_CELLS];
            const size_t number = tiles->listed ? (size_t)tiles->listed[line] : line - block * tiles->numbers;
            if (weight != 0.0)
                total += weight * row[number * step];
        }
        sums[output] = total;
    }
}

static void affine_store(const struct core_call *call, const struct affine *affine, const f64 *restrict sums,
                         size_t row)
{
    f64 *out = (f64 *)call->out + row;
    for (size_t output = 0; output < affine->tiles.outputs; output++)
        out[output * call->stride] = affine->offset ? sums[output] + affine->offset[output] : sums[output];
}

/* `vectors` vectors of rows, from `row` on; their numbers are `step` cells apart. */
ALWAYS void affine_panel(const struct core_call *call, const struct affine *affine, int vectors,
                         const f64 *restrict rows, size_t step, size_t row)
{
    const struct tiles *tiles = &affine->tiles;
    for (size_t first = 0; first < tiles->outputs; first += LINE_CELLS) {
        vf sums[LINE_CELLS * TILE_VECTORS];
        const size_t some = tiles->outputs - first;
        sum_block(sums, TERM_PRODUCT, vectors, tiles, first / LINE_CELLS, some, rows, step);
        for (size_t output = 0; output < LINE_CELLS && output < some; output++) {
            f64 *out = (f64 *)call->out + (first + output) * call->stride + row;
            for (int part = 0; part < vectors; part++) {
                vf sum = sums[output * (size_t)vectors + (size_t)part];
                if (affine->offset)
                    sum += vf_of(affine->offset[first + output]);
                vf_store(out + part * LANES, sum);
            }
        }
    }
}

static void affine_careful(const struct core_call *call, const struct affine *affine, size_t row, size_t rows)
{
    f64 *sums = call->scratch;
    for (size_t last = row + rows; row < last; row++) {
        careful_row(sums, &affine->tiles, (const f64 *)call->in[0].at + row, call->stride);
        affine_store(call, affine, sums, row);
    }
}

/* Many rows are copied, unless each of their numbers is used only once or twice. */
ALWAYS void affine_rows(const struct core_call *call, const struct affine *affine, int vectors, size_t row)
{
    const struct tiles *tiles = &affine->tiles;
    const f64 *from = (const f64 *)call->in[0].at + row;
    const size_t parts = (size_t)vectors;
    const int copied = tiles->outputs > TILE_OUTPUTS;
    f64 *panel = (f64 *)call->scratch;
    int finite = 1;
    if (copied)
        finite = copy_panel(panel, from, tiles->numbers, call->stride, parts);
    else if (affine->some_zero)
        finite = are_finite(from, tiles->numbers, call->stride, parts);
    if (!finite && affine->some_zero)
        affine_careful(call, affine, row, parts * LANES);
    else
        affine_panel(call, affine, vectors, copied ? panel : from, copied ? parts * LANES : call->stride, row);
}

static int affine_run(const struct core_call *call)
{
    const struct affine affine = affine_of(call->instruction, call->in[0].width, call->out_width);
    const struct tiles *tiles = &affine.tiles;
    size_t row = 0;
    for (; row + TILE_ROWS <= call->rows; row += TILE_ROWS)
        affine_rows(call, &affine, TILE_VECTORS, row);
    for (; row + LANES <= call->rows; row += LANES)
        affine_rows(call, &affine, 1, row);
    f64 *numbers = call->scratch, *sums = numbers + tiles->numbers;
    for (; row < call->rows; row++) {
        if (!copy_row(numbers, (const f64 *)call->in[0].at + row, tiles->numbers, call->stride) && affine.some_zero) {
            affine_careful(call, &affine, row, 1);
            continue;
        }
        sum_row_of_all(sums, TERM_PRODUCT, tiles, numbers);
        affine_store(call, &affine, sums, row);
    }
    return CORE_OK;
}

static const char *affine_check(const struct core_instruction *own, const u32 *widths)
{
    if (own->ints != 3)
        return "other settings than three flags";
    const int listed = own->int_at[1] != 0, offset = own->int_at[2] != 0;
    const u32 arrays = (listed ? 3 : 1) + (u32)offset;
    if (own->arrays != arrays)
        return "another count of arrays";
    const struct core_array *last = &own->array_at[arrays - 1];
    if (offset && (last->kind != 'd' || last->count != widths[1]))
        return "another count of offsets than outputs";
    return check_tiles(own->array_at, listed, widths[0], widths[1]);
}

static size_t affine_scratch(const struct core_instruction *own, const u32 *widths, size_t rows)
{
    (void)own, (void)rows;
    return tiles_scratch(widths[0], widths[1]);
}

#define OPERATIONS_OF_VECTORS                                                                                          \
    {"stack", "d+:v", stack_run, stack_check, NULL}, {"item", "v:d", item_run, item_check, NULL},                      \
        {"affine", "v:v", affine_run, affine_check, affine_scratch},                                                   \
        {"largest", "v:i", largest_run, largest_check, row_scratch},                                                   \
        {"vector_scale", "v:v", vector_scale_run, vector_scale_check, NULL},                                           \
        {"vector_add", "vv:v", vector_add_run, two_widths_check, NULL},                                                \
        {"vector_multiply", "vv:v", vector_multiply_run, two_widths_check, NULL},                                      \
        {"vector_add_number", "vd:v", vector_add_number_run, first_width_check, NULL},                                 \
        {"vector_multiply_number", "vd:v", vector_multiply_number_run, first_width_check, NULL},                       \
        {"vector_divide_number", "vd:v", vector_divide_number_run, first_width_check, NULL},                           \
        {"circular_convolution", "vv:v", circular_convolution_run, two_widths_check, NULL},                            \
        {"sum_of_squares", "v:d", sum_of_squares_run, distinct_check, NULL},                                           \
        {"dot", "d+:d", dot_run, dot_check, NULL},                                                                     \
        {"dot_float32", "d+:d", dot_float32_run, dot_float32_check, row_scratch},                                      \
        {"median", "d+:d", median_run, median_check, inputs_scratch},                                                  \
        {"distinct", "d+:i", distinct_run, distinct_check, inputs_scratch},

#endif
