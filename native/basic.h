/* Numbers, integers, conditions, casts, refusals and look-ups: one loop each, which the compiler makes wide. */
#ifndef PIPELINE_BASIC_H
#define PIPELINE_BASIC_H

#include "simd.h"

/* The loop over the rows of a call. An operand that is constant is read once, outside of the loop. */
#define ONE(NAME, IN, OUT, EXPRESSION)                                                                                 \
    static int NAME(const struct core_call *call)                                                                      \
    {                                                                                                                  \
        const IN *restrict a_at = call->in[0].at;                                                                      \
        OUT *restrict out = call->out;                                                                                 \
        const size_t rows = call->rows;                                                                                \
        if (call->in[0].constant || rows == 1) {                                                                       \
            const IN a = a_at[0];                                                                                      \
            const OUT result = (OUT)(EXPRESSION);                                                                      \
            for (size_t row = 0; row < rows; row++)                                                                    \
                out[row] = result;                                                                                     \
            return CORE_OK;                                                                                            \
        }                                                                                                              \
        for (size_t row = 0; row < rows; row++) {                                                                      \
            const IN a = a_at[row];                                                                                    \
            out[row] = (OUT)(EXPRESSION);                                                                              \
        }                                                                                                              \
        return CORE_OK;                                                                                                \
    }

#define TWO(NAME, IN, OUT, EXPRESSION)                                                                                 \
    static int NAME(const struct core_call *call)                                                                      \
    {                                                                                                                  \
        const IN *restrict a_at = call->in[0].at, *restrict b_at = call->in[1].at;                                     \
        OUT *restrict out = call->out;                                                                                 \
        const size_t rows = call->rows;                                                                                \
        if (rows == 1) {                                                                                               \
            const IN a = a_at[0], b = b_at[0];                                                                         \
            out[0] = (OUT)(EXPRESSION);                                                                                \
        } else if (call->in[1].constant) {                                                                             \
            const IN b = b_at[0];                                                                                      \
            const size_t step = !call->in[0].constant;                                                                 \
            if (step) {                                                                                                \
                for (size_t row = 0; row < rows; row++) {                                                              \
                    const IN a = a_at[row];                                                                            \
                    out[row] = (OUT)(EXPRESSION);                                                                      \
                }                                                                                                      \
            } else {                                                                                                   \
                const IN a = a_at[0];                                                                                  \
                for (size_t row = 0; row < rows; row++)                                                                \
                    out[row] = (OUT)(EXPRESSION);                                                                      \
            }                                                                                                          \
        } else if (call->in[0].constant) {                                                                             \
            const IN a = a_at[0];                                                                                      \
            for (size_t row = 0; row < rows; row++) {                                                                  \
                const IN b = b_at[row];                                                                                \
                out[row] = (OUT)(EXPRESSION);                                                                          \
            }                                                                                                          \
        } else {                                                                                                       \
            for (size_t row = 0; row < rows; row++) {                                                                  \
                const IN a = a_at[row], b = b_at[row];                                                                 \
                out[row] = (OUT)(EXPRESSION);                                                                          \
            }                                                                                                          \
        }                                                                                                              \
        return CORE_OK;                                                                                                \
    }

static inline f64 absolute_of(f64 x) { return bits_float(float_bits(x) & (UINT64_MAX >> 1)); }

static inline f64 with_sign_of(f64 x, f64 sign)
{
    return bits_float((float_bits(x) & (UINT64_MAX >> 1)) | (float_bits(sign) & ~(UINT64_MAX >> 1)));
}

#define WHOLE 4503599627370496.0 /* 2**52: from here on every double is an integer */

/* The nearest integer, halves to even: adding 2**52 rounds to a multiple of 1. */
static inline f64 rint_of(f64 x)
{
    const f64 size = absolute_of(x);
    return size < WHOLE ? with_sign_of((size + WHOLE) - WHOLE, x) : x;
}

