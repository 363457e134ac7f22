/* Lower case and accents by the frozen tables of a plan, as operations/unicode_tables.py and token_counts.py say how. */
#ifndef PIPELINE_LETTERS_H
#define PIPELINE_LETTERS_H

#include "arena.h"
#include "utf8.h"

enum { SIGMA = 0x3A3, FINAL_SIGMA = 0x3C2, MEDIAL_SIGMA = 0x3C3 };
enum { HANGUL = 0xAC00, HANGUL_LAST = 0xD7A3, SYLLABLES = 588, ENDINGS = 28, LEAD = 0x1100, VOWEL = 0x1161, TAIL = 0x11A7 };
enum { LOWER_NONE = 0, LOWER_SIMPLE = 1, LOWER_SIGMA = 2 };
enum { ACCENTS_KEPT = 0, ACCENTS_DROPPED = 1, ACCENTS_HANGUL = 2 };
enum { LOWER_GROWTH = 3, ACCENTS_GROWTH = 12 }; /* of a text; one that grows more is handed over */

/* A text that is written, to at most `end`. */
struct text_writer {
    u8 *at, *end;
};

static inline int write_bytes(struct text_writer *to, const u8 *from, u64 length)
{
    if (length > (u64)(to->end - to->at))
        return 0;
    for (u64 index = 0; index < length; index++)
        to->at[index] = from[index];
    to->at += length;
    return 1;
}

/* A character from 0x800 to 0xFFFF. */
static inline int write_three(struct text_writer *to, u32 character)
{
    const u8 bytes[3] = {(u8)(0xE0 | character >> 12), (u8)(0x80 | (character >> 6 & 63)), (u8)(0x80 | (character & 63))};
    return write_bytes(to, bytes, 3);
}

/* Whether the next character that is not ignorable is cased; `step` is 1 to the right, -1 to the left. */
static int next_is_cased(struct core_text text, u64 at, int step, const struct core_array *cased)
{
    u32 size, character;
    while (step < 0 ? at > 0 : at < text.length) {
        if (step < 0)
            at = character_before(text.at, at);
        character = character_of(text.at + at, text.length - at, &size);
        if (!in_ranges(cased + 1, character))
            return in_ranges(cased, character);
        if (step > 0)
            at += size;
    }
    return 0;
}

static u32 sigma_of(struct core_text text, u64 at, u32 size, const struct core_array *cased)
{
    const int final = next_is_cased(text, at, -1, cased) && !next_is_cased(text, at + size, 1, cased);
    return final ? FINAL_SIGMA : MEDIAL_SIGMA;
}

static void lower_ascii(u8 *restrict to, const u8 *restrict from, u64 length)
{
    for (u64 at = 0; at < length; at++)
        to[at] = (u8)(from[at] + ((u8)(from[at] - 'A') < 26 ? 32 : 0));
}

/* Lower case by a map, and by the sets of cased and ignorable characters behind it where `way` is LOWER_SIGMA. */
static int write_lower(struct text_writer *to, struct core_text text, const struct core_array *map, i64 way)
{
    u32 size;
    for (u64 at = 0; at < text.length; at += size) {
        u32 character = character_of(text.at + at, text.length - at, &size);
        if (character < ASCII) {
            const u8 low = (u8)(character + (character - 'A' < 26 ? 32 : 0));
            if (!write_bytes(to, &low, 1))
                return 0;
            continue;
        }
        const u8 *from = text.at + at;
        u8 sigma[2];
        if (character == SIGMA && way == LOWER_SIGMA) {
            character = sigma_of(text, at, size, map + MAP_ARRAYS);
            sigma[0] = (u8)(0xC0 | character >> 6);
            sigma[1] = (u8)(0x80 | (character & 63));
            from = sigma;
        }
        u64 length = size;
        const u8 *other = mapped(map, character, &length);
        if (!write_bytes(to, other ? other : from, length))
            return 0;
    }
    return 1;
}

static int write_syllable(struct text_writer *to, u32 syllable)
{
    const u32 tail = syllable % ENDINGS;
    return write_three(to, LEAD + syllable / SYLLABLES) && write_three(to, VOWEL + syllable % SYLLABLES / ENDINGS) &&
           (!tail || write_three(to, TAIL + tail));
}

static int write_without_accents(struct text_writer *to, struct core_text text, const struct core_array *map, i64 way)
{
    u32 size;
    for (u64 at = 0; at < text.length; at += size) {
        const u32 character = character_of(text.at + at, text.length - at, &size);
        u64 length = size;
        const u8 *other = text.at + at;
        if (character >= HANGUL && character <= HANGUL_LAST) {
            if (way == ACCENTS_HANGUL && !write_syllable(to, character - HANGUL))
                return 0;
            continue;
        }
        if (character >= ASCII) {
            other = mapped(map, character, &length);
            if (!other) {
                other = text.at + at;
                length = way == ACCENTS_HANGUL ? size : 0;
            }
        }
        if (!write_bytes(to, other, length))
            return 0;
    }
    return 1;
}

/* The text in lower case and without accents, in the arena for a while, with readable bytes behind it; a null pointer where
   there is no room. `map` is the map of lower case, cased, ignorable, the map of accents. */
static struct core_text plain_letters(struct core_text text, const struct core_array *map, i64 lower, i64 accents,
                                      struct core_arena *arena)
{
    const int ascii = is_ascii(text.at, text.length);
    const struct core_text none = {NULL, 0};
    if (text.length > arena_left(arena) / LOWER_GROWTH)
        return none;
    const u64 room = ascii ? text.length : text.length * LOWER_GROWTH;
    struct text_writer to = {take_high(arena, room + 8), NULL};
    if (!to.at)
        return none;
    to.end = to.at + room;
    u8 *start = to.at;
    if (lower != LOWER_NONE && ascii) {
        lower_ascii(start, text.at, text.length);
        to.at += text.length;
    } else if (lower == LOWER_NONE ? !write_bytes(&to, text.at, text.length) : !write_lower(&to, text, map, lower)) {
        return none;
    }
    text = (struct core_text){start, (u64)(to.at - start)};
    if (ascii || accents == ACCENTS_KEPT || is_ascii(text.at, text.length))
        return text;
    if (text.length > arena_left(arena) / ACCENTS_GROWTH || !(to.at = take_high(arena, text.length * ACCENTS_GROWTH + 8)))
        return none;
    start = to.at;
    to.end = start + text.length * ACCENTS_GROWTH;
    return write_without_accents(&to, text, map + MAP_ARRAYS + 2, accents) ? (struct core_text){start, (u64)(to.at - start)}
                                                                          : none;
}

#endif
