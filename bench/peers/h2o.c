/*
 * h2o as a library: an event loop a thread, all of which accept from one socket, and one handler.
 * h2o itself adds Date and Server.
 *
 *     h2o PORT THREADS CONTENT-TYPE BODY
 */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <h2o.h>
#include <h2o/http1.h>

static h2o_globalconf_t config;
static const char *type;
static h2o_iovec_t body;
static int listener;

/* The state of a thread. */
struct loop {
    h2o_context_t context;
    h2o_accept_ctx_t accept;
};

static int fail(const char *what)
{
    perror(what);
    exit(1);
}

static int answer(h2o_handler_t *handler, h2o_req_t *req)
{
    static h2o_generator_t generator;
    (void)handler;
    req->res.status = 200;
    req->res.reason = "OK";
    req->res.content_length = body.len;
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL, type, strlen(type));
    h2o_start_response(req, &generator);
    h2o_send(req, &body, 1, H2O_SEND_STATE_FINAL);
    return 0;
}

static void accept_one(h2o_socket_t *socket, const char *error)
{
    struct loop *loop = socket->data;
    h2o_socket_t *client = error ? NULL : h2o_evloop_socket_accept(socket);
    if (client)
        h2o_accept(&loop->accept, client);
}

static void *run(void *arg)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        fail("calloc");
    h2o_context_init(&loop->context, h2o_evloop_create(), &config);
    loop->accept.ctx = &loop->context;
    loop->accept.hosts = config.hosts;
    h2o_socket_t *socket =
        h2o_evloop_socket_create(loop->context.loop, dup(listener), H2O_SOCKET_FLAG_DONT_READ);
    socket->data = loop;
    h2o_socket_read_start(socket, accept_one);
    while (!h2o_evloop_run(loop->context.loop, INT32_MAX))
        continue;
    return arg;
}

static void listen_on(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((in_port_t)atoi(port)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 16384))
        fail("listen");
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    listen_on(argv[1]);
    type = argv[3];
    body = h2o_iovec_init(argv[4], strlen(argv[4]));
    h2o_config_init(&config);
    h2o_hostconf_t *host =
        h2o_config_register_host(&config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    h2o_pathconf_t *path = h2o_config_register_path(host, "/", 0);
    h2o_create_handler(path, sizeof(h2o_handler_t))->on_req = answer;
    for (int i = 1; i < atoi(argv[2]); i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, run, NULL))
            fail("pthread_create");
    }
    run(NULL);
}
