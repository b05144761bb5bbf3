/* The layer in front of the pages below /debug/. */
#include "libsvc/ops/debug_guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "libsvc/app/admin_app.h"
#include "libsvc/exchange/exchange.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/proto/authorization.h"
#include "libsvc/proto/host.h"

enum { TOKEN_MIN = 16, TOKEN_MAX = 256 };

struct debug_guard {
    svc_middleware middleware;
    const svc_app *app;
    bool asks; /* for the token */
    char token[TOKEN_MAX];
    size_t token_len;
};

bool svc__debug_guard_is_open(const svc_config *config)
{
    return config->debug_pages && !config->debug_open && !*config->admin_token_file;
}

/* ---- The token */

/* The length of the token that a file's text begins with; 0: it is none, or more follows. */
static size_t token_span(const char *text, size_t len)
{
    size_t span = 0;
    while (span < len && text[span] > ' ' && text[span] <= '~')
        span++;
    for (size_t i = span; i < len; i++)
        if (text[i] != '\r' && text[i] != '\n')
            return 0;
    return span >= TOKEN_MIN && span <= TOKEN_MAX ? span : 0;
}

/* Returns the reason of a failure; NULL: the token is read. */
static const char *read_token(struct debug_guard *guard, const char *path)
{
    char text[TOKEN_MAX + 8];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return strerror(errno);
    ssize_t len = read(fd, text, sizeof text);
    int error = errno;
    close(fd);
    if (len < 0)
        return strerror(error);
    guard->token_len = token_span(text, (size_t)len);
    memcpy(guard->token, text, guard->token_len);
    return guard->token_len ? NULL : "a token is one line of 16 to 256 visible ASCII characters";
}

static int start_guard(svc_app *app, void *arg)
{
    struct debug_guard *guard = arg;
    svc_app *root = svc__app_root(app);
    const char *path = root->config.admin_token_file;
    guard->asks = *path;
    const char *why = guard->asks ? read_token(guard, path) : NULL;
    if (why)
        svc__faults_add(&root->faults, NULL, 0, "setting admin_token_file: \"%s\": %s", path, why);
    return why ? SVC_ECONFIG : 0;
}

/* Takes as long for each secret of one length, so that the time does not show how much of it is
 * right.
 */
static bool is_token(const struct debug_guard *guard, struct bytes secret)
{
    unsigned differs = secret.len != guard->token_len;
    for (size_t i = 0; i < secret.len; i++)
        differs |= (unsigned char)(secret.data[i] ^ guard->token[i % TOKEN_MAX]);
    return !differs;
}

static bool shows_token(const struct debug_guard *guard, const struct fields *fields)
{
    char room[AUTHORIZATION_ROOM];
    struct bytes secret, value = svc__fields_value(fields, FIELD_AUTHORIZATION);
    return !svc__fields_repeats(fields, FIELD_AUTHORIZATION) &&
           !svc__authorization_secret(value, room, &secret) && is_token(guard, secret);
}

/* Browsers ask people for a password by Basic; programs read that Bearer is meant for them. */
static int ask_for_token(svc_response *res)
{
    int error = svc_response_problem(res, 401, "the token of admin_token_file is needed");
    if (!error)
        error = svc_response_add_header(res, "WWW-Authenticate", "Bearer realm=\"debug\"");
    if (!error)
        error = svc_response_add_header(res, "WWW-Authenticate",
                                        "Basic realm=\"debug\", charset=\"UTF-8\"");
    return error ? error : SVC_ANSWERED;
}

/* ---- Host */

static bool is_loopback(const struct peer *peer)
{
    static const struct network loopback[] = {{{{[10] = 0xff, [11] = 0xff, [12] = 127}}, 104},
                                              {{{[15] = 1}}, 128}};
    return peer->addressed && (svc__network_contains(&loopback[0], &peer->address) ||
                               svc__network_contains(&loopback[1], &peer->address));
}

bool svc__debug_guard_host_local(struct bytes name)
{
    char text[INET_ADDRSTRLEN] = "";
    struct in_addr address;
    if (name.len == 0 || name.data[0] == '[')
        return true;
    if (svc__bytes_eq_nocase(name, svc__bytes_z("localhost")))
        return true;
    if (name.len >= sizeof text)
        return false;
    memcpy(text, name.data, name.len);
    return inet_pton(AF_INET, text, &address) == 1;
}

static struct bytes host_name(const svc_request *req)
{
    bool absolute = req->target.form == TARGET_ABSOLUTE;
    return svc__host_name(absolute ? req->target.authority : svc__exchange_of(req)->framing.host);
}

/* ---- The layer */

static int guard_request(svc_request *req, svc_response *res, const svc_layer *layer)
{
    const struct debug_guard *guard = layer->arg;
    if (is_loopback(&req->peer) && !svc__debug_guard_host_local(host_name(req))) {
        int error = svc_response_problem(
            res, 421, "Host must be localhost or an address, so that no other site is read here");
        return error ? error : SVC_ANSWERED;
    }
    return guard->asks && !shows_token(guard, &req->fields) ? ask_for_token(res) : SVC_PASS;
}

/* Pages of other sites can neither read nor frame these, nor guess their type. */
static int seal_response(svc_request *req, svc_response *res, const svc_layer *layer)
{
    static const char *const fields[][2] = {{"X-Content-Type-Options", "nosniff"},
                                            {"X-Frame-Options", "DENY"},
                                            {"Cross-Origin-Resource-Policy", "same-origin"},
                                            {"Referrer-Policy", "no-referrer"}};
    int error = 0;
    (void)req, (void)layer;
    for (size_t i = 0; i < sizeof fields / sizeof *fields && !error; i++)
        error = svc__response_put(res, svc__bytes_z(fields[i][0]), svc__bytes_z(fields[i][1]));
    return error;
}

static int make_group(svc_app *admin)
{
    svc_group *group = svc_app_group(admin, "/debug");
    struct debug_guard *guard = svc__arena_zalloc(&admin->memory, sizeof *guard);
    if (!group || !guard)
        return SVC_ENOMEM;
    guard->middleware = (svc_middleware){
        .size = sizeof guard->middleware,
        .name = "debug_guard",
        .arg = guard,
        .start = start_guard,
        .on_request = guard_request,
        .on_response = seal_response,
    };
    int error = svc_group_use(group, &guard->middleware);
    admin->debug = error ? NULL : group;
    return error;
}

svc_group *svc__debug_guard_group(svc_app *admin)
{
    if (!admin || admin->debug)
        return admin ? admin->debug : NULL;
    if (make_group(admin))
        svc__faults_refuse(&admin->faults, SVC_ENOMEM, "svc_sys_debug_group");
    return admin->debug;
}

svc_group *svc_sys_debug_group(svc_app *app)
{
    if (svc__app_open(app, "svc_sys_debug_group"))
        return NULL;
    return svc__debug_guard_group(svc_app_admin(app));
}
