/* Operations of one text: tests, counts and parts, as operations/text_methods.py defines them.

   Characters are code points. Parts of a text point into it. Rows that share a text share its result. */
#ifndef PIPELINE_TEXTS_H
#define PIPELINE_TEXTS_H

#include "arena.h"
#include "utf8.h"

enum { LATELY = 64 }; /* texts of a block that are remembered */
enum { SIDE_BOTH = 0, SIDE_LEFT = 1, SIDE_RIGHT = 2 };

#define NO_TEXT ((struct core_text){NULL, 0})

/* An operation NAME: OWN(call, text, out) for each row with a text, ABSENT for others. */
#define OF_TEXTS(NAME, TYPE, ABSENT, OWN)                                                                              \
    static int NAME##_run(const struct core_call *call)                                                                \
    {                                                                                                                  \
        const struct core_text *text = call->in[0].at;                                                                 \
        TYPE *out = call->out;                                                                                         \
        size_t lately[LATELY] = {0};                                                                                   \
        for (size_t row = 0; row < call->rows; row++) {                                                                \
            if (!text[row].at) {                                                                                       \
                out[row] = ABSENT;                                                                                     \
                continue;                                                                                              \
            }                                                                                                          \
            size_t *const before = &lately[(uintptr_t)text[row].at / 8 % LATELY];                                      \
            if (*before < row && text[*before].at == text[row].at && text[*before].length == text[row].length) {       \
                out[row] = out[*before];                                                                               \
                continue;                                                                                              \
            }                                                                                                          \
            *before = row;                                                                                             \
            const int status = OWN(call->instruction, text[row], call->arena, &out[row]);                              \
            if (status)                                                                                                \
                return status;                                                                                         \
        }                                                                                                              \
        return CORE_OK;                                                                                                \
    }

static inline struct core_text text_of_array(const struct core_array *array)
{
    return (struct core_text){array->data, array->count};
}

static inline int same_bytes(const u8 *left, const u8 *right, u64 length)
{
    for (u64 at = 0; at < length; at++)
        if (left[at] != right[at])
            return 0;
    return 1;
}

/* Where the first part from `from` on begins, the last one before `end`; -1 without one. Bytes of UTF-8 that are equal are
   equal characters. */
static inline i64 first_part(struct core_text text, u64 from, struct core_text part)
{
    for (u64 at = from; at + part.length <= text.length; at++)
        if (same_bytes(text.at + at, part.at, part.length))
            return (i64)at;
    return -1;
}

static inline i64 last_part(struct core_text text, u64 end, struct core_text part)
{
    if (part.length > end)
        return -1;
    for (u64 at = end - part.length + 1; at-- > 0;)
        if (same_bytes(text.at + at, part.at, part.length))
            return (i64)at;
    return -1;
}

static u64 parts_in(struct core_text text, struct core_text part)
{
    u64 count = 0;
    i64 at = part.length ? first_part(text, 0, part) : -1;
    for (; at >= 0; at = first_part(text, (u64)at + part.length, part))
        count++;
    return part.length ? count : character_count(text.at, text.length) + 1;
}

/* The bytes of the first `characters` of a text, all where it has fewer. */
static u64 bytes_of(struct core_text text, u64 characters)
{
    u64 at = 0;
    for (; at < text.length; at++)
        if ((text.at[at] & 0xC0) != 0x80 && !characters--)
            break;
    return at;
}

static inline struct core_text behind(struct core_text text, u64 from)
{
    return (struct core_text){text.at + from, text.length - from};
}

#define TEXT_FUNCTION(NAME, TYPE)                                                                                      \
    static inline int NAME(const struct core_instruction *own, struct core_text text, struct core_arena *arena,        \
                           TYPE *out)

TEXT_FUNCTION(length_of, f64)
{
    (void)own, (void)arena;
    *out = (f64)character_count(text.at, text.length);
    return CORE_OK;
}

TEXT_FUNCTION(contains_part, u8)
{
    (void)arena;
    *out = first_part(text, 0, text_of_array(own->array_at)) >= 0;
    return CORE_OK;
}

TEXT_FUNCTION(count_parts, f64)
{
    (void)arena;
    *out = (f64)parts_in(text, text_of_array(own->array_at));
    return CORE_OK;
}

TEXT_FUNCTION(find_part, f64)
{
    (void)arena;
    const struct core_text part = text_of_array(own->array_at);
    const i64 at = own->int_at[0] ? last_part(text, text.length, part) : first_part(text, 0, part);
    *out = at < 0 ? -1.0 : (f64)character_count(text.at, (u64)at);
    return CORE_OK;
}

/* Whether one of some texts is at an end of the text. */
static inline int has_end(const struct core_array *array, struct core_text text, int last)
{
    const i32 *starts = array[0].data;
    for (u64 number = 0; number + 1 < array[0].count; number++) {
        const u64 length = (u64)(starts[number + 1] - starts[number]);
        if (length <= text.length && same_bytes(text.at + (last ? text.length - length : 0),
                                                (const u8 *)array[1].data + starts[number], length))
            return 1;
    }
    return 0;
}

