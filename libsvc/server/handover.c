/* Handing a connection over to another server. */
#include "libsvc/server/handover.h"

#include "libsvc/proto/target.h"
#include "libsvc/route/tree.h"
#include "libsvc/server/acceptor.h"

/* Whether the loop's own server answers the request, also with an error. */
static bool is_own(const struct loop *loop, struct bytes method, struct bytes raw_target)
{
    const char *reason;
    struct target target;
    struct match match;
    if (svc__target_parse(raw_target, method, &target, &reason))
        return true;
    if (target.form == TARGET_AUTHORITY || target.form == TARGET_ASTERISK)
        return true;
    const struct tree *tree = loop->server->app->plan->tree;
    struct bytes any_host = svc__bytes_z("");
    return svc__tree_match(tree, svc__bytes_z("GET"), any_host, target.path, &match) == MATCH_FOUND;
}

/* A loop does not end while `posting` counts a thread, so it takes what that thread has posted. */
static bool give(struct conn *conn, struct server *to)
{
    struct loop *loop = svc__acceptor_emptiest(to);
    atomic_fetch_add(&loop->posting, 1);
    bool takes = atomic_load(&to->stage) == STAGE_SERVE &&
                 svc__server_socket_opened(to, &to->connections, to->max_connections);
    if (takes) {
        svc__conn_unwatch(conn);
        svc__conn_leave(conn);
        svc__acceptor_place(loop, NULL, conn);
    }
    atomic_fetch_sub(&loop->posting, 1);
    return takes;
}

enum handover svc__handover_try(struct conn *conn, struct bytes method, struct bytes raw_target)
{
    struct server *to = conn->loop->server->behind;
    if (!to || is_own(conn->loop, method, raw_target))
        return HANDOVER_KEEP;
    return give(conn, to) ? HANDOVER_GIVEN : HANDOVER_REFUSED;
}
