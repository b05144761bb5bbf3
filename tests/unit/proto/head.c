#include <criterion/criterion.h>
#include <stdint.h>

#include "libsvc/proto/head.h"
#include "tests/unit/proto/vectors.h"

enum { MAX_FIELDS = 4 };

#define FIELD(name, value)                                                                         \
    {                                                                                              \
        LITERAL(name), LITERAL(value)                                                              \
    }
#define HOST FIELD("Host", "example.com")
#define LENGTH(value) FIELD("Content-Length", value)
#define CODING(value) FIELD("Transfer-Encoding", value)

static const struct head_limits limits = {.max_target = 64, .max_bytes = 1024, .max_fields = 8};

static size_t count_fields(const struct field fields[MAX_FIELDS])
{
    size_t n = 0;
    while (n < MAX_FIELDS && fields[n].name.data)
        n++;
    return n;
}

static int check_head(const struct head *head, struct framing *out, const char **reason)
{
    struct fields fields;
    svc__fields_read(&fields, head->fields, head->count);
    return svc__head_check(head, &fields, &limits, out, reason);
}

static int check(unsigned minor, const struct field *fields, size_t count, struct framing *out)
{
    struct head head = {.method = LITERAL("GET"), .target_raw = LITERAL("/")};
    const char *reason = NULL;
    head.minor = minor;
    head.fields = fields;
    head.count = count;
    int status = check_head(&head, out, &reason);
    cr_expect_eq(status != 0, reason != NULL, "a refusal has a reason, and only a refusal");
    return status;
}

