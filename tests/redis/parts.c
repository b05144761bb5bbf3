/* The parts that need no server: URLs, commands, replies, hashes and times. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "libsvc/redis/redis_command.h"
#include "libsvc/redis/redis_fault.h"
#include "libsvc/redis/redis_sha1.h"
#include "libsvc/redis/redis_time.h"
#include "libsvc/redis/redis_url.h"

/* ---- URLs */

static int read_url(struct redis_url *url, const char *scheme, const char *rest, const char *name,
                    const char *value)
{
    const svc_sys_store_param param = {name, value};
    const svc_sys_store_place place = {.size = sizeof place,
                                       .scheme = scheme,
                                       .rest = rest,
                                       .params = &param,
                                       .param_count = name ? 1 : 0,
                                       .name_space = "test",
                                       .max_value = 1000};
    const char *why = NULL;
    int error = svc__redis_url_read(url, &place, &why);
    cr_expect_eq(!error, !why);
    cr_expect(!why || !strstr(why, "s3cret"), "%s", why);
    return error;
}

Test(redis_url, all_parts_are_read)
{
    struct redis_url url;
    cr_assert_eq(read_url(&url, "redis", "//a%3Ab:s3%40cr%2Fet@host.internal:1234/15", NULL, NULL),
                 0);
    cr_expect_str_eq(url.user, "a:b");
    cr_expect_str_eq(url.password, "s3@cr/et");
    cr_expect_str_eq(url.host, "host.internal");
    cr_expect_str_eq(url.port, "1234");
    cr_expect_eq(url.db, 15);
    cr_expect_eq(url.connect_timeout_ms, 1000);
    cr_assert_eq(read_url(&url, "redis", "//[::1]", "connect_timeout_ms", "60000"), 0);
    cr_expect_str_eq(url.host, "::1");
    cr_expect_str_eq(url.port, "6379");
    cr_expect_eq(url.connect_timeout_ms, 60000);
    cr_assert_eq(read_url(&url, "redis", "//:p@w@[::1]:7/", "db", "3"), 0);
    cr_expect_str_eq(url.user, "");
    cr_expect_str_eq(url.password, "p@w");
    cr_expect_str_eq(url.port, "7");
    cr_expect_eq(url.db, 3);
    cr_assert_eq(read_url(&url, "redis", "//me@h", "password_file", "/run/p"), 0);
    cr_expect_str_eq(url.password_file, "/run/p");
}

Test(redis_url, a_socket_has_a_path)
{
    struct redis_url url;
    cr_assert_eq(read_url(&url, "redis+unix", "/run/a%20b.sock", "db", "2"), 0);
    cr_expect_str_eq(url.path, "/run/a b.sock");
    cr_expect_str_eq(url.host, "");
    cr_expect_eq(url.db, 2);
    cr_assert_eq(read_url(&url, "redis+unix", "/s", "cache_mb", "64"), 0);
    cr_expect_eq(url.cache_mb, 64);
    cr_expect_eq(read_url(&url, "redis+unix", "/s", "cache_mb", "1048577"), SVC_EINVAL);
    cr_expect_eq(read_url(&url, "redis+unix", "/s", "cache_mb", ""), SVC_EINVAL);
    cr_assert_eq(read_url(&url, "redis+unix", "//me:s3cret@/run/redis.sock", NULL, NULL), 0);
    cr_expect_str_eq(url.path, "/run/redis.sock");
    cr_expect_str_eq(url.password, "s3cret");
}

