/* Mutations that know what a plan is: they change registers, instructions, settings and arrays one at a time, and write
   a plan whose sizes fit again. What they make is still wrong most of the time; that is the purpose. */
#ifndef PIPELINE_FUZZ_MUTATE_H
#define PIPELINE_FUZZ_MUTATE_H

#include <stdlib.h>
#include <string.h>

#include "../plan.h"

extern const struct core_operation core_operations_0[];
extern const u64 core_operation_count_0;
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t most);

enum { HEADER_WORDS = 8, REGISTERS = 1024, OUTPUTS = 128, ARRAYS = 512, INSTRUCTIONS = 512, OWN_WORDS = 400, TAIL = 4096 };

struct drawn_instruction {
    u64 operation, inputs, ints, arrays, output;
    u64 words[OWN_WORDS]; /* inputs' registers, ints, arrays' numbers */
};

struct drawn_array {
    u64 kind, count, bytes;
    u8 *data;
};

struct document {
    u64 registers, inputs, outputs, instructions, arrays;
    u64 register_at[2 * REGISTERS], output_at[OUTPUTS];
    struct drawn_array array_at[ARRAYS];
    struct drawn_instruction instruction_at[INSTRUCTIONS];
    u64 tail_bytes;
    u8 tail[TAIL];
};

static u64 random_state;

static u64 draw(u64 below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return below ? (random_state >> 11) % below : 0;
}

static u64 array_cell_bytes(u64 kind) { return kind == 'l' || kind == 'f' ? 4 : kind == 'b' ? 1 : kind == 'h' ? 2 : 8; }

static void free_document(struct document *own)
{
    for (u64 number = 0; own && number < own->arrays; number++)
        free(own->array_at[number].data);
    free(own);
}

static int read_drawn_array(struct drawn_array *own, const u64 *word, const u8 *bytes, u64 size)
{
    const u64 length = word[2] * array_cell_bytes(word[0]);
    if (word[2] > size || word[1] > size || length > size - word[1])
        return 0;
    *own = (struct drawn_array){word[0], word[2], length, malloc(length + 64)};
    memcpy(own->data, bytes + word[1], length);
    return 1;
}

static int read_drawn_code(struct document *own, const u64 *word, const u64 *end)
{
    for (u64 number = 0; number < own->instructions; number++) {
        struct drawn_instruction *next = &own->instruction_at[number];
        if (end - word < 5)
            return 0;
        *next = (struct drawn_instruction){word[0], word[1], word[2], word[3], word[4], {0}};
        if (word[1] > OWN_WORDS || word[2] > OWN_WORDS || word[3] > OWN_WORDS)
            return 0;
        const u64 words = word[1] + word[2] + word[3];
        if (words > OWN_WORDS || words > (u64)(end - word) - 5)
            return 0;
        memcpy(next->words, word + 5, words * 8);
        word += 5 + words;
    }
    return 1;
}

/* A plan's parts; NULL where bytes are none, or more than fit. */
static struct document *read_document(const u8 *data, u64 size)
{
    u64 head[HEADER_WORDS];
    if (size < sizeof head)
        return NULL;
    memcpy(head, data, sizeof head);
    if (head[0] != CORE_MAGIC || head[1] > size || head[1] < sizeof head || head[2] > REGISTERS || head[3] > head[2] ||
        head[4] > OUTPUTS || head[5] > INSTRUCTIONS || head[6] > ARRAYS || head[7] > size)
        return NULL;
    const u64 words = HEADER_WORDS + 2 * head[2] + head[4] + 3 * head[6] + head[7];
    if (words * 8 > head[1])
        return NULL;
    struct document *own = calloc(1, sizeof *own);
    u64 *all = malloc(words * 8);
    memcpy(all, data, words * 8);
    own->registers = head[2], own->inputs = head[3], own->outputs = head[4], own->instructions = head[5];
    const u64 *word = all + HEADER_WORDS;
    memcpy(own->register_at, word, 16 * own->registers);
    word += 2 * own->registers;
    memcpy(own->output_at, word, 8 * own->outputs);
    word += own->outputs;
    int good = 1;
    for (; good && own->arrays < head[6]; word += 3)
        good = read_drawn_array(&own->array_at[own->arrays], word, data, head[1]) && ++own->arrays;
    good = good && read_drawn_code(own, all + words - head[7], all + words);
    free(all);
    if (!good) {
        free_document(own);
        return NULL;
    }
    own->tail_bytes = size - head[1] < TAIL ? size - head[1] : TAIL;
    memcpy(own->tail, data + head[1], own->tail_bytes);
    return own;
}

