/* Lines and B-splines through points, and the weighted median: operations/splines.py and weighted_median.py. */
#ifndef PIPELINE_CURVES_H
#define PIPELINE_CURVES_H

#include "basic.h"

/* How many of ascending numbers are not above x: all of them for NaN. */
static inline size_t not_above(const f64 *sorted, size_t count, f64 x)
{
    size_t low = 0;
    for (size_t left = count; left > 0;) {
        const size_t half = left / 2;
        const int is = !(sorted[low + half] > x);
        low = is ? low + half + 1 : low;
        left = is ? left - half - 1 : half;
    }
    return low;
}

/* arrays: x, y and the slope from each point to the next, 0 at last. */
static int interpolate_run(const struct core_call *call)
{
    const f64 *restrict number = call->in[0].at;
    const struct core_array *arrays = call->instruction->array_at;
    const f64 *restrict x = arrays[0].data, *restrict y = arrays[1].data, *restrict slope = arrays[2].data;
    const size_t count = arrays[0].count, step = !call->in[0].constant;
    f64 *restrict out = call->out;
    for (size_t row = 0; row < call->rows; row++) {
        const f64 value = number[row * step];
        const size_t before = not_above(x, count, value), left = before ? before - 1 : 0;
        const f64 between = slope[left] * (value - x[left]) + y[left];
        const f64 height = x[left] == value || left == count - 1 || value < x[0] ? y[left] : between;
        out[row] = value != value ? value : height;
    }
    return CORE_OK;
}

static const char *interpolate_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    if (own->ints || own->arrays != 3 || own->array_at[0].count < 1)
        return "other settings than points";
    for (u32 index = 0; index < 3; index++)
        if (own->array_at[index].kind != 'd' || own->array_at[index].count != own->array_at[0].count)
            return "points of another kind or number";
    return NULL;
}

#define MOST_DEGREE 15

/* The degree + 1 splines that are not 0 between a knot and the next: see `_basis` in operations/splines.py. */
static inline void basis_of(const f64 *knots, size_t degree, size_t interval, f64 x, f64 *basis)
{
    f64 before[MOST_DEGREE + 1];
    basis[0] = 1.0;
    for (size_t step = 1; step <= degree; step++) {
        for (size_t order = 0; order < step; order++) {
            before[order] = basis[order];
            basis[order] = 0.0;
        }
        basis[step] = 0.0;
        for (size_t order = 1; order <= step; order++) {
            const f64 above = knots[interval + order], below = knots[interval + order - step];
            if (above != below) {
                const f64 weight = before[order - 1] / (above - below);
                basis[order - 1] = basis[order - 1] + weight * (above - x);
                basis[order] = weight * (x - below);
            } else {
                basis[order] = 0.0;
            }
        }
    }
}

/* ints: degree; arrays: knots, and coefficients, bases x splines. */
static int splines_run(const struct core_call *call)
{
    const f64 *restrict number = call->in[0].at;
    const struct core_array *arrays = call->instruction->array_at;
    const f64 *restrict knots = arrays[0].data, *restrict coefficients = arrays[1].data;
    const size_t degree = (size_t)call->instruction->int_at[0], last = arrays[0].count - degree - 2;
    const size_t width = call->out_width, step = !call->in[0].constant;
    f64 *restrict out = call->out;
    for (size_t row = 0; row < call->rows; row++) {
        const f64 x = number[row * step];
        const size_t before = not_above(knots, arrays[0].count, x);
        size_t interval = before > degree ? before - 1 : degree;
        interval = interval < last ? interval : last;
        f64 basis[MOST_DEGREE + 1];
        basis_of(knots, degree, interval, x, basis);
        for (size_t spline = 0; spline < width; spline++) {
            f64 total = 0.0;
            for (size_t order = 0; order <= degree; order++)
                total += coefficients[(interval + order - degree) * width + spline] * basis[order];
            out[spline * call->stride + row] = x != x ? x : total;
        }
    }
    return CORE_OK;
}

static const char *splines_check(const struct core_instruction *own, const u32 *widths)
{
    if (own->ints != 1 || own->arrays != 2 || own->array_at[0].kind != 'd' || own->array_at[1].kind != 'd')
        return "other settings than a degree, knots and coefficients";
    const i64 degree = own->int_at[0];
    if (degree < 0 || degree > MOST_DEGREE || own->array_at[0].count < 2 * (u64)degree + 2)
        return "too few knots for the degree";
    const u64 bases = own->array_at[0].count - (u64)degree - 1;
    if (own->array_at[1].count / widths[1] != bases || own->array_at[1].count % widths[1])
        return "coefficients of another number";
    return NULL;
}

/* Sort numbers, equal ones in their order and NaN last; `order` are their indices. Sorted runs are merged, from `from`
   to `to` and back. */
static void stable_order(const f64 *numbers, size_t count, u32 *from, u32 *to, const u32 **order)
{
    for (size_t index = 0; index < count; index++)
        from[index] = (u32)index;
    for (size_t run = 1; run < count; run *= 2) {
        for (size_t start = 0; start < count; start += 2 * run) {
            const size_t middle = start + run < count ? start + run : count;
            const size_t end = middle + run < count ? middle + run : count;
            size_t left = start, right = middle;
            for (size_t next = start; next < end; next++) {
                const int takes_right =
                    left == middle || (right < end && (numbers[from[right]] < numbers[from[left]] ||
                                                       (numbers[from[left]] != numbers[from[left]] &&
                                                        numbers[from[right]] == numbers[from[right]])));
                to[next] = takes_right ? from[right++] : from[left++];
            }
        }
        u32 *const swapped = from;
        from = to;
        to = swapped;
    }
    *order = from;
}

/* arrays: weights. The first number, from the smallest on, at which the running sum of weights reaches half. */
static int weighted_median_run(const struct core_call *call)
{
    const f64 *restrict weights = call->instruction->array_at->data;
    const size_t width = call->in[0].width;
    f64 *restrict out = call->out, *restrict numbers = call->scratch;
    u32 *from = (u32 *)(void *)(numbers + width), *to = from + width;
    for (size_t row = 0; row < call->rows; row++) {
        for (size_t index = 0; index < width; index++)
            numbers[index] = ((const f64 *)call->in[0].at)[index * call->stride + row];
        const u32 *order;
        stable_order(numbers, width, from, to, &order);
        f64 total = weights[order[0]], sum = total;
        for (size_t rank = 1; rank < width; rank++)
            total += weights[order[rank]];
        size_t rank = 0;
        while (!(sum >= 0.5 * total) && rank + 1 < width)
            sum += weights[order[++rank]];
        out[row] = numbers[order[sum >= 0.5 * total ? rank : 0]];
    }
    return CORE_OK;
}

static const char *weighted_median_check(const struct core_instruction *own, const u32 *widths)
{
    const int fits = !own->ints && own->arrays == 1 && own->array_at->kind == 'd' && own->array_at->count == widths[0];
    return fits ? NULL : "other settings than a weight for each number";
}

static size_t weighted_median_scratch(const struct core_instruction *own, const u32 *widths, size_t rows)
{
    (void)own;
    (void)rows;
    return (size_t)widths[0] * 16;
}

#define OPERATIONS_OF_CURVES                                                                                           \
    {"interpolate", "d:d", interpolate_run, interpolate_check, NULL},                                                  \
        {"splines", "d:v", splines_run, splines_check, NULL},                                                          \
        {"weighted_median", "v:d", weighted_median_run, weighted_median_check, weighted_median_scratch},

#endif
