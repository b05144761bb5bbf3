/* What the tests of routing are written with. */
#ifndef TESTS_UNIT_ROUTE_SUPPORT_H
#define TESTS_UNIT_ROUTE_SUPPORT_H

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/route/pattern.h"

/* A literal as bytes; the first form also stands in static tables. */
#define LITERAL(text)                                                                              \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }
#define BYTES(text) svc__bytes((text), sizeof(text) - 1)

/* How a struct bytes is given to "%.*s". */
#define SHOW(b) (int)(b).len, (b).data ? (b).data : ""

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* Patterns and the arena that holds them. */
struct patterns {
    struct arena arena;
    const struct pattern **list;
    size_t count, space;
};

static inline void patterns_init(struct patterns *p)
{
    *p = (struct patterns){.count = 0};
    svc__arena_init(&p->arena, NULL, (size_t)1 << 30);
}

static inline void patterns_free(struct patterns *p)
{
    free(p->list);
    svc__arena_reset(&p->arena);
}

/* Parses a good pattern; its line is its number, from 1. */
static inline const struct pattern *patterns_add(struct patterns *p, const char *text)
{
    if (p->count == p->space) {
        p->space = p->space ? p->space * 2 : 16;
        p->list = realloc(p->list, p->space * sizeof *p->list);
        cr_assert_not_null(p->list);
    }
    struct buf error;
    svc__buf_init(&error, 1024);
    struct pattern *pattern = svc__arena_alloc(&p->arena, sizeof *pattern);
    int code = svc__pattern_parse(&p->arena, text, "routes.c", (int)p->count + 1, pattern, &error);
    svc__buf_terminate(&error);
    cr_assert_eq(code, 0, "%s: %s", text, error.data);
    svc__buf_free(&error);
    p->list[p->count++] = pattern;
    return pattern;
}

/* A sequence of numbers that is the same in every run. */
static inline uint32_t next_number(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

#endif
