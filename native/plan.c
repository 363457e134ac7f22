/* Plans of the core: read from bytes, checked, and run block by block.

   Bytes are words of 64 bits, little-endian:

       header        magic, bytes in all, and how many: registers, inputs, outputs, instructions, arrays, code words
       registers     for each: kind | constant << 8 | width << 32, and the bits of a constant
       outputs       for each: its register
       arrays        for each: kind, first byte (a multiple of 64), cells
       code          for each instruction: operation, how many inputs, ints and arrays, the output's register (or -1),
                     then inputs' registers, ints, arrays' numbers
       data          the arrays' cells

   Nothing in them is believed: each number is checked before it is used as an index, a size or a count. */
#include "plan.h"

enum { HEADER = 8, MOST = 1 << 22, WIDEST = 1 << 20, NO_OUTPUT = UINT32_MAX };
#define MOST_FRAME ((u64)1 << 34)
#define SECOND_LEVEL ((u64)1 << 20)
#define ARENA ((u64)3 << 20)
enum { SPARSE_BLOCK = 128 }; /* rows of a block with sparse vectors, so that these stay in the cache */

struct core_frame {
    const struct core_plan *plan;
    u64 rows, capacity;
    u64 *cells;
    struct core_call *calls;
    core_run *runs;
    u8 *arena_start;
    struct core_arena arena;
};

static u64 rounded(u64 bytes) { return (bytes + 63) & ~(u64)63; }

static void copy_bytes(void *to, const void *from, u64 bytes)
{
    u8 *restrict target = to;
    const u8 *restrict source = from;
    for (u64 index = 0; index < bytes; index++)
        target[index] = source[index];
}

static u64 cell_bytes(u32 kind) { return kind == 't' || kind == 'l' || kind == 'f' ? 4 : kind == 'b' ? 1 : kind == 'h' ? 2 : 8; }

static int is_kind(u64 kind)
{
    return kind == 'd' || kind == 'i' || kind == 'b' || kind == 't' || kind == 'v' || kind == 's' || kind == 'g';
}

static int is_array_kind(u64 kind)
{
    return kind == 'd' || kind == 'f' || kind == 'i' || kind == 'l' || kind == 'u' || kind == 'h' || kind == 'b';
}

/* Words before the data; 0 where the header is none. */
static u64 head_words(const u64 *word, u64 size)
{
    if (size < HEADER * 8 || word[0] != CORE_MAGIC || word[1] != size || size % 8)
        return 0;
    for (int index = 2; index < HEADER; index++)
        if (word[index] > MOST)
            return 0;
    const u64 words = HEADER + word[2] * 2 + word[4] + word[6] * 3 + word[7];
    return words * 8 <= size && word[3] <= word[2] && word[5] * 5 <= word[7] ? words : 0;
}

u64 core_plan_memory(const void *bytes, u64 size)
{
    const u64 *word = bytes;
    if (!head_words(word, size))
        return 0;
    return rounded(sizeof(struct core_plan)) + rounded(word[2] * sizeof(struct core_register)) + rounded(word[4] * 4) +
           rounded(word[6] * sizeof(struct core_array)) + rounded(word[5] * sizeof(struct core_instruction)) +
           rounded(word[2] * 16) +          /* chunks */
           rounded(word[7] * 8) +           /* registers of inputs, and widths while they are checked */
           rounded(word[7] * sizeof(struct core_array)); /* arrays of instructions, one after another */
}

static void *taken(u8 **memory, u64 bytes)
{
    void *start = *memory;
    *memory += rounded(bytes);
    return start;
}

