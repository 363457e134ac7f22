/* The classes Reader and Batch of the module: raw rows of Arrow and of NumPy, as a plan reads them. */
#ifndef PIPELINE_INCOMING_OBJECT_H
#define PIPELINE_INCOMING_OBJECT_H

#include "plan_object.h"

/* A column of a schema: its name, what its values may be, and the memory of both. */
struct named_rule {
    PyObject *name;
    PyObject *allowed;
    struct incoming_rule rule;
    struct word_table words;
};

typedef struct {
    PyObject_HEAD
    u64 count;
    struct named_rule *rules;
    struct word_table names; /* numbers are those of the rules */
} Reader;

struct batch_column {
    struct incoming_chunk *chunks;
    u64 count, room;
    u64 rows;
};

/* The numbers of a column's words in a plan, for each chunk; NULL where the chunk has none. */
struct batch_numbers {
    struct batch_numbers *next;
    PyObject *plan;
    u64 column;
    i32 **of_chunk;
};

/* Rows that came in, and what keeps their memory: arrays of Arrow, buffers, and memory of its own. */
typedef struct {
    PyObject_HEAD
    Reader *reader;
    u64 rows;
    struct batch_column *columns; /* in the order of the reader's rules */
    struct ArrowArray *arrays;
    u64 array_count, array_room;
    Py_buffer *views;
    u64 view_count;
    void **owned;
    u64 owned_count, owned_room;
    struct batch_numbers *numbers;
    PyObject **texts; /* the distinct texts of each column, once they were asked for */
} Batch;

struct text_block;
/* The distinct texts of a column; missing is one of them. */
struct distinct_texts {
    u64 count;
    struct core_text *texts;
    struct text_block *blocks; /* their bytes */
};

extern PyTypeObject *reader_type, *batch_type;
int make_incoming_types(PyObject *module);
/* Memory that lives as long as the batch; NULL with an error. */
void *batch_memory(Batch *self, u64 bytes);
/* Append a chunk to a column, without those that are empty; 0 with an error. */
int batch_append(Batch *self, u64 column, const struct incoming_chunk *chunk);
/* texts(column): the numbers of a text column's rows, the distinct texts, and how many; None where `conform` has to judge. */
PyObject *batch_texts(PyObject *batch, PyObject *column); /* incoming_texts.c */
/* The distinct texts that a batch gave; NULL for any other object. */
const struct distinct_texts *texts_of_capsule(PyObject *object);
/* How a plan reads a column: `numbers` of its words are made once for each plan. 0 with an error. */
int batch_incoming(Batch *self, u64 column, const Plan *plan, u64 first, struct incoming *incoming);

/* Each returns 1, 0 where `conform` has to judge, -1 with an error. */
int batch_read_batches(Batch *self, PyObject *layout, PyObject *batches); /* incoming_arrow.c */
int batch_read_stream(Batch *self, PyObject *capsule, u64 column);        /* of one column */
int batch_read_buffer(Batch *self, PyObject *source, u64 column);         /* incoming_buffers.c */
/* Where a schema's columns are, for `batch_read_batches`: a capsule, None where `conform` has to judge. */
PyObject *read_layout(Reader *reader, PyObject *capsule);

#endif
