/*
 * The exchange: a request, its response, their memory and their place in the chain. Hosts come in
 * by dispatch.h.
 */
#ifndef SVC_EXCHANGE_EXCHANGE_H
#define SVC_EXCHANGE_EXCHANGE_H

#include <stdatomic.h>

#include <svc/request.h>
#include <svc/response.h>
#include <svc/trailers.h>

#include "libsvc/base/arena.h"
#include "libsvc/base/buf.h"
#include "libsvc/base/mailbox.h"
#include "libsvc/exchange/body_store.h"
#include "libsvc/exchange/plan.h"
#include "libsvc/exchange/refusal.h"
#include "libsvc/exchange/response_body.h"
#include "libsvc/exchange/transport.h"
#include "libsvc/log/log.h"
#include "libsvc/proto/fields.h"
#include "libsvc/proto/head.h"
#include "libsvc/proto/method.h"
#include "libsvc/proto/peer.h"
#include "libsvc/proto/query.h"
#include "libsvc/proto/target.h"
#include "libsvc/proto/trace.h"
#include "libsvc/route/tree.h"
#include "libsvc/run/work.h"

struct exchange;
struct svc_pending;
struct app_worker;
struct reply_frames;
struct request_spans;

/* Resources that a thread lends to the exchanges that it runs. */
struct exchange_host {
    struct arena_cache *arenas;
    struct log *log;
    /* Has the host call svc__away_news on its own thread. Called by any thread that has news. */
    void (*wake)(struct exchange_host *host, struct exchange *x);
    struct svc_loop *loop; /* never NULL */
    struct buf scratch;    /* for rendering on this thread, until the text is copied to its place */
    uint64_t turn_ns; /* the earliest time at which work of this turn can have come; 0: not known */
    /* The start of the one request that each turn admits however late it is; 0: none yet. */
    uint64_t turn_first_ns;
    struct app_worker *worker; /* the worker of this host; NULL for a home */
    /* The route whose handler runs on this thread; NULL: none. Any thread reads it. */
    _Atomic(const struct route *) handles;
    _Atomic unsigned away; /* holds on exchanges of this home */
};

enum trace_origin { TRACE_NONE, TRACE_BEGUN, TRACE_CONTINUED };

/* A request's span in its trace; set once, by the layer, and read by any thread. */
struct request_trace {
    enum trace_origin origin;
    _Atomic bool told;                      /* the program has asked for an id, or a traceparent */
    struct trace own;                       /* its span is the request's */
    unsigned char parent[TRACE_SPAN_BYTES]; /* the caller's span, of a trace that is continued */
    struct bytes member;                    /* the service's own member of tracestate; or "none" */
    struct request_spans *spans;            /* NULL: nobody records them */

    /* NULL until a handler asks for the text. For the request's thread. */
    const char *trace_id, *span_id, *parent_id, *tracestate;
};

struct svc_request {
    const struct plan *plan;      /* the plan that served when the request began */
    const struct plan_app *owner; /* the app that the path leads to */
    const struct route *route;    /* NULL when none matched, or before routing */
    struct bytes method;
    enum method known_method; /* the same; METHOD_OTHER also before the head is taken */
    struct target target;
    struct fields fields;
    struct match match;
    const char *params[PATTERN_MAX_PARAMS]; /* decoded, in the match's order */
    const char *path;                       /* NUL-terminated; NULL until a handler asks for it */
    struct param *query;
    size_t query_count;
    bool query_parsed;
    struct param *cookies;
    size_t cookie_count;
    bool cookies_parsed;
    struct bytes body;
    bool body_changed; /* by a layer */
    bool body_decoded; /* a layer undoes its codings: its length on the wire is another */
    const char *id;
    struct request_trace trace;
    const char *scheme; /* static */
    struct peer peer;
    struct request_value *values;
    struct json_t *json;
    uint64_t started_ns;
    uint64_t deadline_ns; /* svc__clock_ns; 0: none yet */
    uint64_t bytes_in;
    bool condition_required; /* a layer demands that a write is conditional */
    bool conditions_asked;   /* the request's conditions have been checked */
};

