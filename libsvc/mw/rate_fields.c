/* The limits reported to a client. */
#include "libsvc/mw/rate_fields.h"

#include "libsvc/base/buf.h"
#include "libsvc/base/num.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/proto/problem_text.h"

/*
 * draft-ietf-httpapi-ratelimit-headers, as from its 8th version on: two fields, each a Structured
 * Field list of strings with parameters. Everything that another version could change is here; 0
 * leaves these fields out of the library.
 */
#define DRAFT_FIELDS 1
#define DRAFT_POLICY "RateLimit-Policy" /* "name";q=quota;w=window in seconds */
#define DRAFT_QUOTA "RateLimit"         /* "name";r=remaining;t=seconds until there is more */
#define DRAFT_TYPE "https://iana.org/assignments/http-problem-types#quota-exceeded"
#define DRAFT_TITLE "Request cannot be satisfied as assigned quota has been exceeded"
#define DRAFT_MEMBER "violated-policies"

/* The largest integer of a Structured Field (RFC 8941 3.3.1). */
static const uint64_t max_integer = UINT64_C(999999999999999);

enum { MAX_TEXT = 4096 };

static uint64_t seconds(uint64_t ns)
{
    return ns / 1000000000 + (ns % 1000000000 != 0);
}

/* The seconds in which a window's whole burst comes back, rounded up. */
static uint64_t window_seconds(const struct limiter_window *window)
{
    unsigned __int128 ns = (unsigned __int128)window->burst * window->period_ns;
    unsigned __int128 unit = (unsigned __int128)window->rate * 1000000000;
    unsigned __int128 whole = ns / unit + (ns % unit != 0);
    return whole < max_integer ? (uint64_t)whole : max_integer;
}

static void number(struct buf *out, const char *before, uint64_t n)
{
    svc__buf_puts(out, before);
    svc__buf_u64(out, n);
}

/* Begins the next item of a list: the window's name as a string, which needs no escapes. */
static void item(struct buf *out, const struct rate_window *window, const char *separator)
{
    if (out->len)
        svc__buf_puts(out, separator);
    svc__buf_putc(out, '"');
    svc__buf_puts(out, window->name);
    svc__buf_putc(out, '"');
}

static void render_policy(const struct rate_limit *limit, struct buf *out)
{
    for (size_t i = 0; i < limit->window_count; i++) {
        const struct rate_window *window = &limit->windows[i];
        item(out, window, ", ");
        number(out, ";q=", window->window.burst);
        number(out, ";w=", window_seconds(&window->window));
    }
}

static void render_problem(const struct rate_limit *limit, unsigned refused, struct buf *out)
{
    struct buf names;
    svc__buf_init(&names, MAX_TEXT);
    for (size_t i = 0; i < limit->window_count; i++)
        if (refused & 1U << i)
            item(&names, &limit->windows[i], ",");
    svc__problem_text_open(
        out, &(struct problem_text){.type = DRAFT_TYPE, .title = DRAFT_TITLE, .status = 429});
    svc__buf_puts(out, ",\"" DRAFT_MEMBER "\":[");
    svc__buf_bytes(out, svc__buf_view(&names));
    svc__buf_putc(out, ']');
    svc__problem_text_close(out);
    if (svc__buf_error(&names))
        out->error = svc__buf_error(&names);
    svc__buf_free(&names);
}

/* Moves the rendered text into the memory. False when rendering or copying has failed. */
static bool keep(struct buf *text, struct arena *memory, struct bytes *out)
{
    *out = svc__buf_error(text) ? (struct bytes){0} : svc__arena_copy(memory, svc__buf_view(text));
    svc__buf_free(text);
    return out->data != NULL;
}

int svc__rate_fields_prepare(struct rate_limit *limit, struct arena *memory)
{
    struct buf text;
    svc__buf_init(&text, MAX_TEXT);
    render_policy(limit, &text);
    bool kept = keep(&text, memory, &limit->policy);
    for (unsigned set = 1; set < 1U << limit->window_count && kept; set++) {
        render_problem(limit, set, &text);
        kept = keep(&text, memory, &limit->problems[set]);
    }
    return kept ? 0 : SVC_ENOMEM;
}

