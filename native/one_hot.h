/* Numbers and codes times weights: a code adds what its columns of 0 and 1 would add, one look-up instead of a product
   for each of its values. */
#ifndef PIPELINE_ONE_HOT_H
#define PIPELINE_ONE_HOT_H

#include "core.h"

/* Three ints for each input: where its cells begin in the array, the least code, and how many codes have a cell; a number
   has one cell, its weight, and no codes. The cell before a code's cells is what every other code adds. */
enum { ONE_HOT_INTS = 3 };

static inline f64 one_hot_term(const f64 *cells, i64 least, u64 codes, i64 code)
{
    const u64 place = (u64)code - (u64)least;
    return cells[place < codes ? place + 1 : 0];
}

/* The first term starts the sum. */
static int dot_codes_run(const struct core_call *call)
{
    const f64 *cells = call->instruction->array_at->data;
    const i64 *ints = call->instruction->int_at;
    f64 *restrict out = call->out;
    for (u32 number = 0; number < call->instruction->inputs; number++, ints += ONE_HOT_INTS) {
        const f64 *own = cells + ints[0];
        const size_t step = !call->in[number].constant;
        if (ints[2]) {
            const i64 *restrict codes = call->in[number].at;
            for (size_t row = 0; row < call->rows; row++) {
                const f64 term = one_hot_term(own, ints[1], (u64)ints[2], codes[row * step]);
                out[row] = number ? out[row] + term : term;
            }
        } else {
            const f64 weight = own[0];
            const f64 *restrict numbers = call->in[number].at;
            if (number && step)
                for (size_t row = 0; row < call->rows; row++)
                    out[row] += numbers[row] * weight;
            else
                for (size_t row = 0; row < call->rows; row++) {
                    const f64 term = numbers[row * step] * weight;
                    out[row] = number ? out[row] + term : term;
                }
        }
    }
    return CORE_OK;
}

static const char *dot_codes_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    if (own->arrays != 1 || own->array_at->kind != 'd' || own->ints != ONE_HOT_INTS * own->inputs)
        return "other settings than cells, and three ints for each column";
    for (u32 number = 0; number < own->inputs; number++) {
        const u64 first = (u64)own->int_at[ONE_HOT_INTS * number], codes = (u64)own->int_at[ONE_HOT_INTS * number + 2];
        if (first >= own->array_at->count || codes >= own->array_at->count - first)
            return "cells beyond the array";
    }
    return NULL;
}

#define OPERATIONS_OF_ONE_HOT {"dot_codes", "*+:d", dot_codes_run, dot_codes_check, NULL},

#endif
