#include "libsvc/base/sized.h"

#include <stdbool.h>
#include <string.h>

/* The size that a struct's `size` member gives; 0 for an impossible one. */
static size_t size_told(const void *given, size_t least)
{
    size_t size = 0;
    if (given)
        memcpy(&size, given, sizeof size);
    bool possible = size >= least && size <= SIZED_MAX && size % sizeof size == 0;
    return possible ? size : 0;
}

static bool all_zero(const char *data, size_t len)
{
    size_t i = 0;
    while (i < len && data[i] == 0)
        i++;
    return i == len;
}

int svc__sized_read(void *own, size_t own_size, size_t least, const void *given)
{
    size_t size = size_told(given, least);
    if (size == 0)
        return SVC_EINVAL;
    if (size > own_size && !all_zero((const char *)given + own_size, size - own_size))
        return SVC_EINVAL;
    size_t common = size < own_size ? size : own_size;
    memcpy((char *)own + sizeof size, (const char *)given + sizeof size, common - sizeof size);
    return 0;
}

int svc__sized_write(void *given, size_t least, const void *own, size_t own_size)
{
    size_t size = size_told(given, least);
    if (size == 0)
        return SVC_EINVAL;
    size_t common = size < own_size ? size : own_size;
    memcpy((char *)given + sizeof size, (const char *)own + sizeof size, common - sizeof size);
    memset((char *)given + common, 0, size - common);
    return 0;
}