static inline f64 floor_of(f64 x)
{
    const f64 near = rint_of(x);
    return with_sign_of(near > x ? near - 1.0 : near, x);
}

static inline f64 ceil_of(f64 x)
{
    const f64 near = rint_of(x);
    return with_sign_of(near < x ? near + 1.0 : near, x);
}

static inline f64 trunc_of(f64 x)
{
    const f64 size = absolute_of(x), near = rint_of(size);
    return with_sign_of(near > size ? near - 1.0 : near, x);
}

TWO(add_run, f64, f64, a + b)
TWO(subtract_run, f64, f64, a - b)
TWO(multiply_run, f64, f64, a * b)
TWO(divide_run, f64, f64, a / b)
TWO(smaller_run, f64, f64, b < a ? b : a)
TWO(larger_run, f64, f64, b > a ? b : a)
ONE(negative_run, f64, f64, -a)
ONE(absolute_run, f64, f64, absolute_of(a))
ONE(sqrt_run, f64, f64, __builtin_sqrt(a))
ONE(rint_run, f64, f64, rint_of(a))
ONE(floor_run, f64, f64, floor_of(a))
ONE(ceil_run, f64, f64, ceil_of(a))
ONE(trunc_run, f64, f64, trunc_of(a))
ONE(round32_run, f64, f64, (f64)(f32)a)

TWO(less_run, f64, u8, a < b)
TWO(less_equal_run, f64, u8, a <= b)
TWO(equal_run, f64, u8, a == b)
TWO(less_int_run, i64, u8, a < b)
TWO(less_equal_int_run, i64, u8, a <= b)
TWO(equal_int_run, i64, u8, a == b)
/* A missing date is neither earlier nor later than any. */
TWO(date_less_run, i64, u8, (a < b) & (a != CORE_NAT))
TWO(date_less_equal_run, i64, u8, (a <= b) & (a != CORE_NAT) & (b != CORE_NAT))
TWO(and_run, u8, u8, a & b)
TWO(or_run, u8, u8, a | b)
TWO(xor_run, u8, u8, a ^ b)
ONE(not_run, u8, u8, a ^ 1)
ONE(is_nan_run, f64, u8, a != a)
ONE(is_nat_run, i64, u8, a == CORE_NAT)

/* Integers wrap around: unsigned arithmetic says so. */
TWO(add_int_run, i64, i64, (u64)a + (u64)b)
TWO(subtract_int_run, i64, i64, (u64)a - (u64)b)
TWO(multiply_int_run, i64, i64, (u64)a *(u64)b)

static inline i64 floor_divide_of(i64 a, i64 b)
{
    if (b == 0)
        return 0;
    if (b == -1) /* INT64_MIN / -1 wraps to INT64_MIN; as an instruction it would trap */
        return (i64)(0 - (u64)a);
    const i64 quotient = a / b;
    return quotient - (i64)(a % b != 0 && (a < 0) != (b < 0));
}

static inline i64 remainder_of(i64 a, i64 b)
{
    if (b == 0 || b == -1)
        return 0;
    const i64 rest = a % b;
    return rest + (rest != 0 && (rest < 0) != (b < 0) ? b : 0);
}

TWO(floor_divide_int_run, i64, i64, floor_divide_of(a, b))
TWO(remainder_int_run, i64, i64, remainder_of(a, b))

static inline i64 truncate_of(f64 x)
{
    return x >= -9223372036854775808.0 && x < 9223372036854775808.0 ? (i64)x : CORE_NAT;
}

ONE(int_to_float_run, i64, f64, a)
ONE(bool_to_float_run, u8, f64, a)
ONE(bool_to_int_run, u8, i64, a)
ONE(truncate_int_run, f64, i64, truncate_of(a))

