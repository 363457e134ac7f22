/* Words by their text: an open hash table that is filled once. */
#include "words.h"

static u64 hash_of(const char *text, u64 length)
{
    u64 hash = length * 0x9E3779B97F4A7C15u;
    for (; length >= 8; text += 8, length -= 8) {
        u64 part = 0;
        for (int byte = 0; byte < 8; byte++)
            part |= (u64)(u8)text[byte] << 8 * byte;
        hash = (hash ^ part) * 0xD6E8FEB86659FD93u;
        hash ^= hash >> 32;
    }
    u64 part = 0;
    for (u64 byte = 0; byte < length; byte++)
        part |= (u64)(u8)text[byte] << 8 * byte;
    hash = (hash ^ part) * 0xD6E8FEB86659FD93u;
    return hash ^ hash >> 29;
}

static int same_bytes(const char *left, const char *right, u64 length)
{
    for (u64 index = 0; index < length; index++)
        if (left[index] != right[index])
            return 0;
    return 1;
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
    u64 slot = hash_of(table->texts[number], table->lengths[number]);
    while (table->slots[slot & table->slot_mask])
        slot++;
    table->slots[slot & table->slot_mask] = (u32)number + 1;
}

u64 word_number(const struct word_table *table, const char *text, u64 length, u64 other)
{
    if (!table->slots)
        return other;
    for (u64 slot = hash_of(text, length);; slot++) {
        const u32 number = table->slots[slot & table->slot_mask];
        if (!number)
            return other;
        if (table->lengths[number - 1] == length && same_bytes(table->texts[number - 1], text, length))
            return number - 1;
    }
}
