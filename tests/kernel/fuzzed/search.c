/* Sorting PDQ hashes, making their tables, and finding all that are near a query. */
#include "given.h"

#include "hits.h"
#include "tables.h"

#define DECLARE(variant)                                                                           \
    int tutela_runs_here_##variant(void);                                                          \
    int tutela_sort_##variant(const uint8_t *, uint64_t, uint32_t *);                              \
    void tutela_gather_##variant(const uint8_t *, const uint32_t *, uint64_t, uint8_t *);          \
    uint64_t tutela_count_different_##variant(const uint8_t *, uint64_t);                          \
    void tutela_make_table_##variant(const uint8_t *, uint64_t, uint32_t, uint32_t, uint64_t,      \
                                     uint64_t, uint8_t *);                                         \
    int64_t tutela_search_##variant(const pdq_block *, uint64_t, const uint8_t *, uint64_t,        \
                                    uint32_t, hit *, uint64_t);
EACH_VARIANT(DECLARE)

#define LISTED(variant)                                                                            \
    {tutela_runs_here_##variant,       tutela_sort_##variant,       tutela_gather_##variant,       \
     tutela_count_different_##variant, tutela_make_table_##variant, tutela_search_##variant},
static const struct {
    int (*runs_here)(void);
    int (*sort)(const uint8_t *, uint64_t, uint32_t *);
    void (*gather)(const uint8_t *, const uint32_t *, uint64_t, uint8_t *);
    uint64_t (*count_different)(const uint8_t *, uint64_t);
    void (*make_table)(const uint8_t *, uint64_t, uint32_t, uint32_t, uint64_t, uint64_t, uint8_t *);
    int64_t (*search)(const pdq_block *, uint64_t, const uint8_t *, uint64_t, uint32_t, hit *,
                      uint64_t);
} variants[] = {EACH_VARIANT(LISTED)};

enum {
    VARIANTS = sizeof variants / sizeof *variants,
    WIDTH = 32,
    MOST_BLOCKS = 2,
    MOST_QUERIES = 3,
    FAMILIES = 4,
};

/* Hashes that others are made near to. */
typedef struct {
    uint8_t values[FAMILIES][WIDTH];
} families;

static void make_value(input *given, const families *known, uint8_t *value)
{
    const unsigned kind = (unsigned)number_of(given, 7);
    memcpy(value, known->values[number_of(given, FAMILIES - 1)], WIDTH);
    if (kind == 0) {
        for (int i = 0; i < WIDTH; i++)
            value[i] = byte_of(given);
    } else if (kind < 4) {
        /* Some bits of a chunk, or of a few that stand together. */
        const unsigned first = (unsigned)number_of(given, WIDTH - 1);
        for (unsigned i = 0; i < 2 * kind; i++)
            value[(first + i) % WIDTH] ^= byte_of(given);
    } else {
        for (uint64_t left = number_of(given, kind == 4 ? 80 : 34); left; left--) {
            const unsigned bit = (unsigned)number_of(given, 255);
            value[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

static unsigned distance_between(const uint8_t *one, const uint8_t *other)
{
    unsigned distance = 0;
    for (int i = 0; i < WIDTH; i++)
        distance += (unsigned)__builtin_popcount(one[i] ^ other[i]);
    return distance;
}

static const uint8_t *sorted_values;

static int by_value_and_number(const void *one, const void *other)
{
    const uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    const int order = memcmp(sorted_values + (size_t)a * WIDTH, sorted_values + (size_t)b * WIDTH,
                             WIDTH);
    return order ? order : (a > b) - (a < b);
}

/* One of the variants that run here: what takes long is asked of one at a time. */
static int one_of_them(input *given)
{
    int each = (int)number_of(given, VARIANTS - 1);
    while (!variants[each].runs_here())
        each = (each + 1) % VARIANTS;
    return each;
}

/* Sort by plain code, hold the kernel's against it, and give the values in order. */
static uint8_t *in_order(input *given, const uint8_t *values, uint32_t rows)
{
    uint32_t *expected = room_for(rows * sizeof *expected), *order = room_for(rows * sizeof *order);
    uint8_t *sorted = room_for((size_t)rows * WIDTH);
    for (uint32_t row = 0; row < rows; row++)
        expected[row] = row;
    sorted_values = values;
    qsort(expected, rows, sizeof *expected, by_value_and_number);
    const int each = one_of_them(given);
    PROMISE(variants[each].sort(values, rows, order) == 0);
    PROMISE(memcmp(order, expected, rows * sizeof *order) == 0);
    variants[each].gather(values, order, rows, sorted);
    for (uint32_t row = 0; row < rows; row++)
        PROMISE(memcmp(sorted + (size_t)row * WIDTH, values + (size_t)order[row] * WIDTH, WIDTH) ==
                0);
    free(expected);
    free(order);
    return sorted;
}

static int is_repeated(const uint8_t *sorted, uint32_t row)
{
    return row && memcmp(sorted + (size_t)row * WIDTH, sorted + (size_t)row * WIDTH - WIDTH,
                         WIDTH) == 0;
}

/* Each hash is once in the table, in the bucket of its chunk, those of a bucket by their rows. */
static void check_table(const pdq_block *block, unsigned chunk, uint32_t different)
{
    const uint32_t *offsets = offsets_of(block, chunk);
    const uint32_t buckets = 1u << block->bits;
    PROMISE(offsets[0] == 0 && offsets[buckets] == different);
    for (uint32_t bucket = 0; bucket < buckets; bucket++) {
        PROMISE(offsets[bucket] <= offsets[bucket + 1]);
        for (uint32_t place = offsets[bucket]; place < offsets[bucket + 1]; place++) {
            const uint32_t row = row_at(block, chunk, place);
            PROMISE(row < block->rows && !is_repeated(block->values, row));
            const uint8_t *value = block->values + (size_t)row * WIDTH;
            PROMISE(chunk_of(value, chunk) >> (16 - block->bits) == bucket);
            PROMISE(filters_of(block, chunk)[place] == chunk_of(value, (chunk + 1) % CHUNKS));
            PROMISE(place == offsets[bucket] || row > row_at(block, chunk, place - 1));
        }
    }
}

static void make_tables(input *given, pdq_block *block, uint32_t different)
{
    /* Nothing more than it takes, so that each table ends where the next begins. */
    block->filters_at = 4 * ((1u << block->bits) + 1);
    block->ids_at = block->filters_at + 2 * different;
    block->table_size = (block->ids_at + 3 * different + 3) / 4 * 4;
    uint8_t *tables = room_for(CHUNKS * block->table_size);
    block->tables = tables;
    const int each = one_of_them(given);
    for (unsigned chunk = 0; chunk < CHUNKS; chunk++) {
        variants[each].make_table(block->values, block->rows, chunk, block->bits,
                                  block->filters_at, block->ids_at,
                                  tables + chunk * block->table_size);
        check_table(block, chunk, different);
    }
}

static pdq_block block_of(input *given, const families *known)
{
    pdq_block block = {.rows = (uint32_t)number_of(given, number_of(given, 3) ? 60 : 900),
                       .first_row = (uint32_t)number_of(given, 70000),
                       .bits = (uint32_t)number_of(given, number_of(given, 31) ? 7 : 16)};
    uint8_t *values = room_for((size_t)block.rows * WIDTH);
    const uint64_t alike = number_of(given, 3);
    for (uint32_t row = 0; row < block.rows; row++) {
        if (row && number_of(given, 3) < alike)
            memcpy(values + (size_t)row * WIDTH, values + number_of(given, row - 1) * WIDTH, WIDTH);
        else
            make_value(given, known, values + (size_t)row * WIDTH);
    }
    uint8_t *sorted = in_order(given, values, block.rows);
    free(values);
    block.values = sorted;
    uint32_t different = 0;
    for (uint32_t row = 0; row < block.rows; row++)
        different += !is_repeated(sorted, row);
    for (int each = 0; each < VARIANTS; each++)
        if (variants[each].runs_here())
            PROMISE(variants[each].count_different(sorted, block.rows) == different);
    if (block.bits)
        make_tables(given, &block, different);
    uint32_t *withdrawn = room_for(block.rows * sizeof *withdrawn);
    const uint64_t every = number_of(given, 4);
    for (uint32_t row = 0; every && row < block.rows; row++)
        if (number_of(given, every) == 0)
            withdrawn[block.withdrawn_count++] = block.first_row + row;
    block.withdrawn = withdrawn;
    return block;
}

static int is_withdrawn(const pdq_block *block, uint32_t row)
{
    for (uint64_t i = 0; i < block->withdrawn_count; i++)
        if (block->withdrawn[i] == block->first_row + row)
            return 1;
    return 0;
}

static int by_place(const void *one, const void *other)
{
    const hit *a = one, *b = other;
    if (a->query != b->query)
        return a->query < b->query ? -1 : 1;
    if (a->block != b->block)
        return a->block < b->block ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

static void check_search(input *given, const pdq_block *blocks, uint64_t block_count,
                         const uint8_t *queries, uint64_t query_count, uint32_t most)
{
    uint64_t expected = 0, rows = 0;
    for (uint64_t i = 0; i < block_count; i++)
        rows += blocks[i].rows;
    hit *all = room_for(rows * query_count * sizeof *all);
    for (uint32_t query = 0; query < query_count; query++)
        for (uint32_t block = 0; block < block_count; block++)
            for (uint32_t row = 0; row < blocks[block].rows; row++) {
                const unsigned distance = distance_between(
                    queries + query * WIDTH, blocks[block].values + (size_t)row * WIDTH);
                if (distance <= most && !is_withdrawn(blocks + block, row))
                    all[expected++] = (hit){query, block, row, distance};
            }
    for (int each = 0; each < VARIANTS; each++) {
        if (!variants[each].runs_here())
            continue;
        hit *found = room_for(expected * sizeof *found);
        PROMISE(variants[each].search(blocks, block_count, queries, query_count, most, found,
                                      expected) == (int64_t)expected);
        for (uint64_t i = 1; i < expected; i++)
            PROMISE(found[i - 1].query < found[i].query ||
                    (found[i - 1].query == found[i].query && found[i - 1].block <= found[i].block));
        const uint64_t capacity = number_of(given, expected);
        hit *few = room_for(capacity * sizeof *few);
        PROMISE(variants[each].search(blocks, block_count, queries, query_count, most, few,
                                      capacity) == (int64_t)expected);
        PROMISE(memcmp(few, found, capacity * sizeof *few) == 0);
        qsort(found, expected, sizeof *found, by_place);
        PROMISE(memcmp(found, all, expected * sizeof *found) == 0);
        free(few);
        free(found);
    }
    free(all);
}

/* Tables that a disk has not kept as they were: whatever is found, nothing is read past them. */
static void search_damaged(input *given, pdq_block *block, const uint8_t *queries,
                           uint64_t query_count, uint32_t most)
{
    uint8_t *tables = (uint8_t *)block->tables;
    for (uint64_t left = number_of(given, 20); left; left--) {
        /* The last table more often: what is read past it is noticed. */
        const uint64_t chunk = number_of(given, 1) ? CHUNKS - 1 : number_of(given, CHUNKS - 1);
        uint8_t *table = tables + chunk * block->table_size;
        const uint32_t place = (uint32_t)number_of(given, 5 * (uint64_t)block->rows + 1);
        if (number_of(given, 3))
            memcpy(table + 4 * number_of(given, 1u << block->bits), &place, sizeof place);
        else
            table[number_of(given, block->table_size - 1)] = byte_of(given);
    }
    for (int each = 0; each < VARIANTS; each++)
        if (variants[each].runs_here())
            variants[each].search(block, 1, queries, query_count, most, NULL, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    input given = opened(bytes, count);
    families known;
    for (int i = 0; i < FAMILIES; i++)
        for (int at = 0; at < WIDTH; at++)
            known.values[i][at] = byte_of(&given);
    pdq_block blocks[MOST_BLOCKS];
    const uint64_t block_count = number_of(&given, MOST_BLOCKS);
    for (uint64_t i = 0; i < block_count; i++)
        blocks[i] = block_of(&given, &known);
    const uint64_t query_count = number_of(&given, MOST_QUERIES);
    uint8_t *queries = room_for(query_count * WIDTH);
    for (uint64_t query = 0; query < query_count; query++)
        make_value(&given, &known, queries + query * WIDTH);
    const uint32_t most = (uint32_t)number_of(&given, number_of(&given, 3) ? 70 : 256);
    check_search(&given, blocks, block_count, queries, query_count, most);
    if (block_count && blocks[0].bits && number_of(&given, 1))
        search_damaged(&given, blocks, queries, query_count, most);
    for (uint64_t i = 0; i < block_count; i++) {
        free((void *)blocks[i].values);
        free((void *)blocks[i].withdrawn);
        if (blocks[i].bits)
            free((void *)blocks[i].tables);
    }
    free(queries);
    return 0;
}
