/* Texts of listeners: addresses and their options. */
#include <svc/errors.h>

#include "fuzz/fuzz.h"
#include "libsvc/base/listen_text.h"

/* What was parsed, written without blanks, is parsed as the same. */
static void check_again(const struct listen_text *parsed)
{
    static const char *const fronts[] = {";front=libmicrohttpd", ";front=native"};
    int front = parsed->options[LISTEN_FRONT];
    const char *option = front == LISTEN_UNSET ? "" : fronts[front];
    size_t len = parsed->address.len;
    struct listen_text again;
    const char *reason;
    char text[ENDPOINT_TEXT + 32];
    REQUIRE(len < ENDPOINT_TEXT);
    memcpy(text, parsed->address.data, len);
    memcpy(text + len, option, strlen(option));
    REQUIRE(!svc__listen_text_parse(svc__bytes(text, len + strlen(option)), &again, &reason));
    REQUIRE(again.options[LISTEN_FRONT] == front);
    REQUIRE(again.endpoint.local == parsed->endpoint.local);
    REQUIRE(again.endpoint.port == parsed->endpoint.port);
    REQUIRE(!strcmp(again.endpoint.name, parsed->endpoint.name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = fuzz_input(data, size);
    while (rest.data) {
        struct bytes text = svc__listen_text_next(&rest);
        struct listen_text parsed;
        const char *reason = NULL;
        int error = svc__listen_text_parse(text, &parsed, &reason);
        REQUIRE(error == 0 || (error == SVC_ESYNTAX && reason && *reason));
        if (error)
            continue;
        REQUIRE(fuzz_inside(parsed.address, text));
        REQUIRE(!fuzz_has(parsed.address, ';') && !fuzz_has(parsed.address, ','));
        check_again(&parsed);
    }
    return 0;
}