static const char *read_registers(struct core_plan *plan, const u64 *word)
{
    for (u64 number = 0; number < plan->registers; number++, word += 2) {
        struct core_register *own = &plan->register_at[number];
        *own = (struct core_register){(u32)(word[0] & 255), (u32)(word[0] >> 8 & 255), (u32)(word[0] >> 32), 0, word[1],
                                      UINT64_MAX};
        if (!is_kind(own->kind) || own->constant > 1 || own->width < 1 || own->width > WIDEST)
            return "a register of no kind or width";
        if (own->kind != 'v' && own->kind != 't' && own->kind != 'g' && own->width != 1)
            return "a number with a width";
        if (own->kind == 't' && own->width < 2)
            return "a table of words without the two last";
        if (own->constant &&
            (own->kind == 'v' || own->kind == 's' || own->kind == 'g' || number < plan->inputs || (own->kind == 't' && own->value >= own->width) ||
             (own->kind == 'b' && own->value > 1)))
            return "a constant of another kind";
        if (own->kind == 'g' && number < plan->inputs)
            return "a sparse vector that comes in";
        if (own->kind == 's' || own->kind == 'g')
            plan->arena = ARENA;
    }
    return NULL;
}

static const char *read_arrays(struct core_plan *plan, const u64 *word, const u8 *bytes, u64 size)
{
    for (u64 number = 0; number < plan->arrays; number++, word += 3) {
        if (!is_array_kind(word[0]) || word[1] % 64 || word[1] > size || word[2] > size)
            return "an array beyond the plan";
        if (word[2] * cell_bytes((u32)word[0]) > size - word[1])
            return "an array beyond the plan";
        plan->array_at[number] = (struct core_array){bytes + word[1], word[2], (u32)word[0]};
    }
    return NULL;
}

/* `*` stands for every kind but vectors and text; which one an operation reads is safe, since all have 8 bytes a row. */
static int is_of(u32 kind, char letter)
{
    return letter == '*' ? kind != 'v' && kind != 's' && kind != 'g' : kind == (u32)letter;
}

/* Whether the kinds of an instruction's registers are those that its operation takes, "dd:d" or "d+:v". */
static int kinds_fit(const struct core_plan *plan, const struct core_instruction *own, const char *kinds)
{
    u32 index = 0;
    char before = 0;
    for (; *kinds != ':'; kinds++) {
        if (*kinds == '+') {
            while (index < own->inputs && is_of(plan->register_at[own->input_at[index]].kind, before))
                index++;
            continue;
        }
        before = *kinds;
        if (index >= own->inputs || !is_of(plan->register_at[own->input_at[index]].kind, before))
            return 0;
        index++;
    }
    if (kinds[1] == '-')
        return own->output == NO_OUTPUT && index == own->inputs;
    return own->output != NO_OUTPUT && index == own->inputs &&
           plan->register_at[own->output].kind == (u32)kinds[1];
}

static const char *check_instruction(const struct core_plan *plan, const struct core_instruction *own, u32 *widths)
{
    const struct core_operation *operation = &plan->operations[own->operation];
    if (!kinds_fit(plan, own, operation->kinds))
        return "columns of other kinds than the operation takes";
    for (u32 index = 0; index < own->inputs; index++)
        widths[index] = plan->register_at[own->input_at[index]].width;
    widths[own->inputs] = own->output == NO_OUTPUT ? 1 : plan->register_at[own->output].width;
    if (operation->check)
        return operation->check(own, widths);
    return own->ints || own->arrays ? "settings that the operation does not have" : NULL;
}

