/* Names of functions in an ELF file: its symbol table as pure functions over its bytes. */
#ifndef SVC_PPROF_ELF_H
#define SVC_PPROF_ELF_H

#include <stddef.h>
#include <stdint.h>

enum { PPROF_NAME_MOST = 1023 }; /* characters of a name; the rest is cut off */

/* An address, and the name of the function that has it. */
struct pprof_place {
    uintptr_t address;
    char *name; /* from malloc; NULL: not known */
};

/*
 * Sets the name of each of the `count` places that has none and lies in a function of the file.
 * `places` is sorted by address, and `bias` is the difference of an address in the process and in
 * the file. A file that is not well-formed, or not of this machine's kind, has no functions. A name
 * for which there is no memory stays NULL. Pure but for the allocations.
 */
void svc__pprof_elf_name(const void *file, size_t size, uintptr_t bias,
                         struct pprof_place *const *places, size_t count);

#endif
