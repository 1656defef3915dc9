/* Finding digests in sorted columns. */
#include <string.h>

#include "hits.h"

typedef struct {
    const uint64_t *prefixes; /* the digests' first 8 bytes as big-endian numbers, sorted */
    const uint8_t *rests;     /* rows x rest_width bytes: the others */
    const uint32_t *withdrawn; /* sorted, counted from the segment's first row */
    uint64_t withdrawn_count;
    uint32_t rows;
    uint32_t first_row; /* the block's first row within the segment */
    uint32_t rest_width;
    uint32_t kind;
} digest_block;

/* The first row whose prefix is not below a value. Digests are evenly spread, so that guessing by
 * proportion comes close at once; halving every other time bounds what it takes where they are
 * not. */
static uint64_t first_not_below(const uint64_t *prefixes, uint64_t rows, uint64_t wanted)
{
    uint64_t low = 0, high = rows;
    for (int guess = 1; low < high; guess = !guess) {
        uint64_t at = low + (high - low) / 2;
        const uint64_t least = prefixes[low], most = prefixes[high - 1];
        if (wanted <= least)
            return low;
        if (wanted > most)
            return high;
        if (guess)
            at = low + (uint64_t)((double)(wanted - least) / (double)(most - least) *
                                  (double)(high - 1 - low));
        if (prefixes[at] < wanted)
            low = at + 1;
        else
            high = at;
    }
    return low;
}

/* Find the rows that equal each of some digests.
 *
 * blocks, block_count: what is searched; those of another kind are passed over.
 * values, count: the digests, each 8 + rest_width bytes.
 * kind: the number of their kind.
 * hits, capacity: where the hits go.
 * Returns how many hits there are; if that is more than the capacity, only so many were written.
 */
int64_t EXPORTED(tutela_find_digests)(const digest_block *blocks, uint64_t block_count,
                                      const uint8_t *values, uint64_t count, uint32_t kind,
                                      hit *hits, uint64_t capacity);

int64_t EXPORTED(tutela_find_digests)(const digest_block *blocks, uint64_t block_count,
                                      const uint8_t *values, uint64_t count, uint32_t kind,
                                      hit *hits, uint64_t capacity)
{
    found all = {hits, capacity, 0};
    for (uint64_t number = 0; number < block_count; number++) {
        const digest_block *block = blocks + number;
        if (block->kind != kind)
            continue;
        for (uint64_t query = 0; query < count; query++) {
            const uint8_t *value = values + query * (8 + block->rest_width);
            uint64_t prefix;
            memcpy(&prefix, value, 8);
            prefix = __builtin_bswap64(prefix);
            uint64_t row = first_not_below(block->prefixes, block->rows, prefix);
            for (; row < block->rows && block->prefixes[row] == prefix; row++) {
                if (memcmp(block->rests + row * block->rest_width, value + 8, block->rest_width) != 0)
                    continue;
                if (!is_member(block->withdrawn, block->withdrawn_count,
                               block->first_row + (uint32_t)row))
                    add_hit(&all, (hit){(uint32_t)query, (uint32_t)number, (uint32_t)row, 0});
            }
        }
    }
    return (int64_t)all.count;
}