TEXT_FUNCTION(starts_with, u8)
{
    (void)arena;
    *out = (u8)has_end(own->array_at, text, 0);
    return CORE_OK;
}

TEXT_FUNCTION(ends_with, u8)
{
    (void)arena;
    *out = (u8)has_end(own->array_at, text, 1);
    return CORE_OK;
}

/* A class of characters is two arrays: ranges, and 128 bytes for ASCII. */
static inline int in_class(const struct core_array *array, u32 character)
{
    return character < ASCII ? ((const u8 *)array[1].data)[character] : in_ranges(array, character);
}

/* Where the characters from `at` up to `end` that are members of a class (or are not) end, and from `end` back to `at`. */
static inline u64 class_end(const struct core_array *array, struct core_text text, u64 at, u64 end, int member)
{
    u32 size;
    for (; at < end; at += size)
        if ((in_class(array, character_of(text.at + at, end - at, &size)) != 0) != member)
            break;
    return at;
}

static inline u64 class_start(const struct core_array *array, struct core_text text, u64 at, u64 end, int member)
{
    while (end > at) {
        u32 size;
        const u64 before = character_before(text.at, end);
        if ((in_class(array, character_of(text.at + before, end - before, &size)) != 0) != member)
            break;
        end = before;
    }
    return end < at ? at : end;
}

TEXT_FUNCTION(strip_text, struct core_text)
{
    (void)arena;
    const i64 side = own->int_at[0];
    const u64 start = side == SIDE_RIGHT ? 0 : class_end(own->array_at, text, 0, text.length, 1);
    const u64 end = side == SIDE_LEFT ? text.length : class_start(own->array_at, text, start, text.length, 1);
    *out = (struct core_text){text.at + start, end - start};
    return CORE_OK;
}

/* Characters from a start to before a stop, both from the end where they are negative. */
TEXT_FUNCTION(slice_text, struct core_text)
{
    (void)arena;
    i64 start = own->int_at[0], stop = own->int_at[1];
    const i64 count = start < 0 || stop < 0 ? (i64)character_count(text.at, text.length) : 0;
    start = start >= 0 ? start : start + count < 0 ? 0 : start + count;
    stop = stop >= 0 ? stop : stop + count;
    const struct core_text rest = behind(text, bytes_of(text, (u64)start));
    *out = (struct core_text){rest.at, stop <= start ? 0 : bytes_of(rest, (u64)(stop - start))};
    return CORE_OK;
}

TEXT_FUNCTION(item_of_text, struct core_text)
{
    (void)arena;
    i64 index = own->int_at[0];
    index += index < 0 ? (i64)character_count(text.at, text.length) : 0;
    const struct core_text rest = behind(text, index < 0 ? text.length : bytes_of(text, (u64)index));
    *out = rest.length ? (struct core_text){rest.at, bytes_of(rest, 1)} : NO_TEXT;
    return CORE_OK;
}

/* Parts of a text that `str.split` or `str.rsplit` makes, one after another. */
struct splitting {
    struct core_text text, separator; /* none: white space */
    const struct core_array *spaces;
    u64 start, end, left; /* how many cuts are left */
    int from_right, done;
};

enum { SPLIT_INTS = 3, SPLIT_ARRAYS = 3 }; /* index, cuts (-1: all), from the right; separator, white space */

static struct splitting splitting_of(const struct core_instruction *own, struct core_text text)
{
    return (struct splitting){text, text_of_array(own->array_at), own->array_at + 1, 0, text.length,
                              own->int_at[1] < 0 ? UINT64_MAX : (u64)own->int_at[1], own->int_at[2] != 0, 0};
}

/* The part from `start` to `end`, the last one. */
static inline int last_of_parts(struct splitting *own, struct core_text *part)
{
    own->done = 1;
    *part = (struct core_text){own->text.at + own->start, own->end - own->start};
    return 1;
}

static int next_by_separator(struct splitting *own, struct core_text *part)
{
    const struct core_text ahead = {own->text.at, own->end};
    const i64 at = !own->left          ? -1
                   : own->from_right ? last_part(ahead, own->end, own->separator)
                                     : first_part(ahead, own->start, own->separator);
    if (at < 0)
        return last_of_parts(own, part);
    own->left--;
    const u64 from = (u64)at, to = from + own->separator.length;
    if (own->from_right) {
        *part = (struct core_text){own->text.at + to, own->end - to};
        own->end = from;
    } else {
        *part = (struct core_text){own->text.at + own->start, from - own->start};
        own->start = to;
    }
    return 1;
}

static int next_by_spaces(struct splitting *own, struct core_text *part)
{
    if (own->from_right)
        own->end = class_start(own->spaces, own->text, own->start, own->end, 1);
    else
        own->start = class_end(own->spaces, own->text, own->start, own->end, 1);
    if (own->start == own->end)
        return 0;
    if (!own->left)
        return last_of_parts(own, part);
    own->left--;
    if (own->from_right) {
        const u64 start = class_start(own->spaces, own->text, own->start, own->end, 0);
        *part = (struct core_text){own->text.at + start, own->end - start};
        own->end = start;
    } else {
        const u64 end = class_end(own->spaces, own->text, own->start, own->end, 0);
        *part = (struct core_text){own->text.at + own->start, end - own->start};
        own->start = end;
    }
    return 1;
}