static const char *read_code(struct core_plan *plan, const u64 *word, u64 operation_count, u32 *inputs,
                             struct core_array *arrays, u32 *widths)
{
    const u64 *end = word + plan->code;
    for (u64 number = 0; number < plan->instructions; number++) {
        plan->wrong_instruction = number;
        if (end - word < 5)
            return "code that ends too early";
        const u64 left = (u64)(end - word) - 5;
        if (word[0] >= operation_count || word[1] > left || word[2] > left || word[3] > left ||
            word[1] + word[2] + word[3] > left)
            return "an operation that is not known, or code that ends too early";
        struct core_instruction *own = &plan->instruction_at[number];
        *own = (struct core_instruction){(u32)word[0], (u32)word[1], (u32)word[2], (u32)word[3],
                                         (const i64 *)(word + 5 + word[1]), arrays, inputs,
                                         word[4] == UINT64_MAX ? NO_OUTPUT : (u32)word[4]};
        if (word[4] != UINT64_MAX && (word[4] >= plan->registers || word[4] < plan->inputs ||
                                      plan->register_at[word[4]].constant || plan->register_at[word[4]].offset == 0))
            return "a result in a register that has a value";
        const u64 *next = word + 5;
        for (u32 index = 0; index < own->inputs; index++, next++) {
            if (*next >= plan->registers)
                return "a register that is not there";
            struct core_register *from = &plan->register_at[*next];
            if (*next >= plan->inputs && !from->constant && from->offset != 0)
                return "a register that has no value yet";
            from->last_use = (u32)number + 1;
            *inputs++ = (u32)*next;
        }
        next += own->ints;
        for (u32 index = 0; index < own->arrays; index++, next++) {
            if (*next >= plan->arrays)
                return "an array that is not there";
            *arrays++ = plan->array_at[*next];
        }
        plan->operands += own->inputs;
        const char *wrong = check_instruction(plan, own, widths);
        if (wrong)
            return wrong;
        if (own->output != NO_OUTPUT)
            plan->register_at[own->output].offset = 0; /* it has a value; its place comes later */
        word = next;
    }
    return word == end ? NULL : "code behind the last instruction";
}

/* Places of registers in a frame: one is free again after its last use. */
static u64 placed(struct core_plan *plan, u64 *chunk_count, u64 cells)
{
    for (u64 index = 0; index < *chunk_count; index++) {
        u64 *chunk = plan->chunks + 2 * index;
        if (chunk[1] == cells) {
            const u64 offset = chunk[0], *last = plan->chunks + 2 * --*chunk_count;
            chunk[0] = last[0];
            chunk[1] = last[1];
            return offset;
        }
    }
    plan->cells += cells;
    return plan->cells - cells;
}

static u64 cells_of(const struct core_register *own)
{
    return own->kind == 'v' ? own->width : own->kind == 's' ? 2 : own->kind == 'g' ? 3 : 1;
}

static void place_registers(struct core_plan *plan)
{
    u64 chunk_count = 0;
    for (u64 number = 0; number < plan->outputs; number++)
        plan->register_at[plan->output_at[number]].last_use = UINT32_MAX;
    for (u64 number = 0; number < plan->registers; number++)
        if (number < plan->inputs || plan->register_at[number].constant)
            plan->register_at[number].offset = placed(plan, &chunk_count, cells_of(&plan->register_at[number]));
    for (u64 number = 0; number < plan->instructions; number++) {
        const struct core_instruction *own = &plan->instruction_at[number];
        if (own->output != NO_OUTPUT)
            plan->register_at[own->output].offset =
                placed(plan, &chunk_count, cells_of(&plan->register_at[own->output]));
        for (u32 index = 0; index <= own->inputs; index++) {
            if (index == own->inputs && own->output == NO_OUTPUT)
                break;
            struct core_register *used = &plan->register_at[index < own->inputs ? own->input_at[index] : own->output];
            const u32 end = index < own->inputs ? (u32)number + 1 : 0; /* a result that nobody takes has no use */
            if (used->constant || used->last_use != end)
                continue;
            plan->chunks[2 * chunk_count] = used->offset;
            plan->chunks[2 * chunk_count + 1] = cells_of(used);
            chunk_count++;
            used->last_use = UINT32_MAX; /* freed once */
        }
    }
}

/* Rows of a block: many where an operation reads more than the second level of the cache holds. */
static u64 block_of(const struct core_plan *plan)
{
    for (u64 number = 0; number < plan->registers; number++)
        if (plan->register_at[number].kind == 'g')
            return SPARSE_BLOCK;
    for (u64 number = 0; number < plan->arrays; number++)
        if (plan->array_at[number].count * cell_bytes(plan->array_at[number].kind) > SECOND_LEVEL)
            return CORE_LARGE_BLOCK;
    return CORE_BLOCK;
}

