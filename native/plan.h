/* Plans of the core: read from bytes, checked, and run block by block. */
#ifndef PIPELINE_PLAN_H
#define PIPELINE_PLAN_H

#include "core.h"
#include "incoming.h"

#define CORE_MAGIC 0x313045524f434c50u /* "PLCORE01" */

struct core_register {
    u32 kind;
    u32 constant;
    u32 width;
    u32 last_use;
    u64 value;  /* a constant's bits */
    u64 offset; /* place in a frame, in cells of 8 bytes a row */
};

struct core_plan {
    const struct core_operation *operations;
    u64 registers, inputs, outputs, instructions, arrays, code;
    struct core_register *register_at;
    u32 *output_at;
    struct core_array *array_at;
    struct core_instruction *instruction_at;
    u64 *chunks;           /* free places of a frame while registers are placed: first cell, cells */
    u64 operands;          /* inputs of all instructions */
    u64 cells;             /* cells of 8 bytes a row */
    u64 block; /* rows of its blocks */
    u64 scratch_of_one, scratch_of_block;
    u64 arena;             /* bytes for text and sparse vectors of a block */
    u64 wrong_instruction; /* of what core_plan_load found wrong */
};

/* A column of the rows that a run gets. Words are `words[code]`, texts `texts[code]`, the last of `word_count` for codes
   below 0; the numbers of a vector lie `stride` cells apart. A raw column is read where it is, and checked. With `codes`,
   which may not be those of words or texts, a row's number is the one of `word_count` at its code, the last for codes
   below 0. With `of_word`, a raw column of text stands for numbers: `of_word` has one for each of `word_count` words, and
   `allowed` says which words may come, NULL for all. */
struct core_input {
    const void *at;
    const i32 *words;
    const struct core_text *texts;
    u64 word_count;
    u64 stride;
    const struct incoming *raw; /* NULL: the others say where the column is */
    const i32 *codes;           /* NULL: a number for each row */
    const void *of_word;
    const u8 *allowed;
    struct core_text *own_texts; /* `texts` that are freed after the run */
};

/* Takes the texts of `rows` rows from row `start` on, which are there until it returns; 0 where there is no room. */
typedef int (*core_take_texts)(void *taker, const struct core_text *texts, u64 start, u64 rows);

/* Where results go; the numbers of a vector lie `stride` cells apart. Text goes to `take`. */
struct core_output {
    void *at;
    u64 stride;
    core_take_texts take;
    void *taker;
};

struct core_frame; /* the columns of one block, made for one plan and one thread */

/* Bytes that a plan needs in memory; 0 where `bytes` hold none. */
u64 core_plan_memory(const void *bytes, u64 size);
/* Read a plan into memory of that size, aligned to 64; `bytes` stay in use, with 64 readable bytes behind them. Returns
   NULL, or what is wrong. */
const char *core_plan_load(struct core_plan *plan, const void *bytes, u64 size, const struct core_operation *operations,
                           u64 operation_count);

/* Bytes that a frame for blocks of `rows` rows, from 1 to `block`, needs; 0 where they are too many. */
u64 core_frame_memory(const struct core_plan *plan, u64 rows);
void core_frame_make(struct core_frame *frame, const struct core_plan *plan, u64 rows);
/* Where a frame for one row takes input `number` from and has output `number`. */
void *core_frame_input(struct core_frame *frame, u64 number);
const void *core_frame_output(struct core_frame *frame, u64 number);
/* Run a frame whose inputs are filled. */
int core_frame_run(struct core_frame *frame, u64 rows);
/* Run rows `start` to `stop` in blocks. Returns CORE_OK, CORE_REFUSED or CORE_FULL. */
int core_run_rows(struct core_frame *frame, const struct core_input *inputs, const struct core_output *outputs, u64 start,
                  u64 stop);

#endif
