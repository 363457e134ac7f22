/* Raw columns from bytes, as Arrow and NumPy hold them: chunks whose buffers have their exact size, and cells, codes,
   offsets, views and bits that may be anything. What is read has to be a cell that its rule allows. */
#include "../incoming.h"
#include "target.h"

enum { WORDS = 4, MOST_CHUNKS = 3, MOST_WORDS = 9 };

static const char *const TEXTS[WORDS] = {"", "a", "\xC3\xA9t\xC3\xA9", "a word of more than seven bytes"};

static struct word_table word_table(void)
{
    const u64 count = word_slots(WORDS);
    struct word_table table = {calloc(count, sizeof(struct word_slot)), count - 1, calloc(WORDS, sizeof(char *)),
                               calloc(WORDS, sizeof(u64))};
    for (u64 number = 0; number < WORDS; number++) {
        table.texts[number] = TEXTS[number];
        table.lengths[number] = strlen(TEXTS[number]);
        enter_word(&table, number);
    }
    return table;
}

static void *some_bytes(struct source *from, u64 bytes)
{
    u8 *memory = exact(bytes);
    const int draw = (int)(next_byte(from) & 3);
    for (u64 index = 0; index < bytes; index++)
        memory[index] = (u8)(draw == 0 ? 0 : draw == 1 ? 255 : next_byte(from));
    return memory;
}

/* Text: of words of the table, of characters, or of any bytes. */
static u8 *some_text(struct source *from, u64 bytes)
{
    u8 *memory = some_bytes(from, bytes);
    if (next_byte(from) & 1)
        for (u64 index = 0; index < bytes; index++)
            memory[index] = (u8)TEXTS[3][index % 31];
    return memory;
}

static u64 cell_size(u32 storage)
{
    switch (storage) {
    case 'c':
    case 'C':
    case '?':
        return 1;
    case 's':
    case 'S':
        return 2;
    case 'i':
    case 'I':
    case 'f':
    case 'D':
    case 'u':
        return 4;
    case 'v':
        return 16;
    default:
        return 8;
    }
}

/* Offsets of which the last is inside the text; the others are in order, or anything. */
static void fill_offsets(struct source *from, struct incoming_chunk *chunk, u8 *cells, u64 bytes)
{
    const u64 size = next_byte(from) % 60;
    const int tame = next_byte(from) < 200;
    i64 place = 0;
    for (u64 row = 0; row <= chunk->rows; row++) {
        const u64 step = tame || row == chunk->rows ? next_byte(from) % 5 : next_word(from);
        place = row == chunk->rows && !tame ? (i64)(step % (size + 1)) : (i64)((u64)place + (row ? step : 0));
        if (tame && (u64)place > size)
            place = (i64)size;
        memcpy(cells + row * bytes, &place, bytes);
    }
    i32 narrow[2];
    memcpy(&narrow[0], cells, 4);
    memcpy(&narrow[1], cells + chunk->rows * bytes, 4);
    chunk->text_start = narrow[0];
    chunk->text_stop = narrow[1];
    chunk->text = some_text(from, size);
}

/* Views: short ones inside of their cells, longer ones anywhere. */
static void fill_views(struct source *from, struct incoming_chunk *chunk, u8 *cells)
{
    const u8 **buffers = exact(2 * sizeof *buffers);
    i64 *sizes = exact(2 * sizeof *sizes);
    for (int number = 0; number < 2; number++) {
        sizes[number] = (i64)(next_byte(from) % 60);
        buffers[number] = next_byte(from) < 20 ? NULL : some_text(from, (u64)sizes[number]);
    }
    chunk->buffers = buffers;
    chunk->buffer_sizes = sizes;
    chunk->buffer_count = next_byte(from) % 3;
    for (u64 row = 0; row < chunk->rows; row++) {
        i32 view[4] = {(i32)(next_byte(from) % 40), (i32)next_word(from), (i32)(next_byte(from) % 3),
                       (i32)(next_byte(from) % 50)};
        if (next_byte(from) < 40)
            view[next_byte(from) % 4] = (i32)next_word(from);
        memcpy(cells + 16 * row, view, 16);
    }
}

static struct incoming_chunk make_chunk(struct source *from, u32 storage, u64 rows)
{
    struct incoming_chunk chunk = {0};
    chunk.storage = storage;
    chunk.rows = rows;
    chunk.unit = (u32) "smun"[next_byte(from) & 3];
    chunk.nat_is_missing = next_byte(from) & 1;
    const u64 bytes = cell_size(storage), first = next_byte(from) % 9;
    if (next_byte(from) & 1) {
        chunk.first_known = next_byte(from) % 17;
        chunk.known = some_bytes(from, (chunk.first_known + rows + 7) / 8);
    }
    chunk.step = (i64)bytes;
    if (storage == 'b') {
        chunk.first_bit = first;
        chunk.data = some_bytes(from, (first + rows + 7) / 8);
        return chunk;
    }
    const int strided = storage != 'u' && storage != 'U' && storage != 'v' && next_byte(from) < 60;
    const u64 steps = strided ? 1 + next_byte(from) % 3 : 1, cells = storage == 'u' || storage == 'U' ? rows + 1 : rows;
    u8 *memory = some_bytes(from, cells * bytes * steps);
    chunk.data = memory;
    chunk.step = (i64)(bytes * steps);
    if (strided && next_byte(from) & 1) { /* from the last cell to the first */
        chunk.data = memory + (rows - 1) * bytes * steps;
        chunk.step = -chunk.step;
    }
    if (storage == 'v')
        fill_views(from, &chunk, memory);
    else if (storage == 'u' || storage == 'U')
        fill_offsets(from, &chunk, memory, bytes);
    else if (bytes == 8)
        for (u64 cell = 0; cell < rows * steps; cell++) {
            const u64 value = cell_of(from, storage == 'g' ? 'd' : 'i');
            memcpy(memory + 8 * cell, &value, 8);
        }
    else if (next_byte(from) & 1)
        for (u64 cell = 0; cell < rows * steps * bytes; cell += bytes)
            memset(memory + cell, 0, bytes), memory[cell] = (u8)(next_byte(from) % 8);
    return chunk;
}