/* The next part; 0 where there is none. */
static inline int next_part(struct splitting *own, struct core_text *part)
{
    return !own->done && (own->separator.length ? next_by_separator(own, part) : next_by_spaces(own, part));
}

static u64 part_count(const struct core_instruction *own, struct core_text text)
{
    struct splitting split = splitting_of(own, text);
    struct core_text part;
    u64 count = 0;
    while (next_part(&split, &part))
        count++;
    return count;
}

TEXT_FUNCTION(split_item, struct core_text)
{
    (void)arena;
    i64 left = own->int_at[0];
    const int backwards = own->int_at[2] != 0;
    if ((left < 0) != backwards) { /* counted from the end where the last parts are found */
        const i64 count = (i64)part_count(own, text);
        left = backwards ? count - 1 - left : count + left;
    } else if (backwards) {
        left = -1 - left;
    }
    struct splitting split = splitting_of(own, text);
    *out = NO_TEXT;
    if (left < 0)
        return CORE_OK;
    do
        if (!next_part(&split, out)) {
            *out = NO_TEXT;
            break;
        }
    while (left--);
    return CORE_OK;
}

TEXT_FUNCTION(split_count, f64)
{
    (void)arena;
    *out = (f64)part_count(own, text);
    return CORE_OK;
}

OF_TEXTS(text_length, f64, __builtin_nan(""), length_of)
OF_TEXTS(text_contains, u8, 0, contains_part)
OF_TEXTS(text_count, f64, __builtin_nan(""), count_parts)
OF_TEXTS(text_find, f64, __builtin_nan(""), find_part)
OF_TEXTS(text_starts, u8, 0, starts_with)
OF_TEXTS(text_ends, u8, 0, ends_with)
OF_TEXTS(text_strip, struct core_text, NO_TEXT, strip_text)
OF_TEXTS(text_slice, struct core_text, NO_TEXT, slice_text)
OF_TEXTS(text_item, struct core_text, NO_TEXT, item_of_text)
OF_TEXTS(text_split_item, struct core_text, NO_TEXT, split_item)
OF_TEXTS(text_split_count, f64, __builtin_nan(""), split_count)

static int settings_are(const struct core_instruction *own, u32 ints, u32 arrays)
{
    return own->ints == ints && own->arrays == arrays;
}

static const char *class_check(const struct core_array *array)
{
    const char *wrong = ranges_check(array);
    return wrong ? wrong : array[1].kind == 'b' && array[1].count == ASCII ? NULL : "no class of ASCII";
}

static const char *part_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    return settings_are(own, 0, 1) && own->array_at->kind == 'b' ? NULL : "other settings than a part of a text";
}

static const char *find_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    return settings_are(own, 1, 1) && own->array_at->kind == 'b' ? NULL : "other settings than a part and its side";
}

static const char *ends_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    return settings_are(own, 0, 2) && starts_fit(own->array_at, own->array_at + 1) ? NULL : "other settings than texts";
}

static const char *strip_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    return settings_are(own, 1, 2) ? class_check(own->array_at) : "other settings than a side and characters";
}

static const char *index_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    return settings_are(own, 1, 0) && own->int_at[0] > -INT32_MAX && own->int_at[0] < INT32_MAX ? NULL
                                                                                                : "no place in a text";
}

static const char *slice_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    return settings_are(own, 2, 0) ? NULL : "other settings than a start and a stop";
}

static const char *split_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    if (!settings_are(own, SPLIT_INTS, SPLIT_ARRAYS) || own->array_at->kind != 'b')
        return "other settings than of a split text";
    if (own->int_at[0] <= -INT32_MAX || own->int_at[0] >= INT32_MAX)
        return "no place among parts";
    return class_check(own->array_at + 1);
}

#define OPERATIONS_OF_TEXTS                                                                                            \
    {"text_length", "s:d", text_length_run, NULL, NULL}, {"text_contains", "s:b", text_contains_run, part_check, NULL},\
        {"text_count", "s:d", text_count_run, part_check, NULL}, {"text_find", "s:d", text_find_run, find_check, NULL},\
        {"text_starts", "s:b", text_starts_run, ends_check, NULL},                                                     \
        {"text_ends", "s:b", text_ends_run, ends_check, NULL},                                                         \
        {"text_strip", "s:s", text_strip_run, strip_check, NULL},                                                      \
        {"text_slice", "s:s", text_slice_run, slice_check, NULL},                                                      \
        {"text_item", "s:s", text_item_run, index_check, NULL},                                                        \
        {"text_split_item", "s:s", text_split_item_run, split_check, NULL},                                            \
        {"text_split_count", "s:d", text_split_count_run, split_check, NULL},

#endif
