/* Words of a plan by hash. An index is three arrays of an instruction:

       slots    u32 in an array of i32, a power of two of them: 0, or the word's number + 1 with 11 bits of its hash above; a word is in the
                first slot from its hash on that was empty
       starts   i32, one more than words: where each begins in the bytes
       bytes    UTF-8, one word after another

   pipeline_lib/compiled/native/word_index.py writes them; a slot that is empty ends every search. */
#ifndef PIPELINE_WORD_INDEX_H
#define PIPELINE_WORD_INDEX_H

#include "core.h"

enum { WORD_BITS = 21, WORD_MOST = (1 << WORD_BITS) - 1, WORD_ARRAYS = 3 };
#define WORD_FACTOR 0x9E3779B97F4A7C15u
#define WORD_MIX 0xD6E8FEB86659FD93u

typedef u64 u64_any __attribute__((aligned(1), may_alias));

struct word_index {
    const u32 *slots;
    u64 mask;
    const i32 *starts;
    const u8 *bytes;
};

static inline struct word_index word_index_of(const struct core_array *array)
{
    return (struct word_index){array[0].data, array[0].count - 1, array[1].data, array[2].data};
}

static inline u64 word_mixed(u64 hash, u64 part)
{
    hash ^= part; /* also its highest bits, where words with one beginning differ, move the lowest ones: the slot */
    hash = (hash ^ hash >> 32) * WORD_MIX;
    return hash ^ hash >> 32;
}

/* The first `length` < 8 bytes of a text behind which 8 may be read. */
static inline u64 few_bytes(const u8 *text, u64 length)
{
    return length ? *(const u64_any *)text & ~(u64)0 >> (64 - 8 * length) : 0;
}

/* The hash of a text behind which 8 bytes may be read. */
static inline u64 word_hash(const u8 *text, u64 length)
{
    u64 hash = length * WORD_FACTOR;
    for (; length >= 8; text += 8, length -= 8)
        hash = word_mixed(hash, *(const u64_any *)text);
    return word_mixed(hash, few_bytes(text, length));
}

static inline int same_word(const u8 *left, const u8 *right, u64 length)
{
    for (; length >= 8; left += 8, right += 8, length -= 8)
        if (*(const u64_any *)left != *(const u64_any *)right)
            return 0;
    return few_bytes(left, length) == few_bytes(right, length);
}

/* The number of a text behind which 8 bytes may be read; -1 for one that is not in the index. */
static inline i64 word_find(const struct word_index *index, const u8 *text, u64 length)
{
    const u64 hash = word_hash(text, length);
    for (u64 at = hash;; at++) {
        const u32 slot = index->slots[at & index->mask];
        if (!slot)
            return -1;
        const u32 number = (slot & WORD_MOST) - 1;
        const u64 start = (u64)index->starts[number];
        if (slot >> WORD_BITS == hash >> (32 + WORD_BITS) && (u64)index->starts[number + 1] - start == length &&
            same_word(index->bytes + start, text, length))
            return number;
    }
}

/* Texts one after another: whether `starts` ascend from 0 to the end of the bytes. */
static int starts_fit(const struct core_array *starts, const struct core_array *bytes)
{
    const i32 *at = starts->data;
    if (starts->kind != 'l' || bytes->kind != 'b' || !starts->count || at[0] != 0)
        return 0;
    for (u64 number = 1; number < starts->count; number++)
        if (at[number] < at[number - 1])
            return 0;
    return (u64)at[starts->count - 1] == bytes->count;
}

static const char *word_index_check(const struct core_array *array)
{
    const u64 slots = array[0].count, words = array[1].count - 1;
    if (array[0].kind != 'l' || !slots || (slots & (slots - 1)) || !starts_fit(array + 1, array + 2))
        return "no index of words";
    const u32 *slot = array[0].data;
    u64 empty = 0;
    for (u64 at = 0; at < slots; at++) {
        if ((slot[at] & WORD_MOST) > words || (slot[at] && !(slot[at] & WORD_MOST)))
            return "a slot with a word that is not there";
        empty += !slot[at];
    }
    return empty ? NULL : "an index of words without an empty slot";
}

#endif
