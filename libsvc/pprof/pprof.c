/* The pages of profiles on the admin listener. */
#include <svc/pprof.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <svc/app.h>
#include <svc/request.h>
#include <svc/response.h>
#include <svc/sys/app.h>
#include <svc/sys/debug.h>
#include <unistd.h>

#include "libsvc/pprof/pprof_heap.h"
#include "libsvc/pprof/pprof_profile.h"
#include "libsvc/pprof/pprof_reply.h"
#include "libsvc/pprof/pprof_symbol.h"

enum {
    SLACK_S = 15,             /* of a profile's time limit, beyond its seconds */
    LIST_BYTES = 320 << 10,   /* of a list of addresses */
    ARGUMENT_BYTES = 64 << 10 /* of the program's arguments */
};

static const char index_text[] =
    "Profiles of this process:\n"
    "\n"
    "profile?seconds=N  CPU time of all threads, sampled for 1 to 60 seconds (30); one at a time\n"
    "heap               live allocations, if tcmalloc samples them\n"
    "symbol             names of functions, for readers of profiles\n"
    "cmdline            the program's arguments\n"
    "\n"
    "go tool pprof http://ADDRESS/debug/pprof/profile\n";

static int show_index(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, index_text);
}

/* Reads `seconds`. False if it is given but no whole number in range, or given twice. */
static bool read_seconds(const svc_request *req, unsigned *seconds)
{
    const char *text = svc_request_query(req, "seconds");
    if (!text) {
        *seconds = PPROF_SECONDS;
        return true;
    }
    size_t len = strspn(text, "0123456789");
    if (len == 0 || len > 2 || text[len] || svc_request_query_nth(req, "seconds", 1))
        return false;
    *seconds = (unsigned)strtoul(text, NULL, 10);
    return *seconds >= 1 && *seconds <= PPROF_SECONDS_MOST;
}

static int64_t read_nothing(void *state, char *data, size_t len)
{
    (void)state, (void)data, (void)len;
    return 0;
}

/* The length of a profile is not known before it is taken. */
static int answer_head(svc_response *res)
{
    svc_source nothing = SVC_SOURCE_INIT;
    nothing.read = read_nothing;
    return svc_response_source(res, 200, "application/octet-stream", &nothing);
}

static int take_profile(svc_request *req, svc_response *res)
{
    unsigned seconds;
    if (!read_seconds(req, &seconds))
        return svc__pprof_reply_text(res, 400, "seconds must be a whole number from 1 to 60\n");
    if (!strcmp(svc_request_method(req), "HEAD"))
        return answer_head(res);
    switch (svc__pprof_profile_begin(svc_request_arg(req), req, seconds)) {
    case 0:
        return 0;
    case SVC_ESTATE:
        return svc__pprof_reply_text(res, 409, "Another profile of this process is being taken\n");
    case SVC_ECANCELLED:
        return svc__pprof_reply_text(res, 503, "The service stops\n");
    default:
        return svc__pprof_reply_text(res, 503, "Out of memory\n");
    }
}

static int show_heap(svc_request *req, svc_response *res)
{
    char *text;
    size_t len;
    (void)req;
    switch (svc__pprof_heap_read(&text, &len)) {
    case 0:
        return svc_response_take(res, 200, "text/plain; charset=utf-8", text, len, free);
    case SVC_ENOTFOUND:
        return svc__pprof_reply_text(
            res, 501,
            "No allocations are sampled. The program needs tcmalloc (linked, or "
            "by LD_PRELOAD) and the variable TCMALLOC_SAMPLE_PARAMETER=524288\n");
    default:
        return svc__pprof_reply_text(res, 503, "Out of memory\n");
    }
}

/* A reader asks this first, and asks for names only if the number is not 0. */
static int count_symbols(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "num_symbols: 1\n");
}

static int show_symbols(svc_request *req, svc_response *res)
{
    char *text;
    size_t len = 0;
    const char *list = svc_request_body(req, &len);
    switch (svc__pprof_symbol_answer(list, len, &text, &len)) {
    case 0:
        return svc_response_take(res, 200, "text/plain; charset=utf-8", text, len, free);
    case SVC_ESYNTAX:
        return svc__pprof_reply_text(res, 400,
                                     "The body must be addresses such as 0x4012af+0x7f00a1\n");
    case SVC_ETOOBIG:
        return svc__pprof_reply_text(res, 413, "Too many addresses at once\n");
    default:
        return svc__pprof_reply_text(res, 503, "Out of memory\n");
    }
}

static int show_arguments(svc_request *req, svc_response *res)
{
    ssize_t len = 0, got = 1;
    char *text = svc_request_alloc(req, ARGUMENT_BYTES);
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    while (text && fd >= 0 && got > 0 && len < ARGUMENT_BYTES) {
        got = read(fd, text + len, (size_t)(ARGUMENT_BYTES - len));
        len += got > 0 ? got : 0;
    }
    if (fd >= 0)
        close(fd);
    if (!text || fd < 0 || got < 0)
        return svc__pprof_reply_text(res, 503, "The arguments cannot be read: is /proc mounted?\n");
    for (ssize_t i = 0; i < len; i++)
        if (text[i] == '\0')
            text[i] = '\n';
    return svc_response_copy(res, 200, "text/plain; charset=utf-8", text, (size_t)len);
}

static void end_profiles(svc_app *app, void *arg)
{
    (void)app;
    svc__pprof_profile_drain(arg);
}

/* Those that read files or take locks of the allocator run on a worker. */
static int add_routes(svc_group *group, struct pprof_owner *owner)
{
    const struct {
        const char *pattern;
        svc_handler *handler;
        unsigned flags;
        unsigned timeout_s;
        size_t max_body;
    } routes[] = {
        {"GET /pprof/{$}", show_index, 0, 0, 0},
        {"GET /pprof/profile", take_profile, SVC_ANY_BYTES, PPROF_SECONDS_MOST + SLACK_S, 0},
        {"GET /pprof/heap", show_heap, SVC_BLOCKING, 0, 0},
        {"GET /pprof/symbol", count_symbols, SVC_ANY_BYTES, 0, 0},
        {"POST /pprof/symbol", show_symbols, SVC_BLOCKING, 0, LIST_BYTES},
        {"GET /pprof/cmdline", show_arguments, SVC_BLOCKING, 0, 0},
    };
    int error = 0;
    for (size_t i = 0; i < sizeof routes / sizeof *routes && !error; i++) {
        svc_route route = SVC_ROUTE_INIT;
        route.pattern = routes[i].pattern;
        route.handler = routes[i].handler;
        route.flags = routes[i].flags;
        route.timeout_ms = routes[i].timeout_s * 1000;
        route.max_body = routes[i].max_body;
        route.arg = owner;
        error = svc_group_route(group, &route);
    }
    return error;
}

int svc_pprof_add(svc_app *app)
{
    struct pprof_owner *owner = svc_sys_app_alloc(app, sizeof *owner);
    if (!owner)
        return svc_sys_app_refuse(app, SVC_ENOMEM, "svc_pprof_add");
    svc__pprof_profile_init(owner);
    int error = add_routes(svc_sys_debug_group(app), owner);
    return error ? error : svc_app_add_drain_hook(app, end_profiles, owner);
}
