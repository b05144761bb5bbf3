/*
 * libmicrohttpd as its manual shows it: its own threads, an access handler that makes a response
 * for each request, queues it and drops it.
 *
 *     mhd PORT THREADS CONTENT-TYPE BODY
 */
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *type, *body;

static enum MHD_Result answer(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *len, void **context)
{
    static int begun;
    (void)cls, (void)url, (void)method, (void)version, (void)data, (void)len;
    if (!*context) { /* the manual's way to wait for the final call */
        *context = &begun;
        return MHD_YES;
    }
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(body), (void *)(uintptr_t)body, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(response, "Content-Type", type);
    enum MHD_Result queued = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return queued;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    type = argv[3];
    body = argv[4];
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((in_port_t)atoi(argv[1])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, NULL, MHD_OPTION_SOCK_ADDR, &address,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)atoi(argv[2]), MHD_OPTION_CONNECTION_LIMIT, 20000u,
        MHD_OPTION_END);
    if (!daemon)
        return 1;
    for (;;)
        pause();
}
