/*
 * Random bytes for ids, from the kernel's generator, a batch at a time per thread so that an id
 * does not cost a system call.
 *
 * After a fork, the child never repeats bytes that the parent will use: a pthread_atfork handler
 * makes it drop what was buffered. A process made by a bare clone(2) runs no such handlers. Used
 * bytes are erased from the buffer.
 */
#ifndef SVC_BASE_RAND_H
#define SVC_BASE_RAND_H

#include <stddef.h>

/*
 * Fills `out` with `n` random bytes. Should the kernel refuse both getrandom(2) and /dev/urandom (a
 * seccomp filter, say), the bytes are made from clocks and a counter: unique enough for ids, but
 * not secret, so do not make keys with this. Any thread; not from a signal handler.
 */
void svc__rand_bytes(void *out, size_t n);

#endif
