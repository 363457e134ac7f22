/* Kinds of text, such as `str.isdigit`, and words that begin with a capital, as operations/cases.py defines them. */
#ifndef PIPELINE_TEXT_CLASSES_H
#define PIPELINE_TEXT_CLASSES_H

#include "text_edits.h"

enum { CLASS_ARRAYS = 2, KIND_ALL = 0, KIND_LOWER = 1, KIND_UPPER = 2, KIND_TITLE = 3, CASED_KINDS = 3 };

/* Classes one after another: 1 for the first that has the character; 0 for none. */
static inline int class_of(const struct core_array *array, int classes, u32 character)
{
    for (int number = 0; number < classes; number++)
        if (in_class(array + number * CLASS_ARRAYS, character))
            return number + 1;
    return 0;
}

/* Int: the kind. Arrays: its characters, or those of lower, upper and title case; characters that are refused. */
TEXT_FUNCTION(is_of_kind, u8)
{
    (void)arena;
    const int kind = (int)own->int_at[0], classes = kind == KIND_ALL ? 1 : CASED_KINDS;
    const struct core_array *unknown = own->array_at + classes * CLASS_ARRAYS;
    int good = 1, found = 0, before = 0;
    u32 size;
    for (u64 at = 0; at < text.length; at += size) {
        const u32 character = character_of(text.at + at, text.length - at, &size);
        if (character >= ASCII && in_ranges(unknown, character))
            return CORE_REFUSED;
        const int class = class_of(own->array_at, classes, character);
        if (kind == KIND_ALL)
            good &= class != 0;
        else if (kind == KIND_TITLE)
            good &= !class || (class == KIND_LOWER) == (before != 0);
        else
            good &= !class || class == kind;
        found |= class != 0;
        before = class;
    }
    *out = (u8)(good && found);
    return CORE_OK;
}

/* Ints: whether a sigma depends on what is around it, whether only the text's start is a capital. Arrays: lower case of
   ASCII and of other characters, cased and ignorable ones beside a sigma, characters that are refused; capitals of ASCII and
   of others; the class of cased characters. */
enum { TITLE_SMALL = CASE_ARRAYS, TITLE_MAP, TITLE_CASED = TITLE_MAP + MAP_ARRAYS, TITLE_ARRAYS = TITLE_CASED + CLASS_ARRAYS };

static int write_sigma(struct text_writer *to, u32 sigma)
{
    const u8 bytes[2] = {(u8)(0xC0 | sigma >> 6), (u8)(0x80 | (sigma & 63))};
    return write_bytes(to, bytes, 2) ? CORE_OK : CORE_FULL;
}

static int write_capital(struct text_writer *to, struct core_text one, u32 character, const struct core_array *array)
{
    u64 length = one.length;
    const u8 *from = character < ASCII ? (const u8 *)array[TITLE_SMALL].data + character
                                       : mapped(array + TITLE_MAP, character, &length);
    return write_bytes(to, from ? from : one.at, length);
}

static int write_title(struct text_writer *to, struct core_text text, const struct core_array *array, i64 way, int once)
{
    u32 size;
    int inside = 0;
    for (u64 at = 0; at < text.length; at += size) {
        const u32 character = character_of(text.at + at, text.length - at, &size);
        const struct core_text one = {text.at + at, size};
        if (inside) {
            const int status = character == SIGMA && way == LOWER_SIGMA
                                   ? write_sigma(to, sigma_of(text, at, size, array + CASE_MAP + MAP_ARRAYS))
                                   : write_case(to, one, array, LOWER_SIMPLE);
            if (status)
                return status;
        } else if (character >= ASCII && in_ranges(array + CASE_UNKNOWN, character)) {
            return CORE_REFUSED;
        } else if (!write_capital(to, one, character, array)) {
            return CORE_FULL;
        }
        inside = once || in_class(array + TITLE_CASED, character);
    }
    return CORE_OK;
}

TEXT_FUNCTION(title_of, struct core_text)
{
    struct text_writer to;
    if (text.length > arena_left(arena) / CASE_GROWTH || !take_text(arena, text.length * CASE_GROWTH, &to, out))
        return CORE_FULL;
    const int status = write_title(&to, text, own->array_at, own->int_at[0], own->int_at[1] != 0);
    out->length = (u64)(to.at - out->at);
    arena->low = to.end - text.length * CASE_GROWTH + whole_cells(out->length);
    return status;
}

OF_TEXTS(text_is, u8, 0, is_of_kind)
OF_TEXTS(text_title, struct core_text, NO_TEXT, title_of)

static const char *text_is_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    if (own->ints != 1 || own->int_at[0] < KIND_ALL || own->int_at[0] > KIND_TITLE)
        return "no kind of text";
    const u32 classes = own->int_at[0] == KIND_ALL ? 1 : CASED_KINDS;
    if (own->arrays != classes * CLASS_ARRAYS + 1)
        return "other classes than a kind of text has";
    const char *wrong = ranges_check(own->array_at + classes * CLASS_ARRAYS);
    for (u32 number = 0; !wrong && number < classes; number++)
        wrong = class_check(own->array_at + number * CLASS_ARRAYS);
    return wrong;
}

static const char *text_title_check(const struct core_instruction *own, const u32 *widths)
{
    if (own->ints != 2 || own->arrays != TITLE_ARRAYS)
        return "other settings than of capitals";
    struct core_instruction lower = *own;
    lower.ints = 1;
    lower.arrays = CASE_ARRAYS;
    const char *wrong = case_check(&lower, widths);
    if (wrong)
        return wrong;
    if (own->array_at[TITLE_SMALL].kind != 'b' || own->array_at[TITLE_SMALL].count != ASCII)
        return "no capitals of ASCII";
    wrong = map_check(own->array_at + TITLE_MAP);
    return wrong ? wrong : class_check(own->array_at + TITLE_CASED);
}

#define OPERATIONS_OF_TEXT_CLASSES                                                                                     \
    {"text_is", "s:b", text_is_run, text_is_check, NULL}, {"text_title", "s:s", text_title_run, text_title_check, NULL},

#endif
