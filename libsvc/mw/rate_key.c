/* Makes the key of a request. */
#include "libsvc/mw/rate_key.h"

#include "libsvc/exchange/exchange.h"

/* An IPv6 client has a network of at least this prefix length in bytes to itself, and can use any
 * address in it, so the key is the network. */
enum { V6_KEY_BYTES = 8, V4_KEY_BYTES = 4 };

static bool exempt(const struct rate_limit *limit, const struct network_address *address)
{
    for (size_t i = 0; i < limit->exempt_count; i++)
        if (svc__network_contains(&limit->exempt[i], address))
            return true;
    return false;
}

static void add_part(struct rate_key *key, struct bytes part)
{
    key->parts[key->count++] = part;
}

static void add_client(struct rate_key *key, const struct peer *peer)
{
    const char *bytes = (const char *)peer->address.bytes;
    if (!peer->addressed)
        add_part(key, svc__bytes_z("unix socket"));
    else if (svc__network_is_v4(&peer->address))
        add_part(key, svc__bytes(bytes + NETWORK_V4_AT, V4_KEY_BYTES));
    else
        add_part(key, svc__bytes(bytes, V6_KEY_BYTES));
}

static bool add_header(const struct rate_limit *limit, const svc_request *req, struct rate_key *key)
{
    const struct field *field = svc__fields_named(&req->fields, NULL, limit->header);
    bool there = field && field->value.len;
    add_part(key, there ? field->value : (struct bytes){0});
    return there;
}

static bool add_subject(const struct rate_limit *limit, const svc_request *req,
                        struct rate_key *key)
{
    struct bytes subject = svc__bytes_z(svc_request_get(req, limit->subject));
    add_part(key, subject);
    return subject.len > 0;
}

/*
 * The route and the client come last, so that each other part has a place of its own. With an
 * absent part the client is added, and the number of parts distinguishes the two forms.
 */
bool svc__rate_key_make(const struct rate_limit *limit, svc_request *req, struct rate_key *key)
{
    const struct peer *peer = &req->peer;
    bool by_client = limit->flags & SVC_RATE_BY_CLIENT;
    key->count = 0;
    if (peer->addressed && exempt(limit, &peer->address))
        return false;
    if (limit->header.data && !add_header(limit, req, key))
        by_client = true;
    if (limit->subject && !add_subject(limit, req, key))
        by_client = true;
    if (limit->key) {
        const char *part = limit->key(req, limit->arg);
        if (!part)
            return false;
        add_part(key, svc__bytes_z(part));
    }
    if (limit->flags & SVC_RATE_BY_ROUTE)
        add_part(key, svc__bytes_z(svc_request_route(req)));
    if (by_client)
        add_client(key, peer);
    return true;
}
