/* The operations at one level; compiled once for each, with -DLEVEL=0, 1 or 2. */
#include "basic.h"
#include "calendar.h"
#include "curves.h"
#include "durations.h"
#include "elementary.h"
#include "bags.h"
#include "documents.h"
#include "embeddings.h"
#include "neighbors.h"
#include "numbers.h"
#include "one_hot.h"
#include "row_lookups.h"
#include "svm.h"
#include "text_classes.h"
#include "text_edits.h"
#include "text_lookups.h"
#include "text_numbers.h"
#include "texts.h"
#include "trees.h"
#include "vectors.h"
#include "word_operations.h"

#define JOINED(name, level) name##level
#define NAMED(name, level) JOINED(name, level)

/* clang-format off */
const struct core_operation NAMED(core_operations_, LEVEL)[] = {
    OPERATIONS_OF_BASIC
    OPERATIONS_OF_CALENDAR
    OPERATIONS_OF_CURVES
    OPERATIONS_OF_DURATIONS
    OPERATIONS_OF_BAGS
    OPERATIONS_OF_DOCUMENTS
    OPERATIONS_OF_ELEMENTARY
    OPERATIONS_OF_EMBEDDINGS
    OPERATIONS_OF_NEIGHBORS
    OPERATIONS_OF_NUMBERS
    OPERATIONS_OF_ONE_HOT
    OPERATIONS_OF_ROW_LOOKUPS
    OPERATIONS_OF_SVM
    OPERATIONS_OF_TEXT_EDITS
    OPERATIONS_OF_TEXTS
    OPERATIONS_OF_TREES
    OPERATIONS_OF_VECTORS
    OPERATIONS_OF_WORDS
    OPERATIONS_OF_TEXT_NUMBERS
    OPERATIONS_OF_TEXT_CLASSES
    OPERATIONS_OF_TEXT_LOOKUPS
};
/* clang-format on */
const u64 NAMED(core_operation_count_, LEVEL) = sizeof NAMED(core_operations_, LEVEL) / sizeof(struct core_operation);
