/* A body that is compressed while it is read. */
#ifndef SVC_CODING_CODED_SOURCE_H
#define SVC_CODING_CODED_SOURCE_H

#include <svc/response.h>

#include "libsvc/base/arena.h"
#include "libsvc/coding/coder.h"

/*
 * Makes a source of the compressed bytes of `inner`, which it takes if it succeeds. Before `inner`
 * is said to have no bytes for the moment (SVC_EAGAIN), everything that it has given is handed on.
 * The length of `inner` is checked here, since nobody sees it behind this source. The coder, whose
 * `level` is used, and the arena outlive the source. 0 or SVC_ENOMEM.
 */
int svc__coded_source_make(struct coder *coder, int level, struct arena *arena,
                           const svc_source *inner, svc_source *out);

#endif
