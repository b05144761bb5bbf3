/* The names of an operation: its key, its id and its fingerprint. */
#include "libsvc/mw/idempotency_key.h"

#include "libsvc/base/hex.h"
#include "libsvc/exchange/exchange.h"
#include "libsvc/proto/structured.h"

/* A key of the longest length, with each character escaped, and some parameters. */
enum { FIELD_BYTES = 1024 };

/* A key without quotes. */
static bool is_bare(struct bytes field)
{
    for (size_t i = 0; i < field.len; i++)
        if (field.data[i] <= ' ' || field.data[i] > '~' || strchr("\",;\\", field.data[i]))
            return false;
    return field.len > 0;
}

int svc__idempotency_key_read(const struct idempotency *idempotency, const svc_request *req,
                              struct idempotency_key *key)
{
    const struct bytes name = svc__bytes_z("Idempotency-Key");
    const struct field *field = svc__fields_named(&req->fields, NULL, name);
    char text[FIELD_BYTES];
    size_t len = 0;
    key->len = 0;
    if (!field)
        return 0;
    if (field->value.len > FIELD_BYTES || svc__fields_named(&req->fields, field, name))
        return SVC_ESYNTAX;
    if (idempotency->flags & SVC_IDEMPOTENCY_BARE_KEYS && is_bare(field->value))
        memcpy(text, field->value.data, len = field->value.len);
    else if (svc__structured_string(field->value, text, &len))
        return SVC_ESYNTAX;
    if (len == 0 || len > IDEMPOTENCY_KEY_BYTES)
        return SVC_ESYNTAX;
    memcpy(key->text, text, len);
    key->len = len;
    return 0;
}

/* The value of the caller's header field. "none" also for several: they would be two callers. */
static struct bytes find_header(const struct idempotency *idempotency, const svc_request *req)
{
    const struct field *field = svc__fields_named(&req->fields, NULL, idempotency->header);
    bool once = field && !svc__fields_named(&req->fields, field, idempotency->header);
    return once ? field->value : (struct bytes){0};
}

/* Adds a part with its length before it, so that no two lists of parts are one text. */
static void add_part(struct sha256 *hash, struct bytes part)
{
    unsigned char len[8];
    for (unsigned i = 0; i < sizeof len; i++)
        len[i] = (unsigned char)((uint64_t)part.len >> (56 - 8 * i));
    svc__sha256_update(hash, len, sizeof len);
    svc__sha256_update(hash, part.data, part.len);
}

int svc__idempotency_key_id(const struct idempotency *idempotency, const svc_request *req,
                            const struct idempotency_key *key,
                            char id[static IDEMPOTENCY_ID_DIGITS + 1])
{
    struct bytes header = {0}, subject = {0};
    unsigned char digest[SHA256_BYTES];
    struct sha256 hash;
    if (idempotency->header.data)
        header = find_header(idempotency, req);
    if (idempotency->subject)
        subject = svc__bytes_z(svc_request_get(req, idempotency->subject));
    if ((idempotency->header.data && !header.len) || (idempotency->subject && !subject.len))
        return SVC_ENOTFOUND;
    svc__sha256_init(&hash);
    add_part(&hash, header);
    add_part(&hash, subject);
    add_part(&hash, svc__bytes(key->text, key->len));
    svc__sha256_final(&hash, digest);
    svc__hex_write(id, digest, SHA256_BYTES);
    id[IDEMPOTENCY_ID_DIGITS] = '\0';
    return 0;
}

void svc__idempotency_key_fingerprint(const svc_request *req, struct bytes body,
                                      unsigned char out[static SHA256_BYTES])
{
    struct sha256 hash;
    svc__sha256_init(&hash);
    add_part(&hash, req->method);
    add_part(&hash, req->target.raw);
    add_part(&hash, body);
    svc__sha256_final(&hash, out);
}
