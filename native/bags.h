/* Sparse vectors: their numbers scaled, normalized, joined, and summed with weights, as operations/sparse*.py define.

   Sums run from 0.0 on over a row's numbers in the order in which they are stored, which is that of their indices. */
#ifndef PIPELINE_BAGS_H
#define PIPELINE_BAGS_H

#include "arena.h"

enum { NORM_L1 = 0, NORM_L2 = 1, NORM_MAX = 2 };

/* Other numbers at the indices of `from`: room for them, NULL without. */
static inline f64 *holding(struct core_arena *arena, struct core_bag from, struct core_bag *out)
{
    f64 *value = take_low(arena, from.count * sizeof(f64));
    *out = (struct core_bag){from.index, value, from.count};
    return value;
}

#define NUMBERS_OF_BAG(NAME, EXPRESSION)                                                                               \
    static int NAME##_run(const struct core_call *call)                                                                \
    {                                                                                                                  \
        const struct core_bag *from = call->in[0].at;                                                                  \
        struct core_bag *out = call->out;                                                                              \
        const f64 *weight = call->instruction->array_at->data;                                                         \
        for (size_t row = 0; row < call->rows; row++) {                                                                \
            f64 *value = holding(call->arena, from[row], &out[row]);                                                   \
            if (!value)                                                                                                \
                return CORE_FULL;                                                                                      \
            for (u64 at = 0; at < from[row].count; at++)                                                               \
                value[at] = EXPRESSION;                                                                                \
        }                                                                                                              \
        return CORE_OK;                                                                                                \
    }
NUMBERS_OF_BAG(bag_scale, from[row].value[at] * weight[from[row].index[at]])
NUMBERS_OF_BAG(bag_divide, from[row].value[at] / weight[from[row].index[at]])

static int bag_log_plus_one_run(const struct core_call *call)
{
    const struct core_bag *from = call->in[0].at;
    struct core_bag *out = call->out;
    for (size_t row = 0; row < call->rows; row++) {
        f64 *value = holding(call->arena, from[row], &out[row]);
        if (!value)
            return CORE_FULL;
        if (from[row].count)
            log_cells(from[row].value, value, from[row].count);
        for (u64 at = 0; at < from[row].count; at++)
            value[at] += 1.0;
    }
    return CORE_OK;
}

static f64 norm_of(struct core_bag own, i64 kind)
{
    f64 total = 0.0;
    for (u64 at = 0; at < own.count; at++) {
        const f64 value = own.value[at], size = __builtin_fabs(value);
        if (kind == NORM_MAX)
            total = size > total || size != size ? size : total; /* NaN stays: nothing is larger */
        else
            total += kind == NORM_L1 ? size : value * value;
    }
    return kind == NORM_L2 ? __builtin_sqrt(total) : total;
}

static int bag_normalize_run(const struct core_call *call)
{
    const struct core_bag *from = call->in[0].at;
    struct core_bag *out = call->out;
    for (size_t row = 0; row < call->rows; row++) {
        f64 *value = holding(call->arena, from[row], &out[row]);
        if (!value)
            return CORE_FULL;
        const f64 norm = norm_of(from[row], call->instruction->int_at[0]), divisor = norm == 0.0 ? 1.0 : norm;
        for (u64 at = 0; at < from[row].count; at++)
            value[at] = from[row].value[at] / divisor;
    }
    return CORE_OK;
}

/* Room for a vector with at most `count` numbers. */
static inline int take_bag(struct core_arena *arena, u64 count, u32 **index, f64 **value)
{
    *index = take_low(arena, count * sizeof(u32));
    *value = take_low(arena, count * sizeof(f64));
    return *index && *value;
}

static int bag_above_run(const struct core_call *call)
{
    const struct core_bag *from = call->in[0].at;
    struct core_bag *out = call->out;
    const f64 threshold = *(const f64 *)call->instruction->array_at->data;
    for (size_t row = 0; row < call->rows; row++) {
        u32 *index;
        f64 *value;
        if (!take_bag(call->arena, from[row].count, &index, &value))
            return CORE_FULL;
        u64 used = 0;
        for (u64 at = 0; at < from[row].count; at++)
            if (from[row].value[at] > threshold) {
                index[used] = from[row].index[at];
                value[used++] = 1.0;
            }
        out[row] = (struct core_bag){index, value, used};
    }
    return CORE_OK;
}

