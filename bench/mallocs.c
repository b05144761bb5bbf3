/*
 * Counts heap calls by the module that makes them. It is preloaded. At each SIGUSR2 it prints the
 * counts since the last time on stderr, a line "module calls" each.
 *
 * Allocations of libc for its callers (strdup) count for the module that calls libc, so strdup is
 * interposed too.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MODULES = 64 };

static struct module {
    uintptr_t begin, end;
    const char *name;
    _Atomic unsigned long calls;
} modules[MODULES];
static _Atomic int known;

static int note(struct dl_phdr_info *info, size_t size, void *arg)
{
    int *count = arg;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum && *count < MODULES; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X))
            continue;
        modules[*count].begin = info->dlpi_addr + part->p_vaddr;
        modules[*count].end = modules[*count].begin + part->p_memsz;
        modules[*count].name = *info->dlpi_name ? info->dlpi_name : "program";
        ++*count;
    }
    return 0;
}

static void tell(int signal)
{
    (void)signal;
    char text[4096];
    int len = 0;
    for (int i = 0; i < known; i++) {
        const char *slash = strrchr(modules[i].name, '/');
        len += snprintf(text + len, sizeof text - (size_t)len, "%s %lu\n",
                        slash ? slash + 1 : modules[i].name, atomic_exchange(&modules[i].calls, 0));
    }
    len += snprintf(text + len, sizeof text - (size_t)len, "end\n");
    if (write(STDERR_FILENO, text, (size_t)len) < 0)
        return;
}

__attribute__((constructor)) static void begin(void)
{
    int count = 0;
    dl_iterate_phdr(note, &count);
    known = count;
    signal(SIGUSR2, tell);
}

static void count_call(const void *caller)
{
    uintptr_t at = (uintptr_t)caller;
    for (int i = 0; i < known; i++)
        if (at >= modules[i].begin && at < modules[i].end)
            atomic_fetch_add_explicit(&modules[i].calls, 1, memory_order_relaxed);
}

/* glibc's own entries, so that no symbol must be looked up before the first call. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
    count_call(__builtin_return_address(0));
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    count_call(__builtin_return_address(0));
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    count_call(__builtin_return_address(0));
    return __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    count_call(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}

char *strdup(const char *text)
{
    count_call(__builtin_return_address(0));
    size_t size = strlen(text) + 1;
    char *copy = __libc_malloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}
