/* Bytes of a Redis server, as replies to an operation: the first byte is its kind, or one more for
 * announcements, the second the length of the pieces that arrive. However they arrive, they give
 * the same results. */
#include "fuzz/fuzz.h"
#include "libsvc/redis/redis_command.h"
#include "libsvc/storage/store.h"
#include "libsvc/storage/store_call.h"

enum { REPLY_BYTES = 200, VALUE_BYTES = 64 };

static struct svc_store store = {.place.own.max_value = VALUE_BYTES};

/* What a reply has done, as a number to compare. */
static uint64_t note_reply(struct store_call *call, const struct redis_reply *reply)
{
    const char *fault;
    svc_sys_store_op *op = &call->op;
    enum redis_verdict verdict = svc__redis_command_read(op, reply, &fault);
    REQUIRE(op->error <= 0);
    REQUIRE(reply->len <= REDIS_TEXT_BYTES && reply->text[reply->len] == '\0');
    REQUIRE(reply->kind != REDIS_LIST || reply->count <= REDIS_NUMBERS);
    REQUIRE(!reply->taken || op->error || op->len <= VALUE_BYTES);
    REQUIRE(op->kind != SVC_SYS_STORE_INCREMENT || op->error || op->number <= INT64_MAX);
    uint64_t note = (uint64_t)(unsigned)op->error * 31 + (uint64_t)verdict;
    note = note * 31 + (op->error ? 0 : op->version);
    free(call->own);
    call->own = NULL;
    return note;
}

/* Feeds pieces of `step` bytes; a number of all results, with how it ended. */
static uint64_t read_all(int kind, const char *data, size_t len, size_t step)
{
    static const svc_rate_window windows[] = {{NULL, 1, 1, 1}, {NULL, 2, 1, 2}};
    const svc_store_charge charge = {windows, 2, 1};
    svc_store_verdict verdict = {0};
    const struct store_call fresh = {.op = {.size = sizeof(svc_sys_store_op),
                                            .kind = kind,
                                            .charge = &charge,
                                            .verdict = &verdict},
                                     .store = &store};
    struct store_call call = fresh; /* of the reply that is not whole yet, too */
    struct redis_reply reply;
    struct redis_reader *reader = svc__redis_reply_new(REPLY_BYTES);
    redis_take *take = kind == SVC_SYS_STORE_GET ? svc__redis_command_take : NULL;
    uint64_t notes = 0;
    int got = 0;
    for (size_t at = 0; at < len && got >= 0; at += step) {
        size_t piece = len - at < step ? len - at : step;
        REQUIRE(svc__redis_reply_feed(reader, data + at, piece) == 0);
        while ((got = svc__redis_reply_next(reader, &reply, take, &call.op)) > 0) {
            notes = notes * 31 + note_reply(&call, &reply);
            call = fresh;
        }
    }
    free(call.own);
    svc__redis_reply_free(reader);
    return notes;
}

/* ---- Announcements of changed keys */

static void note_key(void *arg, const char *data, size_t len)
{
    uint64_t *notes = arg;
    for (size_t i = 0; i < len; i++)
        *notes = *notes * 31 + (unsigned char)data[i];
    *notes = *notes * 31 + len;
}

static uint64_t read_keys(const char *data, size_t len, size_t step)
{
    struct redis_reply reply;
    struct redis_reader *reader = svc__redis_reply_new(REPLY_BYTES);
    uint64_t notes = 0;
    int got = 0;
    svc__redis_reply_expect_keys(reader);
    for (size_t at = 0; at < len && got >= 0; at += step) {
        REQUIRE(svc__redis_reply_feed(reader, data + at, len - at < step ? len - at : step) == 0);
        while ((got = svc__redis_reply_next(reader, &reply, note_key, &notes)) > 0) {
            REQUIRE(reply.kind != REDIS_LIST || reply.count <= REDIS_NUMBERS);
            notes = notes * 31 + (uint64_t)reply.kind + (reply.taken ? 7 : 0);
        }
    }
    svc__redis_reply_free(reader);
    return notes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > REPLY_BYTES)
        return 0;
    int kind = data[0] % (SVC_SYS_STORE_PUBLISH + 2);
    size_t len = size - 2;
    char *bytes = fuzz_alloc(len);
    if (len > 0)
        memcpy(bytes, data + 2, len);
    if (kind > SVC_SYS_STORE_PUBLISH)
        REQUIRE(read_keys(bytes, len, data[1] + 1U) == read_keys(bytes, len, len + 1));
    else
        REQUIRE(read_all(kind, bytes, len, data[1] + 1U) == read_all(kind, bytes, len, len + 1));
    free(bytes);
    return 0;
}
