/* The form in which a store has the state of an idempotency key. */
#include "libsvc/mw/idempotency_record.h"

/* A byte of version, a byte of kind, the status in two bytes, the fingerprint, the number of fields
 * in two bytes, the fields, and the body. Numbers have their high byte first. */
enum {
    FORM = 1,
    KIND_AT = 1,
    STATUS_AT = 2,
    FINGERPRINT_AT = 4,
    COUNT_AT = FINGERPRINT_AT + SHA256_BYTES,
    HEAD_BYTES = COUNT_AT + 2,
    FIELDS_MAX = 1024
};

/*
 * A repeated answer has these fields of its own, if any: those of its connection (RFC 9110 7.6.1)
 * and of its moment. Set-Cookie is left out too: a cookie is for the client that got it then, may
 * have been replaced since, and is a secret that no store of answers should have.
 */
static bool is_repeatable(struct bytes name)
{
    static const char *const left_out[] = {"Age",
                                           "Connection",
                                           "Date",
                                           "Keep-Alive",
                                           "Proxy-Authenticate",
                                           "Proxy-Authentication-Info",
                                           "RateLimit",
                                           "RateLimit-Policy",
                                           "Server-Timing",
                                           "Set-Cookie",
                                           "TE",
                                           "Trailer",
                                           "Content-Length",
                                           "Transfer-Encoding",
                                           "Upgrade"};
    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
        if (svc__bytes_eq_nocase(name, svc__bytes_z(left_out[i])))
            return false;
    return true;
}

static void put_number(struct buf *out, size_t number)
{
    svc__buf_putc(out, (char)(number >> 8));
    svc__buf_putc(out, (char)number);
}

static size_t read_number(const char *at)
{
    return (size_t)(unsigned char)at[0] << 8 | (unsigned char)at[1];
}

static size_t put_fields(struct buf *out, const svc_response *res)
{
    const char *name, *value;
    size_t count = 0;
    for (size_t i = 0; !svc_response_header_at(res, i, &name, &value); i++) {
        if (!is_repeatable(svc__bytes_z(name)))
            continue;
        svc__buf_append(out, name, strlen(name) + 1);
        svc__buf_append(out, value, strlen(value) + 1);
        count++;
    }
    return count;
}

void svc__idempotency_record_write(struct buf *out, enum idempotency_kind kind, int status,
                                   const unsigned char fingerprint[static SHA256_BYTES],
                                   const svc_response *res)
{
    size_t begin = out->len;
    svc__buf_putc(out, FORM);
    svc__buf_putc(out, (char)kind);
    put_number(out, (size_t)status);
    svc__buf_append(out, (const char *)fingerprint, SHA256_BYTES);
    put_number(out, 0);
    size_t count = res ? put_fields(out, res) : 0;
    if (svc__buf_error(out))
        return;
    out->data[begin + COUNT_AT] = (char)(count >> 8);
    out->data[begin + COUNT_AT + 1] = (char)count;
}

/* Takes a string and its NUL from `rest`. False where there is no NUL. */
static bool take_string(struct bytes *rest, const char **string)
{
    const char *end = rest->len > 0 ? memchr(rest->data, '\0', rest->len) : NULL;
    if (!end)
        return false;
    *string = rest->data;
    rest->len -= (size_t)(end + 1 - rest->data);
    rest->data = end + 1;
    return true;
}

static bool take_fields(struct bytes *rest, struct idempotency_record *record)
{
    const char *from = rest->data, *string;
    for (size_t i = 0; i < 2 * record->field_count; i++)
        if (!take_string(rest, &string))
            return false;
    record->fields = svc__bytes(from, (size_t)(rest->data - from));
    return true;
}

int svc__idempotency_record_read(struct bytes text, struct idempotency_record *record)
{
    if (text.len < HEAD_BYTES || text.data[0] != FORM ||
        (unsigned char)text.data[KIND_AT] > IDEMPOTENCY_UNKEPT)
        return SVC_ESYNTAX;
    record->kind = (enum idempotency_kind)text.data[KIND_AT];
    record->status = (int)read_number(text.data + STATUS_AT);
    memcpy(record->fingerprint, text.data + FINGERPRINT_AT, SHA256_BYTES);
    record->field_count = read_number(text.data + COUNT_AT);
    struct bytes rest = svc__bytes(text.data + HEAD_BYTES, text.len - HEAD_BYTES);
    bool answers = record->kind == IDEMPOTENCY_ANSWER;
    if (answers && (record->status < 200 || record->status > 599))
        return SVC_ESYNTAX;
    if (record->field_count > FIELDS_MAX || !take_fields(&rest, record))
        return SVC_ESYNTAX;
    if (!answers && text.len > HEAD_BYTES)
        return SVC_ESYNTAX;
    record->body = rest;
    return 0;
}

int svc__idempotency_record_answer(const struct idempotency_record *record, svc_response *res)
{
    struct bytes rest = record->fields;
    const char *name, *value;
    int error = 0;
    for (size_t i = 0; i < record->field_count && !error; i++) {
        if (!take_string(&rest, &name) || !take_string(&rest, &value))
            return SVC_ESYNTAX;
        error = svc_response_add_header(res, name, value);
    }
    if (error)
        return error;
    if (record->body.len == 0)
        return svc_response_empty(res, record->status);
    return svc_response_copy(res, record->status, NULL, record->body.data, record->body.len);
}
