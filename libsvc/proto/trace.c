/* The two fields of W3C Trace Context. */
#include "libsvc/proto/trace.h"

#include <svc/errors.h>

#include "libsvc/base/hex.h"

/* The offsets of a traceparent's parts. */
enum { TRACE_ID_AT = 3, SPAN_ID_AT = 36, FLAGS_AT = 53, KEY_MAX = 256, VALUE_MAX = 256 };

static bool all_zero(const unsigned char *bytes, size_t n)
{
    unsigned seen = 0;
    for (size_t i = 0; i < n; i++)
        seen |= bytes[i];
    return seen == 0;
}

/* Version 00 ends with the flags; a later version may continue behind another dash. */
static bool version_fits(const char *text, size_t len)
{
    unsigned char version;
    if (!svc__hex_read(&version, text, 1) || version == 0xff)
        return false;
    return len == TRACE_PARENT_LEN || (version > 0 && text[TRACE_PARENT_LEN] == '-');
}

int svc__trace_parse(struct bytes text, struct trace *out)
{
    struct trace trace;
    const char *at = text.data;
    if (text.len < TRACE_PARENT_LEN || !version_fits(at, text.len))
        return SVC_ESYNTAX;
    if (at[TRACE_ID_AT - 1] != '-' || at[SPAN_ID_AT - 1] != '-' || at[FLAGS_AT - 1] != '-')
        return SVC_ESYNTAX;
    if (!svc__hex_read(trace.trace_id, at + TRACE_ID_AT, TRACE_ID_BYTES) ||
        !svc__hex_read(trace.span_id, at + SPAN_ID_AT, TRACE_SPAN_BYTES) ||
        !svc__hex_read(&trace.flags, at + FLAGS_AT, 1))
        return SVC_ESYNTAX;
    if (all_zero(trace.trace_id, TRACE_ID_BYTES) || all_zero(trace.span_id, TRACE_SPAN_BYTES))
        return SVC_ESYNTAX;
    trace.flags &= TRACE_SAMPLED | TRACE_RANDOM;
    *out = trace;
    return 0;
}

void svc__trace_format(const struct trace *trace, char out[static TRACE_PARENT_LEN])
{
    out[0] = out[1] = '0';
    out[TRACE_ID_AT - 1] = out[SPAN_ID_AT - 1] = out[FLAGS_AT - 1] = '-';
    svc__hex_write(out + TRACE_ID_AT, trace->trace_id, TRACE_ID_BYTES);
    svc__hex_write(out + SPAN_ID_AT, trace->span_id, TRACE_SPAN_BYTES);
    svc__hex_write(out + FLAGS_AT, &trace->flags, 1);
}

static bool begins_key(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool svc__trace_key_valid(struct bytes key)
{
    if (key.len == 0 || key.len > KEY_MAX || !begins_key(key.data[0]))
        return false;
    for (size_t i = 1; i < key.len; i++)
        if (!begins_key(key.data[i]) && (!key.data[i] || !strchr("_-*/@", key.data[i])))
            return false;
    return true;
}

bool svc__trace_value_valid(struct bytes value)
{
    if (value.len == 0 || value.len > VALUE_MAX || value.data[value.len - 1] == ' ')
        return false;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        if (c < 0x20 || c > 0x7e || c == ',' || c == '=')
            return false;
    }
    return true;
}

static bool member_valid(struct bytes member)
{
    struct bytes value = member;
    struct bytes key = svc__bytes_cut(&value, '=');
    return svc__trace_key_valid(key) && svc__trace_value_valid(value);
}

int svc__trace_state_read(struct trace_state *state, struct bytes value)
{
    while (value.data) {
        struct bytes member = svc__bytes_trim(svc__bytes_cut(&value, ','));
        if (member.len == 0)
            continue;
        if (!member_valid(member))
            return SVC_ESYNTAX;
        if (state->count == TRACE_MEMBERS)
            return SVC_ETOOBIG;
        state->members[state->count++] = member;
    }
    return 0;
}

static void drop_member(struct trace_state *state, size_t index)
{
    struct bytes *at = &state->members[index];
    state->count--;
    memmove(at, at + 1, (state->count - index) * sizeof *at);
}

static struct bytes key_of(struct bytes member)
{
    return svc__bytes_cut(&member, '=');
}

void svc__trace_state_put(struct trace_state *state, struct bytes member)
{
    for (size_t i = state->count; i-- > 0;)
        if (svc__bytes_eq(key_of(state->members[i]), key_of(member)))
            drop_member(state, i);
    if (state->count == TRACE_MEMBERS)
        state->count--;
    memmove(state->members + 1, state->members, state->count * sizeof member);
    state->members[0] = member;
    state->count++;
}

void svc__trace_state_cut(struct trace_state *state)
{
    while (state->count > 0) {
        size_t len = state->count - 1;  /* of the commas */
        size_t drop = state->count - 1; /* the last of the long members, or the last of all */
        for (size_t i = 0; i < state->count; i++) {
            len += state->members[i].len;
            if (state->members[i].len > TRACE_MEMBER_LONG)
                drop = i;
        }
        if (len <= TRACE_STATE_MAX)
            return;
        drop_member(state, drop);
    }
}

size_t svc__trace_state_format(const struct trace_state *state, char out[static TRACE_STATE_MAX])
{
    char *at = out;
    for (size_t i = 0; i < state->count; i++) {
        if (i > 0)
            *at++ = ',';
        memcpy(at, state->members[i].data, state->members[i].len);
        at += state->members[i].len;
    }
    return (size_t)(at - out);
}
