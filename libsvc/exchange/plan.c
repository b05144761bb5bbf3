/* The plan, as requests use it. */
#include "libsvc/exchange/plan.h"

#include <stdlib.h>

#include "libsvc/proto/uri.h"
#include "libsvc/route/tree.h"

/* Whether a path lies below a prefix, whose pattern ends in a segment that takes the rest. */
static bool covers(const struct pattern *prefix, struct bytes path)
{
    struct bytes rest = svc__bytes(path.data + 1, path.len - 1);
    for (size_t i = 0; i + 1 < prefix->count; i++) {
        if (!rest.data)
            return false;
        struct bytes segment = svc__bytes_cut(&rest, '/');
        const struct segment *wanted = &prefix->segments[i];
        if (wanted->kind == SEGMENT_LITERAL ? !svc__uri_decoded_eq(segment, wanted->text)
                                            : segment.len == 0)
            return false;
    }
    return true;
}

const struct plan_app *svc__plan_owner(const struct plan *plan, struct bytes path)
{
    const struct plan_app *best = &plan->apps[0];
    for (size_t i = 1; i < plan->app_count; i++) {
        const struct plan_app *mounted = &plan->apps[i];
        if (covers(&mounted->prefix, path) &&
            (best == &plan->apps[0] || mounted->prefix.count > best->prefix.count))
            best = mounted;
    }
    return best;
}

void svc__plan_free(struct plan *plan)
{
    if (!plan)
        return;
    svc__tree_free(plan->tree);
    svc__arena_reset(&plan->memory);
    free(plan);
}
