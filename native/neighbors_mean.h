/* Means of the targets of nearest points. */
#ifndef PIPELINE_NEIGHBORS_MEAN_H
#define PIPELINE_NEIGHBORS_MEAN_H

#include "vectors.h"

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

#endif
