/* Answers for readers of profiles. */
#include "libsvc/pprof/pprof_reply.h"

#include <svc/response.h>

int svc__pprof_reply_text(svc_response *res, int status, const char *text)
{
    svc_response_set_header(res, "X-Go-Pprof", "1");
    return svc_response_text(res, status, text);
}
