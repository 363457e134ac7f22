/* Raw columns as others hold them in memory, read block by block into the cells of a plan: no copy is made before.

   A column is a row of chunks. A chunk is an array of Arrow or of NumPy, sliced or not; `storage` says how its cells lie:

       g f            double, float
       c s i l        signed integers of 8, 16, 32, 64 bits; C S I L unsigned ones
       b ?            bits; bytes that are 0 or not
       T D            int64 in the chunk's unit (s, m, u, n for ns) since 1970; int32 days since 1970
       u U v          text with offsets of 32 or of 64 bits; views of text
                      with `words` the integers are codes, places in a chunk of text

   What a chunk says is not believed: codes, offsets, lengths and UTF-8 are checked here when they are read, and each is
   read once, since its owner could change it. How many bytes lie behind a pointer is the caller's to know. */
#ifndef PIPELINE_INCOMING_H
#define PIPELINE_INCOMING_H

#include "core.h"
#include "words.h"

struct incoming_chunk {
    u64 first, rows; /* of the whole column: its first row and how many */
    u32 storage;
    u32 unit;
    u32 nat_is_missing; /* INT64_MIN is a missing date, as in NumPy */
    i64 step;           /* bytes from one cell to the next */
    const u8 *data;     /* the first cell; of bits the first byte */
    u64 first_bit;
    const u8 *known; /* bits of the rows that are not missing; NULL: all */
    u64 first_known;
    i64 text_start, text_stop; /* of `data`: every offset lies in between */
    const u8 *text;
    const u8 *const *buffers; /* of views */
    const i64 *buffer_sizes;
    u64 buffer_count;
    const struct incoming_chunk *words;
};

/* What a column's values may be, and their kind: d number, i and n integers (n: may be missing, as doubles), b and m
   bools (m: may be missing, as doubles), t text, w dates and times, y dates. */
struct incoming_rule {
    u32 kind;
    u32 nullable;
    f64 low, high;   /* numbers: both ends included */
    i64 least, most; /* integers, microseconds, characters of text: both ends included */
    const i64 *allowed; /* integers in ascending order; NULL: all */
    u64 allowed_count;
    const struct word_table *allowed_words; /* NULL: all */
};

struct incoming {
    const struct incoming_rule *rule;
    const struct incoming_chunk *chunks; /* none is empty */
    u64 chunk_count;
    u64 first; /* row of the column that is row 0 of the run */
    const struct word_table *table;
    u32 width;                 /* of the plan's words: those of the table, any other, and missing */
    const i32 *const *numbers; /* for each chunk those of its words, or NULL */
    const u64 *const *cells;   /* for each chunk a cell of its words, all of them valid; NULL: words are read */
    u64 missing_cell;          /* and that of a missing text */
};

enum { INCOMING_REFUSED = -1 }; /* the number of a word that no row may have */

/* The kind of a plan's register that takes a rule's column. */
u32 incoming_register(const struct incoming_rule *rule);
/* Whether a rule's column can be stored so. */
int incoming_fits(const struct incoming_rule *rule, u32 storage, int has_words);
/* Whether codes of a chunk may have `cells`. */
int incoming_has_short_codes(const struct incoming_chunk *chunk);
/* The number of each word of a chunk of text. */
void incoming_numbers(const struct incoming *own, const struct incoming_chunk *words, i32 *numbers);
/* A text of a chunk; from its start on `readable` bytes may be read, which are at least its own. */
struct incoming_text {
    const u8 *at;
    u64 length, readable;
    int missing;
};

/* The text of a row; 0 where it lies beyond the chunk's bytes. */
int incoming_text_at(const struct incoming_chunk *chunk, u64 row, struct incoming_text *text);
/* Codes of rows, -1 for missing; 0 where one is none. */
int incoming_codes(const struct incoming_chunk *chunk, u64 at, u64 rows, i64 *codes);
/* Whether these bytes are UTF-8 and a text that the rule admits. */
int incoming_is_valid(const struct incoming_rule *rule, const u8 *text, u64 length);
/* Rows `start` on into cells; 0 where one of them is not at once seen to be valid. */
int incoming_fill(const struct incoming *own, void *cells, u64 start, u64 rows);

#endif
