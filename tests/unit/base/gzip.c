#include <criterion/criterion.h>
#include <stdlib.h>

#include <svc/errors.h>

#include "libsvc/base/gzip.h"
#include "tests/unit/base/support.h"

#ifdef HAVE_ZLIB

#include <zlib.h>

enum { WINDOW_AND_GZIP = 15 + 16 };

/* Compresses the text behind `before`, and compares what a reader gets with it. */
static void expect_same(struct bytes text)
{
    struct buf out;
    svc__buf_init(&out, SIZE_MAX);
    svc__buf_puts(&out, "before");
    cr_assert_eq(svc__gzip_append(&out, text), 0);
    char *read = malloc(text.len + 1);
    z_stream stream = {.next_in = (Bytef *)out.data + 6,
                       .avail_in = (uInt)out.len - 6,
                       .next_out = (Bytef *)read,
                       .avail_out = (uInt)text.len + 1};
    cr_assert_eq(inflateInit2(&stream, WINDOW_AND_GZIP), Z_OK);
    cr_expect_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
    cr_expect_eq(stream.avail_in, 0);
    cr_expect_eq(stream.total_out, text.len);
    cr_expect(text.len == 0 || memcmp(read, text.data, text.len) == 0);
    inflateEnd(&stream);
    free(read);
    svc__buf_free(&out);
}

Test(base_gzip, what_is_compressed_reads_back)
{
    cr_assert(svc__gzip_available());
    expect_same(svc__bytes(NULL, 0));
    expect_same(BYTES("a"));
    char *text = malloc(1 << 20);
    unsigned state = 1;
    for (size_t i = 0; i < 1 << 20; i++) { /* half of it does not shrink */
        state = state * 1103515245 + 12345;
        text[i] = i % 2 ? 'a' : (char)(state >> 16);
    }
    expect_same(svc__bytes(text, 1 << 20));
    free(text);
}

Test(base_gzip, the_ceiling_holds_and_nothing_half_done_is_left)
{
    static char zeros[100000];
    struct buf out;
    svc__buf_init(&out, 20);
    svc__buf_puts(&out, "before");
    cr_expect_eq(svc__gzip_append(&out, svc__bytes(zeros, sizeof zeros)), SVC_ETOOBIG);
    cr_expect_eq(svc__buf_error(&out), SVC_ETOOBIG);
    cr_expect_eq(out.len, 6);
    cr_expect_eq(svc__gzip_append(&out, BYTES("a")), SVC_ETOOBIG);
    cr_expect_eq(out.len, 6);
    svc__buf_free(&out);
}

#else

Test(base_gzip, a_build_without_zlib_compresses_nothing)
{
    struct buf out;
    svc__buf_init(&out, 100);
    cr_expect_not(svc__gzip_available());
    cr_expect_eq(svc__gzip_append(&out, BYTES("a")), SVC_ENOMEM);
    cr_expect_eq(out.len, 0);
}

#endif
