/* What a search finds, and where it puts it. */
#ifndef TUTELA_HITS_H
#define TUTELA_HITS_H

#include "kernel.h"

typedef struct {
    uint32_t query;
    uint32_t block;
    uint32_t row;
    uint32_t distance;
} hit;

/* Counts on where there is no room left, so that the caller knows how much it takes. */
typedef struct {
    hit *hits;
    uint64_t capacity;
    uint64_t count;
} found;

static inline void add_hit(found *all, hit one)
{
    if (all->count < all->capacity)
        all->hits[all->count] = one;
    all->count++;
}

static inline int is_member(const uint32_t *sorted, uint64_t count, uint32_t wanted)
{
    uint64_t low = 0, high = count;
    while (low < high) {
        const uint64_t middle = (low + high) / 2;
        if (sorted[middle] < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && sorted[low] == wanted;
}

#endif
