/* Plans from bytes: loaded at every level of this machine, and run where they load.

       bytes     a plan, then any bytes of which its rows are made
       frames    rows in blocks, and one row alone, as native/module.c runs them
       alone     each instruction once more, with memory of its exact size for each column, array, scratch and text,
                 and an arena of its own */
#include "mutate.h"
#include "texts_target.h"

enum { LEVELS = 3, WIDEST_RUN = 300, MOST_REGISTERS = 2000, MOST_FRAME_BYTES = 1 << 26, MOST_SCRATCH = 1 << 26 };

struct rows {
    u64 count, block, seen;
    struct core_input *inputs;
    struct core_output *outputs;
};

/* Of a register's cell; a text that comes in is a code of 4 bytes. */
static u64 bytes_of(u32 kind) { return kind == 't' ? 4 : kind == 'b' ? 1 : kind == 's' ? 16 : kind == 'g' ? 24 : 8; }

static u64 bytes_in(u32 kind) { return kind == 's' ? 4 : bytes_of(kind); }

static u64 parts_of(const struct core_register *own) { return own->kind == 'v' ? own->width : 1; }

/* A column of rows; codes and words may be none of the plan's, as those that come in. */
static void fill_input(struct core_input *input, const struct core_plan *plan, const struct core_register *own, u64 rows,
                       struct source *from)
{
    const u64 cells = rows * parts_of(own), bytes = bytes_in(own->kind);
    const int coded = own->kind == 't' || own->kind == 's';
    u8 *at = exact(cells * bytes);
    *input = (struct core_input){.at = at, .stride = rows};
    const int tame = next_byte(from) < 230;
    for (u64 cell = 0; cell < cells; cell++) {
        u64 value = own->kind == 'b' ? next_byte(from) & (tame ? 1 : 255) : 0;
        if (coded)
            value = tame ? next_byte(from) % WORD_COUNT : next_word(from);
        else if (own->kind != 'b')
            value = cell_of(from, own->kind);
        memcpy(at + cell * bytes, &value, bytes);
    }
    if (!coded)
        return;
    input->word_count = next_byte(from) < 250 ? WORD_COUNT : next_byte(from) % WORD_COUNT;
    if (own->kind == 's') {
        input->texts = drawn_texts(plan, WORD_COUNT, from);
        return;
    }
    i32 *words = exact(WORD_COUNT * 4);
    for (int word = 0; word < WORD_COUNT; word++)
        words[word] = (i32)(tame ? next_byte(from) % own->width : next_word(from));
    input->words = words;
}

static void make_rows(struct rows *rows, const struct core_plan *plan, struct source *from)
{
    const u64 draw = next_byte(from);
    rows->seen = 0;
    rows->count = draw < 200 ? 1 + draw % 11 : draw < 250 ? 12 + draw : 500 + draw;
    rows->block = next_byte(from) < 128 ? rows->count : 1 + next_byte(from) % rows->count;
    rows->block = rows->block < plan->block ? rows->block : plan->block;
    rows->inputs = exact(plan->inputs * sizeof *rows->inputs);
    rows->outputs = exact(plan->outputs * sizeof *rows->outputs);
    for (u64 number = 0; number < plan->inputs; number++)
        fill_input(&rows->inputs[number], plan, &plan->register_at[number], rows->count, from);
    for (u64 number = 0; number < plan->outputs; number++) {
        const struct core_register *own = &plan->register_at[plan->output_at[number]];
        const u64 bytes = rows->count * parts_of(own) * bytes_of(own->kind);
        rows->outputs[number] = (struct core_output){unfilled(bytes), rows->count, read_texts, &rows->seen};
    }
}

static void free_rows(struct rows *rows, const struct core_plan *plan)
{
    for (u64 number = 0; number < plan->inputs; number++) {
        free((void *)rows->inputs[number].at);
        free((void *)rows->inputs[number].words);
        free_texts(rows->inputs[number].texts, WORD_COUNT);
    }
    for (u64 number = 0; number < plan->outputs; number++)
        free(rows->outputs[number].at);
    free(rows->inputs);
    free(rows->outputs);
}

static struct core_frame *frame_of(const struct core_plan *plan, u64 rows)
{
    const u64 bytes = core_frame_memory(plan, rows);
    if (!bytes || bytes > MOST_FRAME_BYTES)
        return NULL;
    struct core_frame *frame = filled(bytes);
    core_frame_make(frame, plan, rows);
    return frame;
}

