/* The class Plan of the module: a plan of the core, with what single rows need. */
#ifndef PIPELINE_PLAN_OBJECT_H
#define PIPELINE_PLAN_OBJECT_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include "plan.h"
#include "words.h"

enum { LEVELS = 3 };
/* The operations of each level, NULL for one that is not compiled. */
extern const struct core_operation *const LEVEL_OPERATIONS[LEVELS];
extern const u64 core_operation_count_0;
int level_is_usable(int level);

/* Memory aligned to 64 bytes; `start` is what has to be freed. */
struct memory {
    void *start;
    void *at;
};

int take_memory(struct memory *memory, u64 bytes);

/* How one raw value of a row is read: exact types only; anything else is for Python to judge. */
struct reader {
    PyObject *name;
    char kind;    /* d number, n whole number that may be missing, i whole number, b bool, m bool that may be missing,
                     t text as a word of the plan, s text, c by a Python function that gives an int */
    int nullable;
    int finite;
    int open_low, open_high; /* bounds that are excluded */
    double low, high;
    long long least, most;
    PyObject *convert;
    PyObject *absent; /* the value where the key is absent; NULL where it has to be there */
    void *cell;       /* in the frame of single rows */
    u32 width;        /* of its register */
};

typedef struct {
    PyObject_HEAD
    struct memory bytes, plan_memory, one_memory;
    struct core_plan *plan;
    struct memory spare; /* a frame for blocks of `spare_rows`, which the next run takes */
    u64 spare_rows;
    struct core_frame *one; /* the frame of single rows; the interpreter's lock guards it while no Python code runs */
    struct reader *readers;
    PyObject *words;   /* a tuple of the plan's words, without the last two numbers */
    struct word_table table;
    PyObject *results; /* for each output the objects of its words, or None */
} Plan;

/* The texts of a tuple as a table, which needs the tuple as long as it is used; 0 with an error. */
int fill_table(struct word_table *table, PyObject *words);
void free_table(struct word_table *table);
int plan_take_words(Plan *self, PyObject *words);
PyObject *plan_new(PyTypeObject *type, PyObject *args, PyObject *kwargs);
void plan_free(PyObject *object);
PyObject *plan_knows(PyObject *object, PyObject *words);
PyObject *plan_run(PyObject *object, PyObject *args);   /* plan_rows.c */
PyObject *plan_reads(PyObject *object, PyObject *args); /* plan_one_row.c */
PyObject *plan_row(PyObject *object, PyObject *row);
PyObject *reduce_lists(PyObject *module, PyObject *args); /* list_calls.c */

#endif
