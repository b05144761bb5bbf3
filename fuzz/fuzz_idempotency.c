/* Records of idempotency keys, as a store may have them. */
#include <svc/errors.h>
#include <svc/pending.h>

#include "fuzz/fuzz.h"
#include "libsvc/mw/idempotency_record.h"

/* An answer that was repeated, kept as a record of its own, is the same answer. */
static void check_again(const struct idempotency_record *record, const svc_response *res)
{
    struct idempotency_record again;
    struct buf text;
    svc__buf_init(&text, (size_t)1 << 24);
    svc__idempotency_record_write(&text, IDEMPOTENCY_ANSWER, record->status, record->fingerprint,
                                  res);
    svc__buf_bytes(&text, record->body);
    REQUIRE(svc__buf_error(&text) == 0);
    REQUIRE(svc__idempotency_record_read(svc__buf_view(&text), &again) == 0);
    REQUIRE(again.status == record->status && again.field_count <= record->field_count);
    REQUIRE(memcmp(again.fingerprint, record->fingerprint, SHA256_BYTES) == 0);
    REQUIRE(svc__bytes_eq(again.body, record->body));
    svc__buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = fuzz_input(data, size);
    struct idempotency_record record;
    int result = svc__idempotency_record_read(text, &record);
    REQUIRE(result == 0 || result == SVC_ESYNTAX);
    if (result)
        return 0;
    REQUIRE(fuzz_inside(record.fields, text) && fuzz_inside(record.body, text));
    REQUIRE(record.kind == IDEMPOTENCY_ANSWER || (!record.fields.len && !record.body.len));
    if (record.kind != IDEMPOTENCY_ANSWER)
        return 0;
    svc_response *res = svc_response_new();
    REQUIRE(res != NULL);
    result = svc__idempotency_record_answer(&record, res);
    REQUIRE(result == 0 || result == SVC_EINVAL || result == SVC_ETOOBIG);
    if (result == 0)
        check_again(&record, res);
    svc_response_free(res);
    return 0;
}
