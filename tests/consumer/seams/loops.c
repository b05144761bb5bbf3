/* A client library that has one connection for each event loop. */
#include <stdlib.h>
#include <string.h>

#include <svc.h>

struct connection {
    svc_loop *loop;
    unsigned used;
};

static const svc_key client_key = {"client"};
static unsigned begun, ended;

static int connect_loop(svc_app *app, svc_loop *loop, void *arg, void **state)
{
    struct connection *connection = (struct connection *)calloc(1, sizeof *connection);
    (void)app, (void)arg;
    if (!connection)
        return SVC_ENOMEM;
    connection->loop = loop;
    begun++;
    *state = connection;
    return 0;
}

static void disconnect_loop(void *state, void *arg)
{
    (void)arg;
    ended++;
    free(state);
}

static int ask(svc_request *req, svc_response *res)
{
    svc_loop *loop = svc_request_loop(req);
    struct connection *connection = (struct connection *)svc_loop_get(loop, &client_key);
    if (!connection || connection->loop != loop)
        return SVC_ESTATE;
    return svc_response_text(res, 200, ++connection->used == 2 ? "twice" : "once");
}

int main(void)
{
    svc_app *app = svc_app_new("loops");
    svc_app_each_loop(app, &client_key, connect_loop, disconnect_loop, NULL);
    svc_app_get(app, "/", ask, NULL);
    svc_reply_free(svc_app_test_get(app, "/"));
    svc_reply *reply = svc_app_test_get(app, "/");
    bool good = !strcmp(svc_reply_body(reply, NULL), "twice") && begun == 1 && ended == 0;
    svc_reply_free(reply);
    svc_app_free(app);
    return !(good && ended == 1);
}
