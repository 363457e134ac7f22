/* Texts that are written: other case, other parts, more characters, joined, as operations/cases.py, text_methods.py and
   text_pairs.py define them. What finds no room in the arena is handed over. */
#ifndef PIPELINE_TEXT_EDITS_H
#define PIPELINE_TEXT_EDITS_H

#include "letters.h"
#include "texts.h"

enum { WIDEST_TEXT = 1 << 20, CASE_GROWTH = 3 };
enum { CASE_ARRAYS = MAP_ARRAYS + 4, CASE_MAP = 1, CASE_UNKNOWN = MAP_ARRAYS + 3 };

/* Room for a text of `length` bytes at `out`. */
static int take_text(struct core_arena *arena, u64 length, struct text_writer *to, struct core_text *out)
{
    to->at = take_low(arena, length);
    to->end = to->at ? to->at + length : NULL;
    *out = (struct core_text){to->at, length};
    return to->at != NULL;
}

/* Arrays: what ASCII becomes, a map of other characters, cased, ignorable, characters that are refused. */
static int write_case(struct text_writer *to, struct core_text text, const struct core_array *array, i64 way)
{
    u32 size;
    for (u64 at = 0; at < text.length; at += size) {
        u32 character = character_of(text.at + at, text.length - at, &size);
        const u8 *from = text.at + at;
        u8 sigma[2];
        u64 length = size;
        if (character < ASCII) {
            from = (const u8 *)array[0].data + character;
        } else if (in_ranges(array + CASE_UNKNOWN, character)) {
            return CORE_REFUSED;
        } else if (character == SIGMA && way == LOWER_SIGMA) {
            character = sigma_of(text, at, size, array + CASE_MAP + MAP_ARRAYS);
            sigma[0] = (u8)(0xC0 | character >> 6);
            sigma[1] = (u8)(0x80 | (character & 63));
            from = sigma;
        } else {
            const u8 *other = mapped(array + CASE_MAP, character, &length);
            from = other ? other : from;
        }
        if (!write_bytes(to, from, length))
            return CORE_FULL;
    }
    return CORE_OK;
}

TEXT_FUNCTION(case_of, struct core_text)
{
    struct text_writer to;
    const struct core_array *array = own->array_at;
    if (is_ascii(text.at, text.length)) {
        if (!take_text(arena, text.length, &to, out))
            return CORE_FULL;
        for (u64 at = 0; at < text.length; at++)
            to.at[at] = ((const u8 *)array[0].data)[text.at[at]];
        return CORE_OK;
    }
    if (text.length > arena_left(arena) / CASE_GROWTH || !take_text(arena, text.length * CASE_GROWTH, &to, out))
        return CORE_FULL;
    const int status = write_case(&to, text, array, own->int_at[0]);
    out->length = (u64)(to.at - out->at);
    arena->low = to.end - text.length * CASE_GROWTH + whole_cells(out->length);
    return status;
}

TEXT_FUNCTION(replace_parts, struct core_text)
{
    const struct core_text old = text_of_array(own->array_at), new = text_of_array(own->array_at + 1);
    const u64 most = own->int_at[0] < 0 ? UINT64_MAX : (u64)own->int_at[0];
    u64 count = most ? parts_in(text, old) : 0, done = 0;
    count = count < most ? count : most;
    *out = text;
    if (!count)
        return CORE_OK;
    struct text_writer to;
    if (!take_text(arena, text.length - count * old.length + count * new.length, &to, out))
        return CORE_FULL;
    for (; count; count--) {
        const u64 at = (u64)first_part(text, done, old);
        write_bytes(&to, text.at + done, at - done);
        write_bytes(&to, new.at, new.length);
        done = at + old.length;
    }
    write_bytes(&to, text.at + done, text.length - done);
    return CORE_OK;
}

static void write_often(struct text_writer *to, struct core_text fill, u64 times)
{
    while (times--)
        write_bytes(to, fill.at, fill.length);
}

TEXT_FUNCTION(pad_text, struct core_text)
{
    const struct core_text fill = text_of_array(own->array_at);
    const i64 width = own->int_at[0], side = own->int_at[1], count = (i64)character_count(text.at, text.length);
    *out = text;
    if (width <= count)
        return CORE_OK;
    const u64 margin = (u64)(width - count);
    const u64 left = side == SIDE_LEFT ? margin : side == SIDE_RIGHT ? 0 : margin / 2 + (margin & (u64)width & 1);
    struct text_writer to;
    if (!take_text(arena, text.length + margin * fill.length, &to, out))
        return CORE_FULL;
    write_often(&to, fill, left);
    write_bytes(&to, text.at, text.length);
    write_often(&to, fill, margin - left);
    return CORE_OK;
}

