/* Words by their text: each has a number from 0 on. */
#ifndef PIPELINE_WORDS_H
#define PIPELINE_WORDS_H

#include "core.h"

/* A word's place by its hash: texts of up to 8 bytes are told by `part` and the length alone. */
struct word_slot {
    u64 part, length;
    u64 number; /* + 1; 0 for a free place */
};

/* More than half of the places are free. */
struct word_table {
    struct word_slot *slots;
    u64 slot_mask;
    const char **texts; /* UTF-8 */
    u64 *lengths;
};

/* Places that a table of so many words needs: a power of two. */
u64 word_slots(u64 count);
/* Enter the word of this number, whose text and length are there. */
void enter_word(struct word_table *table, u64 number);
/* A text's number among the words; `other` for any other. From its start on `readable` bytes may be read, which are at
   least its own. */
u64 word_number(const struct word_table *table, const char *text, u64 length, u64 readable, u64 other);

#endif