static u64 lines(u64 bytes) { return (bytes + 63) / 64 * 64; }

/* The bytes of a document; 0 where they are more than `most`. */
static u64 write_document(const struct document *own, u8 *data, u64 most)
{
    u64 code = 0, place;
    for (u64 number = 0; number < own->instructions; number++) {
        const struct drawn_instruction *next = &own->instruction_at[number];
        code += 5 + next->inputs + next->ints + next->arrays;
    }
    const u64 words = HEADER_WORDS + 2 * own->registers + own->outputs + 3 * own->arrays + code;
    u64 size = place = lines(8 * words);
    for (u64 number = 0; number < own->arrays; number++)
        size += lines(own->array_at[number].bytes);
    if (size + own->tail_bytes > most)
        return 0;
    memset(data, 0, size);
    u64 *all = malloc(words * 8), *word = all + HEADER_WORDS;
    const u64 head[HEADER_WORDS] = {CORE_MAGIC,   size, own->registers, own->inputs, own->outputs, own->instructions,
                                    own->arrays, code};
    memcpy(all, head, sizeof head);
    memcpy(word, own->register_at, 16 * own->registers);
    word += 2 * own->registers;
    memcpy(word, own->output_at, 8 * own->outputs);
    word += own->outputs;
    for (u64 number = 0; number < own->arrays; number++) {
        const struct drawn_array *next = &own->array_at[number];
        *word++ = next->kind, *word++ = place, *word++ = next->count;
        memcpy(data + place, next->data, next->bytes);
        place += lines(next->bytes);
    }
    for (u64 number = 0; number < own->instructions; number++) {
        const struct drawn_instruction *next = &own->instruction_at[number];
        const u64 count = next->inputs + next->ints + next->arrays;
        memcpy(word, next, 40);
        memcpy(word + 5, next->words, 8 * count);
        word += 5 + count;
    }
    memcpy(data, all, words * 8);
    free(all);
    memcpy(data + size, own->tail, own->tail_bytes);
    return size + own->tail_bytes;
}

static u64 other_number(u64 number)
{
    static const u64 EDGES[] = {0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 65535, 1 << 20, UINT32_MAX,
                                (u64)1 << 32, (u64)1 << 62, (u64)1 << 63, UINT64_MAX};
    switch (draw(6)) {
    case 0:
        return EDGES[draw(sizeof EDGES / sizeof *EDGES)];
    case 1:
        return number + 1;
    case 2:
        return number - 1;
    case 3:
        return number ^ (u64)1 << draw(64);
    case 4:
        return draw(2) ? number * 2 : number / 2;
    default:
        return draw(20);
    }
}

/* A register of a kind that has a value before an instruction; its number, or UINT64_MAX. */
static u64 register_of_kind(const struct document *own, u32 kind, u64 before)
{
    for (int trial = 0; trial < 40; trial++) {
        const u64 number = draw(own->registers);
        const int constant = own->register_at[2 * number] >> 8 & 1;
        int known = number < own->inputs || constant;
        for (u64 index = 0; !known && index < before; index++)
            known = own->instruction_at[index].output == number;
        if (own->registers && known && (own->register_at[2 * number] & 255) == kind)
            return number;
    }
    return UINT64_MAX;
}

static u64 new_register(struct document *own, u64 word, u64 value)
{
    if (own->registers >= REGISTERS)
        return UINT64_MAX;
    own->register_at[2 * own->registers] = word;
    own->register_at[2 * own->registers + 1] = value;
    return own->registers++;
}

static struct drawn_instruction *insert_instruction(struct document *own, u64 place)
{
    if (own->instructions >= INSTRUCTIONS)
        return NULL;
    memmove(own->instruction_at + place + 1, own->instruction_at + place,
            (own->instructions++ - place) * sizeof *own->instruction_at);
    memset(own->instruction_at + place, 0, sizeof *own->instruction_at);
    return own->instruction_at + place;
}

