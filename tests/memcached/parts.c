/* The parts of libsvc-memcached that need no server: the ring, the URL, replies, and a limit's
 * decision. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/memcached/memcached_limit.h"
#include "libsvc/memcached/memcached_md5.h"
#include "libsvc/memcached/memcached_place.h"
#include "libsvc/memcached/memcached_reply.h"
#include "libsvc/memcached/memcached_ring.h"

/* ---- MD5 and the ring */

static void write_digest(char *text, const char *data, size_t len)
{
    uint32_t digest[4];
    svc__memcached_md5_sum(data, len, digest);
    for (int i = 0; i < 16; i++)
        sprintf(text + (size_t)i * 2, "%02x", digest[i / 4] >> 8 * (i % 4) & 0xff);
}

/* The vectors of RFC 1321, and lengths around the end of a block. */
Test(memcached, digests_are_those_of_md5)
{
    static const struct {
        const char *data, *digest;
    } cases[] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e"},
        {"a", "0cc175b9c0f1b6a831c399e269772661"},
        {"abc", "900150983cd24fb0d6963f7d28e17f72"},
        {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
        {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
         "57edf4a22be3c955ac49da2e2107b67a"}};
    static const struct {
        size_t len;
        const char *digest;
    } of_zeros[] = {
        {55, "c9ea3314b91c9fd4e38f9432064fd1f2"},  {56, "e3c4dd21a9171fd39d208efa09bf7883"},
        {63, "65cecfb980d72fde57d175d6ec1c3f64"},  {64, "3b5d3c7d207e37dceeedd301e35e2e58"},
        {119, "8271cb2e6a546123b43096a2efce39d2"}, {120, "222f7d881ded1871724a1b9a1cb94247"}};
    char text[33], zeros[128] = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_digest(text, cases[i].data, strlen(cases[i].data));
        cr_expect_str_eq(text, cases[i].digest);
    }
    for (size_t i = 0; i < sizeof of_zeros / sizeof *of_zeros; i++) {
        write_digest(text, zeros, of_zeros[i].len);
        cr_expect_str_eq(text, of_zeros[i].digest);
    }
}

static bool may_ask(void *arg, size_t server)
{
    const unsigned *dead = arg;
    return !(*dead >> server & 1);
}

static size_t find(const struct memcached_ring *ring, const char *key, unsigned dead)
{
    return svc__memcached_ring_find(ring, key, strlen(key), may_ask, &dead);
}

/* Points of libmemcached with ketama, computed by another program (Python's hashlib) that gives the
 * points and the servers which libmemcached's own tests expect. */
Test(memcached, the_ring_is_that_of_ketama)
{
    static const char *const names[] = {"a", "b:11212", "/run/m.sock:0"};
    static const size_t servers[] = {0, 2, 0, 0, 2, 0, 1, 1, 0, 2, 1, 1};
    struct memcached_ring *ring = svc__memcached_ring_new(names, 3);
    cr_assert_not_null(ring);
    cr_expect_eq(ring->points[0].at, 3747649);
    cr_expect_eq(ring->points[1].at, 9229003);
    cr_expect_eq(ring->points[1].server, 2);
    cr_expect_eq(ring->points[3 * MEMCACHED_POINTS - 1].at, 4293088312);
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        char key[32];
        snprintf(key, sizeof key, "orders:item/%zu", i);
        cr_expect_eq(find(ring, key, 0), servers[i], "%s", key);
    }
    cr_expect_eq(find(ring, "wrap3734", 0), 0, "a hash behind the last point belongs to the first");
    free(ring);
}

/* Of ten servers one is left out: its keys move, each of the others gets some, and no other key
 * moves. */
Test(memcached, only_the_keys_of_a_dead_server_move)
{
    enum { SERVERS = 10, KEYS = 20000, DEAD = 3 };
    char texts[SERVERS][16];
    const char *names[SERVERS];
    int moved = 0, gained[SERVERS] = {0};
    for (int i = 0; i < SERVERS; i++) {
        snprintf(texts[i], sizeof texts[i], "10.0.0.%d", i + 1);
        names[i] = texts[i];
    }
    struct memcached_ring *ring = svc__memcached_ring_new(names, SERVERS);
    cr_assert_not_null(ring);
    for (int i = 0; i < KEYS; i++) {
        char key[32];
        snprintf(key, sizeof key, "key/%d", i);
        size_t before = find(ring, key, 0), after = find(ring, key, 1U << DEAD);
        if (before == DEAD) {
            moved++;
            gained[after]++;
        } else {
            cr_assert_eq(before, after, "%s has moved", key);
        }
    }
    printf("%d of %d keys have moved\n", moved, KEYS);
    cr_expect(moved > KEYS / SERVERS * 7 / 10 && moved < KEYS / SERVERS * 13 / 10);
    for (int i = 0; i < SERVERS; i++)
        cr_expect(i == DEAD ? gained[i] == 0 : gained[i] > 0);
    cr_expect_eq(find(ring, "key", (1U << SERVERS) - 1), SERVERS, "all are dead");
    free(ring);
}

