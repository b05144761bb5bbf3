/*
 * Structs that begin with their size, for programs that were built against another release of the
 * library. Members are only ever added at the end, so two releases share the members of the shorter
 * struct.
 */
#ifndef SVC_BASE_SIZED_H
#define SVC_BASE_SIZED_H

#include <stddef.h>

#include <svc/errors.h>

/* No struct of any release is larger, and none ends within a word: such a size was never set. */
enum { SIZED_MAX = 4096 };

/*
 * Copies the struct `given` over `own`, which holds the defaults: members that the program's
 * release did not have keep them, and `own` keeps its size. SVC_EINVAL for NULL; for a size that is
 * below `least`, the end of the last required member, or that no release has; and for bytes beyond
 * `own` that are not zero, since they ask for a feature of a later release. `own` is then as it
 * was.
 */
int svc__sized_read(void *own, size_t own_size, size_t least, const void *given);

/*
 * Copies `own`, as far as there is room, over a struct that the program reads and whose size it has
 * set; further members become zero. SVC_EINVAL as for svc__sized_read.
 */
int svc__sized_write(void *given, size_t least, const void *own, size_t own_size);

/* Where a member ends. */
#define SIZED_END(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

/* The calls above for pointers to one type, whose last required member is `last`. */
#define SIZED_READ(own, given, last)                                                               \
    svc__sized_read((own), sizeof *(own), SIZED_END(__typeof__(*(own)), last), 1 ? (given) : (own))
#define SIZED_WRITE(given, own, last)                                                              \
    svc__sized_write(1 ? (given) : (own), SIZED_END(__typeof__(*(own)), last), (own), sizeof *(own))

#endif
