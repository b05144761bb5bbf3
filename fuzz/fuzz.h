/* What the fuzz targets share: each checks what its parser promises, not only that it lives. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/base/bytes.h"

/* Stops the run at a promise that was broken, in every build. */
#define REQUIRE(promise) ((promise) ? (void)0 : abort())

/* Runs one input; always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline struct bytes fuzz_input(const uint8_t *data, size_t size)
{
    return svc__bytes((const char *)data, size);
}

/* Whether `part` lies inside `whole`; "none" and what is empty may lie anywhere. */
static inline bool fuzz_inside(struct bytes part, struct bytes whole)
{
    return part.len == 0 ||
           (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static inline bool fuzz_has(struct bytes text, char c)
{
    return text.len > 0 && memchr(text.data, c, text.len) != NULL;
}

/* Exactly `n` bytes, so that the sanitizer sees the first one too many. The caller frees them. */
static inline char *fuzz_alloc(size_t n)
{
    char *p = malloc(n > 0 ? n : 1);
    REQUIRE(p != NULL);
    return p;
}

#endif
