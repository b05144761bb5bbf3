/*
 * The settings of an app. The list below is the only place that names them: the struct, its
 * defaults, the environment variables, the checks at start, --help and the README's table are made
 * from it. An environment variable's name is the prefix and the setting's name in capitals:
 * SVC_MAX_BODY_BYTES.
 */
#ifndef SVC_CONFIG_H
#define SVC_CONFIG_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/* Log levels, most urgent first. */
enum svc_level { SVC_LEVEL_ERROR = 0, SVC_LEVEL_WARN, SVC_LEVEL_INFO, SVC_LEVEL_DEBUG };

/* Forms of a log line. */
enum svc_log_format {
    SVC_LOG_AUTO = 0, /* text on a terminal, JSON elsewhere */
    SVC_LOG_JSON,
    SVC_LOG_LOGFMT, /* key=value, separated by spaces */
    SVC_LOG_TEXT    /* for people: time, level, module and message, then as logfmt */
};

/* The fronts of HTTP/1. */
enum svc_http1 { SVC_HTTP1_LIBMICROHTTPD = 0, SVC_HTTP1_NATIVE };

/* How worker threads are scheduled: see <svc/worker.h>. */
enum svc_worker_policy { SVC_WORKER_AUTO = 0, SVC_WORKER_BATCH, SVC_WORKER_INHERIT };

/*
 * STRING(name, default, text), NUMBER(name, default, min, max, unit, text), FLAG(name, default,
 * text), CHOICE(name, default, words, text), and SECRET(name, default, text), a STRING that is
 * never shown: like the macros of <svc/setting.h>.
 */
