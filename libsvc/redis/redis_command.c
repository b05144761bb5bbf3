/*
 * The stored form. A value is a string: its bytes, then a mark and a version of 8 bytes. So a plain
 * SET writes it, one GETRANGE reads it, other readers see it at the begin of the string, and a
 * script compares versions by reading the last 12 bytes. A hash of two fields would take three
 * commands, and so a script, for each SET. The version is a random number, drawn by the writer: it
 * needs no counter on the server, which would end with a deletion, an eviction or a restart.
 *
 * A limit is a hash, so that the server itself distinguishes both.
 */
#include "libsvc/redis/redis_command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum { HALF = 1000000000, VERSION_DIGITS = 16 };

/* ---- Versions */

int svc__redis_command_init(struct redis_commands *commands, size_t max_value, uint64_t db)
{
    ssize_t got;
    svc__redis_script_fill(&commands->scripts);
    commands->max_value = max_value;
    (void)snprintf(commands->place, sizeof commands->place, "@%llu", (unsigned long long)db);
    do
        got = getrandom(&commands->seed, sizeof commands->seed, 0);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof commands->seed ? 0 : SVC_ESYSTEM;
}

/*
 * Draws a version. Of one store none comes twice, since the numbers are counted and then mixed one
 * to one (splitmix64); those of two stores are as good as random, so two of them are equal with a
 * probability of 2^-64.
 */