/* ---- The URL */

static int read_place(struct memcached_place *place, const char *rest, const char *name,
                      const char *value)
{
    const svc_sys_store_param param = {name, value};
    const svc_sys_store_place from = {
        .size = sizeof from, .rest = rest, .params = &param, .param_count = name ? 1 : 0};
    const char *why = NULL;
    int error = svc__memcached_place_read(place, &from, &why);
    cr_expect_eq(!error, !why);
    return error;
}

Test(memcached, a_url_lists_servers)
{
    static struct memcached_place place;
    cr_assert_eq(
        read_place(&place, "//a,b:11212,[::1]:80,/run/m.sock,[fe80::1],10.0.0.1:11211", NULL, NULL),
        0);
    static const char *const names[] = {"a",       "b:11212", "::1:80", "/run/m.sock:0",
                                        "fe80::1", "10.0.0.1"};
    cr_assert_eq(place.count, 6);
    for (size_t i = 0; i < place.count; i++)
        cr_expect_str_eq(place.servers[i].name, names[i]);
    cr_expect_str_eq(place.servers[2].host, "::1");
    cr_expect_str_eq(place.servers[2].port, "80");
    cr_expect_str_eq(place.servers[0].port, "11211");
    cr_expect(place.failover);
    cr_expect_eq(read_place(&place, "//a", "failover", "0"), 0);
    cr_expect_not(place.failover);
    cr_expect_eq(read_place(&place, "//a", "answer_ms", "70"), 0);
    cr_expect_eq(place.answer_ms, 70);
}

Test(memcached, a_bad_url_is_refused)
{
    static struct memcached_place place;
    static const char *const bad[] = {
        "",      "a",     "/a",        "//",     "//a,",   "//,a",   "//a,a",    "//a,a:11211",
        "//a:",  "//a:0", "//a:65536", "//a:x",  "//[::1", "//[]:1", "//[::1]1", "//a:1:2",
        "//u@a", "//a/b", "//a:+1",    "//a:01", "//a b",  "//%61",  "//a:1 "};
    static const char *const params[][2] = {
        {"failover", "yes"}, {"failover", ""}, {"answer_ms", "0"},     {"answer_ms", "-1"},
        {"connect_ms", "x"}, {"weight", "2"},  {"retry_ms", "3600001"}};
    char long_path[300] = "///";
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_eq(read_place(&place, bad[i], NULL, NULL), SVC_EINVAL, "%s", bad[i]);
    for (size_t i = 0; i < sizeof params / sizeof *params; i++)
        cr_expect_eq(read_place(&place, "//a", params[i][0], params[i][1]), SVC_EINVAL, "%s=%s",
                     params[i][0], params[i][1]);
    memset(long_path + 3, 'p', sizeof long_path - 4);
    cr_expect_eq(read_place(&place, long_path, NULL, NULL), SVC_EINVAL);
    char many[1024] = "//s0";
    for (int i = 1; i <= MEMCACHED_SERVERS; i++)
        sprintf(many + strlen(many), ",s%d", i);
    cr_expect_eq(read_place(&place, many, NULL, NULL), SVC_EINVAL);
    *strrchr(many, ',') = '\0';
    cr_expect_eq(read_place(&place, many, NULL, NULL), 0);
    cr_expect_eq(place.count, MEMCACHED_SERVERS);
}

/* ---- Replies */

struct seen {
    char text[512]; /* each reply as it was read */
    char value[64];
    size_t skip;
    bool refuses;
};

static char *place_value(void *arg, const struct memcached_reply *reply, size_t *skip)
{
    struct seen *seen = arg;
    *skip = seen->skip < reply->len ? seen->skip : (size_t)reply->len;
    memset(seen->value, 0, sizeof seen->value);
    return reply->len < sizeof seen->value ? seen->value : NULL;
}

