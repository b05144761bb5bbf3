/* Allocations that fail. */
#include "tests/support/starve.h"

#include <stdatomic.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);

enum { NEVER = 1 << 30 };

static atomic_int left = NEVER; /* allocations until the one that fails */

void starve_after(int n)
{
    atomic_store(&left, n);
}

bool starve_end(void)
{
    return atomic_exchange(&left, NEVER) < 0;
}

int starve_count(void)
{
    return NEVER - atomic_exchange(&left, NEVER);
}

static bool fails(void)
{
    return atomic_fetch_sub(&left, 1) == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

void *starve_malloc(size_t size)
{
    return __wrap_malloc(size);
}
