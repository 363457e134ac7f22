/* Texts that a run gives: a hash table that grows, and words for Python. */
#include "text_results.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_TEXTS = 64, FIRST_BYTES = 1024, SLOTS_OF_A_TEXT = 4, LATELY = 64 };
#define MOST_TEXTS ((u64)INT32_MAX / 2)
#define HASH_FACTOR 0x9E3779B97F4A7C15u

static u64 mixed(u64 hash, u64 part)
{
    hash ^= part;
    hash = (hash ^ hash >> 32) * 0xD6E8FEB86659FD93u;
    return hash ^ hash >> 32;
}

static u64 hash_of(struct core_text text)
{
    u64 hash = text.length * HASH_FACTOR, part;
    u64 at = 0;
    for (; at + 8 <= text.length; at += 8) {
        memcpy(&part, text.at + at, 8);
        hash = mixed(hash, part);
    }
    part = 0;
    for (u64 place = 0; at < text.length; at++, place += 8)
        part |= (u64)text.at[at] << place;
    return mixed(hash, part);
}

static int more_slots(struct text_results *own)
{
    const u64 count = own->room * SLOTS_OF_A_TEXT;
    u32 *slots = calloc(count, sizeof *slots);
    if (!slots)
        return 0;
    for (u64 number = 0; number < own->count; number++) {
        u64 slot = own->texts[number].hash;
        while (slots[slot & (count - 1)])
            slot++;
        slots[slot & (count - 1)] = (u32)number + 1;
    }
    free(own->slots);
    own->slots = slots;
    own->slot_count = count;
    return 1;
}

/* Room for one more text of so many bytes; at most a quarter of the slots is taken. */
static int make_room(struct text_results *own, u64 length)
{
    if (own->count == own->room) {
        const u64 room = own->room ? own->room * 2 : FIRST_TEXTS;
        struct result_text *texts = room > MOST_TEXTS ? NULL : realloc(own->texts, room * sizeof *texts);
        if (!texts)
            return 0;
        own->texts = texts;
        own->room = room;
        if (!more_slots(own))
            return 0;
    }
    if (length <= own->size - own->used)
        return 1;
    u64 size = own->size ? own->size : FIRST_BYTES;
    while (size - own->used < length)
        size *= 2;
    u8 *bytes = realloc(own->bytes, size);
    if (!bytes)
        return 0;
    own->bytes = bytes;
    own->size = size;
    return 1;
}

/* A text's number; -1 where there is no room for a new one. */
static i32 number_of(struct text_results *own, struct core_text text)
{
    const u64 hash = hash_of(text);
    for (u64 at = hash; own->slot_count; at++) {
        const u32 slot = own->slots[at & (own->slot_count - 1)];
        if (!slot)
            break;
        const struct result_text *known = &own->texts[slot - 1];
        if (known->hash == hash && known->length == text.length &&
            !memcmp(own->bytes + known->start, text.at, text.length))
            return (i32)slot - 1;
    }
    if (!make_room(own, text.length + 1)) /* one byte more: no text is at a null pointer */
        return -1;
    own->texts[own->count] = (struct result_text){hash, own->used, text.length};
    memcpy(own->bytes + own->used, text.at, text.length);
    own->used += text.length;
    u64 slot = hash;
    while (own->slots[slot & (own->slot_count - 1)])
        slot++;
    own->slots[slot & (own->slot_count - 1)] = (u32)++own->count;
    return (i32)own->count - 1;
}

int take_result_texts(void *taker, const struct core_text *texts, u64 start, u64 rows)
{
    struct text_results *own = taker;
    u64 lately[LATELY] = {0}; /* rows of these: texts at one place are one text */
    for (u64 row = 0; row < rows; row++) {
        const struct core_text text = texts[row];
        i32 *code = own->codes + start + row;
        if (!text.at) {
            *code = -1;
            continue;
        }
        u64 *before = &lately[(uintptr_t)text.at / 8 % LATELY];
        if (*before < row && texts[*before].at == text.at && texts[*before].length == text.length) {
            *code = own->codes[start + *before];
            continue;
        }
        *before = row;
        *code = number_of(own, text);
        if (*code < 0)
            return 0;
    }
    return 1;
}

PyObject *python_text(struct core_text text)
{
    if (!text.at)
        return Py_NewRef(Py_None);
    /* a plan's own texts may hold half of a surrogate pair */
    return PyUnicode_DecodeUTF8((const char *)text.at, (Py_ssize_t)text.length, "surrogatepass");
}

int give_result_words(struct text_results *own, u64 start, u64 stop)
{
    PyObject *fresh = PyList_New((Py_ssize_t)own->count);
    for (u64 number = 0; fresh && number < own->count; number++) {
        const struct result_text text = own->texts[number];
        PyObject *word = python_text((struct core_text){own->bytes + text.start, text.length});
        if (!word || PyList_SetItem(fresh, (Py_ssize_t)number, word)) {
            Py_DECREF(fresh);
            return -1;
        }
    }
    if (!fresh)
        return -1;
    /* no Python code runs from here on: another thread's words cannot come in between */
    const Py_ssize_t offset = PyList_Size(own->words);
    const int full = (u64)offset + own->count > MOST_TEXTS;
    const int status = full ? CORE_FULL : PyList_SetSlice(own->words, offset, offset, fresh);
    Py_DECREF(fresh);
    for (u64 row = start; !status && row < stop; row++)
        own->codes[row] += own->codes[row] < 0 ? 0 : (i32)offset;
    return status;
}

void free_result_texts(struct text_results *own)
{
    free(own->texts);
    free(own->slots);
    free(own->bytes);
}
