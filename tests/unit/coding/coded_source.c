#include "libsvc/coding/coded_source.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <svc/errors.h>

#include "libsvc/coding/coding_zlib.h"
#include "tests/support/coding_checks.h"

#ifdef HAVE_ZLIB

/* A source whose bytes come by events: a number of bytes, SVC_EAGAIN until it is woken, or an
 * error. */
struct script {
    const char *text;
    size_t at;
    const int *events; /* behind the last one comes the end */
    size_t count, next;
    bool woken;
    int closed;
};

static int64_t read_script(void *state, char *data, size_t len)
{
    struct script *script = state;
    if (script->next == script->count)
        return 0;
    int event = script->events[script->next];
    if (event == SVC_EAGAIN && !script->woken)
        return SVC_EAGAIN;
    script->woken &= event != SVC_EAGAIN;
    script->next++;
    if (event == SVC_EAGAIN)
        return read_script(state, data, len);
    if (event < 0)
        return event;
    cr_assert_leq((size_t)event, len);
    memcpy(data, script->text + script->at, (size_t)event);
    script->at += (size_t)event;
    return event;
}

static void close_script(void *state)
{
    ((struct script *)state)->closed++;
}

static struct arena arena;
static struct coder coder;
static svc_source coded;
static void *decoder;

static void begin(struct script *script, uint64_t length)
{
    svc_source inner = SVC_SOURCE_INIT;
    inner.length = length;
    inner.read = read_script;
    inner.close = close_script;
    inner.state = script;
    svc__arena_init(&arena, NULL, 1 << 20);
    svc__coder_init(&coder, &svc__coding_zlib[0], 0);
    cr_assert_eq(svc__coded_source_make(&coder, 6, &arena, &inner, &coded), 0);
    cr_expect_eq(coded.length, SVC_LENGTH_UNKNOWN);
    cr_assert_eq(coder.coding->decoder_new(&decoder), 0);
}

static void end(const struct script *script)
{
    coded.close(coded.state);
    cr_expect_eq(script->closed, 1);
    coder.coding->decoder_free(decoder);
    svc__coder_free(&coder);
    svc__arena_reset(&arena);
}

/* Reads until the source gives no more bytes, and undoes them. The source's last result. */
static int64_t read_on(size_t room, char *text, size_t *len)
{
    char bytes[4096];
    int64_t n;
    while ((n = coded.read(coded.state, bytes, room)) > 0) {
        svc_sys_coding_step step = {.size = sizeof step,
                                    .input = bytes,
                                    .input_len = (size_t)n,
                                    .output = text + *len,
                                    .output_len = TEXT - *len};
        cr_assert_leq((size_t)n, room);
        int result = coder.coding->decode(decoder, &step);
        cr_assert(result == 0 || result == SVC_EAGAIN);
        cr_assert_eq(step.input_len, 0);
        *len = (size_t)(step.output - text);
    }
    return n;
}

Test(coding_coded_source, shows_each_event_before_it_waits)
{
    static const int events[] = {SVC_EAGAIN, 100, SVC_EAGAIN, 50, 70, SVC_EAGAIN, 1};
    static const size_t shown[] = {0, 100, 220};
    static char text[TEXT], read[TEXT];
    fill_text(text, TEXT);
    for (size_t room = 1; room <= 4096; room = room * 5 + 1) {
        struct script script = {.text = text, .events = events, .count = 7};
        size_t len = 0;
        begin(&script, SVC_LENGTH_UNKNOWN);
        for (size_t i = 0; i < 3; i++) {
            cr_expect_eq(read_on(room, read, &len), SVC_EAGAIN);
            cr_expect_eq(len, shown[i], "%zu of %zu", len, shown[i]);
            cr_expect_eq(read_on(room, read, &len), SVC_EAGAIN, "and nothing more");
            script.woken = true;
        }
        cr_expect_eq(read_on(room, read, &len), 0);
        cr_expect_eq(len, 221);
        cr_expect_eq(memcmp(read, text, len), 0);
        cr_expect_eq(coded.read(coded.state, read, room), 0, "the end stays the end");
        end(&script);
    }
}

Test(coding_coded_source, an_error_is_passed_on)
{
    static const int events[] = {100, SVC_ESYSTEM};
    static char text[TEXT], read[TEXT];
    struct script script = {.text = text, .events = events, .count = 2};
    size_t len = 0;
    begin(&script, SVC_LENGTH_UNKNOWN);
    cr_expect_eq(read_on(4096, read, &len), SVC_ESYSTEM);
    end(&script);
}

Test(coding_coded_source, the_length_is_checked)
{
    static const int events[] = {100, 100};
    static char text[TEXT], read[TEXT];
    static const struct {
        uint64_t length;
        int64_t result;
    } rows[] = {{200, 0}, {199, SVC_EINVAL}, {201, SVC_EINVAL}, {SVC_LENGTH_UNKNOWN, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct script script = {.text = text, .events = events, .count = 2};
        size_t len = 0;
        begin(&script, rows[i].length);
        cr_expect_eq(read_on(4096, read, &len), rows[i].result, "%zu", i);
        end(&script);
    }
}

static int64_t read_zeros(void *state, char *data, size_t len)
{
    uint64_t *left = state;
    size_t n = *left < len ? (size_t)*left : len;
    memset(data, 0, n);
    *left -= n;
    return (int64_t)n;
}

/* Data that shrinks to nothing must not keep its reader for as long as it lasts. */
Test(coding_coded_source, one_call_reads_no_more_than_its_share)
{
    uint64_t left = 64 << 20;
    char bytes[16384];
    int64_t n;
    svc_source inner = SVC_SOURCE_INIT;
    inner.read = read_zeros;
    inner.state = &left;
    svc__arena_init(&arena, NULL, 1 << 20);
    svc__coder_init(&coder, &svc__coding_zlib[0], 0);
    cr_assert_eq(svc__coded_source_make(&coder, 1, &arena, &inner, &coded), 0);
    do {
        uint64_t before = left;
        n = coded.read(coded.state, bytes, sizeof bytes);
        cr_assert_leq(before - left, 16 << 20);
    } while (n > 0);
    cr_expect_eq(n, 0);
    coded.close(coded.state);
    svc__coder_free(&coder);
    svc__arena_reset(&arena);
}

Test(coding_coded_source, without_memory_the_inner_source_stays_the_callers)
{
    struct script script = {.count = 0};
    svc_source inner = SVC_SOURCE_INIT;
    inner.read = read_script;
    inner.close = close_script;
    inner.state = &script;
    svc__arena_init(&arena, NULL, 64);
    svc__coder_init(&coder, &svc__coding_zlib[0], 0);
    cr_expect_eq(svc__coded_source_make(&coder, 6, &arena, &inner, &coded), SVC_ENOMEM);
    cr_expect_eq(script.closed, 0);
    svc__coder_free(&coder);
    svc__arena_reset(&arena);
}

#else

Test(coding_coded_source, needs_a_coding)
{
    cr_expect_eq(svc__coding_zlib_count, 0);
}

#endif