/* Bytes that the operations need for a block; `widths` has room for those of any instruction. */
static u64 scratch_of(const struct core_plan *plan, u32 *widths, u64 rows)
{
    u64 most = 0;
    for (u64 number = 0; number < plan->instructions; number++) {
        const struct core_instruction *own = &plan->instruction_at[number];
        const struct core_operation *operation = &plan->operations[own->operation];
        if (!operation->scratch)
            continue;
        for (u32 index = 0; index < own->inputs; index++)
            widths[index] = plan->register_at[own->input_at[index]].width;
        widths[own->inputs] = own->output == NO_OUTPUT ? 1 : plan->register_at[own->output].width;
        const u64 wanted = operation->scratch(own, widths, rows);
        most = wanted > most ? wanted : most;
    }
    return most;
}

const char *core_plan_load(struct core_plan *plan, const void *bytes, u64 size, const struct core_operation *operations,
                           u64 operation_count)
{
    const u64 *word = bytes;
    if (!head_words(word, size))
        return "bytes that are no plan";
    u8 *memory = (u8 *)plan;
    taken(&memory, sizeof *plan);
    *plan = (struct core_plan){operations, word[2], word[3], word[4], word[5], word[6], word[7],
                               NULL, NULL, NULL, NULL, NULL, 0, 0, CORE_BLOCK, 0, 0, 0, 0};
    plan->register_at = taken(&memory, plan->registers * sizeof(struct core_register));
    plan->output_at = taken(&memory, plan->outputs * 4);
    plan->array_at = taken(&memory, plan->arrays * sizeof(struct core_array));
    plan->instruction_at = taken(&memory, plan->instructions * sizeof(struct core_instruction));
    plan->chunks = taken(&memory, plan->registers * 16);
    u32 *inputs = taken(&memory, plan->code * 8);
    struct core_array *arrays = taken(&memory, plan->code * sizeof(struct core_array));
    word += HEADER;
    const char *wrong = read_registers(plan, word);
    word += plan->registers * 2;
    const u64 *outputs = word;
    word += plan->outputs;
    if (!wrong)
        wrong = read_arrays(plan, word, bytes, size);
    word += plan->arrays * 3;
    if (!wrong)
        wrong = read_code(plan, word, operation_count, inputs, arrays, inputs + plan->code);
    for (u64 number = 0; !wrong && number < plan->outputs; number++) {
        const u64 from = outputs[number];
        if (from >= plan->registers || (from >= plan->inputs && !plan->register_at[from].constant &&
                                        plan->register_at[from].offset != 0))
            return "a result that no instruction makes";
        if (plan->register_at[from].kind == 'g')
            return "a sparse vector as a result";
        plan->output_at[number] = (u32)from;
    }
    if (!wrong) {
        place_registers(plan);
        plan->block = block_of(plan);
        plan->scratch_of_one = scratch_of(plan, inputs + plan->code, 1);
        plan->scratch_of_block = scratch_of(plan, inputs + plan->code, plan->block);
    }
    return wrong;
}

u64 core_frame_memory(const struct core_plan *plan, u64 rows)
{
    const u64 scratch = rows == 1 ? plan->scratch_of_one : plan->scratch_of_block;
    if (scratch >= MOST_FRAME || plan->cells > MOST_FRAME / 8 / rows)
        return 0;
    return rounded(sizeof(struct core_frame)) + rounded(plan->instructions * sizeof(struct core_call)) +
           rounded(plan->instructions * sizeof(core_run)) + rounded(plan->operands * sizeof(struct core_operand)) +
           rounded(plan->cells * 8 * rows) + plan->arena + rounded(scratch) + 64;
}

static void *register_of(const struct core_frame *frame, u64 number)
{
    return frame->cells + frame->plan->register_at[number].offset * frame->capacity;
}

