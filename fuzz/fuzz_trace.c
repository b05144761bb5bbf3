/* The fields of a trace: the first line is a traceparent, those behind it are tracestate fields. */
#include <svc/errors.h>

#include "fuzz/fuzz.h"
#include "libsvc/proto/trace.h"

static bool zero(const unsigned char *id, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (id[i])
            return false;
    return true;
}

/* What was read is written in version 00, and reads the same again. */
static void check_parent(struct bytes text)
{
    struct trace trace, again;
    char out[TRACE_PARENT_LEN];
    int error = svc__trace_parse(text, &trace);
    REQUIRE(error == 0 || error == SVC_ESYNTAX);
    if (error)
        return;
    REQUIRE(!zero(trace.trace_id, TRACE_ID_BYTES) && !zero(trace.span_id, TRACE_SPAN_BYTES));
    svc__trace_format(&trace, out);
    REQUIRE(memcmp(out, "00-", 3) == 0 && memcmp(out + 3, text.data + 3, 50) == 0);
    REQUIRE(svc__trace_parse(svc__bytes(out, sizeof out), &again) == 0);
    REQUIRE(memcmp(again.trace_id, trace.trace_id, TRACE_ID_BYTES) == 0);
    REQUIRE(memcmp(again.span_id, trace.span_id, TRACE_SPAN_BYTES) == 0);
    REQUIRE(again.flags == trace.flags && trace.flags < 4);
}

/* Cuts the state and writes it; what is written reads as the same members again. */
static void check_format(struct trace_state *state)
{
    struct trace_state again = {.count = 0};
    char *out = fuzz_alloc(TRACE_STATE_MAX);
    svc__trace_state_cut(state);
    size_t len = svc__trace_state_format(state, out);
    REQUIRE(len <= TRACE_STATE_MAX);
    REQUIRE(svc__trace_state_read(&again, svc__bytes(out, len)) == 0);
    REQUIRE(again.count == state->count);
    for (size_t i = 0; i < again.count; i++)
        REQUIRE(svc__bytes_eq(again.members[i], state->members[i]));
    free(out);
}

static void check_state(struct bytes lists)
{
    struct bytes rest = lists;
    struct trace_state state = {.count = 0};
    int error = 0;
    while (rest.data && !error)
        error = svc__trace_state_read(&state, svc__bytes_cut(&rest, '\n'));
    REQUIRE(error == 0 || error == SVC_ESYNTAX || error == SVC_ETOOBIG);
    REQUIRE(state.count <= TRACE_MEMBERS && (error != SVC_ETOOBIG || state.count == TRACE_MEMBERS));
    for (size_t i = 0; i < state.count; i++)
        REQUIRE(fuzz_inside(state.members[i], lists) && !fuzz_has(state.members[i], ','));
    struct trace_state own = state;
    svc__trace_state_put(&own, svc__bytes_z("own=1"));
    REQUIRE(svc__bytes_eq_z(own.members[0], "own=1") && own.count <= TRACE_MEMBERS);
    for (size_t i = 1; i < own.count; i++)
        REQUIRE(own.members[i].len < 4 || memcmp(own.members[i].data, "own=", 4) != 0);
    check_format(&state);
    check_format(&own);
    REQUIRE(svc__bytes_eq_z(own.members[0], "own=1"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = fuzz_input(data, size);
    check_parent(svc__bytes_cut(&rest, '\n'));
    check_state(rest);
    return 0;
}
