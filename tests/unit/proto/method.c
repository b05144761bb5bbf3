#include <criterion/criterion.h>
#include <stdio.h>

#include "libsvc/proto/method.h"
#include "tests/unit/proto/vectors.h"

Test(proto_method, every_known_method_is_found_by_its_name)
{
    size_t seen = 0;
#define CHECK(name)                                                                                \
    cr_expect_eq(svc__method_find(BYTES(#name)), METHOD_##name);                                   \
    cr_expect_str_eq(svc__method_name(METHOD_##name), #name);                                      \
    seen++;
    METHOD_LIST(CHECK)
#undef CHECK
    cr_expect_eq(seen, METHOD_COUNT - 1);
    cr_expect_null(svc__method_name(METHOD_OTHER));
}

Test(proto_method, names_are_case_sensitive_and_whole)
{
    static const struct bytes others[] = {
        {NULL, 0},         LITERAL(""),       LITERAL("get"),   LITERAL("Get"),    LITERAL("GE"),
        LITERAL("GETS"),   LITERAL("GE\0"),   LITERAL("QUERY"), LITERAL("PUSH"),   LITERAL(" GET"),
        LITERAL("PATCHX"), LITERAL("OPTION"), LITERAL("GET "),  LITERAL("HEAD\0"),
    };
    for (size_t i = 0; i < ROWS(others); i++)
        cr_expect_eq(svc__method_find(others[i]), METHOD_OTHER, "%.*s", SHOW(others[i]));
}

Test(proto_method, what_is_registered_is_in_order_and_whole)
{
    static const char *const names[] = {
        "ACL",
        "BASELINE-CONTROL",
        "BIND",
        "CHECKIN",
        "CHECKOUT",
        "CONNECT",
        "COPY",
        "DELETE",
        "GET",
        "HEAD",
        "LABEL",
        "LINK",
        "LOCK",
        "MERGE",
        "MKACTIVITY",
        "MKCALENDAR",
        "MKCOL",
        "MKREDIRECTREF",
        "MKWORKSPACE",
        "MOVE",
        "OPTIONS",
        "ORDERPATCH",
        "PATCH",
        "POST",
        "PRI",
        "PROPFIND",
        "PROPPATCH",
        "PUT",
        "QUERY",
        "REBIND",
        "REPORT",
        "SEARCH",
        "TRACE",
        "UNBIND",
        "UNCHECKOUT",
        "UNLINK",
        "UNLOCK",
        "UPDATE",
        "UPDATEREDIRECTREF",
        "VERSION-CONTROL",
    };
    for (size_t i = 0; i < ROWS(names); i++) {
        struct bytes name = svc__bytes_z(names[i]);
        char longer[32];
        snprintf(longer, sizeof longer, "%sX", names[i]);
        cr_expect(svc__method_registered(name), "%s", names[i]);
        cr_expect_not(svc__method_registered(svc__bytes(name.data, name.len - 1)), "%s", names[i]);
        cr_expect_not(svc__method_registered(svc__bytes_z(longer)), "%s", longer);
    }
    static const struct bytes others[] = {{NULL, 0},       LITERAL(""),    LITERAL("get"),
                                          LITERAL("BREW"), LITERAL("*"),   LITERAL("AAA"),
                                          LITERAL("ZZZ"),  LITERAL("PUSH")};
    for (size_t i = 0; i < ROWS(others); i++)
        cr_expect_not(svc__method_registered(others[i]), "%.*s", SHOW(others[i]));
}

Test(proto_method, any_token_can_be_a_method)
{
    cr_expect(svc__method_valid(BYTES("GET")));
    cr_expect(svc__method_valid(BYTES("M-SEARCH")));
    cr_expect(svc__method_valid(BYTES("get")));
    cr_expect(svc__method_valid(BYTES("!#$%&'*+-.^_`|~09")));
    cr_expect_not(svc__method_valid(BYTES("")));
    cr_expect_not(svc__method_valid(BYTES("GE T")));
    cr_expect_not(svc__method_valid(BYTES("GET\t")));
    cr_expect_not(svc__method_valid(BYTES("GET\0")));
    cr_expect_not(svc__method_valid(BYTES("(GET)")));
    cr_expect_not(svc__method_valid(BYTES("G\xc3\x89T")));
}