TEXT_FUNCTION(zero_fill, struct core_text)
{
    const i64 width = own->int_at[0], count = (i64)character_count(text.at, text.length);
    const u64 sign = text.length && (text.at[0] == '+' || text.at[0] == '-');
    *out = text;
    if (width <= count)
        return CORE_OK;
    struct text_writer to;
    if (!take_text(arena, text.length + (u64)(width - count), &to, out))
        return CORE_FULL;
    write_bytes(&to, text.at, sign);
    write_often(&to, (struct core_text){(const u8 *)"0", 1}, (u64)(width - count));
    write_bytes(&to, text.at + sign, text.length - sign);
    return CORE_OK;
}

OF_TEXTS(text_case, struct core_text, NO_TEXT, case_of)
OF_TEXTS(text_replace, struct core_text, NO_TEXT, replace_parts)
OF_TEXTS(text_pad, struct core_text, NO_TEXT, pad_text)
OF_TEXTS(text_zfill, struct core_text, NO_TEXT, zero_fill)

static int concatenate_run(const struct core_call *call)
{
    struct core_text *out = call->out;
    const u32 inputs = call->instruction->inputs;
    for (size_t row = 0; row < call->rows; row++) {
        u64 length = 0;
        int absent = 0;
        for (u32 input = 0; input < inputs; input++) {
            const struct core_text own = ((const struct core_text *)call->in[input].at)[row];
            absent |= !own.at;
            length += own.length;
        }
        struct text_writer to;
        out[row] = NO_TEXT;
        if (absent)
            continue;
        if (!take_text(call->arena, length, &to, &out[row]))
            return CORE_FULL;
        for (u32 input = 0; input < inputs; input++) {
            const struct core_text own = ((const struct core_text *)call->in[input].at)[row];
            write_bytes(&to, own.at, own.length);
        }
    }
    return CORE_OK;
}

static int where_text_run(const struct core_call *call)
{
    const u8 *condition = call->in[0].at;
    const struct core_text *then = call->in[1].at, *other = call->in[2].at;
    struct core_text *out = call->out;
    for (size_t row = 0; row < call->rows; row++)
        out[row] = condition[call->in[0].constant ? 0 : row] ? then[row] : other[row];
    return CORE_OK;
}

static int same_text_run(const struct core_call *call)
{
    const struct core_text *left = call->in[0].at, *right = call->in[1].at;
    u8 *out = call->out;
    for (size_t row = 0; row < call->rows; row++)
        out[row] = left[row].at && right[row].at && left[row].length == right[row].length &&
                   same_bytes(left[row].at, right[row].at, left[row].length);
    return CORE_OK;
}

static int no_text_run(const struct core_call *call)
{
    const struct core_text *text = call->in[0].at;
    u8 *out = call->out;
    for (size_t row = 0; row < call->rows; row++)
        out[row] = !text[row].at;
    return CORE_OK;
}

static const char *case_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    if (!settings_are(own, 1, CASE_ARRAYS) || own->array_at->kind != 'b' || own->array_at->count != ASCII)
        return "other settings than a case";
    const struct core_array *array = own->array_at + CASE_MAP;
    const char *wrong = map_check(array);
    for (u32 set = MAP_ARRAYS; !wrong && set < CASE_ARRAYS - CASE_MAP; set++)
        wrong = ranges_check(array + set);
    return wrong;
}

static const char *replace_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    return settings_are(own, 1, 2) && own->array_at[0].kind == 'b' && own->array_at[0].count &&
                   own->array_at[1].kind == 'b'
               ? NULL
               : "other settings than a part and another one";
}

static const char *pad_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    return settings_are(own, 2, 1) && own->int_at[0] <= WIDEST_TEXT && own->array_at->kind == 'b' ? NULL
                                                                                               : "no width of a text";
}

static const char *zero_fill_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    return settings_are(own, 1, 0) && own->int_at[0] <= WIDEST_TEXT ? NULL : "no width of a text";
}

#define OPERATIONS_OF_TEXT_EDITS                                                                                       \
    {"text_case", "s:s", text_case_run, case_check, NULL}, {"text_replace", "s:s", text_replace_run, replace_check, NULL}, \
        {"text_pad", "s:s", text_pad_run, pad_check, NULL}, {"text_zfill", "s:s", text_zfill_run, zero_fill_check, NULL}, \
        {"concatenate", "s+:s", concatenate_run, NULL, NULL}, {"where_text", "bss:s", where_text_run, NULL, NULL},     \
        {"same_text", "ss:b", same_text_run, NULL, NULL}, {"no_text", "s:b", no_text_run, NULL, NULL},

#endif
