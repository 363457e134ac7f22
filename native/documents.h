/* document_counts: the counts of a document's n-grams, as operations/token_counts.py defines them.

       text      "Not GOOD, not\tbad"     lower case and accents by the plan's tables
       tokens    "not good not bad "      in the arena, one blank between them
       n-grams   "not", "good", "not good", …     each a part of these bytes
       keys      numbers in the vocabulary, or hash and sign; sorted, equal ones counted

   ints     analyzer, shortest n-gram, longest, shortest token, vocabulary or hash, signed, binary, lower, accents
   arrays   the vocabulary, stop words (an index each), word characters or blanks (a range for each, and 128 of ASCII),
            the map of lower case, cased, ignorable, the map of accents */
#ifndef PIPELINE_DOCUMENTS_H
#define PIPELINE_DOCUMENTS_H

#include "letters.h"

enum { WORDS_ANALYZED = 0, CHARACTERS_ANALYZED = 1, PADDED_ANALYZED = 2 };
enum { DOCUMENT_INTS = 9, STOP_AT = WORD_ARRAYS, CLASS_AT = 2 * WORD_ARRAYS, MAPS_AT = CLASS_AT + 2 };
enum { DOCUMENT_ARRAYS = MAPS_AT + 2 * MAP_ARRAYS + 2, LONGEST_NGRAM = 64, RECENT = 64, FEW_KEYS = 24 };

struct documents {
    struct word_index vocabulary, stop;
    const struct core_array *ranges;
    const u8 *ascii;
    const struct core_array *maps;
    const i64 *own;
    u32 width, stops;
};

#define analyzer_of(d) ((d)->own[0])
#define shortest_ngram(d) ((u64)(d)->own[1])
#define longest_ngram(d) ((u64)(d)->own[2])
#define shortest_token(d) ((u64)(d)->own[3])
#define is_hashed(d) ((d)->own[4])
#define is_signed(d) ((d)->own[5])
#define is_binary(d) ((d)->own[6])

/* Keys of a document: the arena's low end while they are collected. */
struct keys {
    u32 *at;
    u64 count, most;
};

static inline u32 mixed_key(u32 key)
{
    key *= 0xCC9E2D51u;
    return (key << 15 | key >> 17) * 0x1B873593u;
}

/* MurmurHash3 x86 32 of Austin Appleby (public domain); 8 bytes behind the text may be read. */
static inline u32 murmur(const u8 *text, u64 length)
{
    u32 hash = 0;
    u64 left = length;
    for (; left >= 4; text += 4, left -= 4) {
        hash ^= mixed_key((u32) * (const u64_any *)text);
        hash = (hash << 13 | hash >> 19) * 5 + 0xE6546B64u;
    }
    if (left)
        hash ^= mixed_key((u32)few_bytes(text, left));
    hash ^= (u32)length;
    hash = (hash ^ hash >> 16) * 0x85EBCA6Bu;
    hash = (hash ^ hash >> 13) * 0xC2B2AE35u;
    return hash ^ hash >> 16;
}

/* Count one n-gram; 0 where there is no room. A key is an index times 2, plus 1 for a count of -1. */
static inline int add_ngram(const struct documents *own, struct keys *keys, const u8 *text, u64 length)
{
    u32 key;
    if (is_hashed(own)) {
        const u32 hash = murmur(text, length), negative = hash >> 31;
        key = (negative ? 0u - hash : hash) % own->width << 1 | (negative && is_signed(own));
    } else {
        const i64 number = word_find(&own->vocabulary, text, length);
        if (number < 0)
            return 1;
        key = (u32)number << 1;
    }
    if (keys->count == keys->most)
        return 0;
    keys->at[keys->count++] = key;
    return 1;
}

static inline int is_member(const struct documents *own, u32 character)
{
    return character < ASCII ? own->ascii[character] != 0 : in_ranges(own->ranges, character);
}

/* The end of a run of members (or of others) that begins at `at`; `count` are its characters. */
static inline u64 run_end(const struct documents *own, struct core_text text, u64 at, int member, u64 *count)
{
    u32 size;
    for (*count = 0; at < text.length; at += size, ++*count)
        if (is_member(own, character_of(text.at + at, text.length - at, &size)) != member)
            break;
    return at;
}

/* Tokens of a document: `ends[k]` is the end of token k in `bytes`, the next one begins behind a blank. */
struct tokens {
    u8 *bytes;
    u32 *ends;
    u64 count;
};

static int find_tokens(const struct documents *own, struct core_text text, struct core_arena *arena, struct tokens *found)
{
    u64 used = 0, characters;
    found->count = 0;
    if (text.length >= INT32_MAX || !(found->bytes = take_high(arena, text.length + 16)) ||
        !(found->ends = take_high(arena, (text.length / 2 + 1) * sizeof(u32))))
        return 0;
    for (u64 at = 0; at < text.length;) {
        at = run_end(own, text, at, 0, &characters);
        const u64 end = run_end(own, text, at, 1, &characters), length = end - at;
        const int stopped = own->stops && characters && word_find(&own->stop, text.at + at, length) >= 0;
        if (characters >= shortest_token(own) && !stopped) {
            for (u64 index = 0; index < length; index++)
                found->bytes[used + index] = text.at[at + index];
            used += length;
            found->ends[found->count++] = (u32)used;
            found->bytes[used++] = ' ';
        }
        at = end;
    }
    return 1;
}