Test(proto_head, each_malformed_head_is_refused_with_its_status)
{
    static const struct {
        const char *what;
        unsigned minor;
        struct field fields[MAX_FIELDS];
        int status;
    } rows[] = {
        {"no Host", 1, {FIELD("A", "b")}, 400},
        {"no fields", 1, {{{NULL, 0}, {NULL, 0}}}, 400},
        {"two Hosts", 1, {HOST, HOST}, 400},
        {"two Hosts in two cases", 1, {HOST, FIELD("hOST", "other")}, 400},
        {"two Hosts on 1.0", 0, {HOST, HOST}, 400},
        {"Host with a brace", 1, {FIELD("Host", "{")}, 400},
        {"Host with 0xff", 1, {FIELD("Host", "\xff")}, 400},
        {"Host with 0xff on 1.0", 0, {FIELD("Host", "\xff")}, 400},
        {"Host with a control character", 1, {FIELD("Host", "\x06")}, 400},
        {"Host list", 1, {FIELD("Host", "a, b")}, 400},
        {"Host with userinfo", 1, {FIELD("Host", "u@a")}, 400},

        {"length and coding", 1, {HOST, LENGTH("5"), CODING("chunked")}, 400},
        {"coding and length", 1, {HOST, CODING("chunked"), LENGTH("5")}, 400},
        {"length 0 and coding", 1, {HOST, LENGTH("0"), CODING("chunked")}, 400},
        {"two codings", 1, {HOST, CODING("chunked"), CODING("chunked")}, 400},
        {"two codings, first unknown", 1, {HOST, CODING("gzip"), CODING("chunked")}, 400},
        {"coding on 1.0", 0, {HOST, CODING("chunked")}, 400},
        {"coding list", 1, {HOST, CODING("gzip, chunked")}, 501},
        {"chunked twice", 1, {HOST, CODING("chunked, chunked")}, 501},
        {"chunked with a space behind", 1, {HOST, CODING("chunked ")}, 501},
        {"chunked with a tab behind", 1, {HOST, CODING("chunked\t")}, 501},
        {"chunked with a space before", 1, {HOST, CODING(" chunked")}, 501},
        {"chunked with a parameter", 1, {HOST, CODING("chunked;q=1")}, 501},
        {"chunked with a comma", 1, {HOST, CODING("chunked,")}, 501},
        {"chunked quoted", 1, {HOST, CODING("\"chunked\"")}, 501},
        {"xchunked", 1, {HOST, CODING("xchunked")}, 501},
        {"chunke", 1, {HOST, CODING("chunke")}, 501},
        {"identity", 1, {HOST, CODING("identity")}, 501},
        {"empty coding", 1, {HOST, CODING("")}, 501},
        {"chunked with a control character", 1, {HOST, CODING("chunked\x0b")}, 400},

        {"two lengths that differ", 1, {HOST, LENGTH("5"), LENGTH("6")}, 400},
        {"two lengths alike", 1, {HOST, LENGTH("5"), LENGTH("5")}, 400},
        {"two lengths in two cases", 1, {HOST, LENGTH("5"), FIELD("content-LENGTH", "5")}, 400},
        {"length +5", 1, {HOST, LENGTH("+5")}, 400},
        {"length -1", 1, {HOST, LENGTH("-1")}, 400},
        {"length 0x5", 1, {HOST, LENGTH("0x5")}, 400},
        {"length list", 1, {HOST, LENGTH("5, 5")}, 400},
        {"length list without space", 1, {HOST, LENGTH("5,5")}, 400},
        {"empty length", 1, {HOST, LENGTH("")}, 400},
        {"length with a space behind", 1, {HOST, LENGTH("5 ")}, 400},
        {"length with a space before", 1, {HOST, LENGTH(" 5")}, 400},
        {"length with a space inside", 1, {HOST, LENGTH("1 0")}, 400},
        {"length 1_0", 1, {HOST, LENGTH("1_0")}, 400},
        {"length 1e3", 1, {HOST, LENGTH("1e3")}, 400},
        {"length 5.0", 1, {HOST, LENGTH("5.0")}, 400},
        {"length in other digits", 1, {HOST, LENGTH("\xd9\xa5")}, 400},
        {"length with a NUL", 1, {HOST, LENGTH("5\0")}, 400},
        {"length 2^63", 1, {HOST, LENGTH("9223372036854775808")}, 413},
        {"length 2^64", 1, {HOST, LENGTH("18446744073709551616")}, 413},
        {"length of 40 digits", 1, {HOST, LENGTH("9999999999999999999999999999999999999999")}, 413},
        {"length of 40 characters",
         1,
         {HOST, LENGTH("999999999999999999999999999999999999999x")},
         400},
        {"bad length on 1.0", 0, {HOST, LENGTH("+5")}, 400},

        {"space before the colon", 1, {HOST, FIELD("A ", "b")}, 400},
        {"tab before the colon", 1, {HOST, FIELD("A\t", "b")}, 400},
        {"a folded line glued to a name", 1, {HOST, FIELD("Content-Length 0", "5")}, 400},
        {"empty name", 1, {HOST, FIELD("", "b")}, 400},
        {"name with a NUL", 1, {HOST, FIELD("A\0", "b")}, 400},
        {"name with a bracket", 1, {HOST, FIELD("A[]", "b")}, 400},
        {"name in UTF-8", 1, {HOST, FIELD("\xc3\xa9", "b")}, 400},
        {"Transfer-Encoding with a space", 1, {HOST, FIELD("Transfer-Encoding ", "chunked")}, 400},
        {"value with CR", 1, {HOST, FIELD("A", "b\rc")}, 400},
        {"value with LF", 1, {HOST, FIELD("A", "b\nX: y")}, 400},
        {"value with NUL", 1, {HOST, FIELD("A", "1\0evil")}, 400},
        {"value with DEL", 1, {HOST, FIELD("A", "\x7f")}, 400},

        {"Expect other", 1, {HOST, FIELD("Expect", "200-ok")}, 417},
        {"Expect empty", 1, {HOST, FIELD("Expect", "")}, 417},
        {"Expect list", 1, {HOST, FIELD("Expect", "100-continue, x")}, 417},
        {"Expect other beside the known",
         1,
         {HOST, FIELD("Expect", "100-continue"), FIELD("expect", "x")},
         417},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct framing framing = {.length = 77};
        int status = check(rows[i].minor, rows[i].fields, count_fields(rows[i].fields), &framing);
        cr_expect_eq(status, rows[i].status, "%s gave %d", rows[i].what, status);
        cr_expect_eq(framing.length, 77, "%s: written on failure", rows[i].what);
    }
}

