/* Texts that a table renames; others stay as they are: `lookup` in its mode "keep". */
#ifndef PIPELINE_TEXT_LOOKUPS_H
#define PIPELINE_TEXT_LOOKUPS_H

#include "texts.h"
#include "word_operations.h"

/* An index of the keys; starts and bytes of their values and, last, of what missing becomes; which of these are missing. */
enum { VALUE_STARTS = WORD_ARRAYS, VALUE_BYTES, VALUE_MISSING, LOOKUP_ARRAYS };

static inline struct core_text value_of(const struct core_array *array, u64 number)
{
    const i32 *starts = array[VALUE_STARTS].data;
    if (((const u8 *)array[VALUE_MISSING].data)[number])
        return NO_TEXT;
    return (struct core_text){(const u8 *)array[VALUE_BYTES].data + starts[number],
                              (u64)(starts[number + 1] - starts[number])};
}

TEXT_FUNCTION(renamed, struct core_text)
{
    const struct word_index index = word_index_of(own->array_at);
    struct core_arena rest = *arena;
    u8 few[SHORT_WORD + 8];
    u8 *copy = text.length < SHORT_WORD ? few : take_high(&rest, text.length + 8); /* words are read 8 bytes at a time */
    if (!copy)
        return CORE_FULL;
    for (u64 at = 0; at < text.length; at++)
        copy[at] = text.at[at];
    const i64 number = word_find(&index, copy, text.length);
    *out = number < 0 ? text : value_of(own->array_at, (u64)number);
    return CORE_OK;
}

OF_TEXTS(lookup_text, struct core_text, value_of(call->instruction->array_at, call->instruction->array_at[1].count - 1), renamed)

static const char *lookup_text_check(const struct core_instruction *own, const u32 *widths)
{
    (void)widths;
    const struct core_array *array = own->array_at;
    if (!settings_are(own, 0, LOOKUP_ARRAYS))
        return "other settings than of a table of texts";
    const char *wrong = word_index_check(array);
    if (wrong)
        return wrong;
    if (!starts_fit(array + VALUE_STARTS, array + VALUE_BYTES) || array[VALUE_STARTS].count != array[1].count + 1 ||
        array[VALUE_MISSING].kind != 'b' || array[VALUE_MISSING].count != array[1].count)
        return "a table of texts without a value for each";
    return NULL;
}

#define OPERATIONS_OF_TEXT_LOOKUPS {"lookup_text", "s:s", lookup_text_run, lookup_text_check, NULL},

#endif