/* The array is the new index of each old one, or -1. */
static int bag_select_run(const struct core_call *call)
{
    const struct core_bag *from = call->in[0].at;
    struct core_bag *out = call->out;
    const i32 *place = call->instruction->array_at->data;
    for (size_t row = 0; row < call->rows; row++) {
        u32 *index;
        f64 *value;
        if (!take_bag(call->arena, from[row].count, &index, &value))
            return CORE_FULL;
        u64 used = 0;
        for (u64 at = 0; at < from[row].count; at++) {
            const i32 other = place[from[row].index[at]];
            if (other < 0)
                continue;
            index[used] = (u32)other;
            value[used++] = from[row].value[at];
        }
        out[row] = (struct core_bag){index, value, used};
    }
    return CORE_OK;
}

/* What is not 0 of a vector, or of a number. */
static int bag_of_vector_run(const struct core_call *call)
{
    const f64 *from = call->in[0].at;
    struct core_bag *out = call->out;
    const size_t step = call->in[0].constant ? 0 : 1;
    for (size_t row = 0; row < call->rows; row++) {
        u64 count = 0, used = 0;
        for (size_t number = 0; number < call->out_width; number++)
            count += from[number * call->stride + row * step] != 0.0;
        u32 *index;
        f64 *value;
        if (!take_bag(call->arena, count, &index, &value))
            return CORE_FULL;
        for (size_t number = 0; number < call->out_width; number++) {
            const f64 own = from[number * call->stride + row * step];
            if (own == 0.0)
                continue;
            index[used] = (u32)number;
            value[used++] = own;
        }
        out[row] = (struct core_bag){index, value, used};
    }
    return CORE_OK;
}

static int bag_join_run(const struct core_call *call)
{
    struct core_bag *out = call->out;
    const u32 inputs = call->instruction->inputs;
    for (size_t row = 0; row < call->rows; row++) {
        u64 count = 0, used = 0;
        u32 *index, start = 0;
        f64 *value;
        for (u32 input = 0; input < inputs; input++)
            count += ((const struct core_bag *)call->in[input].at)[row].count;
        if (!take_bag(call->arena, count, &index, &value))
            return CORE_FULL;
        for (u32 input = 0; input < inputs; start += call->in[input++].width) {
            const struct core_bag own = ((const struct core_bag *)call->in[input].at)[row];
            for (u64 at = 0; at < own.count; at++) {
                index[used] = own.index[at] + start;
                value[used++] = own.value[at];
            }
        }
        out[row] = (struct core_bag){index, value, used};
    }
    return CORE_OK;
}

/* Row by row, the numbers at their places, else `absent`; `place` gives the place of an index, or -1. */
static void spread_bags(const struct core_call *call, const i32 *place, f64 absent)
{
    const struct core_bag *from = call->in[0].at;
    f64 *out = call->out;
    for (size_t number = 0; number < call->out_width; number++)
        for (size_t row = 0; row < call->rows; row++)
            out[number * call->stride + row] = absent;
    for (size_t row = 0; row < call->rows; row++)
        for (u64 at = 0; at < from[row].count; at++) {
            const u32 index = from[row].index[at];
            const i64 to = place ? place[index] : (i64)index;
            if (to >= 0)
                out[(size_t)to * call->stride + row] = from[row].value[at];
        }
}

static int bag_vector_run(const struct core_call *call)
{
    spread_bags(call, NULL, 0.0);
    return CORE_OK;
}

static int bag_numbers_run(const struct core_call *call)
{
    const struct core_array *array = call->instruction->array_at;
    spread_bags(call, array[0].data, *(const f64 *)array[1].data);
    return CORE_OK;
}

