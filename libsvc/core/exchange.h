/*
 * The exchange: a request, its response, their memory and where they stand in the chain. It knows
 * no sockets: an event loop, the tests and the fuzzers all come in by this door, in this order:
 *
 *     svc__exchange_new      the request line is in
 *     svc__exchange_head     the head is in: checks, routes, decides who answers
 *     svc__exchange_run      middleware; says whether to wait, to read the body, or to reply
 *     svc__exchange_body     for each piece of the body
 *     svc__exchange_body_end the body is whole: the handler runs
 *     svc__exchange_refuse   instead, when a deadline passes
 *     svc__exchange_done     the reply is on its way, or the client is gone
 *     svc__exchange_unref
 *
 * All calls are for the thread that made the exchange.
 */
#ifndef SVC_CORE_EXCHANGE_H
#define SVC_CORE_EXCHANGE_H

#include <stdatomic.h>

#include <svc/request.h>
#include <svc/response.h>

#include "libsvc/base/arena.h"
#include "libsvc/base/buf.h"
#include "libsvc/base/mailbox.h"
#include "libsvc/core/app_internal.h"
#include "libsvc/core/body_store.h"
#include "libsvc/core/log.h"
#include "libsvc/core/peer.h"
#include "libsvc/proto/fields.h"
#include "libsvc/proto/head.h"
#include "libsvc/proto/query.h"
#include "libsvc/proto/target.h"
#include "libsvc/proto/trace.h"

/* What the thread that runs exchanges lends to each of them. */
struct exchange_host {
    struct arena_cache *arenas;
    struct metric_cells *cells;
    struct log log;
    const char *scheme;
    /* Any thread: a layer that waited goes on. The host calls svc__exchange_resumed on its own. */
    void (*wake)(struct exchange_host *host, struct exchange *x);
    struct buf scratch; /* what is rendered on this thread, until it is copied where it belongs */
    /* Since when what has its turn now may have waited for it, and when the first request began
     * that was let pass however late it was; svc__clock_ns, 0: not known, none yet. */
    uint64_t turn_ns, turn_first_ns;
};

enum trace_origin { TRACE_NONE, TRACE_BEGUN, TRACE_CONTINUED };

/* The trace that a request is a span of; set once, by the layer, and read by any thread. */
struct request_trace {
    enum trace_origin origin;
    struct trace own;                       /* its span is the request's */
    unsigned char parent[TRACE_SPAN_BYTES]; /* the caller's span, of a trace that is continued */
    struct bytes member;                    /* the service's own of the tracestate; or "none" */

    /* Rendered when asked for, and NULL before: by the request's thread alone. */
    const char *trace_id, *span_id, *parent_id, *traceparent, *tracestate;
};

struct svc_request {
    svc_app *app;              /* the one that serves */
    svc_app *owner;            /* the one that is asked: the same, or one mounted on it */
    const struct route *route; /* NULL when none matched, or before routing */
    struct bytes method;
    struct target target;
    const struct field *fields;
    size_t field_count;
    struct match match;
    const char *params[PATTERN_MAX_PARAMS]; /* decoded, in the match's order */
    const char *path;                       /* NUL-terminated; made when asked for */
    struct param *query;
    size_t query_count;
    bool query_parsed;
    struct bytes body;
    const char *id;
    struct request_trace trace;
    struct peer peer;
    struct request_value *values;
    struct json_t *json;
    uint64_t started_ns;
    uint64_t deadline_ms; /* svc__clock_ms; 0: none yet */
    uint64_t bytes_in;
    bool condition_required; /* a layer demands that a write is conditional */
    bool conditions_asked;   /* the handler knows what the request's conditions come to */
};

enum body_kind { RESPONSE_EMPTY, RESPONSE_MEMORY, RESPONSE_SOURCE, RESPONSE_FILE };

struct response_body {
    enum body_kind kind;
    const char *data;
    size_t len; /* in memory or of the file's part; of a source, what has been read so far */
    void (*release)(void *data);
    svc_source source;
    int fd; /* of a file, owned */
    uint64_t offset;
};

struct svc_response {
    struct exchange *exchange;
    int status; /* 0: nothing has answered */
    struct field *fields;
    size_t field_count, field_space;
    size_t field_bytes; /* of all, as sent */
    struct response_body body;
    uint64_t length;    /* stated for a body left out; SVC_LENGTH_UNKNOWN: not stated */
    bool cached_errors; /* what is said to caches holds for an error too */
};