static int count_words(const struct documents *own, struct core_text text, struct core_arena *arena, struct keys *keys)
{
    struct tokens found;
    if (!find_tokens(own, text, arena, &found))
        return 0;
    keys->most = arena_left(arena) / (6 * sizeof(u32));
    for (u64 n = shortest_ngram(own); n <= longest_ngram(own) && n <= found.count; n++)
        for (u64 first = 0; first + n <= found.count; first++) {
            const u64 start = first ? found.ends[first - 1] + 1 : 0;
            if (!add_ngram(own, keys, found.bytes + start, found.ends[first + n - 1] - start))
                return 0;
        }
    return 1;
}

/* Where characters begin, and the end of the last one; a null pointer without room. */
static u32 *character_starts(struct core_text text, struct core_arena *arena, u64 *count)
{
    *count = 0;
    u32 size, *starts = text.length < INT32_MAX ? take_high(arena, (text.length + 1) * sizeof(u32)) : NULL;
    for (u64 at = 0; starts && at < text.length; at += size) {
        character_of(text.at + at, text.length - at, &size);
        starts[(*count)++] = (u32)at;
    }
    if (starts)
        starts[*count] = (u32)text.length;
    return starts;
}

/* Each run of two and more blanks as one blank, in the text's own bytes. */
static struct core_text with_single_blanks(const struct documents *own, struct core_text text)
{
    u8 *bytes = (u8 *)(uintptr_t)text.at; /* written by plain_letters, in the arena */
    u64 used = 0, characters;
    for (u64 at = 0; at < text.length;) {
        u64 end = run_end(own, text, at, 0, &characters);
        for (; at < end; at++)
            bytes[used++] = bytes[at];
        end = run_end(own, text, at, 1, &characters);
        if (characters > 1)
            bytes[used++] = ' ';
        else
            while (at < end)
                bytes[used++] = bytes[at++];
        at = end;
    }
    return (struct core_text){bytes, used};
}

static int count_characters(const struct documents *own, struct core_text text, struct core_arena *arena,
                            struct keys *keys)
{
    u64 count;
    text = with_single_blanks(own, text);
    const u32 *starts = character_starts(text, arena, &count);
    if (!starts)
        return 0;
    keys->most = arena_left(arena) / (6 * sizeof(u32));
    for (u64 n = shortest_ngram(own); n <= longest_ngram(own) && n <= count; n++)
        for (u64 first = 0; first + n <= count; first++)
            if (!add_ngram(own, keys, text.at + starts[first], starts[first + n] - starts[first]))
                return 0;
    return 1;
}

/* " word " for each word, as long as they are; a word shorter than n counts once. */
static int count_padded(const struct documents *own, struct core_text text, struct core_arena *arena, struct keys *keys)
{
    u64 used = 1, characters, count;
    u8 *bytes = take_high(arena, text.length + 16);
    if (!bytes)
        return 0;
    bytes[0] = ' ';
    for (u64 at = 0; at < text.length;) {
        at = run_end(own, text, at, 1, &characters);
        const u64 end = run_end(own, text, at, 0, &characters);
        for (; at < end; at++)
            bytes[used++] = text.at[at];
        if (characters)
            bytes[used++] = ' ';
    }
    const u32 *starts = character_starts((struct core_text){bytes, used}, arena, &count);
    if (!starts)
        return 0;
    keys->most = arena_left(arena) / (6 * sizeof(u32));
    for (u64 first = 0, last; first + 1 < count; first = last) { /* characters `first` and `last` are blanks */
        for (last = first + 1; last + 1 < count && bytes[starts[last]] != ' ';)
            last++;
        const u64 length = last + 1 - first;
        for (u64 n = shortest_ngram(own); n <= longest_ngram(own); n++) {
            for (u64 from = first; from == first || from + n <= last + 1; from++) {
                const u64 to = from + n < last + 1 ? from + n : last + 1;
                if (!add_ngram(own, keys, bytes + starts[from], starts[to] - starts[from]))
                    return 0;
            }
            if (length <= n)
                break;
        }
    }
    return 1;
}

/* Sort keys below `limit`: by insertion where they are few, else by digits of 8 bits. Both arrays hold `count`; the result
   is the one that is returned. */
static u32 *sorted_keys(u32 *keys, u32 *other, u64 count, u64 limit)
{
    if (count <= FEW_KEYS) {
        for (u64 at = 1; at < count; at++) {
            const u32 key = keys[at];
            u64 to = at;
            for (; to && keys[to - 1] > key; to--)
                keys[to] = keys[to - 1];
            keys[to] = key;
        }
        return keys;
    }
    for (u32 shift = 0; shift < 32 && limit >> shift; shift += 8) {
        u32 starts[257] = {0};
        for (u64 at = 0; at < count; at++)
            starts[(keys[at] >> shift & 255) + 1]++;
        for (u32 digit = 0; digit < 256; digit++)
            starts[digit + 1] += starts[digit];
        for (u64 at = 0; at < count; at++)
            other[starts[keys[at] >> shift & 255]++] = keys[at];
        u32 *const swapped = keys;
        keys = other;
        other = swapped;
    }
    return keys;
}

