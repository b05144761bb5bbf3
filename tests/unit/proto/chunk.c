#include <criterion/criterion.h>

#include "libsvc/proto/chunk.h"
#include "tests/unit/proto/vectors.h"

static const struct {
    struct bytes framing;
    bool leads, leads_behind, ends, ends_behind;
} rows[] = {
    {LITERAL("5\r\n"), true, false, false, false},
    {LITERAL("0aF\r\n"), true, false, false, false},
    {LITERAL("5;a=\"b\"\t\xff\r\n"), true, false, false, false},
    {LITERAL("\r\n5\r\n"), false, true, false, false},
    {LITERAL("0\r\n\r\n"), false, false, true, false},
    {LITERAL("000;a\r\nX-A: 1\r\n\r\nGET"), false, false, true, false},
    {LITERAL("\r\n0\r\n\r\n"), false, false, false, true},
    {LITERAL("\r\n0\r\nX-A: 1\r\nX-B: 2\r\n\r\n"), false, false, false, true},
    {LITERAL(""), false, false, false, false},
    {LITERAL("5"), false, false, false, false},
    {LITERAL("5\r"), false, false, false, false},
    {LITERAL("5\n"), false, false, false, false},
    {LITERAL("5;\n"), false, false, false, false},
    {LITERAL("5\r\r\n"), false, false, false, false},
    {LITERAL("5;a\rb\r\n"), false, false, false, false},
    {LITERAL("5\0\r\n"), false, false, false, false},
    {LITERAL("5 ;a\r\n"), false, false, false, false},
    {LITERAL(";a\r\n"), false, false, false, false},
    {LITERAL("g\r\n"), false, false, false, false},
    {LITERAL("5\r\nh"), false, false, false, false},
    {LITERAL("\n5\r\n"), false, false, false, false},
    {LITERAL("0\n\r\n"), false, false, false, false},
    {LITERAL("0\r\n\n"), false, false, false, false},
    {LITERAL("0\r\nX-A: 1\n\r\n"), false, false, false, false},
    {LITERAL("0\r\n:\r\nX: 1\r\n\r\n"), false, false, false, false},
    {LITERAL("0\r\nX\r\n\r\n"), false, false, false, false},
    {LITERAL("0\r\nX: 1\r\n a\r\n\r\n"), false, false, false, false},
    {LITERAL("0\r\nX: \r\n\r\n"), false, false, true, false},
    {LITERAL("0\r\nX:\r\n\r\n"), false, false, true, false},
    {LITERAL("\n0\r\n\r\n"), false, false, false, false},
    {LITERAL("\r\n0\r\n"), false, false, false, false},
};

Test(proto_chunk, lines_are_taken_strictly)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_expect_eq(svc__chunk_leads(rows[i].framing, false), rows[i].leads, "%zu", i);
        cr_expect_eq(svc__chunk_leads(rows[i].framing, true), rows[i].leads_behind, "%zu", i);
        cr_expect_eq(svc__chunk_ends(rows[i].framing, false), rows[i].ends, "%zu", i);
        cr_expect_eq(svc__chunk_ends(rows[i].framing, true), rows[i].ends_behind, "%zu", i);
    }
}