struct svc_response {
    struct exchange *exchange;
    int status; /* 0: nothing has answered */
    struct field *fields;
    size_t field_count, field_space;
    size_t field_bytes; /* of all fields, as sent */
    struct response_body body;
    uint64_t length; /* stated for a body left out; SVC_LENGTH_UNKNOWN: not stated */
    struct trailers_asked *on_trailers; /* the first function to ask for trailers; NULL: none */
    bool holds_head;                    /* the head waits for the first byte of the body */
    bool cached_errors;                 /* Cache-Control holds for an error too */
    bool dated;                         /* it has a Date of its own among its fields */
    struct response_pipe *pipe;  /* that was set last: see svc__response_pipe_reads; or NULL */
    struct reply_frames *frames; /* of the source that was set last: see reply/response_frames.h */
    svc_waker *waker; /* of the body's source, wrapped or not; NULL: nobody has asked for one */
};

enum exchange_step {
    EXCHANGE_WAIT, /* the exchange is away: the host does nothing until its wake */
    EXCHANGE_BODY, /* the host hands in the body */
    EXCHANGE_FULL, /* the host hands in the same piece again, after its wake */
    EXCHANGE_OVER, /* the body is over its limit: the host refuses it */
    EXCHANGE_REPLY /* the response is decided */
};

/* Whether a layer waits for svc_request_resume, and whether that has come in time. */
enum wait_state { WAIT_NONE, WAIT_PENDING, WAIT_RESUMED, WAIT_ABANDONED };

/* The home's own record of an exchange that is away: from it and the head a stand-in answers. */
struct lent {
    size_t from; /* the layers from this index on went with the exchange, those before did not */
    struct request_value *values;
};

/* An exchange that a worker, a layer or the giver of a deferred answer has: see away.c. The first
 * members say whether it is away, and are read for every exchange. */
struct away {
    bool out;         /* a worker has it, or will; the home's */
    bool kept_head;   /* the head's strings are copies in the arena */
    _Atomic int wait; /* enum wait_state */
    _Atomic bool cancelled;
    enum svc_outcome given_up; /* why another stands in for it; SVC_COMPLETE: none does */
    /* The news, one of which it waits for; of the thread that has it. Not in the word of `out`,
     * since compilers read two members of one word at once. */
    unsigned parked;
    _Atomic(struct svc_pending *) pending;

    unsigned arrived;      /* news that wait for other news; the home's */
    _Atomic unsigned news; /* enum news; any thread */
    struct mail mail;      /* in the host's mailbox while there is news */
    struct lent lent;      /* the home's */
    struct lent lent_on;   /* set by a worker; the home takes it over when the worker returns */
    struct work work;
    /* svc__dispatch_run calls this in place of `next` if no worker can be had. */
    enum exchange_step (*otherwise)(struct exchange *x);
    void (*end)(struct exchange *x); /* of one given up: called when the last reference goes */
};

/* An answer of the library's own: its texts are static or in the arena. */
struct own_answer {
    int status;           /* of a problem */
    const char *detail;   /* of a problem; or NULL */
    const char *location; /* of a redirect */
    const char *allow;    /* of a 405, or an answer to OPTIONS */
};

/* The fields behind a request's body. */
struct trailers {
    size_t count;
    struct field list[];
};

#define BODY_AGAIN SIZE_MAX

/* A request's body, on its way to the handler: kept until it is whole, or handed on in a stream. */
struct incoming_body {
    struct body_store store;
    struct body_stream *stream; /* of a route with SVC_STREAM_BODY; or NULL */
    /* The layer that has more bytes of the last piece than it could hand on, and one; 0: none has.
     * A layer sets BODY_AGAIN, and svc__layers_body begins with it when it is called again. */
    size_t again;
    /* Given in place of a handler that gives no answer, or returns the error `refused`, because a
     * reader of the body has found it malformed or cannot take it; status 0: none. */
    struct refusal refusal;
    int refused;
    _Atomic(struct trailers *) trailers; /* of malloc; NULL: none, or the body has not ended */
};

