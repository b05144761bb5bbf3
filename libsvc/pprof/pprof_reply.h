/* Answers for readers of profiles. */
#ifndef SVC_PPROF_REPLY_H
#define SVC_PPROF_REPLY_H

#include <svc/types.h>

/* Answers with a text for a person, which `go tool pprof` shows too: it shows errors only if they
 * have a field of their own. 0 or an error of svc_response_text. */
int svc__pprof_reply_text(svc_response *res, int status, const char *text);

#endif
