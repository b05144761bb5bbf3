/*
 * Whatever bytes a receiver answers with, as libcurl reads them: the status, Retry-After and the
 * body, and then the verdict. The receiver is a pair of sockets in which its answer stands before
 * it is asked.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "libsvc/otlp/otlp_http.h"
#include "libsvc/otlp/otlp_verdict.h"

enum { TIMEOUT_MS = 60000, BATCH = 10, RETRY_AFTER_MOST_MS = 3600000 };

static const uint8_t *sent;
static size_t sent_len;
static int receiver = -1;

/* libcurl calls this in place of the system's. */
__attribute__((visibility("default"))) int connect(int fd, const struct sockaddr *address,
                                                   socklen_t len)
{
    int pair[2];
    (void)address, (void)len;
    REQUIRE(receiver < 0); /* one connection for each input */
    REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair));
    REQUIRE(dup2(pair[0], fd) == fd);
    close(pair[0]);
    receiver = pair[1];
    REQUIRE(send(receiver, sent, sent_len, MSG_NOSIGNAL) == (ssize_t)sent_len);
    shutdown(receiver, SHUT_WR);
    return 0;
}

static void check_answer(const struct otlp_answer *answer)
{
    struct otlp_rejection rejection;
    REQUIRE(answer->status >= 0 && answer->status < 1000);
    REQUIRE(answer->retry_after_ms <= RETRY_AFTER_MOST_MS && answer->retry_after_ms % 1000 == 0);
    REQUIRE(answer->body.len <= OTLP_ANSWER_MOST && answer->body.len <= sent_len);
    REQUIRE(memchr(answer->error, '\0', sizeof answer->error) != NULL);
    REQUIRE(answer->is_whole == !*answer->error);
    REQUIRE(!answer->is_whole || (answer->status >= 200 && !answer->body.failed));
    svc__otlp_verdict_read(answer->status, answer->body.data,
                           answer->is_whole ? answer->body.len : 0, BATCH, &rejection);
    REQUIRE(rejection.count <= BATCH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char body[] = "{}";
    static const struct otlp_config config = {.url = "http://127.0.0.1:1/v1/traces"};
    static const _Atomic uint64_t none;
    const struct otlp_text request = {.data = body, .len = sizeof body - 1};
    struct otlp_answer answer;
    sent = data;
    sent_len = size < OTLP_ANSWER_MOST ? size : OTLP_ANSWER_MOST;
    struct otlp_http *http = svc__otlp_http_new(&config);
    REQUIRE(http != NULL);
    svc__otlp_http_post(http, &request, TIMEOUT_MS, &none, &answer);
    REQUIRE(receiver >= 0);
    close(receiver);
    receiver = -1;
    check_answer(&answer);
    svc__otlp_text_free(&answer.body);
    svc__otlp_http_free(http);
    return 0;
}
