#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/coding/coding_zlib.h"
#include "libsvc/coding/undo.h"
#include "tests/support/coding_checks.h"
#include "tests/support/large.h"

#ifdef HAVE_ZLIB

enum { BOMB = 4 << 20 };

static struct undo_coding gzip_coding, deflate_coding;

static void init(void)
{
    gzip_coding.coding = &svc__coding_zlib[0];
    deflate_coding.coding = &svc__coding_zlib[1];
    svc__context_pool_init(&gzip_coding.pool, gzip_coding.coding->decoder_free);
    svc__context_pool_init(&deflate_coding.pool, deflate_coding.coding->decoder_free);
}

static void fini(void)
{
    svc__context_pool_free(&gzip_coding.pool);
    svc__context_pool_free(&deflate_coding.pool);
}

TestSuite(undo, .init = init, .fini = fini);

static struct undo *make_undo(struct undo_coding *first, struct undo_coding *second)
{
    struct undo *undo = calloc(1, sizeof *undo);
    undo->limit = UINT64_MAX;
    cr_assert_eq(svc__undo_add(undo, first), 0);
    if (second)
        cr_assert_eq(svc__undo_add(undo, second), 0);
    return undo;
}

/* Undoes pieces of `piece` bytes into `out`, and expects no more than fits. */
static enum undo_end undo_all(struct undo *undo, const char *coded, size_t len, size_t piece,
                              char *out, size_t room, size_t *made)
{
    *made = 0;
    for (;;) {
        size_t n = len < piece ? len : piece;
        enum undo_end end;
        undo->input = svc__bytes(coded, n);
        do {
            struct bytes text;
            end = svc__undo_step(undo, n == 0, &text);
            if (end > UNDO_FULL)
                return end;
            cr_assert_leq(text.len, room - *made);
            memcpy(out + *made, text.data, text.len);
            *made += text.len;
        } while (end == UNDO_FULL);
        cr_assert_eq(undo->input.len, 0);
        if (n == 0)
            return end;
        coded += n;
        len -= n;
    }
}

static void free_undo(struct undo *undo)
{
    svc__undo_end(undo);
    free(undo);
}

static size_t code(const struct undo_coding *coding, const char *text, size_t len, char *out,
                   size_t room)
{
    return encode_all(coding->coding, 0, text, len, 64, out, room);
}

Test(undo, one_coding_whatever_the_pieces)
{
    static char text[TEXT], coded[TEXT], read[TEXT];
    fill_text(text, sizeof text);
    struct undo_coding *const codings[] = {&gzip_coding, &deflate_coding};
    for (int i = 0; i < 2; i++) {
        size_t len = code(codings[i], text, sizeof text, coded, sizeof coded), made;
        for (size_t piece = 1; piece <= TEXT; piece = piece * 9 + 1) {
            struct undo *undo = make_undo(codings[i], NULL);
            cr_expect_eq(undo_all(undo, coded, len, piece, read, sizeof read, &made), UNDO_HUNGRY);
            cr_expect_eq(made, sizeof text);
            cr_expect_eq(memcmp(read, text, sizeof text), 0);
            free_undo(undo);
        }
    }
}

Test(undo, two_codings_in_a_row_whatever_the_pieces)
{
    static char text[TEXT], inner[TEXT], outer[TEXT], read[TEXT];
    fill_text(text, sizeof text);
    size_t len = code(&gzip_coding, text, sizeof text, inner, sizeof inner), made;
    len = code(&deflate_coding, inner, len, outer, sizeof outer);
    for (size_t piece = 1; piece <= TEXT; piece = piece * 9 + 1) {
        struct undo *undo = make_undo(&deflate_coding, &gzip_coding);
        cr_expect_eq(undo_all(undo, outer, len, piece, read, sizeof read, &made), UNDO_HUNGRY);
        cr_expect_eq(made, sizeof text);
        cr_expect_eq(memcmp(read, text, sizeof text), 0);
        free_undo(undo);
    }
}

/* The outer coding hides a long run of the same bytes, which one piece of it becomes. */
Test(undo, what_is_between_two_codings_waits_for_room)
{
    char *inner = large(BOMB), *outer = large(BOMB), *read = large(BOMB);
    char *text = calloc(1, BOMB);
    size_t made, len = code(&gzip_coding, text, BOMB, inner, BOMB);
    len = code(&gzip_coding, inner, len, outer, BOMB);
    struct undo *undo = make_undo(&gzip_coding, &gzip_coding);
    cr_expect_eq(undo_all(undo, outer, len, len, read, BOMB, &made), UNDO_HUNGRY);
    cr_expect_eq(made, (size_t)BOMB);
    free_undo(undo);
    free(text);
}