/* Let an instruction take registers of the kinds that its operation wants, and give a new one. */
static void connect(struct document *own, struct drawn_instruction *to, u64 place, u64 repeat)
{
    const char *kinds = core_operations_0[to->operation].kinds;
    u64 count = 0, width = 1 + draw(6), words[OWN_WORDS];
    for (; *kinds != ':'; kinds++) {
        const u64 more = *kinds == '+' ? (repeat > count ? repeat - count : 0) : 1;
        const u32 kind = (u32)(*kinds == '+' ? kinds[-1] : *kinds);
        for (u64 index = 0; index < more && count < OWN_WORDS / 2; index++) {
            u64 from = register_of_kind(own, kind, place);
            if (from == UINT64_MAX && kind == 's' && own->inputs && draw(2)) {
                from = draw(own->inputs);
                own->register_at[2 * from] = 's' | (u64)1 << 32;
            } else if (from == UINT64_MAX && kind != 'v' && kind != 's' && kind != 'g')
                from = new_register(own, kind | 256 | (u64)(kind == 't' ? 6 : 1) << 32, draw(2));
            if (from == UINT64_MAX)
                from = draw(own->registers);
            if (kind == 'v' || kind == 't' || kind == 'g')
                width = own->register_at[2 * from] >> 32;
            words[count++] = from;
        }
    }
    const u64 rest = to->ints + to->arrays;
    if (count + rest > OWN_WORDS)
        return;
    memmove(to->words + count, to->words + to->inputs, rest * 8);
    memcpy(to->words, words, count * 8);
    to->inputs = count;
    const u32 kind = (u32)kinds[1];
    if (kind == 't')
        for (u64 number = 0; number < own->registers; number++)
            if ((own->register_at[2 * number] & 255) == 't')
                width = own->register_at[2 * number] >> 32;
    to->output = kind == '-' ? UINT64_MAX : new_register(own, kind | (kind == 'v' || kind == 't' || kind == 'g' ? width : 1) << 32, 0);
    if (kind != '-' && kind != 's' && kind != 'g' && own->outputs < OUTPUTS && draw(2))
        own->output_at[own->outputs++] = to->output;
}

static void add_array(struct document *own, struct drawn_array from)
{
    u8 *data = malloc(from.bytes + 64);
    memcpy(data, from.data, from.bytes);
    from.data = data;
    own->array_at[own->arrays++] = from;
}

/* Take an instruction, with its arrays, from another plan. */
static void transplant(struct document *own, const struct document *other)
{
    if (!other->instructions)
        return;
    const struct drawn_instruction *from = &other->instruction_at[draw(other->instructions)];
    const u64 place = draw(own->instructions + 1);
    if (from->operation >= core_operation_count_0 || own->arrays + from->arrays > ARRAYS)
        return;
    struct drawn_instruction *to = insert_instruction(own, place);
    if (!to)
        return;
    *to = *from;
    for (u64 index = 0; index < from->arrays; index++) {
        u64 *number = &to->words[from->inputs + from->ints + index];
        if (*number < other->arrays)
            add_array(own, other->array_at[*number]);
        *number = own->arrays - 1;
    }
    connect(own, to, place, from->inputs);
    if (to->output < own->registers && from->output < other->registers && draw(4))
        own->register_at[2 * to->output] = other->register_at[2 * from->output];
}

static void new_instruction(struct document *own)
{
    const u64 place = draw(own->instructions + 1);
    struct drawn_instruction *to = insert_instruction(own, place);
    if (!to)
        return;
    to->operation = draw(core_operation_count_0);
    if (core_operations_0[to->operation].check)
        to->ints = draw(4), to->arrays = own->arrays ? draw(4) : 0;
    for (u64 index = 0; index < to->ints; index++)
        to->words[index] = other_number(0);
    for (u64 index = 0; index < to->arrays; index++)
        to->words[to->ints + index] = draw(own->arrays);
    connect(own, to, place, 1 + draw(4));
}

static void change_array(struct document *own)
{
    if (!own->arrays)
        return;
    struct drawn_array *one = &own->array_at[draw(own->arrays)];
    const u64 size = array_cell_bytes(one->kind), cell = one->count ? draw(one->count) * size : 0;
    u64 number = 0;
    switch (draw(6)) {
    case 0:
        one->kind = (u64) "dfiluhb"[draw(7)];
        break;
    case 1:
        one->count = draw(2) ? one->bytes / size : other_number(one->count);
        break;
    case 2:
        if (one->bytes)
            LLVMFuzzerMutate(one->data, one->bytes, one->bytes);
        break;
    default:
        if (cell + size > one->bytes)
            return;
        memcpy(&number, one->data + cell, size);
        number = other_number(number);
        memcpy(one->data + cell, &number, size);
    }
}

