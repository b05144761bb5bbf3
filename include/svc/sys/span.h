/*
 * The seam for libraries that export spans: the records of the base library, and the registration of an exporter.
 * Programs need nothing of this; they call a library that uses it, such as libsvc-otlp.
 *
 * An exporter decides at a request's head whether its trace is recorded, and takes each span that has ended.
 * Both calls come on threads that serve requests, several at a time, so they neither block nor fail.
 */
#ifndef SVC_SYS_SPAN_H
#define SVC_SYS_SPAN_H

#include <svc/log.h>
#include <svc/types.h>

SVC_BEGIN_DECLS

enum { SVC_SYS_TRACE_BYTES = 16, SVC_SYS_SPAN_BYTES = 8 };

/* The bit of `flags` that says that a trace is sampled, as in traceparent. */
enum { SVC_SYS_SAMPLED = 1 };

/* The trace that a request continues, for svc_sys_exporter.sample. */
enum svc_sys_parent {
    SVC_SYS_PARENT_NONE = 0,    /* its trace begins here */
    SVC_SYS_PARENT_UNSAMPLED,   /* the caller's trace goes on, which it does not record */
    SVC_SYS_PARENT_SAMPLED      /* the caller's trace goes on, which it records */
};

/* A link to a span of another trace. */
typedef struct svc_sys_link {
    unsigned char trace_id[SVC_SYS_TRACE_BYTES];
    unsigned char span_id[SVC_SYS_SPAN_BYTES];
    unsigned char flags; /* of its traceparent */
} svc_sys_link;

/* A span that has ended. Its texts may hold any bytes, and live as long as the span and the app. */
typedef struct svc_sys_span {
    size_t size;               /* of the struct as the library has it */
    struct svc_sys_span *next; /* for whoever owns the span; NULL at first */
    unsigned char trace_id[SVC_SYS_TRACE_BYTES];
    unsigned char span_id[SVC_SYS_SPAN_BYTES];
    unsigned char parent_id[SVC_SYS_SPAN_BYTES]; /* all zeros: it has no parent */
    unsigned char flags;                         /* of the trace: SVC_SYS_SAMPLED and others */
    bool parent_is_remote;                       /* the parent is another process's */
    bool failed;
    int kind;                /* enum svc_span_kind */
    const char *name;
    const char *state;       /* the trace's tracestate; "" for none */
    const char *message;     /* why it has failed; "" for none */
    int64_t started_unix_ns; /* nanoseconds since 1970 */
    int64_t ended_unix_ns;
    const svc_kv *attributes;
    size_t attribute_count;
    size_t attributes_left_out; /* for which a limit left no room */
    const svc_sys_link *links;
    size_t link_count;
    size_t links_left_out;
} svc_sys_span;

/* Frees a span. Accepts NULL. Any thread. Since: 0.1 */
SVC_API void svc_sys_span_free(svc_sys_span *span);

/* An exporter. Begin with SVC_SYS_EXPORTER_INIT. */
typedef struct svc_sys_exporter {
    size_t size; /* set by SVC_SYS_EXPORTER_INIT */
    void *arg;   /* handed to each function; borrowed until the app is freed */

    /* Whether the trace of a request is sampled; `parent` is an svc_sys_parent. NULL: if the caller
     * samples it, or if the trace begins here. */
    bool (*sample)(void *arg, const unsigned char *trace_id, int parent);

    /* Takes a span that has ended and frees it in the end. Not NULL. */
    void (*take)(void *arg, svc_sys_span *span);

    /* A span is lost for lack of memory. NULL: nobody counts them. */
    void (*lose)(void *arg);

    /* Whether the spans of a request that fails are handed over although it is not sampled. */
    int keeps_failed;

    size_t max_attributes; /* of a span */
    size_t max_links;      /* of a span */
    size_t max_text;       /* characters of a text that is an attribute; SIZE_MAX: no limit */
} svc_sys_exporter;

#define SVC_SYS_EXPORTER_INIT                                                                      \
    {                                                                                              \
        sizeof(svc_sys_exporter), NULL, NULL, NULL, NULL, 0, 128, 128, SIZE_MAX                    \
    }

/*
 * Gives the app an exporter, which is copied. That of a mounted app is used when the app that serves has
 * none. 0; SVC_EINVAL; SVC_ESTATE when the app has one already or has started; or SVC_ENOMEM for NULL. Before
 * start only. Since: 0.1
 */
SVC_API int svc_sys_app_set_exporter(svc_app *app, const svc_sys_exporter *exporter);

/*
 * The exporter that the app uses, or the app that it is mounted on; NULL for none, and for a NULL app.
 * Borrowed from the app. Any thread once started. Since: 0.1
 */
SVC_API const svc_sys_exporter *svc_sys_app_exporter(const svc_app *app);

SVC_END_DECLS

#endif
