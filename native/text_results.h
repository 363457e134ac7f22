/* Texts that a run gives, for Python: each distinct one once, and the rows' codes.

   The core's threads hold no lock of Python while they run, so the memory is the C library's. */
#ifndef PIPELINE_TEXT_RESULTS_H
#define PIPELINE_TEXT_RESULTS_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include "core.h"

struct result_text {
    u64 hash, start, length;
};

struct text_results {
    i32 *codes;      /* of rows; -1 for missing */
    PyObject *words; /* a list of Python's */
    struct result_text *texts;
    u64 count, room; /* of texts */
    u32 *slots;      /* a text's number + 1 by its hash; 0 for a free one */
    u64 slot_count;
    u8 *bytes;
    u64 used, size;
};

/* A `core_take_texts` of a `struct text_results`. */
int take_result_texts(void *taker, const struct core_text *texts, u64 start, u64 rows);
/* Append the words to the list, and count the codes of these rows from where they begin in it. Returns CORE_OK, CORE_FULL,
   or -1 with an error. */
int give_result_words(struct text_results *own, u64 start, u64 stop);
void free_result_texts(struct text_results *own);
/* A text as Python's, None where it is missing. */
PyObject *python_text(struct core_text text);

#endif