/* The sparse vector of the keys, in the arena. */
static int count_keys(const struct documents *own, const struct keys *keys, struct core_arena *arena, struct core_bag *out)
{
    struct core_arena rest = *arena;
    u32 *index = take_low(arena, keys->count * sizeof(u32));
    rest.low = arena->low;
    u32 *other = take_high(&rest, keys->count * sizeof(u32)), *copy = take_high(&rest, keys->count * sizeof(u32));
    f64 *value = take_low(arena, keys->count * sizeof(f64));
    if (!index || !other || !copy || !value || arena->low > rest.high)
        return 0;
    for (u64 at = 0; at < keys->count; at++)
        copy[at] = keys->at[at];
    const u32 *key = sorted_keys(copy, other, keys->count, (u64)own->width * 2 - 1);
    u64 used = 0;
    for (u64 at = 0; at < keys->count;) {
        const u32 wanted = key[at] >> 1;
        i64 total = 0;
        for (; at < keys->count && key[at] >> 1 == wanted; at++)
            total += key[at] & 1 ? -1 : 1;
        index[used] = wanted;
        value[used++] = is_binary(own) ? 1.0 : (f64)total;
    }
    *out = (struct core_bag){index, value, used};
    return 1;
}

static int count_document(const struct documents *own, struct core_text text, struct core_arena *arena,
                          struct core_bag *out)
{
    struct core_arena rest = *arena;
    text = plain_letters(text, own->maps, own->own[7], own->own[8], &rest);
    if (!text.at)
        return CORE_FULL;
    struct keys keys = {(u32 *)(void *)arena->low, 0, 0};
    const i64 analyzer = analyzer_of(own);
    const int counted = analyzer == WORDS_ANALYZED        ? count_words(own, text, &rest, &keys)
                        : analyzer == CHARACTERS_ANALYZED ? count_characters(own, text, &rest, &keys)
                                                          : count_padded(own, text, &rest, &keys);
    return counted && count_keys(own, &keys, arena, out) ? CORE_OK : CORE_FULL;
}

/* Rows with a text that came before share its sparse vector. */
static int document_counts_run(const struct core_call *call)
{
    const struct core_array *array = call->instruction->array_at;
    const struct documents own = {word_index_of(array), word_index_of(array + STOP_AT), array + CLASS_AT,
                                  array[CLASS_AT + 1].data, array + MAPS_AT, call->instruction->int_at,
                                  call->out_width, (u32)array[STOP_AT + 1].count - 1};
    const struct core_text *text = call->in[0].at;
    struct core_bag *out = call->out;
    size_t recent[RECENT] = {0};
    for (size_t row = 0; row < call->rows; row++) {
        if (!text[row].at)
            return CORE_REFUSED;
        size_t *const before = &recent[(uintptr_t)text[row].at / 16 % RECENT];
        if (*before < row && text[*before].at == text[row].at && text[*before].length == text[row].length) {
            out[row] = out[*before];
            continue;
        }
        *before = row;
        const int status = count_document(&own, text[row], call->arena, &out[row]);
        if (status)
            return status;
    }
    return CORE_OK;
}

static const char *document_counts_check(const struct core_instruction *own, const u32 *widths)
{
    if (own->ints != DOCUMENT_INTS || own->arrays != DOCUMENT_ARRAYS)
        return "other settings than a document has";
    const i64 *number = own->int_at;
    if (number[0] < WORDS_ANALYZED || number[0] > PADDED_ANALYZED || number[1] < 1 || number[2] < number[1] ||
        number[2] > LONGEST_NGRAM || number[3] < 1 || number[7] < LOWER_NONE || number[7] > LOWER_SIGMA ||
        number[8] < ACCENTS_KEPT || number[8] > ACCENTS_HANGUL)
        return "no way to count a document";
    const struct core_array *array = own->array_at, *maps = array + MAPS_AT;
    const char *wrong[] = {word_index_check(array), word_index_check(array + STOP_AT), ranges_check(array + CLASS_AT),
                           map_check(maps), ranges_check(maps + MAP_ARRAYS), ranges_check(maps + MAP_ARRAYS + 1),
                           map_check(maps + MAP_ARRAYS + 2)};
    for (u32 index = 0; index < sizeof wrong / sizeof *wrong; index++)
        if (wrong[index])
            return wrong[index];
    if (array[CLASS_AT + 1].kind != 'b' || array[CLASS_AT + 1].count != ASCII)
        return "no classes of ASCII";
    return number[4] || array[1].count - 1 == widths[1] ? NULL : "a vocabulary of another width";
}

#define OPERATIONS_OF_DOCUMENTS {"document_counts", "s:g", document_counts_run, document_counts_check, NULL},

#endif
