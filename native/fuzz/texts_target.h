/* Text and sparse vectors for a fuzz target: texts of their exact size come in, and what an instruction gives is moved out
   of its arena into memory of its exact size, so that the next one is seen to read beyond it. */
#ifndef PIPELINE_FUZZ_TEXTS_H
#define PIPELINE_FUZZ_TEXTS_H

#include "target.h"

enum { LONGEST_TEXT = 400, ARENA_LINE = 64 };

/* Bytes of a plan's arena: mostly few, so that some rows find no room. */
static u64 drawn_arena(struct source *from)
{
    const u64 draw = next_byte(from);
    return draw < 100 ? ARENA_LINE * (1 + draw) : draw < 250 ? 4096 * (draw - 90) : (u64)3 << 20;
}

static u64 write_character(u8 *to, u32 character)
{
    if (character < 0x80)
        return *to = (u8)character, 1;
    if (character < 0x800)
        return to[0] = (u8)(0xC0 | character >> 6), to[1] = (u8)(0x80 | (character & 63)), 2;
    if (character < 0x10000)
        return to[0] = (u8)(0xE0 | character >> 12), to[1] = (u8)(0x80 | (character >> 6 & 63)),
               to[2] = (u8)(0x80 | (character & 63)), 3;
    to[0] = (u8)(0xF0 | character >> 18), to[1] = (u8)(0x80 | (character >> 12 & 63));
    to[2] = (u8)(0x80 | (character >> 6 & 63)), to[3] = (u8)(0x80 | (character & 63));
    return 4;
}

/* A part of an array of bytes of the plan: words that it knows. */
static u64 write_known(u8 *to, const struct core_plan *plan, struct source *from)
{
    const u64 draw = next_byte(from);
    const struct core_array *array = plan->arrays ? &plan->array_at[draw % plan->arrays] : NULL;
    if (!array || array->kind != 'b' || !array->count)
        return 0;
    const u64 start = next_word(from) % array->count, left = array->count - start, length = 1 + next_byte(from) % 20;
    memcpy(to, (const u8 *)array->data + start, length < left ? length : left);
    return length < left ? length : left;
}

/* Characters of a few kinds, words of the plan, or any bytes; a null pointer for none. */
static struct core_text drawn_text(const struct core_plan *plan, struct source *from)
{
    static const char FEW[] = "abAB z,.-+0 \t\n'";
    static const u32 OTHERS[] = {0xDF, 0xE9, 0x130, 0x3A3, 0x3C2, 0x301, 0x1E9E, 0x2003, 0x4E2D, 0xAC00, 0xAC01, 0xD7A3,
                                 0xFB03, 0x10400, 0x1F600, 0x10FFFF};
    const u64 draw = next_byte(from), parts = draw < 220 ? draw % 24 : 30 + draw % 60;
    u8 bytes[LONGEST_TEXT];
    u64 length = 0;
    if (draw >= 245)
        return (struct core_text){NULL, 0};
    for (u64 part = 0; part < parts && length + 24 < LONGEST_TEXT; part++) {
        const u64 kind = next_byte(from);
        if (kind < 150)
            bytes[length++] = (u8)FEW[kind % (sizeof FEW - 1)];
        else if (kind < 200)
            length += write_character(bytes + length, OTHERS[kind % (sizeof OTHERS / sizeof *OTHERS)]);
        else if (kind < 245)
            length += write_known(bytes + length, plan, from);
        else
            bytes[length++] = (u8)next_byte(from);
    }
    return (struct core_text){memcpy(exact(length), bytes, length), length};
}

static struct core_text *drawn_texts(const struct core_plan *plan, u64 count, struct source *from)
{
    struct core_text *texts = exact(count * sizeof *texts);
    for (u64 number = 0; number < count; number++)
        texts[number] = drawn_text(plan, from);
    return texts;
}

static void free_texts(const struct core_text *texts, u64 count)
{
    for (u64 number = 0; texts && number < count; number++)
        free((void *)(uintptr_t)texts[number].at);
    free((void *)(uintptr_t)texts);
}

/* What a result's texts go to: every byte is read. */
static int read_texts(void *taker, const struct core_text *texts, u64 start, u64 rows)
{
    u64 *seen = taker;
    for (u64 row = 0; row < rows; row++)
        for (u64 at = 0; texts[row].at && at < texts[row].length; at++)
            *seen += texts[row].at[at] + start;
    return *seen != 1; /* now and then there is no room */
}

/* Memory that is freed together. */
struct kept {
    void **at;
    u64 count;
};

static const void *keep_copy(struct kept *kept, const void *from, u64 bytes)
{
    void *copy = memcpy(exact(bytes), from, bytes);
    kept->at = realloc(kept->at, (kept->count + 1) * sizeof *kept->at);
    return kept->at[kept->count++] = copy;
}

static void free_kept(struct kept *kept)
{
    while (kept->count)
        free(kept->at[--kept->count]);
    free(kept->at);
}

/* Texts of a column as copies of their own; rows that shared a text share its copy. */
static void move_texts(struct core_text *texts, u64 rows, struct kept *kept)
{
    struct core_text before = {NULL, 0}, copied = {NULL, 0};
    for (u64 row = 0; row < rows; row++) {
        const struct core_text own = texts[row];
        if (!own.at)
            continue;
        if (own.at != before.at || own.length != before.length)
            copied = (struct core_text){keep_copy(kept, own.at, own.length), own.length};
        before = own;
        texts[row] = copied;
    }
}

static void move_bags(struct core_bag *bags, u64 rows, u32 width, struct kept *kept)
{
    for (u64 row = 0; row < rows; row++) {
        const struct core_bag own = bags[row];
        for (u64 at = 0; at < own.count; at++)
            if (own.index[at] >= width)
                abort(); /* the next instruction would use it as a place */
        __msan_check_mem_is_initialized(own.value, own.count * sizeof *own.value);
        bags[row] = (struct core_bag){keep_copy(kept, own.index, own.count * sizeof *own.index),
                                      keep_copy(kept, own.value, own.count * sizeof *own.value), own.count};
    }
}

#endif