enum exchange_step {
    EXCHANGE_WAIT, /* a layer waits: nothing to do until the host's wake */
    EXCHANGE_BODY, /* hand in the body */
    EXCHANGE_REPLY /* the response is decided */
};

enum wait_state { WAIT_NONE, WAIT_PENDING, WAIT_RESUMED, WAIT_ABANDONED };

struct exchange {
    svc_request request; /* first: a request is its exchange's address */
    svc_response response;
    struct exchange_host *host;
    struct arena arena;
    unsigned refs;
    const struct chain *chain;
    size_t passed;       /* layers of the chain that have passed */
    char *layer_state;   /* chain->state_size bytes */
    svc_handler *answer; /* the route's handler, or one of the library's own */
    int refusal;         /* status of the library's own answer */
    const char *reason;  /* its detail; static or in the arena */
    struct framing framing;
    bool malformed; /* where the request ends is not known */
    bool close;     /* the connection must not be used again */
    bool replied;   /* the response is decided */
    struct body_store body;
    _Atomic int wait; /* enum wait_state */
    _Atomic bool cancelled;
    struct mail mail; /* in the host's mailbox after a resume */
    void *transport;  /* the host's own */
};

/* The most that a request's arena may hold, its body not counted. */
#define EXCHANGE_MEMORY ((size_t)4 << 20)

/* A new exchange with one reference. `raw_target` is copied. NULL when out of memory. */
struct exchange *svc__exchange_new(svc_app *app, struct exchange_host *host,
                                   struct bytes raw_target);

/*
 * Takes the head, which is borrowed until the reply is done (method, fields and their text); its
 * target is the one given before. Never fails: a bad head makes an exchange that answers so.
 */
void svc__exchange_head(struct exchange *x, const struct head *head);

/* The same for a head that the host knows to be bad: the answer will be `status`. */
void svc__exchange_head_failed(struct exchange *x, const struct head *head, int status,
                               const char *reason);

/* Runs middleware, and the handler when there is no body to read. */
enum exchange_step svc__exchange_run(struct exchange *x);

/*
 * Takes a piece of the body. EXCHANGE_BODY for more, or EXCHANGE_REPLY when it was refused: what
 * follows is then dropped by the caller.
 */
enum exchange_step svc__exchange_body(struct exchange *x, const char *data, size_t len);

/* The body is whole. Runs the handler; EXCHANGE_REPLY. */
enum exchange_step svc__exchange_body_end(struct exchange *x);

/* Whether the body is still to be read although the reply is decided. */
bool svc__exchange_body_unread(const struct exchange *x);

/*
 * Answers with an error of the library instead of whatever was under way, such as 408 or 504. A
 * layer that waits is abandoned: its resume will only drop its hold. Not after the reply is
 * decided.
 */
void svc__exchange_refuse(struct exchange *x, int status, const char *reason);

/* Replaces a decided response by a 500, when it cannot be sent as it is. Layers do not see it. */
void svc__exchange_fail_reply(struct exchange *x, const char *reason);

/*
 * The next bytes of a reply whose body is a source: as svc_source.read, with what does not fit the
 * stated length turned into an error.
 */
int64_t svc__exchange_reply_read(struct exchange *x, char *data, size_t len);

/* The length of the response's body, or what it would be; SVC_LENGTH_UNKNOWN. */
uint64_t svc__exchange_reply_length(const struct exchange *x);

/* Whether the reply is one that has no body on the wire: to HEAD, or by its status. */
bool svc__exchange_reply_bodiless(const struct exchange *x);

/* Nobody waits for the answer any more. */
void svc__exchange_cancel(struct exchange *x);

/* On the host's thread, for an exchange that `wake` was called with. False: it was abandoned and
 * its hold is dropped; do not touch it. True: svc__exchange_run goes on. */
bool svc__exchange_resumed(struct exchange *x);

/* The exchange is over: on_done runs, and what the response holds is released. */
void svc__exchange_done(struct exchange *x, enum svc_outcome outcome, uint64_t bytes_out);

/* Drops a reference; the last one gives everything back to the host. Accepts NULL. */
void svc__exchange_unref(struct exchange *x);

/* The words of the log for how an exchange ended. */
const char *svc__exchange_outcome_text(enum svc_outcome outcome);

static inline struct exchange *svc__exchange_of(const svc_request *req)
{
    return (struct exchange *)(void *)(uintptr_t)req;
}

#endif
