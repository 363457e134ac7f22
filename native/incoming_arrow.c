/* Arrow's C data interface: a table as record batches, or one column as a stream. https://arrow.apache.org/docs/format/CDataInterface.html

   Structures are read as they are declared there; every count, length and offset in them is checked before it is used.
   The bytes behind a pointer have no length in this interface: who passes arrays has them validated before. */
#include "incoming_object.h"
#include "incoming_arrow.h"

#define MOST_ROWS ((i64)1 << 40)
#define MOST_CHUNKS ((u64)1 << 20)
#define LAYOUT "pipeline_lib layout"

struct column_format {
    u64 rule;
    u32 storage, unit;
    u32 words; /* storage of the dictionary, or 0 */
};

/* What a schema says of the columns that a reader has: each one's format, and its place among the children. */
struct layout {
    u64 count; /* of the reader's columns */
    i64 children;
    struct column_format *formats;
    i64 *places;
};

/* The storage that a format string names; 0 for one that `conform` has to judge. */
static u32 storage_of(const char *format, u32 *unit)
{
    *unit = 0;
    if (!format || !format[0])
        return 0;
    if (!format[1]) {
        for (const char *known = "gfcsilCSILbuU"; *known; known++)
            if (*known == format[0])
                return (u32)format[0];
        return 0;
    }
    if (format[0] == 'v' && format[1] == 'u' && !format[2])
        return 'v';
    if (format[0] != 't')
        return 0;
    if (format[1] == 'd' && format[2] == 'D' && !format[3])
        return 'D';
    const char letter = format[1] == 's' ? format[2] : 0;
    if ((letter != 's' && letter != 'm' && letter != 'u' && letter != 'n') || format[3] != ':' || format[4])
        return 0; /* another type, or a zone */
    *unit = (u32)letter;
    return 'T';
}

/* Whether a column's metadata names an extension: its format is that of its storage, and `conform` judges its type.
   Metadata are pairs of a key and a value, each after its length in 32 bits, and before all of them how many pairs. */
static int is_extension(const char *metadata)
{
    static const char name[] = "ARROW:extension:name";
    i32 pairs, length;
    if (!metadata)
        return 0;
    __builtin_memcpy(&pairs, metadata, 4);
    metadata += 4;
    for (i32 part = 0; part / 2 < pairs; part++, metadata += length) {
        __builtin_memcpy(&length, metadata, 4);
        metadata += 4;
        if (length < 0)
            return 1;
        if (part % 2 == 0 && length == sizeof name - 1 && !__builtin_memcmp(metadata, name, sizeof name - 1))
            return 1;
    }
    return 0;
}

static int format_of(const struct ArrowSchema *schema, const struct incoming_rule *rule, struct column_format *format)
{
    u32 unit;
    if (is_extension(schema->metadata) || (schema->dictionary && is_extension(schema->dictionary->metadata)))
        return 0;
    format->storage = storage_of(schema->format, &format->unit);
    format->words = schema->dictionary ? storage_of(schema->dictionary->format, &unit) : 0;
    if (schema->dictionary && format->words != 'u' && format->words != 'U' && format->words != 'v')
        return 0;
    return format->storage && incoming_fits(rule, format->storage, schema->dictionary != NULL);
}

static int known_of(const struct ArrowArray *array, u64 start, struct incoming_chunk *chunk)
{
    const void *bits = array->buffers[0];
    if (array->null_count < -1 || (array->null_count > 0 && !bits))
        return 0;
    chunk->known = array->null_count ? bits : NULL;
    chunk->first_known = start;
    return 1;
}

static int text_of(const struct ArrowArray *array, u64 start, struct incoming_chunk *chunk)
{
    const u8 *offsets = array->buffers[1];
    const u64 bytes = chunk->storage == 'u' ? 4 : 8;
    chunk->step = (i64)bytes;
    chunk->data = offsets + start * bytes;
    const u8 *last = chunk->data + chunk->rows * bytes;
    i32 ends[2];
    if (bytes == 4) {
        __builtin_memcpy(&ends[0], chunk->data, 4);
        __builtin_memcpy(&ends[1], last, 4);
        chunk->text_start = ends[0];
        chunk->text_stop = ends[1];
    } else {
        __builtin_memcpy(&chunk->text_start, chunk->data, 8);
        __builtin_memcpy(&chunk->text_stop, last, 8);
    }
    chunk->text = array->buffers[2];
    return 0 <= chunk->text_start && chunk->text_start <= chunk->text_stop &&
           (chunk->text || chunk->text_start == chunk->text_stop);
}

/* How many buffers an array of a storage has; views have more. */
static i64 buffers_of(u32 storage) { return storage == 'u' || storage == 'U' ? 3 : 2; }

static u64 cell_bytes(u32 storage)
{
    switch (storage) {
    case 'c':
    case 'C':
        return 1;
    case 's':
    case 'S':
        return 2;
    case 'i':
    case 'I':
    case 'f':
    case 'D':
        return 4;
    case 'v':
        return 16;
    default:
        return 8;
    }
}