Test(redis_url, everything_else_is_refused)
{
    static const char *const bad[] = {"",
                                      "host",
                                      "/host",
                                      "//",
                                      "//:1",
                                      "//host:",
                                      "//host:0",
                                      "//host:65536",
                                      "//host:1x",
                                      "//host:000001",
                                      "//ho st",
                                      "//host/x",
                                      "//host/-1",
                                      "//host/1/",
                                      "//host/1000001",
                                      "//[::1",
                                      "//[::1]x",
                                      "//[]",
                                      "//a:%s3cret@host",
                                      "//a:s3cret%00@host",
                                      "//a:s3cret%4@host",
                                      "//a@host",
                                      "//ho@st@"};
    static const char *const bad_unix[] = {"",      "run",   "//host/run", "//a:b@host/run",
                                           "/a%00", "//a:b@"};
    static const char *const bad_params[][2] = {{"db", ""},
                                                {"db", "x"},
                                                {"connect_timeout_ms", "0"},
                                                {"connect_timeout_ms", "60001"},
                                                {"password_file", ""},
                                                {"tls", "1"}};
    struct redis_url url;
    char longer[2200];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_eq(read_url(&url, "redis", bad[i], NULL, NULL), SVC_EINVAL, "%s", bad[i]);
    for (size_t i = 0; i < sizeof bad_unix / sizeof *bad_unix; i++)
        cr_expect_eq(read_url(&url, "redis+unix", bad_unix[i], NULL, NULL), SVC_EINVAL, "%s",
                     bad_unix[i]);
    for (size_t i = 0; i < sizeof bad_params / sizeof *bad_params; i++)
        cr_expect_eq(read_url(&url, "redis", "//host", bad_params[i][0], bad_params[i][1]),
                     SVC_EINVAL, "%s", bad_params[i][0]);
    cr_expect_eq(read_url(&url, "redis", "//:s3cret@host", "password_file", "/run/p"), SVC_EINVAL);
    snprintf(longer, sizeof longer, "//:%01025d@host", 1);
    cr_expect_eq(read_url(&url, "redis", longer, NULL, NULL), SVC_EINVAL);
    snprintf(longer, sizeof longer, "//%0256d", 1);
    cr_expect_eq(read_url(&url, "redis", longer, NULL, NULL), SVC_EINVAL);
    snprintf(longer, sizeof longer, "/%0107d", 1);
    cr_expect_eq(read_url(&url, "redis+unix", longer, NULL, NULL), SVC_EINVAL);
}

/* ---- Hashes */