static void change_instruction(struct document *own)
{
    if (!own->instructions)
        return;
    const u64 place = draw(own->instructions), other = draw(own->instructions);
    struct drawn_instruction *one = &own->instruction_at[place], copy;
    const u64 words = one->inputs + one->ints + one->arrays;
    switch (draw(8)) {
    case 0:
        one->operation = draw(core_operation_count_0);
        break;
    case 1: /* another operation on the same columns */
        for (int trial = 0; trial < 200; trial++) {
            const u64 candidate = draw(core_operation_count_0);
            if (one->operation < core_operation_count_0 &&
                !strcmp(core_operations_0[candidate].kinds, core_operations_0[one->operation].kinds)) {
                one->operation = candidate;
                break;
            }
        }
        break;
    case 2:
        if (one->inputs && own->registers)
            one->words[draw(one->inputs)] = draw(own->registers);
        break;
    case 3:
        copy = *one, *one = own->instruction_at[other], own->instruction_at[other] = copy;
        break;
    case 4:
        memmove(one, one + 1, (--own->instructions - place) * sizeof *one);
        break;
    case 5:
        one->output = draw(8) ? draw(own->registers) : UINT64_MAX;
        break;
    default:
        if (words) {
            const u64 at = draw(words);
            one->words[at] = other_number(one->words[at]);
        }
    }
}

static void change_register(struct document *own)
{
    if (!own->registers)
        return;
    u64 *word = own->register_at + 2 * draw(own->registers);
    switch (draw(5)) {
    case 0:
        word[0] = (word[0] & ~(u64)255) | (u64) "dibtvsg"[draw(7)];
        break;
    case 1:
        word[0] ^= 256;
        break;
    case 2:
        word[1] = other_number(word[1]);
        break;
    case 3:
        word[0] = (word[0] & UINT32_MAX) | other_number(word[0] >> 32) << 32;
        break;
    default: /* all widths of one size */
        for (u64 number = 0, from = word[0] >> 32, to = other_number(from) & 63; number < own->registers; number++)
            if (own->register_at[2 * number] >> 32 == from && from != 1)
                own->register_at[2 * number] = (own->register_at[2 * number] & UINT32_MAX) | to << 32;
    }
}

static void change_outputs(struct document *own)
{
    if (draw(2) && own->outputs < OUTPUTS)
        own->output_at[own->outputs++] = draw(own->registers);
    else if (own->outputs)
        own->output_at[draw(own->outputs)] = draw(8) ? draw(own->registers) : other_number(0);
    if (!draw(20))
        own->inputs = other_number(own->inputs);
}

static void change_document(struct document *own)
{
    switch (draw(8)) {
    case 0:
    case 1:
        change_array(own);
        break;
    case 2:
    case 3:
        change_instruction(own);
        break;
    case 4:
        change_register(own);
        break;
    case 5:
        change_outputs(own);
        break;
    case 6:
        new_instruction(own);
        break;
    default:
        own->tail_bytes = LLVMFuzzerMutate(own->tail, own->tail_bytes, draw(4) ? 64 : TAIL);
    }
}

/* Any bytes; mostly under a header that is one. */
static size_t change_bytes(u8 *data, size_t size, size_t most)
{
    size = LLVMFuzzerMutate(data, size, most);
    if (size >= 16 && draw(8)) {
        const u64 magic = CORE_MAGIC, whole = size / 8 * 8;
        memcpy(data, &magic, 8);
        if (draw(2))
            memcpy(data + 8, &whole, 8);
    }
    return size;
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t most, unsigned seed)
{
    random_state = seed * 0x9E3779B97F4A7C15u + 1;
    struct document *own = draw(10) ? read_document(data, size) : NULL;
    if (!own)
        return change_bytes(data, size, most);
    for (u64 count = 1 + draw(4); count; count--)
        change_document(own);
    const u64 written = write_document(own, data, most);
    free_document(own);
    return written ? written : change_bytes(data, size, most);
}

size_t LLVMFuzzerCustomCrossOver(const u8 *one, size_t one_size, const u8 *two, size_t two_size, u8 *out, size_t most,
                                 unsigned seed)
{
    random_state = seed * 0x9E3779B97F4A7C15u + 1;
    struct document *own = read_document(one, one_size), *other = read_document(two, two_size);
    u64 written = 0;
    if (own && other) {
        for (u64 count = 1 + draw(3); count; count--)
            transplant(own, other);
        written = write_document(own, out, most);
    }
    free_document(own);
    free_document(other);
    return written;
}

#endif