Test(undo, a_body_that_is_cut_is_not_whole)
{
    static char text[1000], inner[1000], outer[1000], read[1000];
    fill_text(text, sizeof text);
    size_t made, half = code(&gzip_coding, text, sizeof text, inner, sizeof inner);
    size_t len = code(&deflate_coding, inner, half, outer, sizeof outer);
    for (size_t cut = 0; cut < half; cut++) {
        struct undo *undo = make_undo(&gzip_coding, NULL);
        cr_expect_eq(undo_all(undo, inner, cut, 100, read, sizeof read, &made),
                     cut ? UNDO_TRUNCATED : UNDO_HUNGRY, "%zu", cut);
        free_undo(undo);
    }
    for (size_t cut = 1; cut < len; cut++) {
        struct undo *undo = make_undo(&deflate_coding, &gzip_coding);
        cr_expect_eq(undo_all(undo, outer, cut, 100, read, sizeof read, &made), UNDO_TRUNCATED);
        free_undo(undo);
    }
    /* the outer data is whole, and the inner is not */
    len = code(&deflate_coding, inner, half - 1, outer, sizeof outer);
    struct undo *undo = make_undo(&deflate_coding, &gzip_coding);
    cr_expect_eq(undo_all(undo, outer, len, len, read, sizeof read, &made), UNDO_TRUNCATED);
    free_undo(undo);
}

Test(undo, bytes_behind_the_end_are_an_error_and_more_members_are_not)
{
    static char text[1000], coded[4000], outer[4000], read[4000];
    fill_text(text, sizeof text);
    size_t made, len = code(&deflate_coding, text, sizeof text, coded, sizeof coded);
    for (size_t piece = 1; piece < 2000; piece = piece * 9 + 1) {
        coded[len] = 'x';
        struct undo *undo = make_undo(&deflate_coding, NULL);
        cr_expect_eq(undo_all(undo, coded, len + 1, piece, read, sizeof read, &made),
                     UNDO_TRAILING);
        free_undo(undo);
    }
    size_t whole = code(&gzip_coding, coded, len + 1, outer, sizeof outer);
    struct undo *undo = make_undo(&gzip_coding, &deflate_coding);
    cr_expect_eq(undo_all(undo, outer, whole, whole, read, sizeof read, &made), UNDO_TRAILING);
    free_undo(undo);

    len = code(&gzip_coding, text, sizeof text, coded, sizeof coded);
    memcpy(coded + len, coded, len);
    for (size_t piece = 1; piece < 2000; piece = piece * 9 + 1) {
        undo = make_undo(&gzip_coding, NULL);
        cr_expect_eq(undo_all(undo, coded, 2 * len, piece, read, sizeof read, &made), UNDO_HUNGRY);
        cr_expect_eq(made, 2 * sizeof text);
        cr_expect_eq(memcmp(read + sizeof text, text, sizeof text), 0);
        free_undo(undo);
    }
    undo = make_undo(&gzip_coding, NULL);
    cr_expect_eq(undo_all(undo, coded, len + 5, 7, read, sizeof read, &made), UNDO_TRUNCATED);
    free_undo(undo);
    memcpy(coded + len, "garbage behind", 14);
    undo = make_undo(&gzip_coding, NULL);
    cr_expect_eq(undo_all(undo, coded, len + 14, len + 14, read, sizeof read, &made),
                 UNDO_MALFORMED);
    free_undo(undo);
}

Test(undo, size_and_ratio_are_limited)
{
    char *coded = large(BOMB), *outer = large(BOMB), *read = large(BOMB);
    char *text = calloc(1, BOMB);
    size_t made, len = code(&gzip_coding, text, BOMB, coded, BOMB);
    struct undo *undo = make_undo(&gzip_coding, NULL);
    undo->limit = 100000;
    cr_expect_eq(undo_all(undo, coded, len, len, read, BOMB, &made), UNDO_TOO_LARGE);
    cr_expect_leq(made, 100000UL, "no byte over the limit is handed on");
    free_undo(undo);

    undo = make_undo(&gzip_coding, NULL);
    undo->ratio = 200;
    cr_expect_eq(undo_all(undo, coded, len, 1000, read, BOMB, &made), UNDO_BOMB);
    cr_expect_leq(made, (size_t)UNDO_RATIO_FREE);
    free_undo(undo);

    undo = make_undo(&gzip_coding, NULL);
    undo->ratio = 2000;
    cr_expect_eq(undo_all(undo, coded, len, 1000, read, BOMB, &made), UNDO_HUNGRY);
    cr_expect_eq(made, (size_t)BOMB);
    free_undo(undo);

    /* what is between two codings counts too, though nothing comes of it: empty stored blocks */
    for (size_t i = 0; i < BOMB; i++)
        text[i] = i % 5 < 3 ? 0 : (char)0xff;
    len = code(&gzip_coding, text, BOMB, outer, BOMB);
    undo = make_undo(&gzip_coding, &deflate_coding);
    undo->ratio = 200;
    cr_expect_eq(undo_all(undo, outer, len, len, read, BOMB, &made), UNDO_BOMB);
    cr_expect_eq(made, 0);
    free_undo(undo);
    free(text);
}

Test(undo, contexts_are_used_again_wherever_the_last_body_has_ended)
{
    static char text[1000], coded[1000], read[1000];
    fill_text(text, sizeof text);
    size_t made, len = code(&gzip_coding, text, sizeof text, coded, sizeof coded);
    for (size_t cut = 0; cut <= len; cut += 40) {
        struct undo *undo = make_undo(&gzip_coding, NULL);
        undo_all(undo, coded, cut, 10, read, sizeof read, &made);
        free_undo(undo);
        undo = make_undo(&gzip_coding, NULL);
        cr_expect_eq(undo_all(undo, coded, len, 10, read, sizeof read, &made), UNDO_HUNGRY);
        cr_expect_eq(made, sizeof text);
        free_undo(undo);
    }
}

#endif
