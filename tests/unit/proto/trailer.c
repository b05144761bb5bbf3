#include <criterion/criterion.h>

#include "libsvc/proto/trailer.h"
#include "tests/unit/proto/vectors.h"

Test(proto_trailer, fields_that_frame_route_or_authenticate_are_none)
{
    static const char *const refused[] = {
        "content-length", "Transfer-Encoding", "HOST", "Authorization", "Set-Cookie", "TE",
        "Trailer",        "If-Match",          "Date", "Content-Type",  "Vary"};
    static const char *const allowed[] = {"Digest", "grpc-status", "Server-Timing", "ETag",
                                          "X-Host", "Hos",         "Contents-Type"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        cr_expect_not(svc__trailer_allowed(svc__bytes_z(refused[i])), "%s", refused[i]);
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        cr_expect(svc__trailer_allowed(svc__bytes_z(allowed[i])), "%s", allowed[i]);
}

static int check(size_t head_bytes, size_t max_fields, const struct field *fields, size_t count)
{
    const char *reason = NULL;
    const struct head head = {.count = 2, .bytes = head_bytes};
    const struct head_limits limits = {.max_bytes = 100, .max_fields = max_fields};
    int status = svc__trailer_check(&head, &limits, fields, count, &reason);
    cr_expect_eq(!status, !reason);
    return status;
}

Test(proto_trailer, share_the_limits_of_the_head)
{
    const struct field fields[] = {{LITERAL("abc"), LITERAL("def")}, {LITERAL("g"), LITERAL("")}};
    cr_expect_eq(check(85, 4, fields, 2), 0); /* 10 and 5 bytes */
    cr_expect_eq(check(86, 4, fields, 2), 431);
    cr_expect_eq(check(85, 3, fields, 2), 431);
    cr_expect_eq(check(85, 1, fields, 0), 431);
    cr_expect_eq(check(SIZE_MAX, 4, fields, 1), 431);
    cr_expect_eq(check(0, SIZE_MAX, fields, 2), 0);
}

Test(proto_trailer, are_checked_as_the_fields_of_a_head)
{
    static const struct {
        struct field field;
        int status;
    } rows[] = {
        {{LITERAL("a"), LITERAL("b\tc \xff")}, 0}, {{LITERAL(""), LITERAL("b")}, 400},
        {{LITERAL("a b"), LITERAL("b")}, 400},     {{LITERAL("a:"), LITERAL("b")}, 400},
        {{LITERAL("a"), LITERAL("b\nc")}, 400},    {{LITERAL("a"), LITERAL("b\0c")}, 400},
        {{LITERAL("a"), LITERAL("\x7f")}, 400},    {{LITERAL("\xc3"), LITERAL("b")}, 400},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(check(0, 9, &rows[i].field, 1), rows[i].status, "%zu", i);
}
