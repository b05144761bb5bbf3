/* The constructor of idempotency keys: checks the program's options, and reports every mistake. */
#include "libsvc/app/app_internal.h"
#include "libsvc/base/sized.h"
#include "libsvc/mw/idempotency.h"
#include "libsvc/proto/token.h"

static const unsigned known_flags = SVC_IDEMPOTENCY_REQUIRED | SVC_IDEMPOTENCY_SHARED |
                                    SVC_IDEMPOTENCY_FAIL_OPEN | SVC_IDEMPOTENCY_KEEP_5XX |
                                    SVC_IDEMPOTENCY_BARE_KEYS | SVC_IDEMPOTENCY_BLOCKING;

static const uint64_t least_ms = 1000, most_grace_ms = 3600000;
static const size_t least_answer = 256, most_answer = (size_t)64 << 20;

#define WRONG(app, ...)                                                                            \
    (svc__faults_add(&(app)->faults, NULL, 0, "svc_idempotency_new: " __VA_ARGS__), SVC_EINVAL)

static int check_options(svc_app *app, const svc_idempotency *options)
{
    bool named = options->header || options->subject;
    if (options->flags & ~known_flags)
        return WRONG(app, "flags that are no idempotency key's: 0x%x",
                     options->flags & ~known_flags);
    if (named == !!(options->flags & SVC_IDEMPOTENCY_SHARED))
        return WRONG(app, "either header or subject name the caller, or SVC_IDEMPOTENCY_SHARED "
                          "is set");
    if (options->header && !svc__token_valid(svc__bytes_z(options->header)))
        return WRONG(app, "\"%.100s\" cannot be the name of a header field", options->header);
    if (options->ttl_ms < least_ms || options->ttl_ms > SVC_STORE_TTL_MS)
        return WRONG(app, "ttl_ms is 1000 to 31622400000");
    if (options->grace_ms < least_ms || options->grace_ms > most_grace_ms)
        return WRONG(app, "grace_ms is 1000 to 3600000");
    if (options->max_answer < least_answer || options->max_answer > most_answer)
        return WRONG(app, "max_answer is 256 bytes to 64 MiB");
    return 0;
}

static int make_middleware(svc_app *app, struct idempotency *idempotency,
                           const svc_idempotency *options)
{
    idempotency->flags = options->flags;
    idempotency->subject = options->subject;
    idempotency->ttl_ms = options->ttl_ms;
    idempotency->grace_ms = options->grace_ms;
    idempotency->max_answer = options->max_answer;
    idempotency->store = options->store ? options->store : svc_store_open(app, NULL);
    if (options->header)
        idempotency->header = svc__arena_copy(&app->memory, svc__bytes_z(options->header));
    if (options->header && !idempotency->header.data)
        return SVC_ENOMEM;
    svc__idempotency_prepare(idempotency);
    return idempotency->store ? 0 : SVC_ENOMEM;
}

const svc_middleware *svc_idempotency_new(svc_app *app, const svc_idempotency *options)
{
    static const char name[] = "svc_idempotency_new";
    if (svc__app_open(app, name))
        return NULL;
    svc_idempotency own = SVC_IDEMPOTENCY_INIT;
    if (SIZED_READ(&own, options, flags)) {
        (void)WRONG(app, "options need SVC_IDEMPOTENCY_INIT");
        return NULL;
    }
    if (check_options(app, &own))
        return NULL;
    struct idempotency *idempotency = svc__arena_zalloc(&app->memory, sizeof *idempotency);
    int error = idempotency ? make_middleware(app, idempotency, &own) : SVC_ENOMEM;
    if (error) {
        svc__faults_refuse(&app->faults, error, name);
        return NULL;
    }
    return &idempotency->middleware;
}

const char *svc_idempotency_id(const svc_request *req)
{
    return svc_request_get(req, &svc__idempotency_id_key);
}
