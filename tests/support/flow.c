/* The bytes of streams in tests. */
#include "tests/support/flow.h"

#include <pthread.h>
#include <string.h>

/* A prime, so that no buffer's size divides it. */
enum { PERIOD = 65521 };

static char bytes[PERIOD + FLOW_MOST];

static void fill(void)
{
    uint32_t state = 1;
    for (size_t i = 0; i < sizeof bytes; i++) {
        state = i % PERIOD ? state * 1664525 + 1013904223 : 1;
        bytes[i] = (char)(state >> 24);
    }
}

const char *flow_at(uint64_t at, size_t len)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill);
    return len <= FLOW_MOST ? bytes + at % PERIOD : NULL;
}

bool flow_is(const char *data, uint64_t at, size_t len)
{
    return !memcmp(data, flow_at(at, len), len);
}