void core_frame_make(struct core_frame *frame, const struct core_plan *plan, u64 rows)
{
    u8 *memory = (u8 *)frame;
    taken(&memory, sizeof *frame);
    frame->plan = plan;
    frame->rows = frame->capacity = rows;
    frame->calls = taken(&memory, plan->instructions * sizeof(struct core_call));
    frame->runs = taken(&memory, plan->instructions * sizeof(core_run));
    struct core_operand *operands = taken(&memory, plan->operands * sizeof(struct core_operand));
    frame->cells = taken(&memory, plan->cells * 8 * rows);
    frame->arena_start = taken(&memory, plan->arena); /* and 64 bytes follow */
    for (u64 number = 0; number < plan->registers; number++) {
        const struct core_register *own = &plan->register_at[number];
        if (own->constant)
            copy_bytes(register_of(frame, number), &own->value, 8);
    }
    for (u64 number = 0; number < plan->instructions; number++) {
        const struct core_instruction *own = &plan->instruction_at[number];
        const u32 output = own->output;
        frame->runs[number] = plan->operations[own->operation].run;
        frame->calls[number] = (struct core_call){own, operands,
                                                  output == NO_OUTPUT ? NULL : register_of(frame, output),
                                                  output == NO_OUTPUT ? 1 : plan->register_at[output].width, rows, rows,
                                                  memory, plan->arena ? &frame->arena : NULL};
        for (u32 index = 0; index < own->inputs; index++) {
            const struct core_register *from = &plan->register_at[own->input_at[index]];
            *operands++ = (struct core_operand){register_of(frame, own->input_at[index]), from->constant, from->width};
        }
    }
}

void *core_frame_input(struct core_frame *frame, u64 number) { return register_of(frame, number); }

const void *core_frame_output(struct core_frame *frame, u64 number)
{
    return register_of(frame, frame->plan->output_at[number]);
}

int core_frame_run(struct core_frame *frame, u64 rows)
{
    const u64 count = frame->plan->instructions;
    if (rows != frame->rows) {
        for (u64 number = 0; number < count; number++)
            frame->calls[number].rows = rows;
        frame->rows = rows;
    }
    frame->arena = (struct core_arena){frame->arena_start, frame->arena_start + frame->plan->arena};
    for (u64 number = 0; number < count; number++) {
        const int status = frame->runs[number](&frame->calls[number]);
        if (status)
            return status;
    }
    return CORE_OK;
}

/* Words of a batch as words of the plan; 0 where a code or a word is none. */
static int take_words(i32 *to, const struct core_input *from, u64 start, u64 rows, u32 width)
{
    const i32 *codes = (const i32 *)from->at + start;
    if (!from->word_count)
        return 0;
    for (u64 row = 0; row < rows; row++) {
        const u64 code = codes[row] < 0 ? from->word_count - 1 : (u64)codes[row];
        if (code >= from->word_count || (u32)from->words[code] >= width)
            return 0;
        to[row] = from->words[code];
    }
    return 1;
}

/* Texts of a batch; 0 where a code is none. */
static int take_texts(struct core_text *to, const struct core_input *from, u64 start, u64 rows)
{
    const i32 *codes = (const i32 *)from->at + start;
    for (u64 row = 0; row < rows; row++) {
        const u64 code = codes[row] < 0 ? from->word_count - 1 : (u64)codes[row];
        if (code >= from->word_count)
            return 0;
        to[row] = from->texts[code];
    }
    return 1;
}

/* Numbers of rows that share them; 0 where a code is none. */
static int take_shared(u8 *to, const struct core_input *from, u64 start, u64 rows, u64 bytes)
{
    const i32 *codes = from->codes + start;
    const u64 count = from->word_count;
    u64 wrong = !count;
    for (u64 row = 0; row < rows && count; row++) {
        const u64 code = codes[row] < 0 ? count - 1 : (u64)codes[row], inside = code < count ? code : 0;
        wrong |= code != inside;
        if (bytes == 1)
            to[row] = ((const u8 *)from->at)[inside] != 0;
        else
            ((u64 *)(void *)to)[row] = ((const u64 *)from->at)[inside];
    }
    return !wrong;
}

