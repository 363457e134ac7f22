/* Words by their text: an open hash table that is filled once. */
#include "words.h"

static u64 eight_bytes(const char *text)
{
    u64 part;
    __builtin_memcpy(&part, text, 8);
    return part;
}

static u64 four_bytes(const char *text)
{
    u32 part;
    __builtin_memcpy(&part, text, 4);
    return part;
}

/* The bytes of a text of up to 8, then zeros. The loads overlap, and none lies beyond the `readable` bytes. */
static inline u64 few_bytes(const char *text, u64 length, u64 readable)
{
    if (!length)
        return 0;
    if (readable >= 8)
        return eight_bytes(text) & UINT64_MAX >> (64 - 8 * length);
    if (length >= 4)
        return four_bytes(text) | four_bytes(text + length - 4) << 8 * (length - 4);
    const u64 middle = length / 2, last = length - 1;
    return (u64)(u8)text[0] | (u64)(u8)text[middle] << 8 * middle | (u64)(u8)text[last] << 8 * last;
}

/* Each bit of `part`, also the highest, where words with one beginning differ, moves the lowest bits, which are the place. */
static u64 mixed(u64 hash, u64 part)
{
    hash ^= part;
    hash = (hash ^ hash >> 32) * 0xD6E8FEB86659FD93u;
    return hash ^ hash >> 32;
}

/* Of a short text its bytes, of a long one their hash. */
static inline u64 part_of(const char *text, u64 length, u64 readable)
{
    if (length <= 8)
        return few_bytes(text, length, readable);
    u64 whole = length;
    for (u64 at = 0; at + 8 < length; at += 8)
        whole = mixed(whole, eight_bytes(text + at));
    return mixed(whole, eight_bytes(text + length - 8));
}

static int same_bytes(const char *left, const char *right, u64 length)
{
    for (u64 at = 0; at + 8 < length; at += 8)
        if (eight_bytes(left + at) != eight_bytes(right + at))
            return 0;
    return eight_bytes(left + length - 8) == eight_bytes(right + length - 8);
}

u64 word_slots(u64 count)
{
    u64 size = 8;
    while (size < count * 3)
        size *= 2;
    return size;
}

void enter_word(struct word_table *table, u64 number)
{
    const u64 length = table->lengths[number], part = part_of(table->texts[number], length, length);
    u64 slot = mixed(length, part);
    while (table->slots[slot & table->slot_mask].number)
        slot++;
    table->slots[slot & table->slot_mask] = (struct word_slot){part, length, number + 1};
}

u64 word_number(const struct word_table *table, const char *text, u64 length, u64 readable, u64 other)
{
    if (!table->slots)
        return other;
    const u64 part = part_of(text, length, readable);
    for (u64 place = mixed(length, part);; place++) {
        const struct word_slot *slot = &table->slots[place & table->slot_mask];
        if (!slot->number)
            return other;
        if (slot->part == part && slot->length == length &&
            (length <= 8 || same_bytes(table->texts[slot->number - 1], text, length)))
            return slot->number - 1;
    }
}