struct exchange {
    svc_request request; /* first: a request is its exchange's address */
    svc_response response;

    /* Every exchange uses these members, and of `away` the first ones. */
    struct exchange_host *host; /* of the thread that has it */
    struct exchange_host *home; /* of the thread that it belongs to */
    struct arena arena;
    _Atomic unsigned refs; /* only a home drops them */
    bool malformed;        /* where the request ends is not known */
    bool close;            /* the connection must not be used again */
    bool handling;         /* its handler runs, and may defer the answer */
    bool replied;          /* the response is decided */
    bool refused;          /* by the library, with the response's status */
    bool hurried;          /* layers that block are passed over on the way out */
    const struct chain *chain;
    size_t passed;      /* layers of the chain that have passed */
    size_t unanswered;  /* of those, the ones whose on_response is still to run */
    int verdict;        /* of the layer that has ended the way in; SVC_PASS: none has */
    int response_error; /* the first of any on_response */
    char *layer_state;  /* chain->state_size bytes */
    enum exchange_step (*next)(struct exchange *x); /* the stage that svc__dispatch_run runs */
    svc_handler *answer; /* the route's handler, or one of the library's own */
    struct framing framing;
    struct transport *transport; /* NULL: nobody waits for the reply */
    struct away away;

    /* Some exchanges use these. */
    struct incoming_body body;
    struct own_answer own;
    const char *cause; /* why a call of the handler's failed, in the arena; NULL: nothing to add */
    /* The response whose head waits for the first byte of its body: the exchange's own, or one of
     * svc_response_new that will be adopted; NULL: none waits. */
    svc_response *held;
    /* Another exchange, whose memory this one uses: the one that it stands in for, or that of
     * svc_response_new in which its answer was made; or NULL. */
    struct exchange *backing;
};

/* The most that a request's arena may hold, its body not counted. */
#define EXCHANGE_MEMORY ((size_t)4 << 20)

/* A new exchange at `home` with one reference and nothing in it but its plan. NULL when out of
 * memory. */
struct exchange *svc__exchange_make(const struct plan *plan, struct exchange_host *home);

/* Whether the reply is decided and no worker has the exchange. */
static inline bool svc__exchange_has_reply(const struct exchange *x)
{
    return !x->away.out && x->replied;
}

/* The length of the response's body, or of the body that a HEAD or a 304 leaves out;
 * SVC_LENGTH_UNKNOWN. */
uint64_t svc__exchange_reply_length(const struct exchange *x);

/* Whether the reply has no body on the wire: one to HEAD, or by its status. */
bool svc__exchange_reply_bodiless(const struct exchange *x);

/* Whether fields follow the reply's body: its length is not known then. */
static inline bool svc__exchange_reply_trails(const struct exchange *x)
{
    return x->response.on_trailers && x->framing.chunks && !svc__exchange_reply_bodiless(x);
}

/* The milliseconds from `now_ns` until the deadline, rounded up: 0 only when the deadline has
 * passed. */
static inline uint64_t svc__exchange_remaining_ms(const struct exchange *x, uint64_t now_ns)
{
    uint64_t due_ns = x->request.deadline_ns;
    return now_ns < due_ns ? (due_ns - now_ns + 999999) / 1000000 : 0;
}

/* Drops a reference; the last one gives all memory back to the host. Accepts NULL. */
void svc__exchange_unref(struct exchange *x);

/* The log's word for the end of an exchange. */
const char *svc__exchange_outcome_text(enum svc_outcome outcome);

static inline struct exchange *svc__exchange_of_mail(struct mail *mail)
{
    return (struct exchange *)(void *)((char *)mail - offsetof(struct exchange, away.mail));
}

static inline struct exchange *svc__exchange_of(const svc_request *req)
{
    return (struct exchange *)(void *)(uintptr_t)req;
}

#endif