Test(redis_sha1, the_examples_of_the_standard_hold)
{
    char digits[REDIS_SHA1_DIGITS + 1], many[1000];
    svc__redis_sha1_digits("abc", 3, digits);
    cr_expect_str_eq(digits, "a9993e364706816aba3e25717850c26c9cd0d89d");
    svc__redis_sha1_digits("", 0, digits);
    cr_expect_str_eq(digits, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    static const char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    svc__redis_sha1_digits(two, sizeof two - 1, digits);
    cr_expect_str_eq(digits, "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    memset(many, 'a', sizeof many);
    svc__redis_sha1_digits(many, sizeof many, digits);
    cr_expect_str_eq(digits, "291e9a6c66994949b57ba5e650361e98fc36b1ba");
}

/* ---- Replies */

static char taken[64];

static void take_text(void *arg, const char *data, size_t len)
{
    (void)arg;
    snprintf(taken, sizeof taken, "%.*s", (int)len, data);
}

/* Feeds a text byte by byte; the result of the last look. */
static int read_reply(const char *text, struct redis_reply *reply, size_t most)
{
    struct redis_reader *reader = svc__redis_reply_new(most);
    int got = 0;
    *taken = '\0';
    for (size_t i = 0; text[i] && !got; i++) {
        cr_assert_eq(svc__redis_reply_feed(reader, text + i, 1), 0);
        got = svc__redis_reply_next(reader, reply, take_text, NULL);
        cr_expect(got <= 0 || !text[i + 1], "%s", text);
    }
    if (got > 0)
        cr_expect(svc__redis_reply_is_empty(reader));
    svc__redis_reply_free(reader);
    return got;
}

Test(redis_reply, each_kind_is_read)
{
    struct redis_reply reply;
    cr_expect_eq(read_reply("+OK\r\n", &reply, 100), 1);
    cr_expect(reply.kind == REDIS_STATUS && !strcmp(reply.text, "OK") && !reply.taken);
    cr_expect_eq(read_reply("-ERR no\r\n", &reply, 100), 1);
    cr_expect(reply.kind == REDIS_ERROR && !strcmp(reply.text, "ERR no"));
    cr_expect_eq(read_reply(":-42\r\n", &reply, 100), 1);
    cr_expect(reply.kind == REDIS_NUMBER && reply.number == -42);
    cr_expect_eq(read_reply("$-1\r\n", &reply, 100), 1);
    cr_expect(reply.kind == REDIS_NIL);
    cr_expect_eq(read_reply("$5\r\na\r\nbc\r\n", &reply, 100), 1);
    cr_expect(reply.kind == REDIS_TEXT && reply.taken && !strcmp(taken, "a\r\nbc"));
    cr_expect_eq(read_reply("*3\r\n:7\r\n$1\r\nx\r\n:-1\r\n", &reply, 100), 1);
    cr_expect(reply.kind == REDIS_LIST && reply.count == 3 && reply.numbers[0] == 7 &&
              reply.numbers[1] == 0 && reply.numbers[2] == -1 && !*taken);
    cr_expect_eq(read_reply("*0\r\n", &reply, 100), 1);
    cr_expect(reply.kind == REDIS_LIST && reply.count == 0);
}

Test(redis_reply, half_replies_wait_and_garbage_is_malformed)
{
    struct redis_reply reply;
    static const char *const half[] = {"+OK\r", "$5\r\nab", "*2\r\n:1\r\n", ":1", "$"};
    static const char *const bad[] = {"HTTP/1.1 400 Bad Request\r\n",
                                      "$x\r\n",
                                      "$-2\r\n",
                                      ":x\r\n",
                                      "*21\r\n",
                                      "*2147483648\r\n",
                                      "*1\r\n*1\r\n",
                                      "%1\r\n"};
    for (size_t i = 0; i < sizeof half / sizeof *half; i++)
        cr_expect_eq(read_reply(half[i], &reply, 100), 0, "%s", half[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_eq(read_reply(bad[i], &reply, 100), SVC_ESYNTAX, "%s", bad[i]);
    cr_expect_eq(read_reply("$60\r\n12345678901234567890", &reply, 20), SVC_ESYNTAX);
}

/* The keys that an announcement gives to `take`, with a comma behind each. */
static char keys[64];

static void take_key(void *arg, const char *data, size_t len)
{
    size_t at = strlen(keys);
    (void)arg;
    snprintf(keys + at, sizeof keys - at, "%.*s,", (int)len, data);
}

/* Feeds a text byte by byte to a reader that expects keys. */
static int read_keys(const char *text, struct redis_reply *reply)
{
    struct redis_reader *reader = svc__redis_reply_new(100);
    int got = 0;
    *keys = '\0';
    svc__redis_reply_expect_keys(reader);
    for (size_t i = 0; text[i] && !got; i++) {
        cr_assert_eq(svc__redis_reply_feed(reader, text + i, 1), 0);
        got = svc__redis_reply_next(reader, reply, take_key, NULL);
    }
    svc__redis_reply_free(reader);
    return got;
}

#define MESSAGE "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n"

Test(redis_reply, announced_keys_are_taken_one_by_one)
{
    struct redis_reply reply;
    cr_expect_eq(read_keys(MESSAGE "*3\r\n$3\r\na:1\r\n$0\r\n\r\n$3\r\na:2\r\n", &reply), 1);
    cr_expect_str_eq(keys, "a:1,,a:2,");
    cr_expect(reply.kind == REDIS_LIST && reply.count == 3 && reply.taken);
    cr_expect_eq(read_keys(MESSAGE "$-1\r\n", &reply), 1);
    cr_expect(reply.count == 3 && !reply.taken && !*keys);
    cr_expect_eq(read_keys(MESSAGE "*-1\r\n", &reply), 1);
    cr_expect(reply.count == 3 && !reply.taken);
    cr_expect_eq(read_keys("*2\r\n$4\r\npong\r\n$0\r\n\r\n", &reply), 1);
    cr_expect(reply.count == 2 && !reply.taken && !*keys);
}

Test(redis_reply, lists_of_anything_else_are_malformed)
{
    struct redis_reply reply;
    static const char *const bad[] = {MESSAGE "*1\r\n:1\r\n", MESSAGE "*1\r\n*1\r\n",
                                      "*1\r\n*1\r\n$1\r\na\r\n", MESSAGE "*x\r\n",
                                      MESSAGE "*2147483648\r\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_eq(read_keys(bad[i], &reply), SVC_ESYNTAX, "%s", bad[i]);
}

Test(redis_fault, errors_are_known_by_their_first_word_and_within_scripts)
{
    cr_expect_eq(svc__redis_fault_find("NOSCRIPT No matching script.")->verdict, REDIS_AGAIN);
    cr_expect_eq(svc__redis_fault_find("WRONGTYPE Operation")->error, SVC_ESYNTAX);
    cr_expect_eq(svc__redis_fault_find("READONLY You can't write")->verdict, REDIS_RENEW);
    cr_expect_eq(svc__redis_fault_find("OOM")->error, SVC_EUNAVAILABLE);
    cr_expect_eq(svc__redis_fault_find("ERR unknown command OOM")->error, SVC_ESYNTAX);
    cr_expect_eq(svc__redis_fault_find("MOVEDX 1")->error, SVC_ESYNTAX);
    cr_expect_eq(svc__redis_fault_find("")->error, SVC_ESYNTAX);
    cr_expect_eq(svc__redis_fault_find("ERR Error running script (call to f_0): @user_script:2: "
                                       "WRONGTYPE Operation against a key")
                     ->logged,
                 false);
    cr_expect_eq(svc__redis_fault_find("ERR Error running script (call to f_0): @user_script: 2: "
                                       "-OOM command not allowed")
                     ->error,
                 SVC_EUNAVAILABLE);
}

/* ---- Commands */

Test(redis_command, a_command_is_whole_or_not_there)
{
    struct redis_commands commands;
    struct redis_text text = {.ceiling = 100};
    svc_sys_store_op op = {.size = sizeof op,
                           .kind = SVC_SYS_STORE_SET,
                           .key = "a:k",
                           .key_len = 3,
                           .data = "v\r\n",
                           .len = 3,
                           .ttl_ms = 1500};
    cr_assert_eq(svc__redis_command_init(&commands, 1000, 0), 0);
    cr_expect(svc__redis_command_write(&commands, &text, &op, false));
    static const char wanted[] = "*5\r\n$3\r\nSET\r\n$3\r\na:k\r\n$15\r\nv\r\n\0v1:";
    cr_expect(text.len > sizeof wanted && !memcmp(text.data, wanted, sizeof wanted - 1));
    size_t len = text.len;
    cr_expect_not(svc__redis_command_write(&commands, &text, &op, false));
    cr_expect_eq(op.error, SVC_ENOMEM);
    cr_expect_eq(text.len, len);
    uint64_t version = op.version;
    svc__redis_text_clear(&text);
    cr_expect(svc__redis_command_write(&commands, &text, &op, false));
    cr_expect_neq(op.version, version);
    svc__redis_text_free(&text);
}

/* Runs an operation's result from a reply. */
static int read_for(svc_sys_store_op *op, const char *text)
{
    struct redis_reply reply;
    const char *fault;
    struct redis_reader *reader = svc__redis_reply_new(1000);
    cr_assert_eq(svc__redis_reply_feed(reader, text, strlen(text)), 0);
    cr_assert_eq(svc__redis_reply_next(reader, &reply, NULL, NULL), 1);
    (void)svc__redis_command_read(op, &reply, &fault);
    svc__redis_reply_free(reader);
    return op->error;
}

Test(redis_command, an_answer_of_another_kind_is_malformed)
{
    const svc_rate_window window = {NULL, 1, 1, 1};
    const svc_store_charge charge = {&window, 1, 1};
    svc_store_verdict verdict = {.pass = true};
    svc_sys_store_op op = {
        .size = sizeof op, .charge = &charge, .verdict = &verdict, .compares = true};
    static const char *const bad[] = {":7\r\n", "$1\r\nx\r\n", "*1\r\n:0\r\n",
                                      "*5\r\n:2\r\n:0\r\n:0\r\n:0\r\n:0\r\n",
                                      "*5\r\n:0\r\n:-1\r\n:0\r\n:0\r\n:0\r\n"};
    for (op.kind = SVC_SYS_STORE_GET; op.kind <= SVC_SYS_STORE_LIMIT; op.kind++)
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
            cr_expect_eq(read_for(&op, bad[i]), SVC_ESYNTAX, "%d, %s", op.kind, bad[i]);
    op.kind = SVC_SYS_STORE_LIMIT;
    cr_expect_eq(read_for(&op, "*5\r\n:1\r\n:0\r\n:1\r\n:2\r\n:-1\r\n"), 0);
    cr_expect(!verdict.pass && verdict.refused == 1 && verdict.quotas[0].retry_us == UINT64_MAX);
    op.kind = SVC_SYS_STORE_INCREMENT;
    cr_expect_eq(read_for(&op, "$19\r\n9223372036854775808\r\n"), SVC_ESYNTAX);
    cr_expect_eq(read_for(&op, "$19\r\n9223372036854775807\r\n"), 0);
    cr_expect_eq(op.number, INT64_MAX);
}

/* ---- Times */

Test(redis_time, attempts_are_further_and_further_apart_and_not_at_one_moment)
{
    uint64_t low = UINT64_MAX, high = 0;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        uint64_t first = svc__redis_time_backoff(1, seed),
                 last = svc__redis_time_backoff(100, seed);
        cr_expect(first >= 25 && first <= 50 && last >= 2500 && last <= 5000);
        low = last < low ? last : low;
        high = last > high ? last : high;
    }
    cr_expect(high - low > 2000);
    cr_expect(svc__redis_time_backoff(3, 1) >= 100 && svc__redis_time_backoff(3, 1) <= 200);
}
