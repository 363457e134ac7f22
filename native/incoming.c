/* Raw columns of Arrow and NumPy as cells of a plan, with the checks of their schema. */
#include "incoming.h"

#define EXACT_INTEGER ((i64)1 << 53) /* double holds every integer up to here */
#define A_DAY ((i64)86400000000)     /* microseconds */

typedef f64 f64_any __attribute__((aligned(1), may_alias));
typedef f32 f32_any __attribute__((aligned(1), may_alias));
typedef i64 i64_any __attribute__((aligned(1), may_alias));
typedef i32 i32_any __attribute__((aligned(1), may_alias));
typedef int16_t i16_any __attribute__((aligned(1), may_alias));
typedef int8_t i8_any __attribute__((aligned(1), may_alias));
typedef u64 u64_any __attribute__((aligned(1), may_alias));
typedef u32 u32_any __attribute__((aligned(1), may_alias));
typedef u16 u16_any __attribute__((aligned(1), may_alias));
typedef u8 u8_any __attribute__((aligned(1), may_alias));

/* `value` is each cell in turn; cells that follow one another have a loop of their own, which becomes vectors. */
#define EACH(type, statement)                                                                                          \
    do {                                                                                                               \
        if (step == (i64)sizeof(type)) {                                                                               \
            for (u64 row = 0; row < rows; row++) {                                                                     \
                const type value = ((const type *)from)[row];                                                          \
                statement;                                                                                             \
            }                                                                                                          \
        } else {                                                                                                       \
            for (u64 row = 0; row < rows; row++) {                                                                     \
                const type value = *(const type *)(from + (i64)row * step);                                            \
                statement;                                                                                             \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

u32 incoming_register(const struct incoming_rule *rule)
{
    switch (rule->kind) {
    case 'd':
    case 'n':
    case 'm':
        return 'd';
    case 'i':
    case 'w':
    case 'y':
        return 'i';
    default:
        return rule->kind; /* b, t */
    }
}

static int is_whole(u32 storage)
{
    return storage == 'c' || storage == 's' || storage == 'i' || storage == 'l' || storage == 'C' || storage == 'S' ||
           storage == 'I' || storage == 'L';
}

static int is_text(u32 storage) { return storage == 'u' || storage == 'U' || storage == 'v'; }

int incoming_fits(const struct incoming_rule *rule, u32 storage, int has_words)
{
    if (has_words)
        return rule->kind == 't' && is_whole(storage);
    switch (rule->kind) {
    case 'd':
    case 'i':
    case 'n':
        return storage == 'g' || storage == 'f' || is_whole(storage);
    case 'b':
    case 'm':
        return storage == 'b' || storage == '?';
    case 't':
        return is_text(storage);
    case 'w':
        return storage == 'T';
    case 'y':
        return storage == 'D';
    default:
        return 0;
    }
}

/* Bits as bytes, eight at a time: each byte gets the eight bits, keeps its own, and becomes 1 where that is set. */
static void spread_bits(u8 *to, const u8 *bits, u64 first, u64 rows)
{
    const u64 shift = first & 7;
    bits += first >> 3;
    u64 row = 0;
    for (; row + 8 <= rows; row += 8, bits++) {
        const u64 byte = shift ? (u64)(bits[0] | bits[1] << 8) >> shift & 255 : bits[0];
        const u64 own = byte * 0x0101010101010101u & 0x8040201008040201u;
        *(u64_any *)(to + row) = (own + 0x7F7F7F7F7F7F7F7Fu) >> 7 & 0x0101010101010101u;
    }
    for (u64 bit = shift; row < rows; row++, bit++)
        to[row] = bits[bit >> 3] >> (bit & 7) & 1;
}

/* Which rows are not missing, as bytes. */
static void read_known(const struct incoming_chunk *chunk, u64 at, u64 rows, u8 *known)
{
    if (chunk->known)
        spread_bits(known, chunk->known, chunk->first_known + at, rows);
    else
        for (u64 row = 0; row < rows; row++)
            known[row] = 1;
}

/* Integers; 0 where a known one has more than 64 bits with its sign. */
static int read_wholes(const struct incoming_chunk *chunk, u64 at, u64 rows, const u8 *known, i64 *to)
{
    const i64 step = chunk->step;
    const u8 *from = chunk->data + (i64)at * step;
    u64 beyond = 0;
    switch (chunk->storage) {
    case 'c':
        EACH(i8_any, to[row] = value);
        break;
    case 's':
        EACH(i16_any, to[row] = value);
        break;
    case 'i':
    case 'D':
        EACH(i32_any, to[row] = value);
        break;
    case 'C':
        EACH(u8_any, to[row] = value);
        break;
    case 'S':
        EACH(u16_any, to[row] = value);
        break;
    case 'I':
        EACH(u32_any, to[row] = value);
        break;
    case 'L':
        EACH(u64_any, (to[row] = (i64)value, beyond |= value >> 63 & known[row]));
        break;
    default: /* l, T */
        EACH(i64_any, to[row] = value);
    }
    return beyond == 0;
}

static int in_range(const i64 *values, const u8 *known, u64 rows, i64 least, i64 most)
{
    i64 wrong = 0;
    for (u64 row = 0; row < rows; row++)
        wrong |= ((values[row] < least) | (values[row] > most)) & known[row];
    return wrong == 0;
}

static int all_known(const u8 *known, u64 rows)
{
    u8 all = 1;
    for (u64 row = 0; row < rows; row++)
        all &= known[row];
    return all;
}

static void read_floats(const struct incoming_chunk *chunk, u64 at, u64 rows, f64 *to)
{
    const i64 step = chunk->step;
    const u8 *from = chunk->data + (i64)at * step;
    if (chunk->storage == 'g')
        EACH(f64_any, to[row] = value);
    else
        EACH(f32_any, to[row] = (f64)value);
}

static void lose_unknown(f64 *cells, const u8 *known, u64 rows)
{
    for (u64 row = 0; row < rows; row++)
        cells[row] = known[row] ? cells[row] : __builtin_nan("");
}

/* Bounds hold of what is not missing: a comparison with NaN is false. */
static int numbers_hold(const struct incoming_rule *rule, const f64 *cells, u64 rows)
{
    const f64 low = rule->low, high = rule->high;
    i64 holds = 1;
    if (!rule->nullable)
        for (u64 row = 0; row < rows; row++)
            holds &= (cells[row] >= low) & (cells[row] <= high);
    else if (low > -__builtin_inf() || high < __builtin_inf()) /* a number can lie outside */
        for (u64 row = 0; row < rows; row++)
            holds &= ((cells[row] >= low) & (cells[row] <= high)) | (cells[row] != cells[row]);
    return holds != 0;
}

static int read_numbers(const struct incoming_rule *rule, const struct incoming_chunk *chunk, u64 at, u64 rows, f64 *to)
{
    u8 known[CORE_LARGE_BLOCK];
    if (is_whole(chunk->storage)) {
        i64 wholes[CORE_LARGE_BLOCK];
        read_known(chunk, at, rows, known);
        if (!read_wholes(chunk, at, rows, known, wholes) || !in_range(wholes, known, rows, -EXACT_INTEGER, EXACT_INTEGER))
            return 0;
        for (u64 row = 0; row < rows; row++)
            to[row] = known[row] ? (f64)wholes[row] : __builtin_nan("");
        return numbers_hold(rule, to, rows);
    }
    read_floats(chunk, at, rows, to);
    if (chunk->known) {
        read_known(chunk, at, rows, known);
        lose_unknown(to, known, rows);
    }
    return numbers_hold(rule, to, rows);
}

/* Whole floats as integers; NaN is missing. */
static int wholes_of_floats(const struct incoming_chunk *chunk, u64 at, u64 rows, u8 *known, i64 *to)
{
    f64 cells[CORE_LARGE_BLOCK];
    read_floats(chunk, at, rows, cells);
    for (u64 row = 0; row < rows; row++) {
        const f64 cell = cells[row];
        known[row] &= cell == cell;
        const int exact = cell >= (f64)-EXACT_INTEGER && cell <= (f64)EXACT_INTEGER;
        to[row] = exact ? (i64)cell : 0;
        if (known[row] && (!exact || (f64)to[row] != cell))
            return 0;
    }
    return 1;
}

static int is_allowed(const struct incoming_rule *rule, i64 value)
{
    u64 low = 0, high = rule->allowed_count;
    while (low < high) {
        const u64 middle = low + (high - low) / 2;
        if (rule->allowed[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low < rule->allowed_count && rule->allowed[low] == value;
}

/* Integers of 64 bits, none of which is missing. */
static int read_plain_integers(const struct incoming_rule *rule, const struct incoming_chunk *chunk, u64 at, u64 rows,
                               i64 *restrict to)
{
    const i64 step = chunk->step, least = rule->least, most = rule->most;
    const u8 *from = chunk->data + (i64)at * step;
    u64 wrong = 0;
    EACH(i64_any, to[row] = value);
    for (u64 row = 0; (least > INT64_MIN || most < INT64_MAX) && row < rows; row++)
        wrong |= (u64)((to[row] < least) | (to[row] > most));
    return wrong == 0;
}

static int read_integers(const struct incoming_rule *rule, const struct incoming_chunk *chunk, u64 at, u64 rows,
                         void *cells)
{
    if (rule->kind == 'i' && chunk->storage == 'l' && !chunk->known && !rule->allowed)
        return read_plain_integers(rule, chunk, at, rows, cells);
    u8 known[CORE_LARGE_BLOCK];
    i64 wholes[CORE_LARGE_BLOCK];
    read_known(chunk, at, rows, known);
    const int read = is_whole(chunk->storage) ? read_wholes(chunk, at, rows, known, wholes)
                                              : wholes_of_floats(chunk, at, rows, known, wholes);
    if (!read || !in_range(wholes, known, rows, rule->least, rule->most) || (!rule->nullable && !all_known(known, rows)))
        return 0;
    for (u64 row = 0; rule->allowed && row < rows; row++)
        if (known[row] && !is_allowed(rule, wholes[row]))
            return 0;
    if (rule->kind == 'i')
        for (u64 row = 0; row < rows; row++)
            ((i64 *)cells)[row] = wholes[row];
    else
        for (u64 row = 0; row < rows; row++)
            ((f64 *)cells)[row] = known[row] ? (f64)wholes[row] : __builtin_nan("");
    return 1;
}

static int read_bools(const struct incoming_rule *rule, const struct incoming_chunk *chunk, u64 at, u64 rows, void *cells)
{
    u8 known[CORE_LARGE_BLOCK], bytes[CORE_LARGE_BLOCK];
    const i64 step = chunk->step;
    const u8 *from = chunk->data + (i64)at * step;
    if (chunk->storage == 'b')
        spread_bits(bytes, chunk->data, chunk->first_bit + at, rows);
    else
        EACH(u8_any, bytes[row] = value != 0);
    read_known(chunk, at, rows, known);
    if (rule->kind == 'm') {
        for (u64 row = 0; row < rows; row++)
            ((f64 *)cells)[row] = known[row] ? (f64)bytes[row] : __builtin_nan("");
        return 1;
    }
    for (u64 row = 0; row < rows; row++)
        ((u8 *)cells)[row] = bytes[row];
    return all_known(known, rows);
}

/* Microseconds from another unit; 0 where a known one is not whole, or beyond 64 bits. */
static int to_microseconds(u32 unit, i64 *times, const u8 *known, u64 rows)
{
    const i64 factor = unit == 's' ? 1000000 : unit == 'm' ? 1000 : unit == 'D' ? A_DAY : 1;
    if (factor > 1 && !in_range(times, known, rows, INT64_MIN / factor, INT64_MAX / factor))
        return 0;
    i64 rest = 0;
    for (u64 row = 0; row < rows; row++) {
        rest |= unit == 'n' ? times[row] % 1000 & -(i64)known[row] : 0;
        times[row] = unit == 'n' ? times[row] / 1000 : (i64)((u64)times[row] * (u64)factor);
    }
    return rest == 0;
}

static int read_times(const struct incoming_rule *rule, const struct incoming_chunk *chunk, u64 at, u64 rows, i64 *to)
{
    u8 known[CORE_LARGE_BLOCK];
    i64 times[CORE_LARGE_BLOCK];
    read_known(chunk, at, rows, known);
    read_wholes(chunk, at, rows, known, times);
    for (u64 row = 0; chunk->nat_is_missing && row < rows; row++)
        known[row] &= times[row] != CORE_NAT;
    if (!to_microseconds(chunk->storage == 'D' ? 'D' : chunk->unit, times, known, rows) ||
        !in_range(times, known, rows, rule->least, rule->most) || (!rule->nullable && !all_known(known, rows)))
        return 0;
    for (u64 row = 0; row < rows; row++)
        to[row] = known[row] ? times[row] : CORE_NAT;
    return 1;
}

/* A text of a chunk; 0 where it lies beyond the chunk's bytes. */
static int text_at(const struct incoming_chunk *chunk, u64 row, const u8 **text, u64 *length)
{
    const u8 *cell = chunk->data + (i64)row * chunk->step;
    if (chunk->storage == 'v') {
        const i32 size = *(const i32_any *)cell, buffer = *(const i32_any *)(cell + 8), at = *(const i32_any *)(cell + 12);
        *length = (u64)size;
        *text = cell + 4;
        if (size < 0 || size <= 12)
            return size >= 0;
        if (buffer < 0 || (u64)buffer >= chunk->buffer_count || at < 0)
            return 0;
        const i64 bytes = *(const i64_any *)((const u8 *)chunk->buffer_sizes + 8 * (u64)buffer);
        *text = chunk->buffers[buffer] + at;
        return chunk->buffers[buffer] && (i64)at + size <= bytes;
    }
    const i64 start = chunk->storage == 'u' ? *(const i32_any *)cell : *(const i64_any *)cell;
    const i64 stop = chunk->storage == 'u' ? *(const i32_any *)(cell + 4) : *(const i64_any *)(cell + 8);
    *text = chunk->text + start;
    *length = (u64)(stop - start);
    return chunk->text_start <= start && start <= stop && stop <= chunk->text_stop;
}

/* The bytes of a character, 0 where they are no UTF-8: too long a form, half of a surrogate pair, beyond U+10FFFF. */
static u64 character(const u8 *text, u64 left)
{
    const u8 lead = text[0];
    if (lead < 0x80)
        return 1;
    const u64 bytes = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
    if (!bytes || bytes > left)
        return 0;
    for (u64 index = 1; index < bytes; index++)
        if ((text[index] & 0xC0) != 0x80)
            return 0;
    const u8 next = text[1];
    if ((lead == 0xE0 && next < 0xA0) || (lead == 0xED && next > 0x9F) || (lead == 0xF0 && next < 0x90) ||
        (lead == 0xF4 && next > 0x8F))
        return 0;
    return bytes;
}

/* How many characters a text has; -1 where it is no UTF-8. */
static i64 characters(const u8 *text, u64 length)
{
    i64 count = 0;
    u64 at = 0;
    for (; at + 8 <= length && !(*(const u64_any *)(text + at) & 0x8080808080808080u); at += 8)
        count += 8;
    for (; at < length; count++) {
        const u64 bytes = character(text + at, length - at);
        if (!bytes)
            return -1;
        at += bytes;
    }
    return count;
}

int incoming_is_valid(const struct incoming_rule *rule, const u8 *text, u64 length)
{
    const i64 count = characters(text, length);
    if (count < 0 || count < rule->least || count > rule->most)
        return 0;
    return !rule->allowed_words ||
           word_number(rule->allowed_words, (const char *)text, length, length, UINT64_MAX) != UINT64_MAX;
}

/* The number of a text; INCOMING_REFUSED where it is not valid. A word of the table is UTF-8. */
static inline i32 number_of(const struct incoming *own, const u8 *text, u64 length, u64 readable)
{
    const struct incoming_rule *rule = own->rule;
    const u64 other = own->width - 2;
    const u64 number = word_number(own->table, (const char *)text, length, readable, other);
    if (number == other || rule->least > 0 || rule->most < INT64_MAX) {
        const i64 count = characters(text, length);
        if (count < 0 || count < rule->least || count > rule->most)
            return INCOMING_REFUSED;
    }
    if (rule->allowed_words && word_number(rule->allowed_words, (const char *)text, length, readable, UINT64_MAX) == UINT64_MAX)
        return INCOMING_REFUSED;
    return (i32)number;
}

static int is_known(const struct incoming_chunk *chunk, u64 row)
{
    const u64 bit = chunk->first_known + row;
    return !chunk->known || (chunk->known[bit >> 3] >> (bit & 7) & 1);
}

int incoming_text_at(const struct incoming_chunk *chunk, u64 row, struct incoming_text *text)
{
    text->missing = !is_known(chunk, row);
    if (text->missing)
        return 1;
    if (!text_at(chunk, row, &text->at, &text->length))
        return 0;
    text->readable = chunk->storage == 'v' ? text->length : (u64)(chunk->text + chunk->text_stop - text->at);
    return 1;
}

int incoming_codes(const struct incoming_chunk *chunk, u64 at, u64 rows, i64 *codes)
{
    u8 known[CORE_LARGE_BLOCK];
    read_known(chunk, at, rows, known);
    if (!read_wholes(chunk, at, rows, known, codes))
        return 0;
    for (u64 row = 0; row < rows; row++)
        if (!known[row])
            codes[row] = -1;
        else if ((u64)codes[row] >= chunk->words->rows)
            return 0;
    return 1;
}

static i32 number_at(const struct incoming *own, const struct incoming_chunk *words, u64 row)
{
    const u8 *text;
    u64 length;
    if (!is_known(words, row))
        return own->rule->nullable ? (i32)own->width - 1 : INCOMING_REFUSED;
    return text_at(words, row, &text, &length) ? number_of(own, text, length, length) : INCOMING_REFUSED;
}

void incoming_numbers(const struct incoming *own, const struct incoming_chunk *words, i32 *numbers)
{
    for (u64 row = 0; row < words->rows; row++)
        numbers[row] = number_at(own, words, row);
}

int incoming_has_short_codes(const struct incoming_chunk *chunk)
{
    return chunk->words && chunk->storage == 'i' && chunk->step == 4 && chunk->words->rows;
}

/* Codes of 32 bits, and which are known where some are missing. A missing row takes the first word's, which is there. */
static int short_codes(const struct incoming *own, const struct incoming_chunk *chunk, u64 at, u64 rows,
                       u8 *restrict known, u32 *restrict code)
{
    const i32_any *restrict codes = (const i32_any *)(const void *)(chunk->data + (i64)at * 4);
    const u32 count = (u32)chunk->words->rows;
    u32 wrong = 0;
    if (chunk->known) {
        read_known(chunk, at, rows, known);
        if (!own->rule->nullable && !all_known(known, rows))
            return 0;
        for (u64 row = 0; row < rows; row++)
            code[row] = (u32)codes[row] & -(u32)known[row];
    } else {
        for (u64 row = 0; row < rows; row++)
            code[row] = (u32)codes[row];
    }
    for (u64 row = 0; row < rows; row++)
        wrong |= code[row] >= count;
    return wrong == 0;
}

/* Text by short codes whose words were numbered before. */
static int read_short_codes(const struct incoming *own, const struct incoming_chunk *chunk, const i32 *restrict numbers,
                            u64 at, u64 rows, i32 *restrict to)
{
    const i32 missing = (i32)own->width - 1;
    u8 known[CORE_LARGE_BLOCK];
    u32 code[CORE_LARGE_BLOCK];
    i32 least = 0;
    if (!short_codes(own, chunk, at, rows, known, code))
        return 0;
    for (u64 row = 0; row < rows; row++)
        to[row] = numbers[code[row]];
    for (u64 row = 0; chunk->known && row < rows; row++)
        to[row] = known[row] ? to[row] : missing;
    for (u64 row = 0; row < rows; row++)
        least |= to[row];
    return least >= 0;
}

/* The same as the cells of words. */
static int read_coded_cells(const struct incoming *own, u64 chunk_number, u64 at, u64 rows, u64 *restrict to)
{
    const struct incoming_chunk *chunk = &own->chunks[chunk_number];
    const u64 *restrict cells = own->cells[chunk_number];
    const u64 missing = own->missing_cell;
    u8 known[CORE_LARGE_BLOCK];
    u32 code[CORE_LARGE_BLOCK];
    if (!short_codes(own, chunk, at, rows, known, code))
        return 0;
    for (u64 row = 0; row < rows; row++)
        to[row] = cells[code[row]];
    for (u64 row = 0; chunk->known && row < rows; row++)
        to[row] = known[row] ? to[row] : missing;
    return 1;
}

/* Text by its codes: each word was numbered before, or is now where there are more words than rows. */
static int read_codes(const struct incoming *own, u64 chunk_number, u64 at, u64 rows, i32 *to)
{
    const struct incoming_chunk *chunk = &own->chunks[chunk_number], *words = chunk->words;
    const i32 *numbers = own->numbers ? own->numbers[chunk_number] : NULL, missing = (i32)own->width - 1;
    if (numbers && incoming_has_short_codes(chunk))
        return read_short_codes(own, chunk, numbers, at, rows, to);
    u8 known[CORE_LARGE_BLOCK];
    i64 codes[CORE_LARGE_BLOCK];
    read_known(chunk, at, rows, known);
    if (!read_wholes(chunk, at, rows, known, codes) || (!own->rule->nullable && !all_known(known, rows)))
        return 0;
    i32 least = 0;
    for (u64 row = 0; row < rows; row++) {
        const u64 code = (u64)codes[row];
        if (!known[row])
            to[row] = missing;
        else if (code >= words->rows)
            return 0;
        else
            to[row] = numbers ? numbers[code] : number_at(own, words, code);
        least = to[row] < least ? to[row] : least;
    }
    return least == 0;
}

/* Text with offsets, each of which is loaded once. */
static inline int read_offsets(const struct incoming *own, const struct incoming_chunk *chunk, u64 at, u64 rows, i32 *to,
                               int wide)
{
    const u8 *offset = chunk->data + (i64)at * chunk->step;
    const i32 missing = own->rule->nullable ? (i32)own->width - 1 : INCOMING_REFUSED;
    u8 known[CORE_LARGE_BLOCK];
    read_known(chunk, at, rows, known);
    i32 least = 0;
    i64 start = wide ? *(const i64_any *)offset : *(const i32_any *)offset;
    for (u64 row = 0; row < rows; row++) {
        offset += wide ? 8 : 4;
        const i64 stop = wide ? *(const i64_any *)offset : *(const i32_any *)offset;
        if (start < chunk->text_start || start > stop || stop > chunk->text_stop)
            return 0;
        const u64 readable = (u64)(chunk->text_stop - start);
        to[row] = known[row] ? number_of(own, chunk->text + start, (u64)(stop - start), readable) : missing;
        least = to[row] < least ? to[row] : least;
        start = stop;
    }
    return least == 0;
}

static int read_text(const struct incoming *own, u64 chunk_number, u64 at, u64 rows, i32 *to)
{
    const struct incoming_chunk *chunk = &own->chunks[chunk_number];
    if (chunk->words)
        return read_codes(own, chunk_number, at, rows, to);
    if (chunk->storage == 'u')
        return read_offsets(own, chunk, at, rows, to, 0);
    if (chunk->storage == 'U')
        return read_offsets(own, chunk, at, rows, to, 1);
    for (u64 row = 0; row < rows; row++) {
        to[row] = number_at(own, chunk, at + row);
        if (to[row] < 0)
            return 0;
    }
    return 1;
}

static int read_cells(const struct incoming *own, u64 chunk_number, u64 at, u64 rows, void *cells)
{
    const struct incoming_rule *rule = own->rule;
    const struct incoming_chunk *chunk = &own->chunks[chunk_number];
    switch (rule->kind) {
    case 'd':
        return read_numbers(rule, chunk, at, rows, cells);
    case 'i':
    case 'n':
        return read_integers(rule, chunk, at, rows, cells);
    case 'b':
    case 'm':
        return read_bools(rule, chunk, at, rows, cells);
    case 't':
        return own->cells ? read_coded_cells(own, chunk_number, at, rows, cells)
                          : read_text(own, chunk_number, at, rows, cells);
    case 'w':
    case 'y':
        return read_times(rule, chunk, at, rows, cells);
    default:
        return 0;
    }
}

/* The chunk that has a row. */
static u64 chunk_with(const struct incoming *own, u64 row)
{
    u64 low = 0, high = own->chunk_count - 1;
    while (low < high) {
        const u64 middle = low + (high - low + 1) / 2;
        if (own->chunks[middle].first <= row)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

int incoming_fill(const struct incoming *own, void *cells, u64 start, u64 rows)
{
    const u32 kind = incoming_register(own->rule);
    const u64 bytes = kind == 't' && !own->cells ? 4 : kind == 'b' ? 1 : 8;
    start += own->first;
    u8 *to = cells;
    for (u64 number = chunk_with(own, start); rows; number++) {
        if (number >= own->chunk_count)
            return 0;
        const struct incoming_chunk *chunk = &own->chunks[number];
        while (rows && start < chunk->first + chunk->rows) {
            const u64 left = chunk->first + chunk->rows - start, most = rows < CORE_LARGE_BLOCK ? rows : CORE_LARGE_BLOCK;
            const u64 part = left < most ? left : most;
            if (!read_cells(own, number, start - chunk->first, part, to))
                return 0;
            to += part * bytes;
            start += part;
            rows -= part;
        }
    }
    return 1;
}
