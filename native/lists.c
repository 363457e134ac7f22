#include "lists.h"

/* Sums that are rounded once.

   A double is a multiple of 2**-1074 below 2**1024, so any sum of them is an integer of 2,098 bits times 2**-1074, and
   some more bits. `digits` are that integer: 32 bits each, in cells of 64, so that 2**30 numbers can be added before
   carries have to be taken on. Adding is exact, so the order does not matter. */
enum { DIGITS = 70, PADDING = 2, MOST_ADDED = 1 << 30 };

struct exact {
    i64 digits[PADDING + DIGITS]; /* before the first two there are zeros */
    int first, end;               /* digits that are not 0 */
    u32 added;
    int nan, infinite, negative_infinite;
};

static u64 bits_of(f64 value)
{
    union {
        f64 value;
        u64 bits;
    } both = {value};
    return both.bits;
}

static f64 float_of(u64 bits)
{
    union {
        u64 bits;
        f64 value;
    } both = {bits};
    return both.value;
}

static void carry(struct exact *sum)
{
    i64 more = 0;
    for (int index = PADDING + sum->first; index < PADDING + DIGITS; index++) {
        const i64 all = sum->digits[index] + more;
        const int last = index == PADDING + DIGITS - 1;
        sum->digits[index] = last ? all : all & 0xffffffff; /* the last one keeps the sign */
        more = last ? 0 : all >> 32;
        if (!more && index >= PADDING + sum->end)
            break;
    }
    sum->end = DIGITS;
    sum->added = 0;
}

static void add_finite(struct exact *sum, u64 bits)
{
    const u64 field = bits >> 52 & 2047, fraction = bits & (((u64)1 << 52) - 1);
    const u64 whole = field ? fraction | (u64)1 << 52 : fraction, place = field ? field - 1 : 0;
    const int index = (int)(place >> 5);
    const u64 shift = place & 31, low = whole << shift, high = shift ? whole >> (64 - shift) : 0;
    const i64 sign = bits >> 63 ? -1 : 1;
    i64 *digit = sum->digits + PADDING + index;
    digit[0] += sign * (i64)(low & 0xffffffff);
    digit[1] += sign * (i64)(low >> 32);
    digit[2] += sign * (i64)high;
    sum->first = index < sum->first ? index : sum->first;
    sum->end = index + 3 > sum->end ? index + 3 : sum->end;
    if (++sum->added == MOST_ADDED)
        carry(sum);
}

/* The digits as the nearest double, halves to even. They are below 2**32, and the number is not negative. */
static f64 nearest(const struct exact *sum)
{
    const i64 *digits = sum->digits + PADDING;
    int top = DIGITS - 1;
    while (top > 0 && digits[top] == 0)
        top--;
    const unsigned __int128 whole = (unsigned __int128)digits[top] << 64 | (unsigned __int128)digits[top - 1] << 32 |
                                    (unsigned __int128)digits[top - 2];
    const int bit = 32 * top + (digits[top] ? 31 - __builtin_clz((u32)digits[top]) : 0);
    if (bit < 53)
        return float_of((u64)(whole >> (32 * (2 - top)))); /* bits of a double below 2**-1021 are its integer */
    const int shift = bit - 52 - 32 * (top - 2);
    u64 result = (u64)(whole >> shift);
    const u64 rest = (u64)(whole & (((unsigned __int128)1 << shift) - 1)), half = (u64)1 << (shift - 1);
    int more = 0;
    for (int index = 0; index < top - 2; index++)
        more |= digits[index] != 0;
    result += rest > half || (rest == half && (more || (result & 1)));
    const u64 infinity = (u64)2047 << 52, bits = ((u64)(bit - 52) << 52) + result;
    return float_of(bits < infinity && bit < 2098 ? bits : infinity);
}

static f64 rounded(struct exact *sum)
{
    if (sum->nan || (sum->infinite && sum->negative_infinite))
        return __builtin_nan("");
    if (sum->infinite || sum->negative_infinite)
        return sum->infinite ? __builtin_inf() : -__builtin_inf();
    carry(sum);
    const int negative = sum->digits[PADDING + DIGITS - 1] < 0;
    if (negative) {
        for (int index = 0; index < DIGITS; index++)
            sum->digits[PADDING + index] = -sum->digits[PADDING + index];
        carry(sum);
    }
    const f64 size = nearest(sum);
    return negative ? -size : size;
}

