/* Finding digests, and numbers among others. */
#include "given.h"

#include "hits.h"

typedef struct {
    const uint64_t *prefixes;
    const uint8_t *rests;
    const uint32_t *withdrawn;
    uint64_t withdrawn_count;
    uint32_t rows;
    uint32_t first_row;
    uint32_t rest_width;
    uint32_t kind;
} digest_block;

#define DECLARE(variant)                                                                           \
    int tutela_runs_here_##variant(void);                                                          \
    int64_t tutela_find_digests_##variant(const digest_block *, uint64_t, const uint8_t *,         \
                                          uint64_t, uint32_t, hit *, uint64_t);                    \
    uint64_t tutela_find_members_##variant(const uint32_t *, uint64_t, const uint32_t *, uint64_t, \
                                           uint32_t *);
EACH_VARIANT(DECLARE)

#define LISTED(variant)                                                                            \
    {tutela_runs_here_##variant, tutela_find_digests_##variant, tutela_find_members_##variant},
static const struct {
    int (*runs_here)(void);
    int64_t (*find_digests)(const digest_block *, uint64_t, const uint8_t *, uint64_t, uint32_t,
                            hit *, uint64_t);
    uint64_t (*find_members)(const uint32_t *, uint64_t, const uint32_t *, uint64_t, uint32_t *);
} variants[] = {EACH_VARIANT(LISTED)};

enum {
    VARIANTS = sizeof variants / sizeof *variants,
    MOST_BLOCKS = 3,
    MOST_ROWS = 300,
    MOST_QUERIES = 5,
    KINDS = 3,
};
static const uint32_t rest_widths[KINDS] = {8, 12, 24};

static int by_value(const void *one, const void *other)
{
    const uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

static int by_number(const void *one, const void *other)
{
    const uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return (a > b) - (a < b);
}

/* Prefixes crowd where the input wants them to. */
static uint64_t prefix_of(input *given, const uint64_t *before, uint32_t count)
{
    switch (number_of(given, 5)) {
    case 0:
        return count ? before[number_of(given, count - 1)] : 0;
    case 1:
        return count ? before[number_of(given, count - 1)] + number_of(given, 2) - 1 : 1;
    case 2:
        return number_of(given, 255);
    case 3:
        return UINT64_MAX - number_of(given, 255);
    case 4:
        return 0x0101010101010101u * number_of(given, 255);
    default:
        return number_of(given, UINT64_MAX);
    }
}

/* Sorted numbers, each once. */
static uint64_t some_numbers(input *given, uint32_t *numbers, uint64_t count, uint32_t most)
{
    for (uint64_t i = 0; i < count; i++)
        numbers[i] = (uint32_t)number_of(given, most);
    qsort(numbers, count, sizeof *numbers, by_number);
    uint64_t different = 0;
    for (uint64_t i = 0; i < count; i++)
        if (different == 0 || numbers[different - 1] != numbers[i])
            numbers[different++] = numbers[i];
    return different;
}

static int is_there(const uint32_t *numbers, uint64_t count, uint32_t wanted)
{
    for (uint64_t i = 0; i < count; i++)
        if (numbers[i] == wanted)
            return 1;
    return 0;
}

static digest_block block_of(input *given)
{
    digest_block block = {.rows = (uint32_t)number_of(given, MOST_ROWS),
                          .first_row = (uint32_t)number_of(given, 70000),
                          .kind = (uint32_t)number_of(given, KINDS - 1)};
    block.rest_width = rest_widths[block.kind];
    uint64_t *prefixes = room_for(block.rows * sizeof *prefixes);
    uint8_t *rests = room_for((size_t)block.rows * block.rest_width);
    for (uint32_t row = 0; row < block.rows; row++)
        prefixes[row] = prefix_of(given, prefixes, row);
    qsort(prefixes, block.rows, sizeof *prefixes, by_value);
    for (uint32_t row = 0; row < block.rows; row++)
        memset(rests + (size_t)row * block.rest_width, (int)number_of(given, 1), block.rest_width);
    const uint64_t wished = number_of(given, 20);
    uint32_t *withdrawn = room_for(wished * sizeof *withdrawn);
    block.withdrawn_count = some_numbers(given, withdrawn, wished, MOST_ROWS);
    for (uint64_t i = 0; i < block.withdrawn_count; i++)
        withdrawn[i] += block.first_row;
    block.prefixes = prefixes;
    block.rests = rests;
    block.withdrawn = withdrawn;
    return block;
}

static void digests(input *given)
{
    digest_block blocks[MOST_BLOCKS];
    const uint64_t block_count = number_of(given, MOST_BLOCKS);
    for (uint64_t i = 0; i < block_count; i++)
        blocks[i] = block_of(given);
    const uint32_t kind = (uint32_t)number_of(given, KINDS - 1);
    const size_t width = 8 + rest_widths[kind];
    const uint64_t queries = number_of(given, MOST_QUERIES);
    uint8_t *values = room_for(queries * width);
    for (uint64_t query = 0; query < queries; query++) {
        const digest_block *from = blocks + (block_count ? number_of(given, block_count - 1) : 0);
        const int is_known = block_count && from->rows;
        const uint64_t prefix =
            __builtin_bswap64(prefix_of(given, is_known ? from->prefixes : NULL,
                                        is_known ? from->rows : 0));
        memcpy(values + query * width, &prefix, 8);
        memset(values + query * width + 8, (int)number_of(given, 1), width - 8);
    }
    uint64_t expected = 0;
    hit *all = room_for(MOST_BLOCKS * MOST_ROWS * MOST_QUERIES * sizeof *all);
    for (uint32_t block = 0; block < block_count; block++)
        for (uint32_t query = 0; query < queries; query++)
            for (uint32_t row = 0; row < blocks[block].rows; row++) {
                const digest_block *here = blocks + block;
                const uint64_t prefix = __builtin_bswap64(here->prefixes[row]);
                if (here->kind == kind && memcmp(&prefix, values + query * width, 8) == 0 &&
                    memcmp(here->rests + (size_t)row * here->rest_width, values + query * width + 8,
                           here->rest_width) == 0 &&
                    !is_there(here->withdrawn, here->withdrawn_count, here->first_row + row))
                    all[expected++] = (hit){query, block, row, 0};
            }
    for (int each = 0; each < VARIANTS; each++) {
        if (!variants[each].runs_here())
            continue;
        const uint64_t capacity = number_of(given, 1) ? expected : number_of(given, expected);
        hit *found = room_for(capacity * sizeof *found);
        PROMISE(variants[each].find_digests(blocks, block_count, values, queries, kind, found,
                                            capacity) == (int64_t)expected);
        PROMISE(memcmp(found, all, capacity * sizeof *found) == 0);
        free(found);
    }
    free(all);
    free(values);
    for (uint64_t i = 0; i < block_count; i++) {
        free((void *)blocks[i].prefixes);
        free((void *)blocks[i].rests);
        free((void *)blocks[i].withdrawn);
    }
}

static void members(input *given)
{
    const uint64_t count = number_of(given, 200), wished = number_of(given, 200);
    const uint32_t most = number_of(given, 1) ? UINT32_MAX : 300;
    uint32_t *numbers = room_for(count * sizeof *numbers);
    uint32_t *wanted = room_for(wished * sizeof *wanted);
    uint32_t *places = room_for(count * sizeof *places);
    const uint64_t wanted_count = some_numbers(given, wanted, wished, most);
    for (uint64_t i = 0; i < count; i++)
        numbers[i] = wanted_count && number_of(given, 1)
                         ? wanted[number_of(given, wanted_count - 1)] + (uint32_t)number_of(given, 1)
                         : (uint32_t)number_of(given, most);
    for (int each = 0; each < VARIANTS; each++) {
        if (!variants[each].runs_here())
            continue;
        const uint64_t found =
            variants[each].find_members(numbers, count, wanted, wanted_count, places);
        uint64_t expected = 0;
        for (uint32_t i = 0; i < count; i++)
            if (is_there(wanted, wanted_count, numbers[i])) {
                PROMISE(expected < found && places[expected] == i);
                expected++;
            }
        PROMISE(found == expected);
    }
    free(numbers);
    free(wanted);
    free(places);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    input given = opened(bytes, count);
    if (number_of(&given, 3))
        digests(&given);
    else
        members(&given);
    return 0;
}