static int take_reply(void *arg, const struct memcached_reply *reply)
{
    struct seen *seen = arg;
    snprintf(seen->text + strlen(seen->text), sizeof seen->text - strlen(seen->text),
             "%d c%d f%d O%lld %s%s%s;", (int)reply->code, (int)reply->cas, (int)reply->flags,
             (long long)reply->opaque, reply->won ? "W " : "", reply->lost ? "Z " : "",
             reply->code == MEMCACHED_VA ? seen->value : "");
    return seen->refuses ? SVC_ECANCELLED : 0;
}

/* Feeds a text in pieces of `step` bytes. 0, or the error. */
static int feed(struct seen *seen, const char *text, size_t len, size_t step)
{
    struct memcached_reader reader = {0};
    const struct memcached_sink sink = {place_value, take_reply, seen};
    size_t from = 0, to = 0;
    while (to < len) {
        to = to + step < len ? to + step : len;
        long used = svc__memcached_reply_feed(&reader, text + from, to - from, &sink);
        if (used < 0)
            return (int)used;
        from += (size_t)used;
    }
    return 0;
}

Test(memcached, replies_are_the_same_in_any_pieces)
{
    static const char text[] =
        "HD c17 O1\r\nEN O2\r\nVA 5 c3 f1 O3\r\nab\r\nc\r\nVA 0 O4\r\n\r\nNF\r\nNS c0 \r\nEX "
        "O5\r\nMN\r\n"
        "VA 3 s3 t-1 W c9 O18446744073709551614\r\nxyz\r\n"
        "VA 0 c2 f0 O6 Z\r\n\r\nVA 1 c2 O7 X W\r\na\r\nVA 0 W1 Zx XZ O8\r\n\r\n"
        "SERVER_ERROR object too large for cache\r\nERROR\r\nCLIENT_ERROR anything\r\n"
        "CLIENT_ERROR cannot increment or decrement non-numeric value\r\nEND\r\nSTAT pid 7\r\n";
    static struct seen whole, pieces;
    cr_assert_eq(feed(&whole, text, sizeof text - 1, sizeof text), 0);
    cr_expect_str_eq(
        whole.text,
        "0 c17 f0 O1 ;2 c0 f0 O2 ;1 c3 f1 O3 ab\r\nc;1 c0 f0 O4 ;3 c0 f0 O-1 ;4 c0 f0 O-1 ;"
        "5 c0 f0 O5 ;6 c0 f0 O-1 ;1 c9 f0 O-2 W xyz;1 c2 f0 O6 Z ;1 c2 f0 O7 W a;1 c0 f0 O8 ;"
        "9 c0 f0 O-1 ;12 c0 f0 O-1 ;"
        "12 c0 f0 O-1 ;11 c0 f0 O-1 ;8 c0 f0 O-1 ;7 c0 f0 O-1 ;");
    for (size_t step = 1; step < 40; step++) {
        pieces = (struct seen){{0}, {0}, 0, false};
        cr_assert_eq(feed(&pieces, text, sizeof text - 1, step), 0);
        cr_assert_str_eq(pieces.text, whole.text, "in pieces of %zu", step);
    }
}

Test(memcached, the_first_bytes_of_a_value_are_skipped)
{
    for (size_t step = 1; step < 20; step++) {
        struct seen seen = {.skip = 2};
        cr_assert_eq(feed(&seen, "VA 5\r\nabcde\r\n", 13, step), 0);
        cr_assert_str_eq(seen.value, "cde");
    }
}

Test(memcached, what_no_server_sends_is_refused)
{
    static const char *const bad[] = {"HELLO\r\n",
                                      "\r\n",
                                      "\n",
                                      "HD\n",
                                      "hd\r\n",
                                      "VA\r\n",
                                      "VA x\r\n",
                                      "VA -1\r\n",
                                      "VA 01\r\n",
                                      "VA 18446744073709551616\r\n",
                                      "VA 134217729\r\n",
                                      "HD cx\r\n",
                                      "HD c\r\n",
                                      "HD O-1\r\n",
                                      "HD f99999999999999999999\r\n",
                                      "VA 2\r\nabc\r\n",
                                      "VA 2\r\nab\n\n",
                                      "VA 2\r\nab\rx",
                                      "STA pid 1\r\n",
                                      "HTTP/1.1 400 Bad Request\r\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (size_t step = 1; step < 30; step += 28) {
            struct seen seen = {.skip = 0};
            cr_expect_eq(feed(&seen, bad[i], strlen(bad[i]), step), SVC_ESYNTAX, "%s", bad[i]);
        }
    char endless[MEMCACHED_LINE_BYTES + 10];
    struct seen seen = {.refuses = true};
    memset(endless, 'x', sizeof endless);
    cr_expect_eq(feed(&seen, endless, sizeof endless, 100), SVC_ESYNTAX);
    cr_expect_eq(feed(&seen, "MN\r\n", 4, 4), SVC_ECANCELLED);
}

