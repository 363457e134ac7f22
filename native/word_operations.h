/* From text to the numbers of the plan's words, and back. */
#ifndef PIPELINE_WORD_OPERATIONS_H
#define PIPELINE_WORD_OPERATIONS_H

#include "arena.h"
#include "word_index.h"

enum { SHORT_WORD = 64 };

/* The last two numbers of words: any other, and missing. */
static int word_of_text_run(const struct core_call *call)
{
    const struct word_index index = word_index_of(call->instruction->array_at);
    const i32 missing = (i32)call->out_width - 1;
    const struct core_text *text = call->in[0].at;
    i32 *out = call->out;
    u8 few[SHORT_WORD + 8];
    for (size_t row = 0; row < call->rows; row++) {
        struct core_arena rest = *call->arena;
        const u64 length = text[row].length;
        if (!text[row].at) {
            out[row] = missing;
            continue;
        }
        u8 *copy = length < SHORT_WORD ? few : take_high(&rest, length + 8); /* words are read 8 bytes at a time */
        if (!copy)
            return CORE_FULL;
        for (u64 at = 0; at < length; at++)
            copy[at] = text[row].at[at];
        const i64 number = word_find(&index, copy, length);
        out[row] = number < 0 ? missing - 1 : (i32)number;
    }
    return CORE_OK;
}

/* A word that the plan does not name has no text here: it is handed over. */
static int text_of_word_run(const struct core_call *call)
{
    const struct word_index index = word_index_of(call->instruction->array_at);
    const i32 *word = call->in[0].at, missing = (i32)call->in[0].width - 1;
    struct core_text *out = call->out;
    for (size_t row = 0; row < call->rows; row++) {
        const i32 number = word[call->in[0].constant ? 0 : row];
        if (number == missing - 1)
            return CORE_FULL;
        out[row] = number == missing
                       ? (struct core_text){NULL, 0}
                       : (struct core_text){index.bytes + index.starts[number],
                                            (u64)(index.starts[number + 1] - index.starts[number])};
    }
    return CORE_OK;
}

/* An index of all words of a register but the last two; `words` is the register's width. */
static const char *plan_words_check(const struct core_instruction *own, u32 words)
{
    if (own->ints || own->arrays != WORD_ARRAYS)
        return "other settings than an index of words";
    const char *wrong = word_index_check(own->array_at);
    if (wrong)
        return wrong;
    return own->array_at[1].count + 1 == words ? NULL : "an index of other words than the plan's";
}

static const char *word_of_text_check(const struct core_instruction *own, const u32 *widths)
{
    return plan_words_check(own, widths[1]);
}

static const char *text_of_word_check(const struct core_instruction *own, const u32 *widths)
{
    return plan_words_check(own, widths[0]);
}

#define OPERATIONS_OF_WORDS                                                                                            \
    {"word_of_text", "s:t", word_of_text_run, word_of_text_check, NULL},                                               \
        {"text_of_word", "t:s", text_of_word_run, text_of_word_check, NULL},

#endif
