/* Log lines of a request. */
#include "libsvc/exchange/request_log.h"

#include "libsvc/base/hex.h"
#include "libsvc/exchange/request_internal.h"

/* The ids of a request as text: a thread that logs may not be the one that may keep them in it. */
struct ids {
    char trace[2 * TRACE_ID_BYTES + 1], span[2 * TRACE_SPAN_BYTES + 1];
};

static void add_ids(svc_log_record *record, const svc_request *req, struct ids *ids)
{
    *ids = (struct ids){.trace = ""};
    if (svc__request_trace_is_logged(req)) {
        svc__hex_write(ids->trace, req->trace.own.trace_id, TRACE_ID_BYTES);
        svc__hex_write(ids->span, req->trace.own.span_id, TRACE_SPAN_BYTES);
    }
    record->request_id = req->id;
    record->trace_id = ids->trace;
    record->span_id = ids->span;
    record->route = svc_request_route(req);
}

void svc_log_write(const svc_request *req, svc_log_site *site, const char *message,
                   const svc_kv *items)
{
    struct logger *logger = req ? req->plan->logger : NULL;
    if (!logger || !svc__log_wants(logger, site))
        return;
    svc_log_record record = svc__log_record_of(logger, site, message, items);
    struct ids ids;
    add_ids(&record, req, &ids);
    svc__log_offer(svc__log_here(logger), site, &record);
}

void svc__request_log_hand_over(struct log *log, const svc_request *req, svc_log_record record)
{
    struct ids ids;
    add_ids(&record, req, &ids);
    svc__log_hand_over(log, &record);
}