/* `then` where a condition holds, else `other`. */
#define WHERE(NAME, TYPE)                                                                                              \
    static int NAME(const struct core_call *call)                                                                      \
    {                                                                                                                  \
        const u8 *restrict condition = call->in[0].at;                                                                 \
        const TYPE *restrict then = call->in[1].at, *restrict other = call->in[2].at;                                  \
        TYPE *restrict out = call->out;                                                                                \
        const size_t rows = call->rows, every = !call->in[0].constant;                                                 \
        const u32 then_constant = call->in[1].constant, other_constant = call->in[2].constant;                         \
        if (rows == 1) {                                                                                               \
            out[0] = condition[0] ? then[0] : other[0];                                                                \
        } else if (every && then_constant && other_constant) {                                                         \
            const TYPE a = then[0], b = other[0];                                                                      \
            for (size_t row = 0; row < rows; row++)                                                                    \
                out[row] = condition[row] ? a : b;                                                                     \
        } else if (every && then_constant) {                                                                           \
            const TYPE a = then[0];                                                                                    \
            for (size_t row = 0; row < rows; row++)                                                                    \
                out[row] = condition[row] ? a : other[row];                                                            \
        } else if (every && other_constant) {                                                                          \
            const TYPE b = other[0];                                                                                   \
            for (size_t row = 0; row < rows; row++)                                                                    \
                out[row] = condition[row] ? then[row] : b;                                                             \
        } else if (every) {                                                                                            \
            for (size_t row = 0; row < rows; row++)                                                                    \
                out[row] = condition[row] ? then[row] : other[row];                                                    \
        } else {                                                                                                       \
            for (size_t row = 0; row < rows; row++) {                                                                  \
                const size_t a = then_constant ? 0 : row, b = other_constant ? 0 : row;                                \
                out[row] = condition[0] ? then[a] : other[b];                                                          \
            }                                                                                                          \
        }                                                                                                              \
        return CORE_OK;                                                                                                \
    }

WHERE(where_float_run, f64)
WHERE(where_int_run, i64)
WHERE(where_bool_run, u8)
WHERE(where_word_run, i32)

/* Whether any row is bad, without leaving the loop early: most batches have none. */
#define REFUSE(NAME, TYPE, BAD)                                                                                        \
    static int NAME(const struct core_call *call)                                                                      \
    {                                                                                                                  \
        const TYPE *restrict a_at = call->in[0].at;                                                                    \
        const size_t rows = call->in[0].constant ? 1 : call->rows;                                                     \
        i64 bad = 0;                                                                                                   \
        if (rows == 1) {                                                                                               \
            const TYPE a = a_at[0];                                                                                    \
            return (BAD) ? CORE_REFUSED : CORE_OK;                                                                     \
        }                                                                                                              \
        for (size_t row = 0; row < rows; row++) {                                                                      \
            const TYPE a = a_at[row];                                                                                  \
            bad |= (i64)(BAD);                                                                                         \
        }                                                                                                              \
        return bad ? CORE_REFUSED : CORE_OK;                                                                           \
    }

#define BEYOND_SINGLE 0x1.ffffffp+127 /* 2**128 - 2**103: from here on a double rounds to an infinite float */

REFUSE(demand_run, u8, !a)
REFUSE(finite_run, f64, a - a != 0.0)
REFUSE(not_infinite_run, f64, (a == a) & (a - a != 0.0))
REFUSE(single_range_run, f64, !(absolute_of(a) < BEYOND_SINGLE))
REFUSE(single_range_or_missing_run, f64, (a == a) & !(absolute_of(a) < BEYOND_SINGLE))

/* Tables of values by word: the first array has a value for each number of the word; a second one says which are
   refused. */
#define BY_WORD(NAME, TYPE)                                                                                            \
    static int NAME(const struct core_call *call)                                                                      \
    {                                                                                                                  \
        const i32 *restrict word = call->in[0].at;                                                                     \
        const struct core_array *arrays = call->instruction->array_at;                                                 \
        const TYPE *restrict values = arrays[0].data;                                                                  \
        TYPE *restrict out = call->out;                                                                                \
        const size_t rows = call->rows, step = !call->in[0].constant;                                                  \
        for (size_t row = 0; row < rows; row++)                                                                        \
            out[row] = values[word[row * step]];                                                                       \
        if (call->instruction->arrays > 1) {                                                                           \
            const u8 *restrict refused = arrays[1].data;                                                               \
            int bad = 0;                                                                                               \
            for (size_t row = 0; row < rows; row++)                                                                    \
                bad |= refused[word[row * step]];                                                                      \
            return bad ? CORE_REFUSED : CORE_OK;                                                                       \
        }                                                                                                              \
        return CORE_OK;                                                                                                \
    }

