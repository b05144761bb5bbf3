/* What a receiver's answer says of a batch: the first line is the status, the rest the body. */
#include "fuzz/fuzz.h"
#include "libsvc/otlp/otlp_verdict.h"

enum { BATCH = 10 };

static int read_status(struct bytes line)
{
    int status = 0;
    for (size_t i = 0; i < line.len && i < 4; i++)
        status = status * 10 + line.data[i] % 10;
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct otlp_rejection rejection;
    struct bytes rest = fuzz_input(data, size);
    int status = read_status(svc__bytes_cut(&rest, '\n'));
    char *body = fuzz_alloc(rest.len);
    if (rest.len > 0)
        memcpy(body, rest.data, rest.len);
    enum otlp_verdict verdict = svc__otlp_verdict_read(status, body, rest.len, BATCH, &rejection);
    bool again = status < 200 || status == 429 || (status >= 502 && status <= 504);
    REQUIRE(verdict == (again ? OTLP_AGAIN : status < 300 ? OTLP_TAKEN : OTLP_REFUSED));
    REQUIRE(rejection.count <= BATCH);
    REQUIRE(memchr(rejection.message, '\0', sizeof rejection.message) != NULL);
    REQUIRE(verdict == OTLP_TAKEN || (!rejection.count && !*rejection.message));
    free(body);
    return 0;
}