/* Whether a reply names the window: a refusal names those that refused, every other reply all of
 * them. So no `t` is later than Retry-After, which would contradict it. */
static bool is_reported(const struct limiter_decision *decision, size_t i)
{
    return decision->refused ? decision->refused & 1U << i : true;
}

static void render_quotas(const struct rate_limit *limit, const struct limiter_decision *decision,
                          struct buf *out)
{
    for (size_t i = 0; i < limit->window_count; i++) {
        const struct limiter_quota *quota = &decision->quotas[i];
        if (!is_reported(decision, i))
            continue;
        item(out, &limit->windows[i], ", ");
        number(out, ";r=", quota->remaining);
        if (quota->next_ns && quota->next_ns != LIMITER_NEVER)
            number(out, ";t=", seconds(quota->next_ns));
    }
}

/*
 * Sets a field; without memory the reply goes without it, since its status matters more. A limit
 * further in may have set the field already: lists are continued, and of single values the first
 * stays, which is the refusal's if there is one.
 */
static void put_field(svc_response *res, const char *name, struct bytes value, bool list)
{
    if (!value.data)
        return;
    if (!svc_response_header(res, name))
        svc__response_put(res, svc__bytes_z(name), value);
    else if (list)
        svc_response_add_header(res, name, value.data);
}

/* A copy of the scratch buffer in the request's memory; "none" when out of memory. */
static struct bytes taken(svc_response *res, const struct buf *text)
{
    if (svc__buf_error(text))
        return (struct bytes){0};
    return svc__arena_copy(&res->exchange->arena, svc__buf_view(text));
}

static void put_number(svc_response *res, const char *name, uint64_t n)
{
    struct buf *text = svc__response_scratch(res);
    svc__buf_u64(text, n);
    put_field(res, name, taken(res, text), false);
}

static void put_draft(const struct rate_limit *limit, const struct limiter_decision *decision,
                      svc_response *res)
{
    struct buf *text = svc__response_scratch(res);
    render_quotas(limit, decision, text);
    put_field(res, DRAFT_POLICY, limit->policy, true);
    put_field(res, DRAFT_QUOTA, taken(res, text), true);
}

/* The window that the fields for one window report: of all reported ones, the one with the least
 * left. */
static size_t tightest(const struct rate_limit *limit, const struct limiter_decision *decision)
{
    size_t least = limit->window_count;
    for (size_t i = 0; i < limit->window_count; i++)
        if (is_reported(decision, i) &&
            (least == limit->window_count ||
             decision->quotas[i].remaining < decision->quotas[least].remaining))
            least = i;
    return least;
}

static void put_x(const struct rate_limit *limit, const struct limiter_decision *decision,
                  svc_response *res)
{
    size_t i = tightest(limit, decision);
    const struct limiter_quota *quota = &decision->quotas[i];
    uint64_t reset = quota->reset_ns == LIMITER_NEVER ? 0 : seconds(quota->reset_ns);
    put_number(res, "X-RateLimit-Limit", limit->windows[i].window.burst);
    put_number(res, "X-RateLimit-Remaining", quota->remaining);
    put_number(res, "X-RateLimit-Reset", reset);
}

void svc__rate_fields_put(const struct rate_limit *limit, const struct limiter_decision *decision,
                          svc_response *res)
{
    if (DRAFT_FIELDS && !(limit->flags & SVC_RATE_NO_DRAFT_FIELDS))
        put_draft(limit, decision, res);
    if (limit->flags & SVC_RATE_X_FIELDS)
        put_x(limit, decision, res);
}

void svc__rate_fields_put_retry(const struct rate_limit *limit,
                                const struct limiter_decision *decision, svc_response *res)
{
    uint64_t latest = 0;
    for (size_t i = 0; i < limit->window_count; i++)
        if (decision->refused & 1U << i && decision->quotas[i].retry_ns > latest)
            latest = decision->quotas[i].retry_ns;
    if (latest != LIMITER_NEVER)
        put_number(res, "Retry-After", seconds(latest));
}
