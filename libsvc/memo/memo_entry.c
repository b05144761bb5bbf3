/*
 * The head has six words of 8 bytes, in little-endian order: the form and the kind, a byte each,
 * and zeros; when the entry was made; how long it is fresh; how long its load took; the length of
 * the value; and a hash of these and the key. The hash finds the value of another key, which a
 * client library gives whose answers have got out of step with its questions.
 */
#include "libsvc/memo/memo_entry.h"

#include <endian.h>
#include <string.h>

#include <svc/errors.h>
#include <svc/store.h>

#include "libsvc/base/siphash.h"

enum { FORM = 1, KIND_VALUE = 0, KIND_NEGATIVE = 1, LOADING = 'L', FAILED = 'F' };
enum word { WORD_KIND, WORD_MADE, WORD_FRESH, WORD_TOOK, WORD_LEN, WORD_HASH, WORDS };

_Static_assert(WORDS * sizeof(uint64_t) == MEMO_HEAD_BYTES, "a head has six words");

static const struct siphash_key hash_key = {0x6f6d656d2d637673, 0x79656b2d64616568};

/* The hash of the words before it and of the key. */
static uint64_t hash_head(const uint64_t words[static WORDS], struct bytes key)
{
    char text[MEMO_HEAD_BYTES + SVC_STORE_KEY_BYTES];
    size_t len = WORD_HASH * sizeof *words;
    memcpy(text, words, len);
    memcpy(text + len, key.data, key.len);
    return svc__siphash(hash_key, svc__bytes(text, len + key.len));
}

void svc__memo_entry_write(unsigned char head[static MEMO_HEAD_BYTES],
                           const struct memo_entry *entry, struct bytes key)
{
    uint64_t words[WORDS] = {0};
    words[WORD_KIND] = htole64(FORM | (entry->negative ? KIND_NEGATIVE : KIND_VALUE) << 8);
    words[WORD_MADE] = htole64(entry->made_ms);
    words[WORD_FRESH] = htole64(entry->fresh_ms);
    words[WORD_TOOK] = htole64(entry->took_us);
    words[WORD_LEN] = htole64(entry->value.len);
    words[WORD_HASH] = htole64(hash_head(words, key));
    memcpy(head, words, sizeof words);
}

int svc__memo_entry_read(struct memo_entry *entry, struct bytes stored, struct bytes key)
{
    uint64_t words[WORDS];
    if (stored.len < MEMO_HEAD_BYTES || key.len > SVC_STORE_KEY_BYTES)
        return SVC_ESYNTAX;
    memcpy(words, stored.data, sizeof words);
    uint64_t kind = le64toh(words[WORD_KIND]), len = le64toh(words[WORD_LEN]);
    if ((kind & 0xff) != FORM || kind >> 8 > KIND_NEGATIVE || len != stored.len - MEMO_HEAD_BYTES ||
        le64toh(words[WORD_HASH]) != hash_head(words, key))
        return SVC_ESYNTAX;
    *entry = (struct memo_entry){.negative = kind >> 8 == KIND_NEGATIVE,
                                 .made_ms = le64toh(words[WORD_MADE]),
                                 .fresh_ms = le64toh(words[WORD_FRESH]),
                                 .took_us = le64toh(words[WORD_TOOK]),
                                 .value = {stored.data + MEMO_HEAD_BYTES, (size_t)len}};
    return 0;
}

void svc__memo_entry_write_lease(unsigned char lease[static MEMO_LEASE_BYTES], int error)
{
    if (error && !svc_error_name(error))
        error = SVC_EUNAVAILABLE;
    lease[0] = FORM;
    lease[1] = error ? FAILED : LOADING;
    lease[2] = (unsigned char)-error;
}

int svc__memo_entry_read_lease(struct bytes stored)
{
    if (stored.len != MEMO_LEASE_BYTES || stored.data[0] != FORM || stored.data[1] != FAILED)
        return 0;
    int error = -(int)(unsigned char)stored.data[2];
    return svc_error_name(error) ? error : 0;
}