BY_WORD(word_float_run, f64)
BY_WORD(word_int_run, i64)
BY_WORD(word_bool_run, u8)
BY_WORD(word_word_run, i32)

/* Whether all cells of an array are below a limit, and bools are 0 or 1. */
static const char *check_cells(const struct core_array *array, u32 limit)
{
    if (array->kind == 'l') {
        const i32 *cells = array->data;
        for (u64 index = 0; index < array->count; index++)
            if (cells[index] < 0 || (u32)cells[index] >= limit)
                return "a word's number beyond its table";
    }
    if (array->kind == 'b') {
        const u8 *cells = array->data;
        for (u64 index = 0; index < array->count; index++)
            if (cells[index] > 1)
                return "a bool that is neither 0 nor 1";
    }
    return NULL;
}

/* The kind of array that holds values of the output's kind. */
static u32 array_kind_of(char output) { return output == 't' ? 'l' : (u32)output; }

static const char *check_table(const struct core_instruction *instruction, u32 cells, char output, u32 width)
{
    const struct core_array *arrays = instruction->array_at;
    if (instruction->ints != 0 || instruction->arrays < 1 || instruction->arrays > 2)
        return "other settings than one or two arrays";
    for (u32 index = 0; index < instruction->arrays; index++)
        if (arrays[index].count != cells || arrays[index].kind != (index ? 'b' : array_kind_of(output)))
            return "a table of another size or kind";
    const char *wrong = check_cells(&arrays[0], width);
    return wrong || instruction->arrays == 1 ? wrong : check_cells(&arrays[1], 0);
}

#define CHECK_TABLE(NAME, OUTPUT)                                                                                      \
    static const char *NAME(const struct core_instruction *instruction, const u32 *widths)                             \
    {                                                                                                                  \
        return check_table(instruction, widths[0], OUTPUT, widths[1]);                                                 \
    }

CHECK_TABLE(word_float_check, 'd')
CHECK_TABLE(word_int_check, 'i')
CHECK_TABLE(word_bool_check, 'b')
CHECK_TABLE(word_word_check, 't')

/* Words are equal where both are the same known word: never with missing, the last number, nor with any other word. */
static int text_equal_run(const struct core_call *call)
{
    const i32 *restrict left = call->in[0].at, *restrict right = call->in[1].at;
    const size_t first = !call->in[0].constant, second = !call->in[1].constant;
    const i32 others = (i32)call->in[0].width - 2;
    u8 *restrict out = call->out;
    for (size_t row = 0; row < call->rows; row++)
        out[row] = (left[row * first] == right[row * second]) & (left[row * first] < others);
    return CORE_OK;
}

static const char *same_words_check(const struct core_instruction *instruction, const u32 *widths)
{
    for (u32 index = 1; index < instruction->inputs; index++)
        if (instruction->ints || instruction->arrays || widths[index] != widths[instruction->inputs - 1])
            return "words of another table";
    return NULL;
}

static const char *where_word_check(const struct core_instruction *instruction, const u32 *widths)
{
    if (instruction->ints || instruction->arrays || widths[1] != widths[3] || widths[2] != widths[3])
        return "words of another table";
    return NULL;
}

/* Tables of values by number. The first array has the keys, ascending, the second their values and after them those of
   missing and of any other number. ints[0]: 0 any other number has its value, 1 is kept, 2 is refused;
   ints[1]: whether missing is refused. */
