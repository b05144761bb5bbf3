/* Samples of what the heap holds, as tcmalloc takes them. */
#ifndef SVC_PPROF_HEAP_H
#define SVC_PPROF_HEAP_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The live allocations that tcmalloc has sampled, in gperftools' text format: `len` bytes that the
 * caller frees. 0; SVC_ENOTFOUND if the program runs without tcmalloc, or tcmalloc takes no
 * samples; SVC_ENOMEM. Any thread.
 */
int svc__pprof_heap_read(char **text, size_t *len);

#ifdef __cplusplus
}
#endif

#endif