/* Rows in blocks. */
static void run_blocks(const struct core_plan *plan, const struct rows *rows)
{
    struct core_frame *frame = frame_of(plan, rows->block);
    const int status = frame ? core_run_rows(frame, rows->inputs, rows->outputs, 0, rows->count) : CORE_REFUSED;
    free(frame);
    for (u64 number = 0; status == CORE_OK && number < plan->outputs; number++) {
        const struct core_register *own = &plan->register_at[plan->output_at[number]];
        if (own->kind == 's')
            continue;
        __msan_check_mem_is_initialized(rows->outputs[number].at, rows->count * parts_of(own) * bytes_of(own->kind));
    }
}

/* The text of a row; none for a code that is none. */
static struct core_text text_of(const struct core_input *input, u64 row)
{
    const i32 code = ((const i32 *)input->at)[row];
    return code >= 0 && code < WORD_COUNT ? input->texts[code] : (struct core_text){NULL, 0};
}

/* The first row alone, as native/module.c fills its frame: words are below the width. */
static void run_one(const struct core_plan *plan, const struct rows *rows)
{
    struct core_frame *frame = frame_of(plan, 1);
    if (!frame)
        return;
    for (u64 number = 0; number < plan->inputs; number++) {
        const struct core_register *own = &plan->register_at[number];
        const u64 bytes = bytes_of(own->kind);
        u8 *to = core_frame_input(frame, number);
        if (own->kind == 's') {
            *(struct core_text *)(void *)to = text_of(&rows->inputs[number], 0);
            continue;
        }
        for (u64 part = 0; part < parts_of(own); part++)
            memcpy(to + part * 8, (const u8 *)rows->inputs[number].at + part * rows->count * bytes, bytes);
        if (own->kind == 't')
            *(u32 *)(void *)to %= own->width;
        if (own->kind == 'b')
            *to = *to != 0;
    }
    if (core_frame_run(frame, 1) == CORE_OK)
        for (u64 number = 0; number < plan->outputs; number++)
            __msan_check_mem_is_initialized(core_frame_output(frame, number),
                                            bytes_of(plan->register_at[plan->output_at[number]].kind));
    free(frame);
}

/* Columns of their exact size for all registers; constants have one cell. */
static u8 **columns_of(const struct core_plan *plan, const struct rows *rows, u64 stride)
{
    u8 **columns = exact(plan->registers * sizeof *columns);
    for (u64 number = 0; number < plan->registers; number++) {
        const struct core_register *own = &plan->register_at[number];
        const u64 bytes = bytes_of(own->kind), cells = own->constant ? 1 : (parts_of(own) - 1) * stride + rows->count;
        columns[number] = unfilled(cells * bytes);
        if (own->constant)
            memcpy(columns[number], &own->value, bytes);
        for (u64 row = 0; number < plan->inputs && own->kind == 's' && row < rows->count; row++)
            ((struct core_text *)(void *)columns[number])[row] = text_of(&rows->inputs[number], row);
        if (own->kind == 's')
            continue;
        for (u64 part = 0; number < plan->inputs && part < parts_of(own); part++)
            memcpy(columns[number] + part * stride * bytes,
                   (const u8 *)rows->inputs[number].at + part * rows->count * bytes, rows->count * bytes);
        for (u64 row = 0; number < plan->inputs && row < rows->count; row++) {
            if (own->kind == 't')
                ((u32 *)(void *)columns[number])[row] %= own->width;
            if (own->kind == 'b')
                columns[number][row] = columns[number][row] != 0;
        }
    }
    return columns;
}

/* With an arena of its own; what is left in there moves out. */
static int run_with_arena(const struct core_plan *plan, struct core_call *call, struct kept *kept)
{
    const u32 output = call->instruction->output, kind = output == UINT32_MAX ? 0 : plan->register_at[output].kind;
    u8 *memory = plan->arena ? unfilled(plan->arena + ARENA_LINE) : NULL; /* behind its end may be read */
    struct core_arena arena = {memory, memory + plan->arena};
    call->arena = memory ? &arena : NULL;
    const int status = plan->operations[call->instruction->operation].run(call);
    if (status == CORE_OK && kind == 's')
        move_texts(call->out, call->rows, kept);
    if (status == CORE_OK && kind == 'g')
        move_bags(call->out, call->rows, call->out_width, kept);
    free(memory);
    return status;
}