Test(proto_head, good_heads_give_their_framing)
{
    static const struct {
        const char *what;
        unsigned minor;
        struct field fields[MAX_FIELDS];
        enum framing_kind kind;
        uint64_t length;
        bool expect_continue, close;
        const char *host;
    } rows[] = {
        {"plain", 1, {HOST}, BODY_NONE, 0, false, false, "example.com"},
        {"HTTP/1.9", 9, {HOST}, BODY_NONE, 0, false, false, "example.com"},
        {"1.0 without Host", 0, {FIELD("A", "b")}, BODY_NONE, 0, false, true, ""},
        {"1.0 with Host", 0, {HOST}, BODY_NONE, 0, false, true, "example.com"},
        {"empty Host", 1, {FIELD("Host", "")}, BODY_NONE, 0, false, false, ""},
        {"Host with spaces", 1, {FIELD("HOST", " a:80\t ")}, BODY_NONE, 0, false, false, "a:80"},
        {"length", 1, {HOST, LENGTH("5")}, BODY_LENGTH, 5, false, false, "example.com"},
        {"length 0", 1, {HOST, LENGTH("0")}, BODY_NONE, 0, false, false, "example.com"},
        {"leading zeros", 1, {HOST, LENGTH("0005")}, BODY_LENGTH, 5, false, false, "example.com"},
        {"longest length",
         1,
         {HOST, LENGTH("9223372036854775807")},
         BODY_LENGTH,
         INT64_MAX,
         false,
         false,
         "example.com"},
        {"length on 1.0", 0, {LENGTH("5")}, BODY_LENGTH, 5, false, true, ""},
        {"chunked", 1, {HOST, CODING("chunked")}, BODY_CHUNKED, 0, false, false, "example.com"},
        {"Chunked", 1, {HOST, CODING("ChunkeD")}, BODY_CHUNKED, 0, false, false, "example.com"},
        {"expect",
         1,
         {HOST, LENGTH("1"), FIELD("Expect", "100-Continue ")},
         BODY_LENGTH,
         1,
         true,
         false,
         "example.com"},
        {"expect on 1.0",
         0,
         {HOST, FIELD("Expect", "100-continue")},
         BODY_NONE,
         0,
         false,
         true,
         "example.com"},
        {"unknown expect on 1.0", 0, {FIELD("Expect", "x")}, BODY_NONE, 0, false, true, ""},
        {"close",
         1,
         {HOST, FIELD("Connection", "close")},
         BODY_NONE,
         0,
         false,
         true,
         "example.com"},
        {"Close in a list",
         1,
         {HOST, FIELD("connection", "a , Close,\tb")},
         BODY_NONE,
         0,
         false,
         true,
         "example.com"},
        {"close in a second field",
         1,
         {HOST, FIELD("Connection", "x"), FIELD("Connection", "close")},
         BODY_NONE,
         0,
         false,
         true,
         "example.com"},
        {"closed is not close",
         1,
         {HOST, FIELD("Connection", "closed, \"close\"")},
         BODY_NONE,
         0,
         false,
         false,
         "example.com"},
        {"keep-alive on 1.0",
         0,
         {FIELD("Connection", "Keep-Alive")},
         BODY_NONE,
         0,
         false,
         false,
         ""},
        {"both on 1.0",
         0,
         {FIELD("Connection", "keep-alive, close")},
         BODY_NONE,
         0,
         false,
         true,
         ""},
        {"keep-alive on 1.1",
         1,
         {HOST, FIELD("Connection", "keep-alive")},
         BODY_NONE,
         0,
         false,
         false,
         "example.com"},
        {"names of the same lengths",
         1,
         {HOST, FIELD("Hose", "{"), FIELD("Content-Lengti", "x"), FIELD("Transfer-Encodinh", "x")},
         BODY_NONE,
         0,
         false,
         false,
         "example.com"},
        {"a value in any bytes",
         1,
         {HOST, FIELD("A", "\t\xff\x80 \"")},
         BODY_NONE,
         0,
         false,
         false,
         "example.com"},
        {"an empty value", 1, {HOST, FIELD("A", "")}, BODY_NONE, 0, false, false, "example.com"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct framing framing = {.length = 77};
        int status = check(rows[i].minor, rows[i].fields, count_fields(rows[i].fields), &framing);
        cr_assert_eq(status, 0, "%s gave %d", rows[i].what, status);
        cr_expect_eq(framing.kind, rows[i].kind, "%s", rows[i].what);
        cr_expect_eq(framing.length, rows[i].length, "%s", rows[i].what);
        cr_expect_eq(framing.expect_continue, rows[i].expect_continue, "%s", rows[i].what);
        cr_expect_eq(framing.close, rows[i].close, "%s", rows[i].what);
        cr_expect(svc__bytes_eq_z(framing.host, rows[i].host), "%s", rows[i].what);
    }
}

Test(proto_head, each_of_the_256_bytes_in_a_length_is_a_digit_or_400)
{
    for (int c = 0; c < 256; c++) {
        char text[] = {'1', (char)c, '2'};
        struct field fields[] = {HOST, LENGTH("")};
        struct framing framing;
        fields[1].value = svc__bytes(text, sizeof(text));
        cr_expect_eq(check(1, fields, 2, &framing), c >= '0' && c <= '9' ? 0 : 400, "0x%02x", c);
    }
}

Test(proto_head, the_method_must_be_a_token)
{
    static const struct bytes bad[] = {
        LITERAL(""), LITERAL("G T"), LITERAL("GET\0"), LITERAL("G{T"), {NULL, 0}};
    static const struct field host = HOST;
    for (size_t i = 0; i < ROWS(bad); i++) {
        struct head head = {bad[i], LITERAL("/"), 1, &host, 1, 0};
        struct framing framing;
        const char *reason;
        cr_expect_eq(check_head(&head, &framing, &reason), 400);
    }
}

Test(proto_head, limits_hold_to_the_byte)
{
    static const struct field fields[] = {HOST,
                                          FIELD("A", "b"),
                                          FIELD("A", "b"),
                                          FIELD("A", "b"),
                                          FIELD("A", "b"),
                                          FIELD("A", "b"),
                                          FIELD("A", "b"),
                                          FIELD("A", "b"),
                                          FIELD("A", "b")};
    static const char target[65] = "/";
    struct framing framing;
    const char *reason;
    static const struct {
        size_t target, fields, bytes;
        int status;
    } rows[] = {
        {64, 8, 1024, 0},   {65, 8, 1024, 414}, {64, 9, 1024, 431},
        {64, 8, 1025, 431}, {65, 9, 1025, 414}, {64, 8, SIZE_MAX, 431},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct head head = {.method = LITERAL("GET"), .minor = 1, .fields = fields};
        head.target_raw = svc__bytes(target, rows[i].target);
        head.count = rows[i].fields;
        head.bytes = rows[i].bytes;
        cr_expect_eq(check_head(&head, &framing, &reason), rows[i].status, "row %zu", i);
    }
}

Test(proto_head, size_is_what_the_head_takes_on_the_wire)
{
    static const struct field fields[] = {HOST, FIELD("A", "")};
    static const char wire[] = "GET /x HTTP/1.1\r\nHost: example.com\r\nA: \r\n\r\n";
    struct head head = {LITERAL("GET"), LITERAL("/x"), 1, fields, 2, 0};
    cr_expect_eq(svc__head_size(&head), sizeof(wire) - 1);
    head.target_raw.len = SIZE_MAX - 5;
    cr_expect_eq(svc__head_size(&head), SIZE_MAX);
}
