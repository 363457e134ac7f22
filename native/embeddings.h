/* What is made of the nearest stored points, and weights by coordinate descent: path_lengths of operations/manifolds.py,
   outlier_factors.py and coordinate_descent.py.

   A vector of nearest points has the distances of `count` points, then their indices as numbers. */
#ifndef PIPELINE_EMBEDDINGS_H
#define PIPELINE_EMBEDDINGS_H

#include "core.h"

/* An index that is stored as a number; `end` for one that is none. */
static inline u64 index_of(f64 number, u64 end) { return number >= 0.0 && number < (f64)end ? (u64)number : end; }

/* arrays: ways from each point to each other. The shortest way is NaN where one of them is. */
static int path_lengths_run(const struct core_call *call)
{
    const f64 *restrict nearest = call->in[0].at, *restrict ways = call->instruction->array_at->data;
    const size_t count = call->in[0].width / 2, width = call->out_width, stride = call->stride;
    const u64 points = call->instruction->array_at->count / width;
    f64 *restrict out = call->out;
    for (size_t row = 0; row < call->rows; row++) {
        for (size_t point = 0; point < width; point++)
            out[point * stride + row] = __builtin_inf();
        for (size_t rank = 0; rank < count; rank++) {
            const f64 distance = nearest[rank * stride + row];
            const u64 from = index_of(nearest[(count + rank) * stride + row], points);
            if (from == points)
                return CORE_REFUSED;
            for (size_t point = 0; point < width; point++) {
                const f64 way = ways[from * width + point] + distance, shortest = out[point * stride + row];
                out[point * stride + row] = shortest == shortest && !(way >= shortest) ? way : shortest;
            }
        }
    }
    return CORE_OK;
}

static const char *path_lengths_check(const struct core_instruction *own, const u32 *widths)
{
    if (own->ints || own->arrays != 1 || own->array_at->kind != 'd' || own->array_at->count % widths[1])
        return "other settings than ways";
    return widths[0] % 2 == 0 && own->array_at->count ? NULL : "nearest points without indices, or no ways";
}

#define LEAST_DISTANCE 1e-10 /* what scikit-learn adds to a mean distance */

/* arrays: how far each point's farthest neighbour is, and how dense its surroundings are. */
static int outlier_factor_run(const struct core_call *call)
{
    const f64 *restrict nearest = call->in[0].at;
    const struct core_array *arrays = call->instruction->array_at;
    const f64 *restrict reaches = arrays[0].data, *restrict densities = arrays[1].data;
    const size_t count = call->in[0].width / 2, stride = call->stride;
    const u64 points = arrays[0].count;
    f64 *restrict out = call->out;
    for (size_t row = 0; row < call->rows; row++) {
        f64 sum = 0.0, total = 0.0;
        for (size_t rank = 0; rank < count; rank++) {
            const f64 distance = nearest[rank * stride + row];
            const u64 point = index_of(nearest[(count + rank) * stride + row], points);
            if (point == points)
                return CORE_REFUSED;
            sum += distance == distance && !(distance >= reaches[point]) ? reaches[point] : distance;
        }
        const f64 own = 1.0 / (sum / (f64)count + LEAST_DISTANCE);
        for (size_t rank = 0; rank < count; rank++)
            total += densities[index_of(nearest[(count + rank) * stride + row], points)] / own;
        out[row] = total / (f64)count;
    }
    return CORE_OK;
}

static const char *outlier_factor_check(const struct core_instruction *own, const u32 *widths)
{
    if (own->ints || own->arrays != 2 || own->array_at[0].kind != 'd' || own->array_at[1].kind != 'd')
        return "other settings than reaches and densities";
    if (own->array_at[0].count != own->array_at[1].count || !own->array_at[0].count)
        return "reaches and densities of other points";
    return widths[0] % 2 == 0 && widths[0] > 1 ? NULL : "nearest points without indices";
}

enum { MOST_SWEEPS = 1 << 20 }; /* scikit-learn makes 200: a plan with more would not end */

/* ints: how many sweeps at most; arrays: the products of the directions. A sweep that changes nothing is the last. */
static int coordinate_descent_run(const struct core_call *call)
{
    const f64 *restrict products = call->in[0].at, *restrict gram = call->instruction->array_at->data;
    const size_t width = call->out_width, stride = call->stride;
    f64 *restrict weights = call->scratch, *restrict out = call->out;
    for (size_t row = 0; row < call->rows; row++) {
        for (size_t index = 0; index < width; index++)
            weights[index] = 0.0;
        int changed = 1;
        for (i64 sweep = 0; changed && sweep < call->instruction->int_at[0]; sweep++) {
            changed = 0;
            for (size_t index = 0; index < width; index++) {
                const f64 *own = gram + index * width;
                if (own[index] == 0.0)
                    continue;
                f64 gradient = -products[index * stride + row];
                for (size_t other = 0; other < width; other++)
                    gradient = gradient + own[other] * weights[other];
                const f64 best = weights[index] - gradient / own[index], weight = best <= 0.0 ? 0.0 : best;
                changed |= weight != weights[index];
                weights[index] = weight;
            }
        }
        for (size_t index = 0; index < width; index++)
            out[index * stride + row] = weights[index];
    }
    return CORE_OK;
}

static const char *coordinate_descent_check(const struct core_instruction *own, const u32 *widths)
{
    if (own->ints != 1 || own->int_at[0] < 0 || own->int_at[0] > MOST_SWEEPS || own->arrays != 1 ||
        own->array_at->kind != 'd')
        return "other settings than sweeps and products";
    return widths[0] == widths[1] && own->array_at->count == (u64)widths[0] * widths[0] ? NULL : "products of another size";
}

static size_t coordinate_descent_scratch(const struct core_instruction *own, const u32 *widths, size_t rows)
{
    (void)own;
    (void)rows;
    return (size_t)widths[0] * 8;
}

#define OPERATIONS_OF_EMBEDDINGS                                                                                       \
    {"path_lengths", "v:v", path_lengths_run, path_lengths_check, NULL},                                               \
        {"outlier_factor", "v:d", outlier_factor_run, outlier_factor_check, NULL},                                     \
        {"coordinate_descent", "v:v", coordinate_descent_run, coordinate_descent_check, coordinate_descent_scratch},

#endif
