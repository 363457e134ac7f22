/* What every part of the core shares. C99 with GCC's vector extensions; no library, no allocation, no global state.

   A plan is a list of instructions over registers. A register holds one column of a block of rows:

       kind   cells                          missing
       'd'    double                         NaN
       'i'    int64_t (dates and durations   INT64_MIN
              are microseconds)
       'b'    uint8_t, 0 or 1                never
       't'    int32_t, a word's place in     a place of its own
              a table of the plan
       'v'    `width` columns of doubles     NaN
       's'    struct core_text, UTF-8        a null pointer
       'g'    struct core_bag, a sparse      never
              vector of `width` numbers

   The numbers of a vector lie `stride` cells apart: number k of row r is at [k * stride + r]. Words are numbered from 0;
   the last two numbers are any other word, and missing. The `width` of a column of words is the count of these numbers:
   no cell reaches it. Text and sparse vectors point into the rows that came in, or into the arena of the frame, whose
   bytes are free again with the next block.

   Arithmetic is IEEE 754: every operation rounded once, in the written order. All files are compiled with
   -ffp-contract=off and -fwrapv, so that a compiler neither fuses nor assumes. */
#ifndef PIPELINE_CORE_H
#define PIPELINE_CORE_H

#include <float.h>
#include <stddef.h>
#include <stdint.h>

typedef double f64;
typedef float f32;
typedef int64_t i64;
typedef int32_t i32;
typedef uint64_t u64;
typedef uint32_t u32;
typedef uint16_t u16;
typedef uint8_t u8;

#if FLT_EVAL_METHOD != 0
#error "found arithmetic wider than double, expected IEEE double: compile for SSE2 (-msse2 -mfpmath=sse)"
#endif
#if defined(__FAST_MATH__)
#error "found -ffast-math, expected IEEE arithmetic"
#endif
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "found a big-endian machine, expected a little-endian one: plans are little-endian"
#endif
typedef char core_double_is_ieee[(sizeof(f64) == 8 && DBL_MANT_DIG == 53 && DBL_MAX_EXP == 1024) ? 1 : -1];
typedef char core_float_is_ieee[(sizeof(f32) == 4 && FLT_MANT_DIG == 24 && FLT_MAX_EXP == 128) ? 1 : -1];

#define CORE_BLOCK 512       /* rows of a block: its columns stay in the second level of the cache */
#define CORE_LARGE_BLOCK 4096 /* where an operation's arrays do not stay there: they are read once for more rows */
#define CORE_NAT INT64_MIN

/* CORE_FULL: the arena has no room for these rows, or this text is for others to judge. No answer, and no refusal. */
enum { CORE_OK = 0, CORE_REFUSED = 1, CORE_FULL = 2 };

/* A text of a row: UTF-8 of `length` bytes, a null pointer where it is missing. */
struct core_text {
    const u8 *at;
    u64 length;
};

/* A sparse vector of a row: `count` numbers at ascending indices below the register's width. */
struct core_bag {
    const u32 *index;
    const f64 *value;
    u64 count;
};

/* Free bytes of a block's arena: results are taken at `low`, what is needed for a while at `high`. Both are multiples of
   8, and 64 bytes behind `high` may be read. */
struct core_arena {
    u8 *low, *high;
};

/* An array of a plan: settings of an operation. `kind` is one letter: d f64, f f32, i i64, l i32, u u64, h u16, b u8. */
struct core_array {
    const void *data;
    u64 count;
    u32 kind;
};

/* One operation of a plan. Arrays are little-endian, start at multiples of 64 bytes, and have at least 64 readable
   bytes behind their last cell. */
struct core_instruction {
    u32 operation;
    u32 inputs; /* how many */
    u32 ints;
    u32 arrays;
    const i64 *int_at;
    const struct core_array *array_at;
    const u32 *input_at; /* registers */
    u32 output;          /* register */
};

/* A column that an instruction takes. A constant has one cell, which counts for every row. */
struct core_operand {
    const void *at;
    u32 constant;
    u32 width; /* of a vector, or of words; else 1 */
};

/* What a kernel gets: `rows` rows from 1 to CORE_LARGE_BLOCK, in columns that need not be aligned. A kernel neither reads nor
   writes cells beyond `rows`, and its output is never one of its inputs. */
struct core_call {
    const struct core_instruction *instruction;
    const struct core_operand *in;
    void *out;
    u32 out_width;
    size_t rows;
    size_t stride;
    void *scratch; /* as many bytes as the operation's `scratch` says, aligned to 64 */
    struct core_arena *arena; /* NULL in a plan without text and sparse vectors */
};

/* An operation: `run` returns CORE_OK, CORE_REFUSED or CORE_FULL; `check`, called once when a plan is loaded, returns NULL or what
   is wrong with ints, arrays and widths: every index that `run` uses is checked there. `widths` are those of the inputs
   and, last, of the output. `scratch` says how many bytes `run` needs for `rows` rows. */
typedef int (*core_run)(const struct core_call *call);
typedef const char *(*core_check)(const struct core_instruction *instruction, const u32 *widths);
typedef size_t (*core_scratch)(const struct core_instruction *instruction, const u32 *widths, size_t rows);

struct core_operation {
    const char *name;
    const char *kinds; /* of inputs and the output, as "dd:d"; a last input with + stands for one or more, one of * for
                          any kind but vectors and text, and an output
                          of '-' for none: the operation only refuses rows */
    core_run run;
    core_check check;     /* NULL: no ints and no arrays */
    core_scratch scratch; /* NULL: none */
};

#endif