static int run_instruction(const struct core_plan *plan, const struct core_instruction *own, u8 **columns, u64 rows,
                            u64 stride, struct kept *kept)
{
    const struct core_operation *operation = &plan->operations[own->operation];
    struct core_array *arrays = exact(own->arrays * sizeof *arrays);
    struct core_operand *operands = exact(own->inputs * sizeof *operands);
    u32 *widths = exact((own->inputs + 1) * sizeof *widths);
    for (u32 index = 0; index < own->inputs; index++) {
        const struct core_register *from = &plan->register_at[own->input_at[index]];
        operands[index] = (struct core_operand){columns[own->input_at[index]], from->constant, from->width};
        widths[index] = from->width;
    }
    widths[own->inputs] = own->output == UINT32_MAX ? 1 : plan->register_at[own->output].width;
    for (u32 index = 0; index < own->arrays; index++) {
        const struct core_array *from = &own->array_at[index];
        const u64 bytes = from->count * array_cell_bytes(from->kind) + 64;
        arrays[index] = *from;
        arrays[index].data = memcpy(exact(bytes), from->data, bytes);
    }
    struct core_instruction copy = *own;
    copy.array_at = arrays;
    int status = CORE_REFUSED;
    const u64 scratch = operation->scratch ? operation->scratch(&copy, widths, rows) : 0;
    if (scratch <= MOST_SCRATCH) {
        void *memory = filled(scratch);
        struct core_call call = {&copy, operands, own->output == UINT32_MAX ? NULL : columns[own->output],
                                 widths[own->inputs], rows, stride, memory, NULL};
        status = run_with_arena(plan, &call, kept);
        free(memory);
    }
    for (u32 index = 0; index < own->arrays; index++)
        free((void *)arrays[index].data);
    free(arrays);
    free(operands);
    free(widths);
    return status;
}

/* Until a row is refused: what comes after would read a column that nothing has filled. */
static void run_alone(const struct core_plan *plan, const struct rows *rows, u64 stride)
{
    u8 **columns = columns_of(plan, rows, stride);
    struct kept kept = {NULL, 0};
    int status = CORE_OK;
    for (u64 number = 0; status == CORE_OK && number < plan->instructions; number++)
        status = run_instruction(plan, &plan->instruction_at[number], columns, rows->count, stride, &kept);
    free_kept(&kept);
    for (u64 number = 0; number < plan->registers; number++)
        free(columns[number]);
    free(columns);
}

static int is_small(const struct core_plan *plan)
{
    for (u64 number = 0; number < plan->registers; number++)
        if (plan->register_at[number].kind == 'v' && plan->register_at[number].width > WIDEST_RUN)
            return 0;
    return plan->registers <= MOST_REGISTERS && plan->instructions <= MOST_REGISTERS;
}

static void run_level(const struct core_operation *operations, const u8 *bytes, u64 size, struct source rows_from)
{
    const u64 needed = core_plan_memory(bytes, size);
    if (!needed || needed > MOST_FRAME_BYTES)
        return;
    struct core_plan *plan = unfilled(needed);
    if (!core_plan_load(plan, bytes, size, operations, core_operation_count_0) && is_small(plan)) {
        struct rows rows;
        if (plan->arena)
            plan->arena = drawn_arena(&rows_from);
        make_rows(&rows, plan, &rows_from);
        run_blocks(plan, &rows);
        run_one(plan, &rows);
        if (rows.count <= plan->block)
            run_alone(plan, &rows, rows.count + next_byte(&rows_from) % 3);
        free_rows(&rows, plan);
    }
    free(plan);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    u64 own = size;
    if (size >= 16) {
        memcpy(&own, data + 8, 8);
        own = own <= size ? own : size;
    }
    u8 *bytes = exact(own + 64);
    memset(bytes, 0, own + 64);
    memcpy(bytes, data, own);
    for (int level = 0; level < LEVELS; level++)
        if (operations_of(level))
            run_level(operations_of(level), bytes, own, (struct source){data + own, size - own, 0});
    free(bytes);
    return 0;
}
