/*
 * The least that a library on libmicrohttpd can cost: one daemon that is run when its epoll
 * descriptor says so, a response made once, no Date, and memory for the same heads as libsvc takes.
 * It routes nothing, looks at nothing and has no deadline. One thread.
 *
 *     lean PORT CONTENT-TYPE BODY
 */
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static struct MHD_Response *response;

static enum MHD_Result answer(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *len, void **context)
{
    static int begun;
    (void)cls, (void)url, (void)method, (void)version, (void)data, (void)len;
    if (!*context) {
        *context = &begun;
        return MHD_YES;
    }
    return MHD_queue_response(connection, MHD_HTTP_OK, response);
}

static struct MHD_Daemon *start(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((in_port_t)atoi(port)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_TURBO | MHD_USE_SUPPRESS_DATE_NO_CLOCK, 0, NULL,
                            NULL, answer, NULL, MHD_OPTION_SOCK_ADDR, &address,
                            MHD_OPTION_CONNECTION_LIMIT, 20000u, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                            (size_t)16384, MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_END);
}

static int wait_ms(struct MHD_Daemon *daemon)
{
    MHD_UNSIGNED_LONG_LONG ms;
    return MHD_get_timeout(daemon, &ms) == MHD_YES ? (int)ms : -1;
}

int main(int argc, char **argv)
{
    struct MHD_Daemon *daemon = argc == 4 ? start(argv[1]) : NULL;
    if (!daemon)
        return 1;
    response = MHD_create_response_from_buffer(strlen(argv[3]), argv[3], MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(response, "Content-Type", argv[2]);
    struct pollfd wait = {.fd = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
                          .events = POLLIN};
    for (;;) {
        poll(&wait, 1, wait_ms(daemon));
        MHD_run(daemon);
    }
}
