/* Numbers in texts, as operations/text_numbers.py and text_extraction.py read them. */
#ifndef PIPELINE_TEXT_NUMBERS_H
#define PIPELINE_TEXT_NUMBERS_H

#include "decimals.h"
#include "texts.h"

enum { MOST_INT_DIGITS = 4300, SHORT_NUMBER = 64, NUMBER_ARRAYS = 2 };
enum { READ_PYTHON = 0, READ_PANDAS = 1 };

static inline int is_space(u8 byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

static struct number_scan without_spaces(struct core_text text)
{
    const u8 *at = text.at, *end = text.at + text.length;
    while (at < end && is_space(*at))
        at++;
    while (at < end && is_space(end[-1]))
        end--;
    return (struct number_scan){at, end, 0, 0, 0};
}

/* Whether what is left is one of the names, in any case. */
static int is_name(const struct number_scan *scan, const char *name)
{
    const u8 *at = scan->at;
    for (; *name; name++, at++)
        if (at == scan->end || (*at | 32) != (u8)*name)
            return 0;
    return at == scan->end;
}

/* An infinity or NaN; 0 for others. */
static int is_special(struct number_scan scan, f64 *out)
{
    const int negative = scan_sign(&scan);
    if (is_name(&scan, "nan")) {
        *out = __builtin_nan("");
        return 1;
    }
    *out = negative ? -__builtin_inf() : __builtin_inf();
    return is_name(&scan, "inf") || is_name(&scan, "infinity");
}

/* A character beyond ASCII as Python reads it in a number: digits of any script, a space, or what is in no number. */
static u8 plain_character(const struct core_array *array, u32 character)
{
    const i32 *tens = array[0].data;
    const i64 at = last_up_to(tens, array[0].count / 2, 2, character);
    if (at >= 0 && character <= (u32)tens[2 * at + 1])
        return (u8)('0' + (character - (u32)tens[2 * at]));
    return in_ranges(array + 1, character) ? ' ' : '?';
}

/* The text in ASCII, by two arrays: digits of other scripts, each from its zero on, and spaces. It is in the arena, or in
   `few`, for a while; a null pointer where there is no room. */
static struct core_text plain_text(struct core_text text, const struct core_array *array, struct core_arena *rest, u8 *few)
{
    if (is_ascii(text.at, text.length))
        return text;
    u8 *copy = text.length <= SHORT_NUMBER ? few : take_high(rest, text.length);
    u64 count = 0;
    u32 size;
    for (u64 at = 0; copy && at < text.length; at += size) {
        const u32 character = character_of(text.at + at, text.length - at, &size);
        copy[count++] = character < ASCII ? (u8)character : plain_character(array, character);
    }
    return (struct core_text){copy, count};
}

/* Ints: how, whether other text is refused. Arrays: digits and spaces beyond ASCII. */
TEXT_FUNCTION(number_in_text, f64)
{
    const int how = (int)own->int_at[0], none = own->int_at[1] ? CORE_REFUSED : CORE_OK;
    struct core_arena rest = *arena;
    u8 few[SHORT_NUMBER];
    *out = __builtin_nan("");
    if (how != READ_PYTHON && !is_ascii(text.at, text.length))
        return none;
    text = plain_text(text, own->array_at, &rest, few);
    if (!text.at)
        return CORE_FULL;
    struct number_scan scan = without_spaces(text);
    const int surrounded = (u64)(scan.end - scan.at) != text.length;
    f64 special;
    if (is_special(scan, &special)) {
        const int counts = how == READ_PYTHON || !surrounded || special != special;
        *out = counts ? special : *out;
        return counts ? CORE_OK : none;
    }
    scan.underscores = how == READ_PYTHON;
    struct decimal number;
    if (!scan_decimal(&scan, &number))
        return none;
    *out = double_of(&number);
    return CORE_OK;
}

TEXT_FUNCTION(decimal_of_text, f64)
{
    (void)arena, (void)own;
    struct number_scan scan = {text.at, text.at + text.length, 0, 0, 0};
    struct decimal number;
    if (!scan_decimal(&scan, &number))
        return CORE_REFUSED;
    *out = double_of(&number);
    return *out - *out == 0.0 ? CORE_OK : CORE_REFUSED;
}

/* Arrays: digits and spaces beyond ASCII. */
TEXT_FUNCTION(integer_in_text, i64)
{
    struct core_arena rest = *arena;
    u8 few[SHORT_NUMBER];
    text = plain_text(text, own->array_at, &rest, few);
    if (!text.at)
        return CORE_FULL;
    struct number_scan scan = without_spaces(text);
    scan.underscores = 1;
    const int negative = scan_sign(&scan);
    struct decimal number = {0};
    scan_digits(&scan, &number, 0);
    if (!scan.count || scan.at != scan.end)
        return CORE_REFUSED;
    if (scan.count > MOST_INT_DIGITS)
        return CORE_FULL; /* Python's own limit decides */
    if (number.power || number.digits > (u64)INT64_MAX + (u64)negative)
        return CORE_REFUSED;
    *out = (i64)(negative ? 0 - number.digits : number.digits);
    return CORE_OK;
}

OF_TEXTS(number_of_text, f64, __builtin_nan(""), number_in_text)
OF_TEXTS(parse_number, f64, __builtin_nan(""), decimal_of_text)
OF_TEXTS(int_of_present, i64, 0, integer_in_text)

static int int_of_text_run(const struct core_call *call)
{
    const struct core_text *text = call->in[0].at;
    for (size_t row = 0; row < call->rows; row++)
        if (!text[row].at)
            return CORE_REFUSED;
    return int_of_present_run(call);
}

static const char *digits_check(const struct core_array *array)
{
    const char *wrong = ranges_check(array);
    const i32 *ends = array->data;
    for (u64 at = 0; !wrong && at < array->count; at += 2)
        if (ends[at + 1] - ends[at] > 9)
            wrong = "more than ten digits";
    return wrong ? wrong : ranges_check(array + 1);
}

static const char *number_of_text_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    return settings_are(own, 2, NUMBER_ARRAYS) ? digits_check(own->array_at) : "other settings than of a number in a text";
}

static const char *int_of_text_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    return settings_are(own, 0, NUMBER_ARRAYS) ? digits_check(own->array_at) : "other settings than of an integer in a text";
}

#define OPERATIONS_OF_TEXT_NUMBERS                                                                                     \
    {"number_of_text", "s:d", number_of_text_run, number_of_text_check, NULL},                                         \
        {"parse_number", "s:d", parse_number_run, NULL, NULL},                                                         \
        {"int_of_text", "s:i", int_of_text_run, int_of_text_check, NULL},

#endif
