#include <criterion/criterion.h>

#include <svc/errors.h>

#include "libsvc/proto/authorization.h"
#include "tests/unit/proto/vectors.h"

static void expect_secret(struct bytes value, struct bytes expected)
{
    char room[AUTHORIZATION_ROOM];
    struct bytes secret = BYTES("untouched");
    cr_expect_eq(svc__authorization_secret(value, room, &secret), 0, "%.*s", SHOW(value));
    cr_expect(svc__bytes_eq(secret, expected), "%.*s gave %.*s", SHOW(value), SHOW(secret));
}

static void expect_error(struct bytes value, int error)
{
    char room[AUTHORIZATION_ROOM];
    struct bytes secret = BYTES("untouched");
    cr_expect_eq(svc__authorization_secret(value, room, &secret), error, "%.*s", SHOW(value));
    cr_expect(svc__bytes_eq_z(secret, "untouched"), "%.*s", SHOW(value));
}

Test(proto_authorization, tokens_and_passwords_are_read)
{
    static const struct {
        struct bytes value, secret;
    } rows[] = {
        {LITERAL("Bearer abc.DEF-123"), LITERAL("abc.DEF-123")},
        {LITERAL("bearer  abc"), LITERAL("abc")},
        {LITERAL("BEARER abc "), LITERAL("abc")},
        {LITERAL("Bearer "), LITERAL("")},
        {LITERAL("Bearer"), LITERAL("")},
        {LITERAL("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), LITERAL("open sesame")},
        {LITERAL("basic Om9wZW4gc2VzYW1l"), LITERAL("open sesame")},
        {LITERAL("Basic YTpiOmM="), LITERAL("b:c")},
        {LITERAL("Basic YTo="), LITERAL("")},
        {LITERAL("Basic Oj4+Pz8/"), LITERAL(">>???")},
        {LITERAL("Basic OgD/"), LITERAL("\0\xff")},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        expect_secret(rows[i].value, rows[i].secret);
}

Test(proto_authorization, what_is_neither_is_refused)
{
    static const struct bytes rows[] = {
        LITERAL(""),
        LITERAL("abc"),
        LITERAL("Digest abc"),
        LITERAL("Bearerabc"),
        LITERAL("Basic"),
        LITERAL("Basic YQ=="),      /* a user alone */
        LITERAL("Basic YTpi Yw=="), /* two */
        LITERAL("Basic YTpiOmM"),   /* not filled up */
        LITERAL("Basic YT=pOmM="),  /* filled up in its midst */
        LITERAL("Basic Y==="),      /* one letter is no byte */
        LITERAL("Basic ===="),
        LITERAL("Basic YTpi-_8="), /* the alphabet of URLs */
        LITERAL("Basic YTpi\0Ym="),
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        expect_error(rows[i], SVC_ESYNTAX);
}

Test(proto_authorization, a_password_has_its_limit)
{
    static char value[6 + 4 * (AUTHORIZATION_ROOM / 3 + 1) + 1] = "Basic ";
    memset(value + 6, 'A', sizeof value - 7);
    memcpy(value + 6, "Ojo6", 4);
    expect_error(svc__bytes_z(value), SVC_ETOOBIG);
    expect_error(svc__bytes(value, 6 + 4 * (AUTHORIZATION_ROOM / 3) + 1), SVC_ESYNTAX);
    char room[AUTHORIZATION_ROOM];
    struct bytes secret;
    struct bytes most = {value, 6 + 4 * (AUTHORIZATION_ROOM / 3)};
    cr_expect_eq(svc__authorization_secret(most, room, &secret), 0);
    cr_expect_eq(secret.len, AUTHORIZATION_ROOM / 3 * 3 - 1);
}
