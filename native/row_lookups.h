/* Look-ups by several values of a row: operations/row_lookups.py. Each value has a number, or none; numbers of a prefix
   of the row and of the next value make a pair, which has a number again. What the last pair has is the key's.

   ints, for each input: its kind (WORD, FLOAT, INT, BOOL), how many values its keys have, and the number of a missing
   float, -1 for none. arrays, for each input: a number for each word, or the values in ascending order; their numbers
   (of words an empty array); pairs in ascending order; their numbers. At last a value for each key, and that of none. */
#ifndef PIPELINE_ROW_LOOKUPS_H
#define PIPELINE_ROW_LOOKUPS_H

#include "basic.h"

enum { ROW_WORD, ROW_FLOAT, ROW_INT, ROW_BOOL };

/* A value's number among ascending ones; -1 for none. */
#define NUMBER_AMONG(NAME, TYPE, FIND_IN)                                                                              \
    static inline i64 NAME(const struct core_array *sorted, const struct core_array *numbers, TYPE value)              \
    {                                                                                                                  \
        const TYPE *values = sorted->data;                                                                             \
        const i64 *number = numbers->data;                                                                             \
        const size_t at = FIND_IN(values, sorted->count, value);                                                       \
        return sorted->count && values[at] == value ? number[at] : -1;                                                 \
    }

NUMBER_AMONG(number_of_float, f64, find_float)
NUMBER_AMONG(number_of_int, i64, find_int)

static inline i64 number_of_cell(const struct core_operand *column, const i64 *ints, const struct core_array *arrays,
                                 size_t row)
{
    const size_t at = column->constant ? 0 : row;
    if (ints[0] == ROW_WORD) {
        const u32 word = ((const u32 *)column->at)[at];
        return word < arrays[0].count ? ((const i64 *)arrays[0].data)[word] : -1;
    }
    if (ints[0] == ROW_FLOAT) {
        const f64 value = ((const f64 *)column->at)[at];
        return value != value ? ints[2] : number_of_float(&arrays[0], &arrays[1], value);
    }
    if (ints[0] == ROW_INT)
        return number_of_int(&arrays[0], &arrays[1], ((const i64 *)column->at)[at]);
    return number_of_int(&arrays[0], &arrays[1], ((const u8 *)column->at)[at] != 0);
}

/* The key of each row, in scratch; -1 for none. */
static const i64 *keys_of_rows(const struct core_call *call)
{
    const struct core_instruction *own = call->instruction;
    i64 *restrict keys = call->scratch;
    for (size_t row = 0; row < call->rows; row++)
        keys[row] = 0;
    for (u32 input = 0; input < own->inputs; input++) {
        const i64 *ints = own->int_at + 3 * input;
        const struct core_array *arrays = own->array_at + 4 * input;
        for (size_t row = 0; row < call->rows; row++) {
            const i64 number = number_of_cell(&call->in[input], ints, arrays, row);
            const i64 pair = (i64)((u64)keys[row] * (u64)ints[1] + (u64)number);
            keys[row] = keys[row] < 0 || number < 0 ? -1 : number_of_int(&arrays[2], &arrays[3], pair);
        }
    }
    return keys;
}

#define VALUES_OF_KEYS(NAME, TYPE)                                                                                     \
    static int NAME(const struct core_call *call)                                                                      \
    {                                                                                                                  \
        const struct core_array *values = call->instruction->array_at + 4 * call->instruction->inputs;                 \
        const TYPE *restrict cells = values->data;                                                                     \
        const i64 *restrict keys = keys_of_rows(call);                                                                 \
        TYPE *restrict out = call->out;                                                                                \
        for (size_t row = 0; row < call->rows; row++)                                                                  \
            out[row] = cells[keys[row] < 0 ? values->count - 1 : (u64)keys[row]];                                      \
        return CORE_OK;                                                                                                \
    }

VALUES_OF_KEYS(rows_float_run, f64)
VALUES_OF_KEYS(rows_int_run, i64)
VALUES_OF_KEYS(rows_bool_run, u8)
VALUES_OF_KEYS(rows_word_run, i32)

/* Whether all integers of an array are from 0, or from -1, to below `end`. */
static int all_below(const struct core_array *array, i64 least, u64 end)
{
    const i64 *cells = array->data;
    for (u64 index = 0; index < array->count; index++)
        if (cells[index] < least || (cells[index] >= 0 && (u64)cells[index] >= end))
            return 0;
    return 1;
}

static const char *check_rows_input(const i64 *ints, const struct core_array *arrays, u64 ends)
{
    if (ints[0] < ROW_WORD || ints[0] > ROW_BOOL || ints[1] < 1 || ints[1] > 1 << 30 || ints[2] < -1 || ints[2] >= ints[1])
        return "values of no kind or number";
    if (arrays[0].kind != (ints[0] == ROW_FLOAT ? 'd' : 'i') || arrays[1].kind != 'i' || arrays[2].kind != 'i' ||
        arrays[3].kind != 'i')
        return "values or pairs of another kind";
    if ((ints[0] != ROW_WORD && arrays[0].count != arrays[1].count) || arrays[2].count != arrays[3].count)
        return "values or pairs without numbers";
    if (!all_below(&arrays[ints[0] == ROW_WORD ? 0 : 1], -1, (u64)ints[1]) || !all_below(&arrays[3], 0, ends))
        return "a number beyond its table";
    return NULL;
}

static const char *check_rows(const struct core_instruction *own, u32 kind, u32 width)
{
    if (own->ints != 3 * (u64)own->inputs || own->arrays != 4 * (u64)own->inputs + 1)
        return "other settings than three integers and four arrays an input, and values";
    const struct core_array *values = own->array_at + 4 * own->inputs;
    if (values->kind != kind || values->count < 1)
        return "values of another kind";
    for (u32 input = 0; input < own->inputs; input++) {
        const u64 ends = input + 1 == own->inputs ? values->count - 1 : (u64)INT32_MAX;
        const char *wrong = check_rows_input(own->int_at + 3 * input, own->array_at + 4 * input, ends);
        if (wrong)
            return wrong;
    }
    return check_cells(values, width);
}

#define CHECK_ROWS(NAME, KIND)                                                                                         \
    static const char *NAME(const struct core_instruction *own, const u32 *widths)                                     \
    {                                                                                                                  \
        return check_rows(own, KIND, widths[own->inputs]);                                                             \
    }

CHECK_ROWS(rows_float_check, 'd')
CHECK_ROWS(rows_int_check, 'i')
CHECK_ROWS(rows_bool_check, 'b')
CHECK_ROWS(rows_word_check, 'l')

static size_t rows_scratch(const struct core_instruction *own, const u32 *widths, size_t rows)
{
    (void)own;
    (void)widths;
    return rows * 8;
}

#define OPERATIONS_OF_ROW_LOOKUPS                                                                                      \
    {"rows_float", "*+:d", rows_float_run, rows_float_check, rows_scratch},                                            \
        {"rows_int", "*+:i", rows_int_run, rows_int_check, rows_scratch},                                              \
        {"rows_bool", "*+:b", rows_bool_run, rows_bool_check, rows_scratch},                                           \
        {"rows_word", "*+:t", rows_word_run, rows_word_check, rows_scratch},

#endif
