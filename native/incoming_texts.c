/* The distinct texts of a raw column, and for each row the number of its text: what depends on one text alone is computed
   once for each of them. Columns of which most texts differ keep one for each row: to look for equal ones would cost more
   than it saves.

       rows    "b"  "a"  missing  "b"        numbers 0 1 2 0, texts "b" "a" missing

   Texts are copied before they are checked: their owner could change them afterwards. */
#include "incoming_object.h"

static const char texts_name[] = "pipeline_lib texts";

enum { NUMBER_ROWS = 1024, NO_MEMORY = -2, NOT_YET = -3, FIRST_LOOK = 2048 };
#define BLOCK_BYTES ((u64)1 << 16)

struct text_block {
    struct text_block *next;
    u8 bytes[];
};

struct text_maker {
    const struct incoming_rule *rule;
    struct word_table table; /* those that are looked up */
    u64 slots, count, room, seen;
    struct text_block *blocks;
    u8 *free;
    u64 left;
    i32 missing; /* its number, or NOT_YET */
    int different; /* most texts are: none is looked up any more */
};

static void free_blocks(struct text_block *block)
{
    while (block) {
        struct text_block *next = block->next;
        PyMem_Free(block);
        block = next;
    }
}

static int grow_slots(struct text_maker *own)
{
    const u64 slots = own->slots ? 4 * own->slots : NUMBER_ROWS;
    struct word_slot *more = PyMem_Calloc(slots, sizeof *more);
    if (!more)
        return 0;
    PyMem_Free(own->table.slots);
    own->table.slots = more;
    own->table.slot_mask = slots - 1;
    own->slots = slots;
    for (u64 number = 0; number < own->count; number++)
        if (own->table.texts[number])
            enter_word(&own->table, number);
    return 1;
}

static int grow_texts(struct text_maker *own)
{
    const u64 room = own->room ? 2 * own->room : NUMBER_ROWS / 2;
    const char **texts = PyMem_Realloc(own->table.texts, room * sizeof *texts);
    if (texts)
        own->table.texts = texts;
    u64 *lengths = PyMem_Realloc(own->table.lengths, room * sizeof *lengths);
    if (lengths)
        own->table.lengths = lengths;
    own->room = texts && lengths ? room : own->room;
    return texts && lengths;
}

static const char *copied(struct text_maker *own, const u8 *text, u64 length)
{
    if (length >= own->left) {
        const u64 bytes = length < BLOCK_BYTES ? BLOCK_BYTES : length + 1;
        struct text_block *block = bytes < (u64)PY_SSIZE_T_MAX / 2 ? PyMem_Malloc(sizeof *block + bytes) : NULL;
        if (!block)
            return NULL;
        block->next = own->blocks;
        own->blocks = block;
        own->free = block->bytes;
        own->left = bytes;
    }
    u8 *to = own->free;
    if (length)
        __builtin_memcpy(to, text, length);
    own->free += length + 1; /* also an empty text has a place of its own */
    own->left -= length + 1;
    return (const char *)to;
}

/* A number for a text, NULL where it is missing, that has none. */
static i32 new_number(struct text_maker *own, const char *text, u64 length)
{
    if (own->count == own->room && !grow_texts(own))
        return NO_MEMORY;
    if (own->count >= INT32_MAX)
        return INCOMING_REFUSED;
    own->table.texts[own->count] = text;
    own->table.lengths[own->count] = length;
    return (i32)own->count++;
}

static i32 number_of_missing(struct text_maker *own)
{
    if (!own->rule->nullable)
        return INCOMING_REFUSED;
    if (own->missing < 0)
        own->missing = new_number(own, NULL, 0);
    return own->missing;
}

static i32 number_of_text(struct text_maker *own, const struct incoming_text *text)
{
    own->seen++;
    if (!own->different && own->slots) {
        const u64 number =
            word_number(&own->table, (const char *)text->at, text->length, text->readable, UINT64_MAX);
        if (number != UINT64_MAX)
            return (i32)number;
        own->different = own->count >= FIRST_LOOK && own->count > own->seen / 2;
    }
    const char *copy = copied(own, text->at, text->length);
    if (!copy)
        return NO_MEMORY;
    if (!incoming_is_valid(own->rule, (const u8 *)copy, text->length))
        return INCOMING_REFUSED;
    const i32 number = new_number(own, copy, text->length);
    if (number < 0 || own->different)
        return number;
    if (2 * own->count > own->slots)
        return grow_slots(own) ? number : NO_MEMORY;
    enter_word(&own->table, (u64)number);
    return number;
}

static i32 number_at(struct text_maker *own, const struct incoming_chunk *chunk, u64 row)
{
    struct incoming_text text;
    if (!incoming_text_at(chunk, row, &text))
        return INCOMING_REFUSED;
    return text.missing ? number_of_missing(own) : number_of_text(own, &text);
}