static int bag_item_run(const struct core_call *call)
{
    const struct core_bag *from = call->in[0].at;
    const u32 wanted = (u32)call->instruction->int_at[0];
    f64 *out = call->out;
    for (size_t row = 0; row < call->rows; row++) {
        out[row] = 0.0;
        for (u64 at = 0; at < from[row].count; at++)
            if (from[row].index[at] == wanted)
                out[row] += from[row].value[at];
    }
    return CORE_OK;
}

static int bag_sum_of_squares_run(const struct core_call *call)
{
    const struct core_bag *from = call->in[0].at;
    f64 *out = call->out;
    for (size_t row = 0; row < call->rows; row++) {
        f64 total = 0.0;
        for (u64 at = 0; at < from[row].count; at++)
            total += from[row].value[at] * from[row].value[at];
        out[row] = total;
    }
    return CORE_OK;
}

static int bag_finite_run(const struct core_call *call)
{
    const struct core_bag *from = call->in[0].at;
    const i64 missing = call->instruction->int_at[0];
    for (size_t row = 0; row < call->rows; row++)
        for (u64 at = 0; at < from[row].count; at++) {
            const f64 value = from[row].value[at];
            if (value - value != 0.0 && !(missing && value != value))
                return CORE_REFUSED;
        }
    return CORE_OK;
}

static int bag_dot_run(const struct core_call *call)
{
    const struct core_bag *from = call->in[0].at;
    const struct core_array *array = call->instruction->array_at;
    const f64 *weight = array->data;
    f64 *out = call->out;
    for (size_t row = 0; row < call->rows; row++) {
        f64 total = 0.0;
        for (u64 at = 0; at < from[row].count; at++)
            total += from[row].value[at] * weight[from[row].index[at]];
        out[row] = call->instruction->ints ? total + bits_float((u64)call->instruction->int_at[0]) : total;
    }
    return CORE_OK;
}

/* The matrix comes as (indices x outputs): the weights of an index lie side by side. */
static int bag_affine_run(const struct core_call *call)
{
    const struct core_bag *from = call->in[0].at;
    const struct core_array *array = call->instruction->array_at;
    const f64 *matrix = array->data, *offset = call->instruction->arrays > 1 ? array[1].data : NULL;
    f64 *out = call->out, *total = call->scratch;
    const size_t outputs = call->out_width;
    for (size_t row = 0; row < call->rows; row++) {
        for (size_t output = 0; output < outputs; output++)
            total[output] = 0.0;
        for (u64 at = 0; at < from[row].count; at++) {
            const f64 *weight = matrix + (size_t)from[row].index[at] * outputs, value = from[row].value[at];
            for (size_t output = 0; output < outputs; output++)
                total[output] += weight[output] * value;
        }
        for (size_t output = 0; output < outputs; output++)
            out[output * call->stride + row] = offset ? total[output] + offset[output] : total[output];
    }
    return CORE_OK;
}

static size_t bag_affine_scratch(const struct core_instruction *own, const u32 *widths, size_t rows)
{
    (void)own, (void)rows;
    return (size_t)widths[1] * sizeof(f64);
}

static const char *bag_same_check(const struct core_instruction *own, const u32 *widths)
{
    if (own->ints || own->arrays)
        return "settings that the operation does not have";
    return widths[0] == widths[1] ? NULL : "a sparse vector of another width than its input";
}

static const char *bag_weights_check(const struct core_instruction *own, const u32 *widths)
{
    if (own->ints || own->arrays != 1 || own->array_at->kind != 'd' || own->array_at->count != widths[0])
        return "other settings than a weight for each index";
    return widths[0] == widths[1] ? NULL : "a sparse vector of another width than its input";
}

static const char *bag_normalize_check(const struct core_instruction *own, const u32 *widths)
{
    if (own->ints != 1 || own->arrays || own->int_at[0] < NORM_L1 || own->int_at[0] > NORM_MAX)
        return "no norm";
    return widths[0] == widths[1] ? NULL : "a sparse vector of another width than its input";
}

static const char *bag_above_check(const struct core_instruction *own, const u32 *widths)
{
    if (own->ints || own->arrays != 1 || own->array_at->kind != 'd' || own->array_at->count != 1)
        return "other settings than one threshold";
    return widths[0] == widths[1] ? NULL : "a sparse vector of another width than its input";
}