static f64 digit_sum(const f64 *values, const f64 *end)
{
    struct exact sum = {{0}, DIGITS, 0, 0, 0, 0, 0};
    for (; values < end; values++) {
        const u64 bits = bits_of(*values);
        if ((bits >> 52 & 2047) != 2047)
            add_finite(&sum, bits);
        else if (bits << 12)
            sum.nan = 1;
        else if (bits >> 63)
            sum.negative_infinite = 1;
        else
            sum.infinite = 1;
    }
    return rounded(&sum);
}

/* Knuth's sum of two: `a` becomes a + b, what that rounds away is returned. */
static inline f64 added(f64 *a, f64 b)
{
    const f64 sum = *a + b, part = sum - *a, rest = (*a - (sum - part)) + (b - part);
    *a = sum;
    return rest;
}

/* The true sum is `sum` and all that additions to it rounded away. Mostly the sum of that is exact, too: then one more
   addition rounds once. Else, and where a number is not finite, digits decide. */
static void list_sum(const struct core_lists *lists)
{
    f64 *out = lists->out;
    for (u64 row = 0; row < lists->rows; row++) {
        const f64 *values = (const f64 *)lists->values + lists->starts[row];
        const f64 *end = (const f64 *)lists->values + lists->starts[row + 1];
        f64 sum = 0.0, lost = 0.0, more = 0.0;
        for (const f64 *value = values; value < end; value++)
            more += __builtin_fabs(added(&lost, added(&sum, *value)));
        out[row] = more == 0.0 ? sum + lost : digit_sum(values, end);
    }
}

/* The extreme of the values that are not missing, missing where there is none; -0.0 becomes 0.0. */
#define EXTREME_OF(NAME, TYPE, MISSING, IS_MISSING, MORE, ZERO)                                                        \
    static void NAME(const struct core_lists *lists)                                                                   \
    {                                                                                                                  \
        const TYPE *values = lists->values;                                                                            \
        TYPE *out = lists->out;                                                                                        \
        for (u64 row = 0; row < lists->rows; row++) {                                                                  \
            TYPE best = MISSING;                                                                                       \
            for (i64 at = lists->starts[row]; at < lists->starts[row + 1]; at++) {                                     \
                const TYPE x = values[at], y = best;                                                                   \
                best = IS_MISSING(x) ? best : IS_MISSING(y) || x MORE y ? x : best;                                    \
            }                                                                                                          \
            out[row] = best + ZERO;                                                                                    \
        }                                                                                                              \
    }

#define IS_NAN(x) (x != x)
#define IS_NAT(x) (x == CORE_NAT)

EXTREME_OF(list_min, f64, __builtin_nan(""), IS_NAN, <, 0.0)
EXTREME_OF(list_max, f64, __builtin_nan(""), IS_NAN, >, 0.0)
EXTREME_OF(list_min_dates, i64, CORE_NAT, IS_NAT, <, 0)
EXTREME_OF(list_max_dates, i64, CORE_NAT, IS_NAT, >, 0)

/* The number in the child row with the largest key; of several such rows the largest number. */
#define AT_LARGEST(NAME, KEY, IS_MISSING)                                                                              \
    static void NAME(const struct core_lists *lists)                                                                   \
    {                                                                                                                  \
        const f64 *values = lists->values;                                                                             \
        const KEY *keys = lists->keys;                                                                                 \
        f64 *out = lists->out;                                                                                         \
        for (u64 row = 0; row < lists->rows; row++) {                                                                  \
            KEY largest = 0;                                                                                           \
            f64 best = __builtin_nan("");                                                                              \
            int any = 0;                                                                                               \
            for (i64 at = lists->starts[row]; at < lists->starts[row + 1]; at++) {                                     \
                const KEY key = keys[at];                                                                              \
                if (IS_MISSING(key))                                                                                   \
                    continue;                                                                                          \
                if (!any || key > largest) {                                                                           \
                    any = 1;                                                                                           \
                    largest = key;                                                                                     \
                    best = values[at];                                                                                 \
                } else if (key == largest && (best != best || values[at] > best)) {                                    \
                    best = values[at];                                                                                 \
                }                                                                                                      \
            }                                                                                                          \
            out[row] = best + 0.0;                                                                                     \
        }                                                                                                              \
    }