/* ---- Limits */

/* A state that the instances of a service share, each with its own clock. */
struct shared {
    struct memcached_limit state;
};

static bool decide(struct shared *shared, const svc_store_charge *charge, uint64_t now_us,
                   svc_store_verdict *verdict)
{
    struct memcached_limit next;
    cr_assert_eq(svc__memcached_limit_decide(charge, shared->state.bytes, shared->state.len, now_us,
                                             verdict, &next),
                 0);
    if (verdict->pass && charge->cost > 0)
        shared->state = next;
    return verdict->pass;
}

static const uint64_t start_us = UINT64_C(1800000000000000);

/* A rate whose interval is no whole number of microseconds: nothing accumulates. */
Test(memcached, a_limit_keeps_its_rate_exactly)
{
    const svc_rate_window window = {NULL, 7, 1, 3};
    const svc_store_charge charge = {&window, 1, 1};
    struct shared shared = {.state = {.len = 0}};
    svc_store_verdict verdict;
    int passed = 0;
    for (uint64_t us = 0; us <= 100000000; us += 1000)
        passed += decide(&shared, &charge, start_us + us, &verdict);
    cr_expect_eq(passed, 700 + 3);
}

/* A refused charge passes at the time that the verdict has given, and not a microsecond before. */
Test(memcached, a_refusal_says_when_to_try_again)
{
    const svc_rate_window windows[] = {{NULL, 7, 1, 3}, {NULL, 100, 3600, 10}};
    const svc_store_charge charge = {windows, 2, 2};
    struct shared shared = {.state = {.len = 0}};
    svc_store_verdict verdict;
    uint64_t now = start_us;
    for (int i = 0; i < 50; i++) {
        if (decide(&shared, &charge, now, &verdict))
            continue;
        uint64_t retry = verdict.quotas[0].retry_us > verdict.quotas[1].retry_us
                             ? verdict.quotas[0].retry_us
                             : verdict.quotas[1].retry_us;
        cr_assert_gt(retry, 0);
        cr_assert_not(decide(&shared, &charge, now + retry - 1, &verdict));
        now += retry;
        cr_assert(decide(&shared, &charge, now, &verdict));
    }
}

Test(memcached, extreme_windows_do_not_overflow)
{
    const svc_rate_window window = {NULL, 1, 31622400, UINT64_C(1) << 31};
    const svc_store_charge all = {&window, 1, 1U << 31}, one = {&window, 1, 1};
    struct shared shared = {.state = {.len = 0}};
    svc_store_verdict verdict;
    cr_expect(decide(&shared, &all, start_us, &verdict));
    cr_expect_eq(verdict.quotas[0].remaining, 0);
    cr_expect_eq(verdict.quotas[0].reset_us, UINT64_MAX - 1);
    cr_expect_not(decide(&shared, &one, start_us, &verdict));
    cr_expect_eq(verdict.quotas[0].retry_us, UINT64_C(31622400) * 1000000);
}

Test(memcached, other_windows_begin_anew_and_other_values_are_refused)
{
    const svc_rate_window window = {NULL, 1, 86400, 2}, wider = {NULL, 1, 86400, 3};
    const svc_store_charge charge = {&window, 1, 2}, other = {&wider, 1, 3};
    struct shared shared = {.state = {.len = 0}};
    struct memcached_limit next;
    svc_store_verdict verdict;
    cr_expect(decide(&shared, &charge, start_us, &verdict));
    cr_expect_not(decide(&shared, &charge, start_us, &verdict));
    cr_expect(decide(&shared, &other, start_us, &verdict));
    cr_expect_eq(svc__memcached_limit_decide(&charge, "L", 1, start_us, &verdict, &next),
                 SVC_ESYNTAX);
    cr_expect_eq(svc__memcached_limit_decide(&charge, "hello", 5, start_us, &verdict, &next),
                 SVC_ESYNTAX);
    shared.state.bytes[0] = 'M';
    cr_expect_eq(svc__memcached_limit_decide(&charge, shared.state.bytes, shared.state.len,
                                             start_us, &verdict, &next),
                 SVC_ESYNTAX);
}