/* Numbers of the words of a raw column; 0 where a text is not valid, or its word not allowed. */
static int take_by_word(u8 *to, const struct core_input *from, u64 start, u64 rows, u64 bytes)
{
    if (from->raw->cells)
        return bytes == 8 && incoming_fill(from->raw, to, start, rows);
    i32 words[CORE_LARGE_BLOCK];
    if (rows > CORE_LARGE_BLOCK || from->word_count != from->raw->width || !incoming_fill(from->raw, words, start, rows))
        return 0;
    /* all are below `word_count`, which is the width that they were read with */
    u64 *restrict cells = (u64 *)(void *)to;
    const u64 *restrict numbers = from->of_word;
    const u8 *restrict allowed = from->allowed;
    u64 wrong = 0;
    if (bytes == 1)
        for (u64 row = 0; row < rows; row++)
            to[row] = ((const u8 *)from->of_word)[words[row]] != 0;
    else
        for (u64 row = 0; row < rows; row++)
            cells[row] = numbers[words[row]];
    for (u64 row = 0; allowed && row < rows; row++)
        wrong |= !allowed[words[row]];
    return !wrong;
}

static int take_input(struct core_frame *frame, u64 number, const struct core_input *from, u64 start, u64 rows)
{
    const struct core_register *own = &frame->plan->register_at[number];
    u8 *to = register_of(frame, number);
    if (from->of_word)
        return (own->kind == 'd' || own->kind == 'i' || own->kind == 'b') &&
               take_by_word(to, from, start, rows, own->kind == 'b' ? 1 : 8);
    if (from->raw)
        return incoming_fill(from->raw, to, start, rows);
    if (from->codes)
        return own->kind != 'v' && take_shared(to, from, start, rows, own->kind == 'b' ? 1 : 8);
    if (own->kind == 't')
        return take_words((i32 *)(void *)to, from, start, rows, own->width);
    if (own->kind == 's')
        return take_texts((struct core_text *)(void *)to, from, start, rows);
    if (own->kind == 'b') {
        const u8 *cells = (const u8 *)from->at + start;
        for (u64 row = 0; row < rows; row++)
            to[row] = cells[row] != 0;
        return 1;
    }
    for (u64 part = 0; part < cells_of(own); part++)
        copy_bytes(to + part * frame->capacity * 8, (const u8 *)from->at + (part * from->stride + start) * 8, rows * 8);
    return 1;
}

/* 0 where text finds no room. */
static int give_output(const struct core_frame *frame, u64 number, const struct core_output *to, u64 start, u64 rows)
{
    const u64 from = frame->plan->output_at[number];
    const struct core_register *own = &frame->plan->register_at[from];
    const u8 *cells = register_of(frame, from);
    const u64 bytes = cell_bytes(own->kind);
    if (own->kind == 's')
        return to->take && to->take(to->taker, (const struct core_text *)(const void *)cells, start, rows);
    for (u64 part = 0; part < cells_of(own); part++) {
        u8 *target = (u8 *)to->at + (part * to->stride + start) * bytes;
        if (own->constant)
            for (u64 row = 0; row < rows; row++)
                copy_bytes(target + row * bytes, cells, bytes);
        else
            copy_bytes(target, cells + part * frame->capacity * bytes, rows * bytes);
    }
    return 1;
}

int core_run_rows(struct core_frame *frame, const struct core_input *inputs, const struct core_output *outputs, u64 start,
                  u64 stop)
{
    const struct core_plan *plan = frame->plan;
    u64 most = frame->capacity;
    while (start < stop) {
        const u64 rows = stop - start < most ? stop - start : most;
        for (u64 number = 0; number < plan->inputs; number++)
            if (!take_input(frame, number, &inputs[number], start, rows))
                return CORE_REFUSED;
        const int status = core_frame_run(frame, rows);
        if (status == CORE_FULL && rows > 1) {
            most = rows / 2;
            continue;
        }
        if (status)
            return status;
        for (u64 number = 0; number < plan->outputs; number++)
            if (!give_output(frame, number, &outputs[number], start, rows))
                return CORE_FULL;
        start += rows;
    }
    return CORE_OK;
}