#define FIND(NAME, TYPE)                                                                                               \
    static inline size_t NAME(const TYPE *keys, size_t count, TYPE wanted)                                             \
    {                                                                                                                  \
        size_t low = 0;                                                                                                \
        for (size_t left = count; left > 1;) {                                                                         \
            const size_t half = left / 2;                                                                              \
            low = keys[low + half] <= wanted ? low + half : low;                                                       \
            left -= half;                                                                                              \
        }                                                                                                              \
        return low;                                                                                                    \
    }

FIND(find_float, f64)
FIND(find_int, i64)

#define BY_NUMBER(NAME, KEY, FIND_IN, VALUE, MISSING, KEPT)                                                            \
    static int NAME(const struct core_call *call)                                                                      \
    {                                                                                                                  \
        const KEY *restrict number = call->in[0].at;                                                                   \
        const struct core_instruction *own = call->instruction;                                                        \
        const KEY *restrict keys = own->array_at[0].data;                                                              \
        const VALUE *restrict values = own->array_at[1].data;                                                          \
        const size_t count = own->array_at[0].count, step = !call->in[0].constant;                                     \
        const i64 mode = own->int_at[0], refuses_missing = own->int_at[1];                                             \
        VALUE *restrict out = call->out;                                                                               \
        int bad = 0;                                                                                                   \
        for (size_t row = 0; row < call->rows; row++) {                                                                \
            const KEY x = number[row * step];                                                                          \
            const size_t at = FIND_IN(keys, count, x);                                                                 \
            if (MISSING) {                                                                                             \
                out[row] = values[count];                                                                              \
                bad |= refuses_missing != 0;                                                                           \
            } else if (count && keys[at] == x) {                                                                       \
                out[row] = values[at];                                                                                 \
            } else {                                                                                                   \
                out[row] = mode == 1 ? (VALUE)(KEPT) : values[count + 1];                                              \
                bad |= mode == 2;                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
        return bad ? CORE_REFUSED : CORE_OK;                                                                           \
    }

BY_NUMBER(float_float_run, f64, find_float, f64, x != x, x)
BY_NUMBER(float_int_run, f64, find_float, i64, x != x, 0)
BY_NUMBER(float_bool_run, f64, find_float, u8, x != x, 0)
BY_NUMBER(float_word_run, f64, find_float, i32, x != x, values[count + 1])
BY_NUMBER(int_float_run, i64, find_int, f64, 0, x)
BY_NUMBER(int_int_run, i64, find_int, i64, 0, 0)
BY_NUMBER(int_bool_run, i64, find_int, u8, 0, 0)
BY_NUMBER(int_word_run, i64, find_int, i32, 0, values[count + 1])

static const char *check_keys(const struct core_instruction *instruction, u32 key, char output, u32 width)
{
    const struct core_array *arrays = instruction->array_at;
    if (instruction->ints != 2 || instruction->arrays != 2)
        return "other settings than two integers and two arrays";
    if (arrays[0].kind != key || arrays[1].kind != array_kind_of(output) || arrays[1].count != arrays[0].count + 2)
        return "a table of another size or kind";
    if (instruction->int_at[0] == 1 && output != 'd')
        return "numbers that are kept, but not as float64";
    return check_cells(&arrays[1], width);
}

#define CHECK_KEYS(NAME, KEY, OUTPUT)                                                                                  \
    static const char *NAME(const struct core_instruction *instruction, const u32 *widths)                             \
    {                                                                                                                  \
        return check_keys(instruction, KEY, OUTPUT, widths[1]);                                                        \
    }

CHECK_KEYS(float_float_check, 'd', 'd')
CHECK_KEYS(float_int_check, 'd', 'i')
CHECK_KEYS(float_bool_check, 'd', 'b')
CHECK_KEYS(float_word_check, 'd', 't')
CHECK_KEYS(int_float_check, 'i', 'd')
CHECK_KEYS(int_int_check, 'i', 'i')
CHECK_KEYS(int_bool_check, 'i', 'b')
CHECK_KEYS(int_word_check, 'i', 't')

/* The value at an index; one beyond the list is refused. */
#define CHOOSE(NAME, TYPE)                                                                                             \
    static int NAME(const struct core_call *call)                                                                      \
    {                                                                                                                  \
        const i64 *restrict index = call->in[0].at;                                                                    \
        const struct core_array *values = call->instruction->array_at;                                                 \
        const TYPE *restrict cells = values->data;                                                                     \
        TYPE *restrict out = call->out;                                                                                \
        const size_t step = !call->in[0].constant;                                                                     \
        for (size_t row = 0; row < call->rows; row++) {                                                                \
            const u64 at = (u64)index[row * step];                                                                     \
            if (at >= values->count)                                                                                   \
                return CORE_REFUSED;                                                                                   \
            out[row] = cells[at];                                                                                      \
        }                                                                                                              \
        return CORE_OK;                                                                                                \
    }

CHOOSE(choose_float_run, f64)
CHOOSE(choose_int_run, i64)
CHOOSE(choose_bool_run, u8)
CHOOSE(choose_word_run, i32)

static const char *check_list(const struct core_instruction *instruction, char output, u32 width)
{
    if (instruction->ints || instruction->arrays != 1 || instruction->array_at->kind != array_kind_of(output))
        return "other settings than one array of values";
    return check_cells(instruction->array_at, width);
}

static const char *choose_float_check(const struct core_instruction *own, const u32 *widths)
{
    return check_list(own, 'd', widths[1]);
}
static const char *choose_int_check(const struct core_instruction *own, const u32 *widths)
{
    return check_list(own, 'i', widths[1]);
}
static const char *choose_bool_check(const struct core_instruction *own, const u32 *widths)
{
    return check_list(own, 'b', widths[1]);
}
static const char *choose_word_check(const struct core_instruction *own, const u32 *widths)
{
    return check_list(own, 't', widths[1]);
}

/* How many ascending edges lie below a number (ints[0] = 0), or not above it (1); all of them for NaN. */
static int search_run(const struct core_call *call)
{
    const f64 *restrict number = call->in[0].at;
    const f64 *restrict edges = call->instruction->array_at->data;
    const size_t count = call->instruction->array_at->count, step = !call->in[0].constant;
    const i64 right = call->instruction->int_at[0];
    i64 *restrict out = call->out;
    for (size_t row = 0; row < call->rows; row++) {
        const f64 x = number[row * step];
        size_t low = 0, left = count;
        while (left > 0) {
            const size_t half = left / 2;
            const int below = x != x || (right ? edges[low + half] <= x : edges[low + half] < x);
            low = below ? low + half + 1 : low;
            left = below ? left - half - 1 : half;
        }
        out[row] = (i64)low;
    }
    return CORE_OK;
}

static const char *search_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    return own->ints == 1 && own->arrays == 1 && own->array_at->kind == 'd' ? NULL : "other settings than edges";
}

#define OPERATIONS_OF_BASIC                                                                                            \
    {"add", "dd:d", add_run, NULL, NULL}, {"subtract", "dd:d", subtract_run, NULL, NULL},                              \
        {"multiply", "dd:d", multiply_run, NULL, NULL}, {"divide", "dd:d", divide_run, NULL, NULL},                    \
        {"smaller", "dd:d", smaller_run, NULL, NULL}, {"larger", "dd:d", larger_run, NULL, NULL},                      \
        {"negative", "d:d", negative_run, NULL, NULL}, {"absolute", "d:d", absolute_run, NULL, NULL},                  \
        {"sqrt", "d:d", sqrt_run, NULL, NULL}, {"rint", "d:d", rint_run, NULL, NULL},                                  \
        {"floor", "d:d", floor_run, NULL, NULL}, {"ceil", "d:d", ceil_run, NULL, NULL},                                \
        {"trunc", "d:d", trunc_run, NULL, NULL}, {"round32", "d:d", round32_run, NULL, NULL},                          \
        {"less", "dd:b", less_run, NULL, NULL}, {"less_equal", "dd:b", less_equal_run, NULL, NULL},                    \
        {"equal", "dd:b", equal_run, NULL, NULL}, {"less_int", "ii:b", less_int_run, NULL, NULL},                      \
        {"less_equal_int", "ii:b", less_equal_int_run, NULL, NULL}, {"equal_int", "ii:b", equal_int_run, NULL, NULL},  \
        {"date_less", "ii:b", date_less_run, NULL, NULL},                                                              \
        {"date_less_equal", "ii:b", date_less_equal_run, NULL, NULL},                                                  \
        {"and", "bb:b", and_run, NULL, NULL}, {"or", "bb:b", or_run, NULL, NULL},                                      \
        {"logical_xor", "bb:b", xor_run, NULL, NULL}, {"not", "b:b", not_run, NULL, NULL},                             \
        {"is_nan", "d:b", is_nan_run, NULL, NULL}, {"is_nat", "i:b", is_nat_run, NULL, NULL},                          \
        {"add_int", "ii:i", add_int_run, NULL, NULL}, {"subtract_int", "ii:i", subtract_int_run, NULL, NULL},          \
        {"multiply_int", "ii:i", multiply_int_run, NULL, NULL},                                                        \
        {"floor_divide_int", "ii:i", floor_divide_int_run, NULL, NULL},                                                \
        {"remainder_int", "ii:i", remainder_int_run, NULL, NULL},                                                      \
        {"int_to_float", "i:d", int_to_float_run, NULL, NULL}, {"bool_to_float", "b:d", bool_to_float_run, NULL, NULL},\
        {"bool_to_int", "b:i", bool_to_int_run, NULL, NULL}, {"truncate_int", "d:i", truncate_int_run, NULL, NULL},    \
        {"where_float", "bdd:d", where_float_run, NULL, NULL}, {"where_int", "bii:i", where_int_run, NULL, NULL},      \
        {"where_bool", "bbb:b", where_bool_run, NULL, NULL},                                                           \
        {"where_word", "btt:t", where_word_run, where_word_check, NULL}, {"demand", "b:-", demand_run, NULL, NULL},    \
        {"finite", "d:-", finite_run, NULL, NULL}, {"not_infinite", "d:-", not_infinite_run, NULL, NULL},              \
        {"single_range", "d:-", single_range_run, NULL, NULL},                                                         \
        {"single_range_or_missing", "d:-", single_range_or_missing_run, NULL, NULL},                                   \
        {"word_float", "t:d", word_float_run, word_float_check, NULL},                                                 \
        {"word_int", "t:i", word_int_run, word_int_check, NULL},                                                       \
        {"word_bool", "t:b", word_bool_run, word_bool_check, NULL},                                                    \
        {"word_word", "t:t", word_word_run, word_word_check, NULL},                                                    \
        {"text_equal", "tt:b", text_equal_run, same_words_check, NULL},                                                \
        {"float_float", "d:d", float_float_run, float_float_check, NULL},                                              \
        {"float_int", "d:i", float_int_run, float_int_check, NULL},                                                    \
        {"float_bool", "d:b", float_bool_run, float_bool_check, NULL},                                                 \
        {"float_word", "d:t", float_word_run, float_word_check, NULL},                                                 \
        {"int_float", "i:d", int_float_run, int_float_check, NULL},                                                    \
        {"int_int", "i:i", int_int_run, int_int_check, NULL}, {"int_bool", "i:b", int_bool_run, int_bool_check, NULL}, \
        {"int_word", "i:t", int_word_run, int_word_check, NULL},                                                       \
        {"choose_float", "i:d", choose_float_run, choose_float_check, NULL},                                           \
        {"choose_int", "i:i", choose_int_run, choose_int_check, NULL},                                                 \
        {"choose_bool", "i:b", choose_bool_run, choose_bool_check, NULL},                                              \
        {"choose_word", "i:t", choose_word_run, choose_word_check, NULL},                                              \
        {"search", "d:i", search_run, search_check, NULL},

#endif