/* Rows `skip` to `skip + rows` of an array as a chunk; 0 where its numbers contradict each other. */
static int chunk_of(const struct ArrowArray *array, u32 storage, u32 unit, i64 skip, i64 rows, struct incoming_chunk *chunk)
{
    *chunk = (struct incoming_chunk){0};
    chunk->storage = storage;
    chunk->unit = unit;
    if (array->length < 0 || array->length > MOST_ROWS || array->offset < 0 || array->offset > MOST_ROWS || skip < 0 ||
        rows < 0 || skip > array->length || rows > array->length - skip)
        return 0;
    chunk->rows = (u64)rows;
    if (!rows)
        return 1;
    const i64 expected = buffers_of(storage);
    if (!array->buffers || (storage == 'v' ? array->n_buffers < 3 : array->n_buffers != expected) || !array->buffers[1])
        return 0;
    const u64 start = (u64)(array->offset + skip);
    if (!known_of(array, start, chunk))
        return 0;
    if (storage == 'u' || storage == 'U')
        return text_of(array, start, chunk);
    chunk->step = (i64)cell_bytes(storage);
    chunk->data = storage == 'b' ? array->buffers[1] : (const u8 *)array->buffers[1] + start * cell_bytes(storage);
    chunk->first_bit = start;
    if (storage == 'v') {
        chunk->buffer_count = (u64)array->n_buffers - 3;
        chunk->buffers = (const u8 *const *)array->buffers + 2;
        chunk->buffer_sizes = array->buffers[array->n_buffers - 1];
        return chunk->buffer_count == 0 || chunk->buffer_sizes;
    }
    return 1;
}

static int same_words(const struct incoming_chunk *left, const struct incoming_chunk *right)
{
    return left->rows == right->rows && left->storage == right->storage && left->data == right->data &&
           left->text == right->text && left->known == right->known && left->first_known == right->first_known &&
           left->buffers == right->buffers;
}

/* The words of a dictionary; those of the chunk before where they are the same. */
static int take_words(Batch *self, const struct batch_column *column, const struct ArrowArray *array, u32 storage,
                      struct incoming_chunk *chunk)
{
    struct incoming_chunk words;
    if (!array || !chunk_of(array, storage, 0, 0, array->length, &words) || words.rows > INT32_MAX)
        return 0;
    const struct incoming_chunk *before = column->count ? column->chunks[column->count - 1].words : NULL;
    if (before && same_words(before, &words)) {
        chunk->words = before;
        return 1;
    }
    struct incoming_chunk *own = batch_memory(self, sizeof *own);
    if (!own)
        return -1;
    *own = words;
    chunk->words = own;
    return 1;
}

static int take_column(Batch *self, const struct ArrowArray *array, const struct column_format *format, i64 skip, i64 rows)
{
    struct incoming_chunk chunk;
    if (!chunk_of(array, format->storage, format->unit, skip, rows, &chunk))
        return 0;
    if (format->words) {
        const int status = take_words(self, &self->columns[format->rule], array->dictionary, format->words, &chunk);
        if (status <= 0)
            return status;
    }
    return batch_append(self, format->rule, &chunk) ? 1 : -1;
}

/* The formats of the columns that the reader has, and where they are among the children: each once, none absent. */
static int read_schema(const Reader *reader, const struct ArrowSchema *schema, struct column_format *formats, i64 *places)
{
    if (!schema->format || schema->format[0] != '+' || schema->format[1] != 's' || schema->format[2] ||
        schema->n_children < 0 || (schema->n_children && !schema->children) || schema->dictionary)
        return 0;
    for (u64 number = 0; number < reader->count; number++)
        places[number] = -1;
    u64 missing = reader->count;
    for (i64 place = 0; place < schema->n_children; place++) {
        const struct ArrowSchema *child = schema->children[place];
        if (!child || !child->name)
            return 0;
        const u64 length = __builtin_strlen(child->name);
        const u64 number = word_number(&reader->names, child->name, length, length, reader->count);
        if (number == reader->count)
            continue;
        if (places[number] >= 0 || !format_of(child, &reader->rules[number].rule, &formats[number]))
            return 0;
        places[number] = place;
        formats[number].rule = number;
        missing--;
    }
    return missing == 0;
}

/* Room for one more array that the batch keeps once it is counted; NULL with an error. */
static struct ArrowArray *room_for_array(Batch *self)
{
    if (self->array_count == self->array_room) {
        const u64 room = self->array_room ? 2 * self->array_room : 4;
        struct ArrowArray *more = PyMem_Realloc(self->arrays, room * sizeof *more);
        if (!more)
            return (struct ArrowArray *)PyErr_NoMemory();
        self->arrays = more;
        self->array_room = room;
    }
    self->arrays[self->array_count] = (struct ArrowArray){0};
    return &self->arrays[self->array_count];
}

