/* How many worker threads a machine has room for: the default of the setting workers_max. */
#ifndef SVC_RUN_WORKERS_ROOM_H
#define SVC_RUN_WORKERS_ROOM_H

#include <stddef.h>
#include <stdint.h>

/*
 * The least of what a quarter of `memory` bytes holds of threads with stacks of `stack` bytes, half
 * of `threads`, and 1024, as most containers may have so many threads; at least 64, since a thread
 * that exists uses a small part of its stack.
 */
size_t svc__workers_room_of(uint64_t memory, uint64_t threads, uint64_t stack);

/* The same by the memory and threads of this machine, or less where a resource limit allows the
 * process less. Any thread. */
size_t svc__workers_room(uint64_t stack);

#endif