static uint64_t draw_version(struct redis_commands *commands)
{
    uint64_t count = atomic_fetch_add_explicit(&commands->drawn, 1, memory_order_relaxed);
    uint64_t z = commands->seed + (count + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void put_version(char bytes[REDIS_VERSION_BYTES], uint64_t version)
{
    for (int i = 0; i < REDIS_VERSION_BYTES; i++)
        bytes[i] = (char)(version >> (56 - 8 * i));
}

static uint64_t get_version(const void *from)
{
    const unsigned char *bytes = from;
    uint64_t version = 0;
    for (int i = 0; i < REDIS_VERSION_BYTES; i++)
        version = version << 8 | bytes[i];
    return version;
}

/* Writes mark and version. */
static void make_tail(char tail[REDIS_TAIL_BYTES], uint64_t version)
{
    memcpy(tail, REDIS_MARK, REDIS_MARK_BYTES);
    put_version(tail + REDIS_MARK_BYTES, version);
}

/* ---- Writing */

static void write_key(struct redis_text *text, const svc_sys_store_op *op)
{
    svc__redis_text_bytes(text, op->key, op->key_len);
}

/* The value with a new version, which is returned. */
static uint64_t write_data(struct redis_commands *commands, struct redis_text *text,
                           const svc_sys_store_op *op)
{
    char tail[REDIS_TAIL_BYTES];
    uint64_t version = draw_version(commands);
    make_tail(tail, version);
    svc__redis_text_parts(text, op->data, op->len, tail, sizeof tail);
    return version;
}

static void write_get(struct redis_commands *commands, struct redis_text *text,
                      const svc_sys_store_op *op)
{
    /* GETRANGE, so that a value that something else has written cannot be of any length. */
    svc__redis_text_begin(text, 4);
    svc__redis_text_string(text, "GETRANGE");
    write_key(text, op);
    svc__redis_text_string(text, "0");
    svc__redis_text_number(text, commands->max_value + REDIS_TAIL_BYTES);
}

static void write_set(struct redis_commands *commands, struct redis_text *text,
                      svc_sys_store_op *op)
{
    bool adds = op->kind == SVC_SYS_STORE_ADD;
    svc__redis_text_begin(text, 3U + adds + (op->ttl_ms ? 2 : 0));
    svc__redis_text_string(text, "SET");
    write_key(text, op);
    op->version = write_data(commands, text, op);
    if (adds)
        svc__redis_text_string(text, "NX");
    if (op->ttl_ms) {
        svc__redis_text_string(text, "PX");
        svc__redis_text_number(text, op->ttl_ms);
    }
}

static void write_delete(struct redis_text *text, const svc_sys_store_op *op)
{
    svc__redis_text_begin(text, 2);
    svc__redis_text_string(text, "UNLINK");
    write_key(text, op);
}

/* The call of a script with the operation's key, and `count` arguments that follow. */
static void begin_script(const struct redis_commands *commands, struct redis_text *text,
                         const svc_sys_store_op *op, enum redis_script script, bool whole,
                         size_t count)
{
    const struct redis_scripts *scripts = &commands->scripts;
    svc__redis_text_begin(text, 4 + count);
    svc__redis_text_string(text, whole ? "EVAL" : "EVALSHA");
    svc__redis_text_string(text, whole ? scripts->text[script] : scripts->hash[script]);
    svc__redis_text_string(text, "1");
    write_key(text, op);
}

/* The version that is compared, as a tail has it and in the digits of a hash. */
static void write_compared(struct redis_text *text, const svc_sys_store_op *op)
{
    static const char hexadecimal[] = "0123456789abcdef";
    char bytes[REDIS_VERSION_BYTES], digits[VERSION_DIGITS];
    put_version(bytes, op->version);
    for (int i = 0; i < VERSION_DIGITS; i++)
        digits[i] = hexadecimal[op->version >> (60 - 4 * i) & 15];
    svc__redis_text_bytes(text, bytes, sizeof bytes);
    svc__redis_text_bytes(text, digits, sizeof digits);
}

static void write_replace(struct redis_commands *commands, struct redis_text *text,
                          const svc_sys_store_op *op, bool whole)
{
    begin_script(commands, text, op, REDIS_SCRIPT_REPLACE, whole, 4);
    write_compared(text, op);
    (void)write_data(commands, text, op);
    svc__redis_text_number(text, op->ttl_ms);
}

/* Two halves of the number, a new version and a time to live. */
static void write_addition(struct redis_commands *commands, struct redis_text *text,
                           uint64_t number, uint64_t ttl_ms)
{
    char tail[REDIS_TAIL_BYTES];
    make_tail(tail, draw_version(commands));
    svc__redis_text_number(text, number / HALF);
    svc__redis_text_number(text, number % HALF);
    svc__redis_text_bytes(text, tail, sizeof tail);
    svc__redis_text_number(text, ttl_ms);
}

static void write_increment(struct redis_commands *commands, struct redis_text *text,
                            const svc_sys_store_op *op, bool whole)
{
    begin_script(commands, text, op, REDIS_SCRIPT_INCREMENT, whole, 4);
    write_addition(commands, text, op->number, op->ttl_ms);
}

static void write_channel(const struct redis_commands *commands, struct redis_text *text,
                          const char *key, size_t key_len)
{
    svc__redis_text_parts(text, key, key_len, commands->place, strlen(commands->place));
}

static void write_publish(struct redis_commands *commands, struct redis_text *text,
                          const svc_sys_store_op *op, bool whole)
{
    begin_script(commands, text, op, REDIS_SCRIPT_PUBLISH, whole, 6);
    write_addition(commands, text, 1, 0);
    write_channel(commands, text, op->key, op->key_len);
    svc__redis_text_bytes(text, op->data, op->len);
}

void svc__redis_command_subscribe(const struct redis_commands *commands, struct redis_text *text,
                                  const char *key, size_t key_len)
{
    svc__redis_text_begin(text, 2);
    svc__redis_text_string(text, "SUBSCRIBE");
    write_channel(commands, text, key, key_len);
}

static void write_limit(const struct redis_commands *commands, struct redis_text *text,
                        const svc_sys_store_op *op, bool whole)
{
    const svc_store_charge *charge = op->charge;
    begin_script(commands, text, op, REDIS_SCRIPT_LIMIT, whole, 1 + 3 * charge->window_count);
    svc__redis_text_number(text, charge->cost);
    for (size_t i = 0; i < charge->window_count; i++) {
        const svc_rate_window *window = &charge->windows[i];
        svc__redis_text_number(text, window->rate);
        svc__redis_text_number(text, (uint64_t)window->period_s * 1000000);
        svc__redis_text_number(text, window->burst ? window->burst : window->rate);
    }
}

bool svc__redis_command_write(struct redis_commands *commands, struct redis_text *text,
                              svc_sys_store_op *op, bool whole)
{
    size_t len = text->len;
    switch (op->kind) {
    case SVC_SYS_STORE_GET:
        write_get(commands, text, op);
        break;
    case SVC_SYS_STORE_SET:
    case SVC_SYS_STORE_ADD:
        write_set(commands, text, op);
        break;
    case SVC_SYS_STORE_REPLACE:
        write_replace(commands, text, op, whole);
        break;
    case SVC_SYS_STORE_DELETE:
        if (op->compares) {
            begin_script(commands, text, op, REDIS_SCRIPT_DELETE, whole, 2);
            write_compared(text, op);
        } else {
            write_delete(text, op);
        }
        break;
    case SVC_SYS_STORE_INCREMENT:
        write_increment(commands, text, op, whole);
        break;
    case SVC_SYS_STORE_LIMIT:
        write_limit(commands, text, op, whole);
        break;
    case SVC_SYS_STORE_PUBLISH:
        write_publish(commands, text, op, whole);
        break;
    default:
        op->error = SVC_EINVAL;
        return false;
    }
    if (!text->failed)
        return true;
    svc__redis_text_cut(text, len);
    op->error = SVC_ENOMEM;
    return false;
}

/* ---- Reading */

void svc__redis_command_take(void *arg, const char *data, size_t len)
{
    svc_sys_store_op *op = arg;
    size_t value_len = len;
    unsigned char hash[REDIS_SHA1_BYTES];
    if (!op)
        return;
    op->error = len > 0 ? 0 : SVC_ENOTFOUND;
    if (op->error)
        return;
    bool marked = len >= REDIS_TAIL_BYTES &&
                  !memcmp(data + (len - REDIS_TAIL_BYTES), REDIS_MARK, REDIS_MARK_BYTES);
    if (marked)
        value_len -= REDIS_TAIL_BYTES;
    void *memory = svc_sys_store_alloc(op, value_len);
    if (!memory)
        return;
    memcpy(memory, data, value_len);
    if (!marked)
        svc__redis_sha1(data, len, hash);
    op->version = get_version(marked ? (const void *)(data + (len - REDIS_VERSION_BYTES)) : hash);
}

static int read_stored(const struct redis_reply *reply)
{
    if (reply->kind == REDIS_NIL)
        return SVC_ECONFLICT;
    return reply->kind == REDIS_STATUS ? 0 : SVC_ESYNTAX;
}

/* The numbers by which scripts say that a key has no value, and that it has another version. */
static int read_compared(const struct redis_reply *reply)
{
    if (reply->kind != REDIS_NUMBER)
        return SVC_ESYNTAX;
    switch (reply->number) {
    case 0:
        return SVC_ENOTFOUND;
    case 1:
        return 0;
    case 2:
        return SVC_ECONFLICT;
    }
    return SVC_ESYNTAX;
}

static int read_replaced(svc_sys_store_op *op, const struct redis_reply *reply)
{
    if (reply->kind == REDIS_TEXT && reply->len == REDIS_VERSION_BYTES) {
        op->version = get_version(reply->text);
        return 0;
    }
    int error = read_compared(reply);
    return error ? error : SVC_ESYNTAX;
}

static int read_incremented(svc_sys_store_op *op, const struct redis_reply *reply)
{
    if (reply->kind == REDIS_NUMBER && reply->number == 1)
        return SVC_ETOOBIG;
    if (reply->kind != REDIS_TEXT ||
        !svc__redis_text_to_number(reply->text, reply->len, INT64_MAX, &op->number))
        return SVC_ESYNTAX;
    return 0;
}

static int read_limit_reply(const svc_sys_store_op *op, const struct redis_reply *reply)
{
    svc_store_verdict verdict = {0};
    size_t count = op->charge->window_count;
    int64_t refused = reply->numbers[0];
    if (reply->kind != REDIS_LIST || reply->count != 1 + 4 * count || refused < 0 ||
        refused >= INT64_C(1) << count)
        return SVC_ESYNTAX;
    verdict.refused = (unsigned)refused;
    verdict.pass = refused == 0;
    for (size_t i = 0; i < count; i++) {
        const int64_t *from = &reply->numbers[1 + 4 * i];
        if (from[0] < 0 || from[1] < 0 || from[2] < 0 || from[3] < -1)
            return SVC_ESYNTAX;
        /* -1 becomes the UINT64_MAX of "never". */
        verdict.quotas[i] = (svc_store_quota){(uint64_t)from[0], (uint64_t)from[1],
                                              (uint64_t)from[2], (uint64_t)from[3]};
    }
    *op->verdict = verdict;
    return 0;
}

static int read_result(svc_sys_store_op *op, const struct redis_reply *reply)
{
    switch (op->kind) {
    case SVC_SYS_STORE_GET:
        return reply->kind == REDIS_TEXT && reply->taken ? op->error : SVC_ESYNTAX;
    case SVC_SYS_STORE_SET:
        return reply->kind == REDIS_STATUS ? 0 : SVC_ESYNTAX;
    case SVC_SYS_STORE_ADD:
        return read_stored(reply);
    case SVC_SYS_STORE_REPLACE:
        return read_replaced(op, reply);
    case SVC_SYS_STORE_DELETE:
        return read_compared(reply);
    case SVC_SYS_STORE_INCREMENT:
    case SVC_SYS_STORE_PUBLISH:
        return read_incremented(op, reply);
    case SVC_SYS_STORE_LIMIT:
        return read_limit_reply(op, reply);
    }
    return SVC_EINVAL;
}

enum redis_verdict svc__redis_command_read(svc_sys_store_op *op, const struct redis_reply *reply,
                                           const char **fault)
{
    *fault = NULL;
    if (reply->kind != REDIS_ERROR) {
        op->error = read_result(op, reply);
        return REDIS_DONE;
    }
    const struct redis_fault *known = svc__redis_fault_find(reply->text);
    op->error = known->error;
    if (known->logged)
        *fault = reply->text;
    return known->verdict;
}
