/* Characters of UTF-8, sets of them as ranges, and maps from one character to a text.

   What reads a character never reads beyond the text's end, whatever the bytes are; wrong bytes give some character.

       ranges   one array of i32: first and last code point of each range, ascending
       a map    three arrays: i32 code points, ascending; i32 starts and bytes of what each becomes */
#ifndef PIPELINE_UTF8_H
#define PIPELINE_UTF8_H

#include "word_index.h"

enum { MAP_ARRAYS = 3, ASCII = 128 };
#define ASCII_ONLY 0x8080808080808080u

static inline int is_ascii(const u8 *text, u64 length)
{
    u64 seen = 0;
    for (; length >= 8; text += 8, length -= 8)
        seen |= *(const u64_any *)text;
    for (; length; text++, length--)
        seen |= *text;
    return !(seen & ASCII_ONLY);
}

/* The character at the start of `left` > 0 bytes; `size` are its bytes, at most `left`. */
static inline u32 character_of(const u8 *at, u64 left, u32 *size)
{
    const u32 first = at[0];
    if (first < 0x80) {
        *size = 1;
        return first;
    }
    const u32 wanted = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (wanted > left) {
        *size = (u32)left;
        return 0xFFFD;
    }
    *size = wanted;
    if (wanted == 2)
        return (first & 31) << 6 | (at[1] & 63);
    if (wanted == 3)
        return (first & 15) << 12 | (u32)(at[1] & 63) << 6 | (at[2] & 63);
    return (first & 7) << 18 | (u32)(at[1] & 63) << 12 | (u32)(at[2] & 63) << 6 | (at[3] & 63);
}

/* Where the character before `at` > 0 begins. */
static inline u64 character_before(const u8 *text, u64 at)
{
    do
        at--;
    while (at && (text[at] & 0xC0) == 0x80);
    return at;
}

static inline u64 character_count(const u8 *text, u64 length)
{
    u64 count = 0;
    for (u64 at = 0; at < length; at++)
        count += (text[at] & 0xC0) != 0x80;
    return count;
}

/* The last index whose number is at most `wanted`, -1 without one; numbers lie `step` apart. */
static inline i64 last_up_to(const i32 *numbers, u64 count, u64 step, u32 wanted)
{
    u64 low = 0, high = count;
    while (low < high) {
        const u64 middle = (low + high) / 2;
        if ((u32)numbers[middle * step] <= wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return (i64)low - 1;
}

static inline int in_ranges(const struct core_array *ranges, u32 character)
{
    const i32 *ends = ranges->data;
    const i64 at = last_up_to(ends, ranges->count / 2, 2, character);
    return at >= 0 && character <= (u32)ends[2 * at + 1];
}

/* What a character becomes by a map, NULL for one that it does not change. */
static inline const u8 *mapped(const struct core_array *map, u32 character, u64 *length)
{
    const i32 *points = map[0].data, *starts = map[1].data;
    const i64 at = last_up_to(points, map[0].count, 1, character);
    if (at < 0 || (u32)points[at] != character)
        return NULL;
    *length = (u64)(starts[at + 1] - starts[at]);
    return (const u8 *)map[2].data + starts[at];
}

static int ascends(const struct core_array *numbers, i32 step)
{
    const i32 *at = numbers->data;
    if (numbers->kind != 'l')
        return 0;
    for (u64 index = 0; index < numbers->count; index++)
        if (at[index] < 0 || (index && at[index] < at[index - 1] + (index % 2 ? step : 1)))
            return 0;
    return 1;
}

static const char *ranges_check(const struct core_array *ranges)
{
    return ascends(ranges, 0) && ranges->count % 2 == 0 ? NULL : "no set of characters";
}

static const char *map_check(const struct core_array *map)
{
    return ascends(map, 1) && map[1].count == map[0].count + 1 && starts_fit(map + 1, map + 2) ? NULL
                                                                                              : "no map of characters";
}

#endif