#define SVC_CONFIG_LIST(STRING, NUMBER, FLAG, CHOICE, SECRET)                                      \
    STRING(listen, ":8080",                                                                        \
           "Addresses to serve on, separated by commas: `:port`, `host:port`, `[v6]:port`, "       \
           "`unix:/path`. Port 0 lets the system choose. `;front=native` behind an address "       \
           "chooses its front")                                                                    \
    STRING(admin_listen, "127.0.0.1:8081",                                                         \
           "Address of `/livez`, `/readyz` and `/metrics`, like those of `listen`; empty for "     \
           "none")                                                                                 \
    NUMBER(check_timeout_ms, 800, 1, 86400000, "ms",                                               \
           "Longest wait of `/readyz` for a check before the check is late; keep it below the "    \
           "probe's timeout")                                                                      \
    NUMBER(threads, 0, 0, 1024, "", "Event loops; 0 is one for each CPU that the process may use") \
    CHOICE(log_level, SVC_LEVEL_INFO, "error warn info debug",                                     \
           "Least urgent level that is logged")                                                    \
    STRING(log_levels, "",                                                                         \
           "Levels of modules where they differ, separated by commas: `store=debug,access=warn`")  \
    CHOICE(log_format, SVC_LOG_AUTO, "auto json logfmt text",                                      \
           "Form of log lines: `json`, `logfmt`, `text` for people; `auto` is `text` on a "        \
           "terminal and `json` elsewhere")                                                        \
    STRING(log_output, "stdout",                                                                   \
           "Where log lines go: `stdout`, `stderr`, or a file to append to, which SIGHUP opens "   \
           "again")                                                                                \
    NUMBER(log_ring_bytes, 1048576, 65536, 268435456, "bytes",                                     \
           "Log lines held for a slow output, for each event loop, before lines are dropped")      \
    NUMBER(log_repeat_per_s, 100, 0, 1000000, "",                                                  \
           "Lines that one place in the code may log in a second, for each event loop; the rest "  \
           "is counted. 0 is no limit")                                                            \
    FLAG(access_log, 1, "A log line for each request")                                             \
    FLAG(log_query, 0, "Query strings in access log lines")                                        \
    FLAG(development, 0,                                                                           \
         "Replies explain to developers why a handler failed; a 404 lists the routes")             \
    FLAG(request_id, 1, "Request ids: accepted or made, echoed, logged")                           \
    FLAG(trace_context, 1, "W3C trace context: continued or begun, logged, for outgoing calls")    \
    FLAG(trace_trust, 1,                                                                           \
         "Inbound `traceparent` is continued; off, every request begins a trace of its own")       \
    FLAG(metrics, 1, "Numbers and durations of requests on `/metrics`")                            \
    FLAG(metrics_body_sizes, 0, "Sizes of bodies on `/metrics` too")                               \
    NUMBER(workers_min, 0, 0, 65536, "", "Worker threads that are always there")                   \
    NUMBER(workers_max, 0, 0, 65536, "",                                                           \
           "Worker threads at most; 0 is as many as memory allows, up to 1024")                    \
    NUMBER(worker_idle_ms, 10000, 10, 86400000, "ms", "A worker thread idle for this long ends")   \
    NUMBER(worker_stack_bytes, 262144, 65536, 1073741824, "bytes",                                 \
           "Stack of a worker thread, beside thread-local variables and a guard page; libcurl "    \
           "and name lookups need 128 KiB")                                                        \
    CHOICE(worker_policy, SVC_WORKER_AUTO, "auto batch inherit",                                   \
           "Scheduling of worker threads: `batch`, `inherit` as the process; `auto` is `inherit` " \
           "under a seccomp filter and `batch` elsewhere")                                         \
    NUMBER(worker_queue, 1024, 0, 1000000, "", "Requests that wait for a worker; more are 503")    \
    NUMBER(worker_queue_ms, 1000, 1, 86400000, "ms",                                               \
           "Longest wait for a worker before a request is answered 503")                           \
    FLAG(cancel_half_closed, 1,                                                                    \
         "A client that has shut its sending side counts as gone: its requests are "               \
         "cancelled, and streams that wait for more end")                                          \
    NUMBER(max_connections, 10000, 1, 10000000, "", "Connections at once; more are answered 503")  \
    NUMBER(                                                                                        \
        max_connections_per_address, 0, 0, 10000000, "",                                           \
        "Connections at once from one IPv4 address or IPv6 /64; more are answered 429; 0 is no "   \
        "limit")                                                                                   \
    STRING(exempt_networks, "",                                                                    \
           "Networks exempt from this limit, such as a balancer's, separated by commas")           \
    NUMBER(max_head_bytes, 8192, 1024, 16384, "bytes", "Request line and header fields; 431")      \
    NUMBER(max_target_bytes, 8000, 256, 16384, "bytes", "Request target; 414")                     \
    NUMBER(max_fields, 100, 8, 200, "", "Header fields; 431")                                      \
    NUMBER(max_body_bytes, 1048576, 0, 1099511627776, "bytes",                                     \
           "Request body, unless the route sets its own limit; 413")                               \
    NUMBER(max_json_depth, 64, 1, 1024, "", "Nesting of a JSON body; 400")                         \
    NUMBER(header_timeout_ms, 10000, 10, 86400000, "ms",                                           \
           "From connect, or from a request's first byte, to the end of its head; 408")            \
    NUMBER(body_timeout_ms, 30000, 10, 86400000, "ms", "From head to the end of the body; 408")    \
    NUMBER(request_timeout_ms, 30000, 10, 86400000, "ms",                                          \
           "From head to answer, unless the route sets its own; 504, or 408 while the body comes") \
    FLAG(request_budget, 1,                                                                        \
         "Inbound `grpc-timeout` and `X-Request-Timeout` shorten that for their request")          \
    NUMBER(send_timeout_ms, 30000, 10, 86400000, "ms",                                             \
           "Longest pause while a response is sent, of the client or of the body's source; then "  \
           "the connection is cut")                                                                \
    NUMBER(stall_ms, 50, 0, 3600000, "ms",                                                         \
           "A handler that holds its event loop for so long is counted and logged; 0 is off")      \
    NUMBER(idle_timeout_ms, 75000, 10, 86400000, "ms",                                             \
           "Between requests on a connection; keep it above the balancer's")                       \
    NUMBER(drain_delay_ms, 11000, 0, 3600000, "ms",                                                \
           "Service goes on after SIGTERM, with `/readyz` at 503; longer than a probe period")     \
    NUMBER(drain_timeout_ms, 15000, 0, 3600000, "ms",                                              \
           "Wait for requests in flight, then tasks, after the listeners close; the rest is cut")  \
    FLAG(debug_pages, 0, "Pages below `/debug/` on the admin listener")                            \
    STRING(admin_token_file, "",                                                                   \
           "File with the token without which pages below `/debug/` are answered 401")             \
    FLAG(debug_open, 0,                                                                            \
         "Pages below `/debug/` need no token, although other machines reach the admin listener")  \
    SECRET(store, "",                                                                              \
           "URL of the store (`svc_store_open`), which may have a password; empty is `memory:`")   \
    FLAG(ranges, 1, "Parts of files, of memory and of sources that can seek, by `Range`")          \
    FLAG(log_full, 0,                                                                              \
         "Log lines have also the ids of a trace that nobody else knows, and those of the access " \
         "log `bytes_in` of 0 and `end` of `complete`")                                            \
    CHOICE(http1, SVC_HTTP1_LIBMICROHTTPD, "libmicrohttpd native",                                 \
           "Front of HTTP/1 on listeners that choose none: `libmicrohttpd`, or libsvc's own, "     \
           "`native`")

#define SVC_CONFIG_STRING(name, value, text) const char *name;
#define SVC_CONFIG_NUMBER(name, value, min, max, unit, text) uint64_t name;
#define SVC_CONFIG_FLAG(name, value, text) int name;
#define SVC_CONFIG_CHOICE(name, value, words, text) int name;

/* Begin with SVC_CONFIG_INIT, which sets every default. Strings are copied by svc_app_configure. */
struct svc_config {
    size_t size; /* set by SVC_CONFIG_INIT */
    SVC_CONFIG_LIST(SVC_CONFIG_STRING, SVC_CONFIG_NUMBER, SVC_CONFIG_FLAG, SVC_CONFIG_CHOICE,
                    SVC_CONFIG_STRING)
};

#undef SVC_CONFIG_STRING
#undef SVC_CONFIG_NUMBER
#undef SVC_CONFIG_FLAG
#undef SVC_CONFIG_CHOICE

#define SVC_CONFIG_DEFAULT(name, value, ...) , value
#define SVC_CONFIG_INIT                                                                            \
    {                                                                                              \
        sizeof(svc_config)                                                                         \
        SVC_CONFIG_LIST(SVC_CONFIG_DEFAULT, SVC_CONFIG_DEFAULT, SVC_CONFIG_DEFAULT,                \
                        SVC_CONFIG_DEFAULT, SVC_CONFIG_DEFAULT)                                    \
    }

SVC_END_DECLS

#endif
