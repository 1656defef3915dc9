/* What the fuzzed parts share: an input taken apart into numbers, and promises that must hold.
 *
 * Each fuzzed part is a source of its own with the entry point that libFuzzer calls. It makes, from
 * the input, what the kernel is called with, and holds what comes of it against plain, slow code.
 */
#ifndef TUTELA_TESTS_GIVEN_H
#define TUTELA_TESTS_GIVEN_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROMISE(holds)                                                                             \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #holds);                    \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#if defined(__x86_64__)
#define EACH_VARIANT(declare) declare(portable) declare(avx2) declare(avx512)
#else
#define EACH_VARIANT(declare) declare(portable)
#endif

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

typedef struct {
    const uint8_t *bytes;
    size_t left;
    uint64_t chance; /* state of the numbers that go on where the input ends */
} input;

static inline uint64_t chance(input *given)
{
    /* SplitMix64 (Steele, Lea and Flood 2014). */
    uint64_t z = given->chance += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline input opened(const uint8_t *bytes, size_t count)
{
    input given = {bytes, count, count};
    for (size_t i = 0; i < count; i++)
        given.chance = given.chance * 31 + bytes[i];
    return given;
}

static inline uint8_t byte_of(input *given)
{
    if (given->left == 0)
        return (uint8_t)chance(given);
    given->left--;
    return *given->bytes++;
}

/* A number from 0 to `most`. */
static inline uint64_t number_of(input *given, uint64_t most)
{
    uint64_t number = 0;
    for (uint64_t reach = most; reach; reach >>= 8)
        number = number << 8 | byte_of(given);
    return most == UINT64_MAX ? number : number % (most + 1);
}

/* Memory that ends where it should, so that a byte read past it is noticed. */
static inline void *room_for(size_t bytes)
{
    void *room = malloc(bytes ? bytes : 1);
    PROMISE(room != NULL);
    return room;
}

#endif
