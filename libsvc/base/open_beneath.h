/* Opens files by paths that may come from a stranger, and that must not lead out of a folder. */
#ifndef SVC_BASE_OPEN_BENEATH_H
#define SVC_BASE_OPEN_BENEATH_H

#include <stdbool.h>

/*
 * Opens `path` beneath the folder `root`, with the `flags` of open(2), O_CLOEXEC among them.
 * Absolute paths and "..", also in symbolic links, may not leave the folder: EXDEV. By openat2
 * (Linux 5.6); where that is missing or a sandbox refuses it, part by part. A descriptor, or -1
 * with errno set. Any thread.
 */
int svc__open_beneath(const char *root, const char *path, int flags);

/* The same beneath a folder that is open: `root` is its descriptor, of O_PATH too. */
int svc__open_beneath_at(int root, const char *path, int flags);

/* The walk alone, beneath the folder with the descriptor `root`. */
int svc__open_beneath_walk(int root, const char *path, int flags);

/* Whether the errno of a call above says that the path leads to no file that may be served; EXDEV:
 * it leads out. EPERM does not say so: it comes from a sandbox, and from no file's mode. */
bool svc__open_beneath_is_absent(int error);

#endif
