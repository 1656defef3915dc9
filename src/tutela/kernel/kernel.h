/* What every source of the kernel shares.
 *
 * Each source is compiled once for each kind of processor, with VARIANT as portable, avx2 or
 * avx512; EXPORTED(name) is then name_portable, and so on. Nothing here keeps state, allocates
 * without freeing, or reads past what it is given, so that every function may be called from many
 * threads at once, without Python's lock.
 */
#ifndef TUTELA_KERNEL_H
#define TUTELA_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#define JOINED_(name, variant) name##_##variant
#define JOINED(name, variant) JOINED_(name, variant)
#define EXPORTED(name) __attribute__((visibility("default"))) JOINED(name, VARIANT)

#endif