static void free_chunk(struct incoming_chunk *chunk)
{
    const u64 back = chunk->step < 0 ? (chunk->rows - 1) * (u64)-chunk->step : 0;
    free((void *)(chunk->data - back));
    free((void *)chunk->known);
    free((void *)chunk->text);
    for (int number = 0; chunk->buffers && number < 2; number++)
        free((void *)chunk->buffers[number]);
    free((void *)chunk->buffers);
    free((void *)chunk->buffer_sizes);
}

static struct incoming_rule make_rule(struct source *from, const struct word_table *table)
{
    static const i64 ALLOWED[3] = {-1, 2, 7};
    struct incoming_rule rule = {(u32) "dinbmtwy"[next_byte(from) & 7], next_byte(from) & 1, 0, 0, 0, 0, NULL, 0, NULL};
    rule.nullable |= rule.kind == 'n' || rule.kind == 'm';
    const int bounded = next_byte(from) & 1;
    rule.low = bounded ? -2.5 : -1.0 / 0.0;
    rule.high = bounded ? 1e10 : 1.0 / 0.0;
    rule.least = bounded ? -3 : INT64_MIN + (rule.kind == 'w' || rule.kind == 'y');
    rule.most = bounded ? 40 : INT64_MAX;
    if (next_byte(from) < 60 && (rule.kind == 'i' || rule.kind == 'n'))
        rule.allowed = ALLOWED, rule.allowed_count = 3;
    if (next_byte(from) < 60 && rule.kind == 't')
        rule.allowed_words = table;
    return rule;
}

/* What was read keeps the rule; words are below the width. */
static void check_cells(const struct incoming *own, const void *cells, u64 rows)
{
    const struct incoming_rule *rule = own->rule;
    for (u64 row = 0; row < rows; row++) {
        int holds = 1;
        if (rule->kind == 't')
            holds = ((const u32 *)cells)[row] < own->width;
        else if (rule->kind == 'b')
            holds = ((const u8 *)cells)[row] < 2;
        else if (rule->kind == 'd') {
            const f64 cell = ((const f64 *)cells)[row];
            holds = cell != cell ? (int)rule->nullable : cell >= rule->low && cell <= rule->high;
        } else if (rule->kind == 'i' || rule->kind == 'w' || rule->kind == 'y') {
            const i64 cell = ((const i64 *)cells)[row];
            holds = (cell >= rule->least && cell <= rule->most) ||
                    (cell == CORE_NAT && rule->nullable && rule->kind != 'i') || (rule->kind == 'i' && rule->nullable);
        }
        if (!holds)
            abort();
    }
}

static void read_column(struct source *from, struct incoming *own, u64 rows)
{
    const u64 bytes = own->rule->kind == 't' ? 4 : own->rule->kind == 'b' ? 1 : 8;
    for (int trial = 0; trial < 3; trial++) {
        const u64 start = trial ? next_byte(from) % rows : 0, some = trial ? 1 + next_byte(from) % (rows - start) : rows;
        void *cells = unfilled(some * bytes);
        if (incoming_fill(own, cells, start, some)) {
            __msan_check_mem_is_initialized(cells, some * bytes);
            check_cells(own, cells, some);
        }
        free(cells);
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    static const char STORAGES[] = "gfcsilCSILb?TDuUv";
    struct source from = {data, size, 0};
    struct word_table table = word_table();
    const struct incoming_rule rule = make_rule(&from, &table);
    const int by_codes = rule.kind == 't' && next_byte(&from) < 100;
    u32 storage = 0;
    for (u64 trial = next_byte(&from); !storage || !incoming_fits(&rule, storage, by_codes); trial++)
        storage = (u32)STORAGES[trial % (sizeof STORAGES - 1)];
    struct incoming_chunk chunks[MOST_CHUNKS], words[MOST_CHUNKS];
    i32 *numbers[MOST_CHUNKS];
    const u64 count = 1 + next_byte(&from) % MOST_CHUNKS;
    const int numbered = (int)(next_byte(&from) & 1);
    struct incoming own = {&rule, chunks, count, 0, &table, WORDS + 2, by_codes && numbered ? (const i32 *const *)numbers : NULL,
                           NULL, 0};
    u64 rows = 0;
    for (u64 number = 0; number < count; number++) {
        const u64 draw = next_byte(&from);
        chunks[number] = make_chunk(&from, storage, 1 + (draw > 250 ? 4200 : draw % 20));
        chunks[number].first = rows;
        rows += chunks[number].rows;
        if (!by_codes)
            continue;
        words[number] = make_chunk(&from, (u32) "uUv"[next_byte(&from) % 3], 1 + next_byte(&from) % MOST_WORDS);
        chunks[number].words = &words[number];
        numbers[number] = exact(words[number].rows * sizeof(i32));
        incoming_numbers(&own, &words[number], numbers[number]);
    }
    read_column(&from, &own, rows);
    for (u64 number = 0; number < count; number++) {
        free_chunk(&chunks[number]);
        if (by_codes) {
            free_chunk(&words[number]);
            free(numbers[number]);
        }
    }
    free(table.slots);
    free(table.texts);
    free(table.lengths);
    return 0;
}
