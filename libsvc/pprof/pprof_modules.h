/* The program and the libraries that it has loaded, and the names of their functions. */
#ifndef SVC_PPROF_MODULES_H
#define SVC_PPROF_MODULES_H

#include <stddef.h>

#include "libsvc/pprof/pprof_elf.h"

/*
 * Sets the names of `count` places, sorted by address, from the files that the process was loaded
 * from. A file that has been replaced since gives no names. Reads these files, so it may block. 0
 * or SVC_ENOMEM. Any thread.
 */
int svc__pprof_modules_name(struct pprof_place *const *places, size_t count);

#endif