AT_LARGEST(list_at_largest_float, f64, IS_NAN)
AT_LARGEST(list_at_largest_int, i64, IS_NAT)

/* Different values, missing ones not counted: a table of hashes for each row. A slot has a value's bits and the number
   of its row, from 1 on, so that no row has to empty the table. The seed is new for each call: whoever sends rows does
   not know which values meet in a slot. */
static inline u64 hash_of(u64 bits, u64 seed)
{
    bits = (bits ^ seed) * 0x9E3779B97F4A7C15u;
    bits = (bits ^ bits >> 32) * 0xD6E8FEB86659FD93u;
    return bits ^ bits >> 32;
}

u64 core_distinct_mask(const i64 *starts, u64 rows)
{
    u64 most = 0, size = 4;
    for (u64 row = 0; row < rows; row++)
        most = (u64)(starts[row + 1] - starts[row]) > most ? (u64)(starts[row + 1] - starts[row]) : most;
    while (size < 2 * most)
        size *= 2;
    return size - 1;
}

static inline u64 is_new(const struct core_lists *lists, u64 bits, u64 stamp)
{
    for (u64 slot = hash_of(bits, lists->seed) & lists->mask;; slot = (slot + 1) & lists->mask) {
        u64 *own = lists->slots + 2 * slot;
        if (own[1] != stamp) {
            own[0] = bits;
            own[1] = stamp;
            return 1;
        }
        if (own[0] == bits)
            return 0;
    }
}

#define DISTINCT_OF(NAME, TYPE, IS_MISSING, BITS)                                                                      \
    static void NAME(const struct core_lists *lists)                                                                   \
    {                                                                                                                  \
        const TYPE *values = lists->values;                                                                            \
        i64 *out = lists->out;                                                                                         \
        for (u64 row = 0; row < lists->rows; row++) {                                                                  \
            u64 count = 0;                                                                                             \
            for (i64 at = lists->starts[row]; at < lists->starts[row + 1]; at++) {                                     \
                const TYPE x = values[at];                                                                             \
                if (!IS_MISSING(x))                                                                                    \
                    count += is_new(lists, BITS, row + 1);                                                             \
            }                                                                                                          \
            out[row] = (i64)count;                                                                                     \
        }                                                                                                              \
    }

DISTINCT_OF(list_distinct_floats, f64, IS_NAN, bits_of(x + 0.0))
DISTINCT_OF(list_distinct_ints, i64, IS_NAT, (u64)x)

/* For each index below `width` the sum of the integers with that index, which wraps around. */
#define SUMS_BY(NAME, TYPE)                                                                                            \
    static void NAME(const struct core_lists *lists)                                                                   \
    {                                                                                                                  \
        const i64 *index = lists->values;                                                                              \
        const TYPE *numbers = lists->keys;                                                                             \
        i64 *sums = lists->out; /* at last the bits of doubles */                                                      \
        for (u64 cell = 0; cell < lists->rows * lists->width; cell++)                                                  \
            sums[cell] = 0;                                                                                            \
        for (u64 row = 0; row < lists->rows; row++)                                                                    \
            for (i64 at = lists->starts[row]; at < lists->starts[row + 1]; at++)                                       \
                if ((u64)index[at] < lists->width)                                                                     \
                    sums[(u64)index[at] * lists->rows + row] += (i64)numbers[at];                                      \
        for (u64 cell = 0; cell < lists->rows * lists->width; cell++)                                                  \
            sums[cell] = (i64)bits_of((f64)sums[cell]);                                                                \
    }

SUMS_BY(list_sums_by_ints, i64)
SUMS_BY(list_sums_by_bools, u8)

const struct core_list_operation core_list_operations[] = {
    {"list_sum", "d:d", list_sum},
    {"list_min", "d:d", list_min},
    {"list_max", "d:d", list_max},
    {"list_min", "i:i", list_min_dates},
    {"list_max", "i:i", list_max_dates},
    {"list_at_largest", "dd:d", list_at_largest_float},
    {"list_at_largest", "di:d", list_at_largest_int},
    {"list_distinct", "d:i", list_distinct_floats},
    {"list_distinct", "i:i", list_distinct_ints},
    {"list_sums_by", "ii:d", list_sums_by_ints},
    {"list_sums_by", "ib:d", list_sums_by_bools},
};
const u64 core_list_operation_count = sizeof core_list_operations / sizeof core_list_operations[0];
