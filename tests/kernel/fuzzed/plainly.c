/* Runs a fuzzed part on inputs made by chance, as many as its argument says, where
 * there is no libFuzzer. */
#include "given.h"

enum { MOST_BYTES = 600 };

int main(int count, char **arguments)
{
    PROMISE(count > 1);
    const long wanted = atol(arguments[1]);
    input made = opened((const uint8_t *)arguments[1], strlen(arguments[1]));
    made.left = 0;
    for (long each = 0; each < wanted; each++) {
        const size_t length = number_of(&made, MOST_BYTES);
        uint8_t *bytes = room_for(length);
        for (size_t i = 0; i < length; i++)
            bytes[i] = byte_of(&made);
        LLVMFuzzerTestOneInput(bytes, length);
        free(bytes);
    }
    return 0;
}