/* Rows of codes: each word gets its number when the first row has it. `known` are the words' numbers, or NULL. */
static i32 number_codes(struct text_maker *own, const struct incoming_chunk *chunk, i32 *known, i32 *numbers)
{
    i64 codes[NUMBER_ROWS];
    for (u64 at = 0; at < chunk->rows; at += NUMBER_ROWS) {
        const u64 rows = chunk->rows - at < NUMBER_ROWS ? chunk->rows - at : NUMBER_ROWS;
        if (!incoming_codes(chunk, at, rows, codes))
            return INCOMING_REFUSED;
        for (u64 row = 0; row < rows; row++) {
            const i64 code = codes[row];
            i32 number = code < 0 ? own->missing : known ? known[code] : NOT_YET;
            if (number < 0) {
                number = code < 0 ? number_of_missing(own) : number_at(own, chunk->words, (u64)code);
                if (number < 0)
                    return number;
                if (code >= 0 && known)
                    known[code] = number;
            }
            numbers[at + row] = number;
        }
    }
    return 0;
}

static i32 number_chunk(struct text_maker *own, const struct incoming_chunk *chunk, i32 *numbers)
{
    if (chunk->words) {
        i32 *known = NULL;
        const u64 words = chunk->words->rows;
        if (words <= 2 * chunk->rows + 64 && !(known = PyMem_Malloc((words + 1) * sizeof *known)))
            return NO_MEMORY;
        for (u64 word = 0; known && word < words; word++)
            known[word] = NOT_YET;
        const i32 status = number_codes(own, chunk, known, numbers);
        PyMem_Free(known);
        return status;
    }
    for (u64 row = 0; row < chunk->rows; row++) {
        numbers[row] = number_at(own, chunk, row);
        if (numbers[row] < 0)
            return numbers[row];
    }
    return 0;
}

static void free_texts(PyObject *capsule)
{
    struct distinct_texts *own = PyCapsule_GetPointer(capsule, texts_name);
    free_blocks(own->blocks);
    PyMem_Free(own->texts);
    PyMem_Free(own);
}

/* A capsule of the texts, which it owns from now on; NULL with an error. */
static PyObject *capsule_of(struct text_maker *maker)
{
    struct distinct_texts *own = PyMem_Calloc(1, sizeof *own);
    struct core_text *texts = own ? PyMem_Calloc(maker->count + 1, sizeof *texts) : NULL;
    PyObject *capsule = texts ? PyCapsule_New(own, texts_name, free_texts) : PyErr_NoMemory();
    if (!capsule) {
        PyMem_Free(texts);
        PyMem_Free(own);
        return NULL;
    }
    for (u64 number = 0; number < maker->count; number++)
        texts[number] = (struct core_text){(const u8 *)maker->table.texts[number], maker->table.lengths[number]};
    *own = (struct distinct_texts){maker->count, texts, maker->blocks};
    maker->blocks = NULL;
    return capsule;
}

const struct distinct_texts *texts_of_capsule(PyObject *object)
{
    return PyCapsule_IsValid(object, texts_name) ? PyCapsule_GetPointer(object, texts_name) : NULL;
}

static PyObject *numbered(struct text_maker *maker, const struct batch_column *column)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(column->rows * sizeof(i32)));
    i32 *numbers = bytes ? (i32 *)(void *)PyBytes_AsString(bytes) : NULL, status = bytes ? 0 : NO_MEMORY;
    for (u64 chunk = 0; !status && chunk < column->count; chunk++)
        status = number_chunk(maker, &column->chunks[chunk], numbers + column->chunks[chunk].first);
    PyObject *capsule = status ? NULL : capsule_of(maker);
    PyObject *result = capsule ? Py_BuildValue("(OOK)", bytes, capsule, (unsigned long long)maker->count) : NULL;
    Py_XDECREF(capsule);
    Py_XDECREF(bytes);
    if (status == INCOMING_REFUSED)
        return Py_NewRef(Py_None);
    return status == NO_MEMORY ? PyErr_NoMemory() : result;
}

PyObject *batch_texts(PyObject *object, PyObject *place)
{
    Batch *self = (Batch *)object;
    const u64 number = PyLong_AsUnsignedLongLong(place);
    if (PyErr_Occurred())
        return NULL;
    if (number >= self->reader->count || self->reader->rules[number].rule.kind != 't')
        return PyErr_Format(PyExc_ValueError, "found no column of text with this number");
    if (self->texts[number])
        return Py_NewRef(self->texts[number]);
    struct text_maker maker = {.rule = &self->reader->rules[number].rule, .missing = NOT_YET};
    PyObject *result = numbered(&maker, &self->columns[number]);
    PyMem_Free(maker.table.slots);
    PyMem_Free((void *)maker.table.texts);
    PyMem_Free(maker.table.lengths);
    free_blocks(maker.blocks);
    self->texts[number] = Py_XNewRef(result);
    return result;
}
