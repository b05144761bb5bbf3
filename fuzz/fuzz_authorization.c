/* The Authorization field: what a secret is made of, and that it lies where it may. */
#include <svc/errors.h>

#include "fuzz/fuzz.h"
#include "libsvc/proto/authorization.h"

static int read_secret(struct bytes value, char *room, struct bytes *secret)
{
    *secret = svc__bytes("untouched", 9);
    int error = svc__authorization_secret(value, room, secret);
    REQUIRE(error == 0 || svc__bytes_eq_z(*secret, "untouched"));
    REQUIRE(error == 0 || error == SVC_ESYNTAX || error == SVC_ETOOBIG);
    return error;
}

/* A token is read from behind its scheme as it is, unless white space stands at its ends. */
static void check_token(struct bytes token, char *room)
{
    static const char scheme[] = "Bearer ";
    char *text = fuzz_alloc(sizeof scheme - 1 + token.len);
    struct bytes secret;
    memcpy(text, scheme, sizeof scheme - 1);
    if (token.len > 0)
        memcpy(text + sizeof scheme - 1, token.data, token.len);
    REQUIRE(!read_secret(svc__bytes(text, sizeof scheme - 1 + token.len), room, &secret));
    REQUIRE(svc__bytes_eq(secret, svc__bytes_trim(token)));
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes value = fuzz_input(data, size), secret;
    char *room = fuzz_alloc(AUTHORIZATION_ROOM);
    if (!read_secret(value, room, &secret))
        REQUIRE(fuzz_inside(secret, value) ||
                fuzz_inside(secret, svc__bytes(room, AUTHORIZATION_ROOM)));
    check_token(value, room);
    free(room);
    return 0;
}