/* A new place, or -1, for each index. */
static int places_fit(const struct core_array *places, u32 from, u32 to)
{
    const i32 *place = places->data;
    if (places->kind != 'l' || places->count != from)
        return 0;
    for (u32 index = 0; index < from; index++)
        if (place[index] < -1 || place[index] >= (i64)to)
            return 0;
    return 1;
}

static const char *bag_select_check(const struct core_instruction *own, const u32 *widths)
{
    return !own->ints && own->arrays == 1 && places_fit(own->array_at, widths[0], widths[1]) ? NULL : "no places";
}

static const char *bag_numbers_check(const struct core_instruction *own, const u32 *widths)
{
    if (own->ints || own->arrays != 2 || own->array_at[1].kind != 'd' || own->array_at[1].count != 1)
        return "other settings than places and one number";
    return places_fit(own->array_at, widths[0], widths[1]) ? NULL : "no places";
}

static const char *bag_join_check(const struct core_instruction *own, const u32 *widths)
{
    u64 total = 0;
    if (own->ints || own->arrays)
        return "settings that the operation does not have";
    for (u32 input = 0; input < own->inputs; input++)
        total += widths[input];
    return total == widths[own->inputs] ? NULL : "a sparse vector of another width than its inputs";
}

static const char *bag_item_check(const struct core_instruction *own, const u32 *widths)
{
    return own->ints == 1 && !own->arrays && own->int_at[0] >= 0 && own->int_at[0] < widths[0] ? NULL : "no index";
}

static const char *bag_finite_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    return own->ints == 1 && !own->arrays ? NULL : "other settings than whether NaN may be";
}

static const char *bag_dot_check(const struct core_instruction *own, const u32 *widths)
{
    if (own->ints > 1 || own->arrays != 1 || own->array_at->kind != 'd' || own->array_at->count != widths[0])
        return "other settings than a weight for each index, and a start";
    return NULL;
}

static const char *bag_affine_check(const struct core_instruction *own, const u32 *widths)
{
    const struct core_array *array = own->array_at;
    if (own->ints || own->arrays < 1 || own->arrays > 2 || array->kind != 'd' ||
        array->count != (u64)widths[0] * widths[1])
        return "other settings than a matrix, and an offset";
    return own->arrays == 2 && (array[1].kind != 'd' || array[1].count != widths[1]) ? "no offset" : NULL;
}

#define OPERATIONS_OF_BAGS                                                                                             \
    {"bag_scale", "g:g", bag_scale_run, bag_weights_check, NULL},                                                      \
        {"bag_divide", "g:g", bag_divide_run, bag_weights_check, NULL},                                                \
        {"bag_log_plus_one", "g:g", bag_log_plus_one_run, bag_same_check, NULL},                                       \
        {"bag_normalize", "g:g", bag_normalize_run, bag_normalize_check, NULL},                                        \
        {"bag_above", "g:g", bag_above_run, bag_above_check, NULL},                                                    \
        {"bag_select", "g:g", bag_select_run, bag_select_check, NULL},                                                 \
        {"bag_of_vector", "v:g", bag_of_vector_run, bag_same_check, NULL},                                             \
        {"bag_of_number", "d:g", bag_of_vector_run, bag_same_check, NULL},                                             \
        {"bag_join", "g+:g", bag_join_run, bag_join_check, NULL},                                                      \
        {"bag_vector", "g:v", bag_vector_run, bag_same_check, NULL},                                                   \
        {"bag_numbers", "g:v", bag_numbers_run, bag_numbers_check, NULL},                                              \
        {"bag_item", "g:d", bag_item_run, bag_item_check, NULL},                                                       \
        {"bag_sum_of_squares", "g:d", bag_sum_of_squares_run, NULL, NULL},                                             \
        {"bag_finite", "g:-", bag_finite_run, bag_finite_check, NULL},                                                 \
        {"bag_dot", "g:d", bag_dot_run, bag_dot_check, NULL},                                                          \
        {"bag_affine", "g:v", bag_affine_run, bag_affine_check, bag_affine_scratch},

#endif