/* The next array of a stream, kept by the batch; NULL with status 1 at its end. */
static int next_array(Batch *self, struct ArrowArrayStream *stream, struct ArrowArray **next)
{
    *next = NULL;
    struct ArrowArray *array = room_for_array(self);
    if (!array)
        return -1;
    if (self->array_count > MOST_CHUNKS || stream->get_next(stream, array)) {
        PyErr_Clear();
        return 0;
    }
    if (array->release) {
        self->array_count++;
        *next = array;
    }
    return 1;
}

static int take_batch(Batch *self, const struct ArrowArray *array, const struct layout *layout)
{
    if (array->length < 0 || array->length > MOST_ROWS || array->offset < 0 || array->offset > MOST_ROWS ||
        array->n_children != layout->children || (array->n_children && !array->children) || array->n_buffers != 1 ||
        !array->buffers || (array->buffers[0] && array->null_count) || array->null_count > 0)
        return 0;
    for (u64 number = 0; number < self->reader->count; number++) {
        const struct ArrowArray *child = array->children[layout->places[number]];
        if (!child || !child->release)
            return 0;
        const int status = take_column(self, child, &layout->formats[number], array->offset, array->length);
        if (status <= 0)
            return status;
    }
    return 1;
}

/* Read record batches of pyarrow, which have the schema of the layout: to export it each time, and to read it once more,
   took about 4 of 23 microseconds for a hundred rows. */
int batch_read_batches(Batch *self, PyObject *capsule, PyObject *batches)
{
    const struct layout *layout = PyCapsule_GetPointer(capsule, LAYOUT);
    if (!layout)
        return -1;
    int status = layout->count == self->reader->count && (u64)PyList_Size(batches) <= MOST_CHUNKS;
    for (Py_ssize_t number = 0; status > 0 && number < PyList_Size(batches); number++) {
        struct ArrowArray *array = room_for_array(self);
        if (!array)
            return -1;
        PyObject *done = PyObject_CallMethod(PyList_GetItem(batches, number), "_export_to_c", "K",
                                             (unsigned long long)(uintptr_t)array);
        self->array_count += array->release != NULL;
        if (!done && !PyErr_ExceptionMatches(PyExc_Exception))
            return -1;
        if (!done)
            PyErr_Clear();
        Py_XDECREF(done);
        status = done && array->release ? take_batch(self, array, layout) : 0;
    }
    return status;
}

static void free_layout(struct layout *layout)
{
    PyMem_Free(layout->formats);
    PyMem_Free(layout->places);
    PyMem_Free(layout);
}

static void free_layout_capsule(PyObject *capsule) { free_layout(PyCapsule_GetPointer(capsule, LAYOUT)); }

static struct layout *layout_of(const Reader *reader, const struct ArrowSchema *schema)
{
    struct layout *layout = PyMem_Calloc(1, sizeof *layout);
    if (!layout)
        return (struct layout *)PyErr_NoMemory();
    layout->count = reader->count;
    layout->children = schema->n_children;
    layout->formats = PyMem_Calloc((size_t)reader->count + 1, sizeof *layout->formats);
    layout->places = PyMem_Calloc((size_t)reader->count + 1, sizeof *layout->places);
    if (layout->formats && layout->places && read_schema(reader, schema, layout->formats, layout->places))
        return layout;
    if (!layout->formats || !layout->places)
        PyErr_NoMemory();
    free_layout(layout);
    return NULL;
}

PyObject *read_layout(Reader *reader, PyObject *capsule)
{
    const struct ArrowSchema *schema = PyCapsule_GetPointer(capsule, "arrow_schema");
    if (!schema)
        return NULL;
    struct layout *layout = schema->release ? layout_of(reader, schema) : NULL;
    if (!layout)
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    PyObject *known = PyCapsule_New(layout, LAYOUT, free_layout_capsule);
    if (!known)
        free_layout(layout);
    return known;
}

static int read_chunks(Batch *self, struct ArrowArrayStream *stream, const struct ArrowSchema *schema, u64 column)
{
    struct column_format format = {column, 0, 0, 0};
    if (!format_of(schema, &self->reader->rules[column].rule, &format))
        return 0;
    for (;;) {
        struct ArrowArray *array;
        int status = next_array(self, stream, &array);
        if (status > 0 && array)
            status = take_column(self, array, &format, 0, array->length);
        else if (status > 0)
            return 1;
        if (status <= 0)
            return status;
    }
}

/* Read one column: a stream's schema, then its arrays; the stream is released in any case. */
int batch_read_stream(Batch *self, PyObject *capsule, u64 column)
{
    struct ArrowArrayStream *stream = PyCapsule_GetPointer(capsule, "arrow_array_stream");
    struct ArrowSchema schema = {0};
    if (!stream)
        return -1;
    if (!stream->release || !stream->get_schema || !stream->get_next)
        return 0;
    int status = 0;
    if (stream->get_schema(stream, &schema) || !schema.release)
        PyErr_Clear();
    else
        status = read_chunks(self, stream, &schema, column);
    if (schema.release)
        schema.release(&schema);
    if (stream->release)
        stream->release(stream);
    return status;
}
