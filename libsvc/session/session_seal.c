/* The cryptography of sessions, by libsodium. */
#include "libsvc/session/session_seal.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>
#include <svc/errors.h>

enum {
    NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    ID_BYTES = 32,
    HASH_BYTES = 32,
    NAME_MOST = 128, /* of a cookie */
    VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING
};

_Static_assert(SESSION_SEALING == SESSION_KEY_ID_BYTES + NONCE_BYTES + TAG_BYTES, "what it adds");
_Static_assert(SESSION_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "of the cipher");

int svc__session_seal_begin(void)
{
    return sodium_init() < 0 ? SVC_ESYSTEM : 0;
}

/* Reads base64, of which each text has one form. The library alone would take some bytes beyond
 * ASCII. Returns the length, or 0. */
static size_t read_base64(unsigned char *out, size_t size, const char *text)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t text_len = strlen(text), len = 0;
    bool good = strspn(text, allowed) == text_len &&
                !sodium_base642bin(out, size, text, text_len, NULL, &len, NULL, VARIANT);
    return good ? len : 0;
}

/* ---- Keys */

/* A hash names a key and says nothing about it. */
static int add_key(struct session_keys *keys, const unsigned char key[SESSION_KEY_BYTES])
{
    static const unsigned char purpose[] = "libsvc session key id";
    unsigned char hash[HASH_BYTES];
    if (keys->count == SESSION_KEYS)
        return SVC_ETOOBIG;
    crypto_generichash(hash, sizeof hash, purpose, sizeof purpose, key, SESSION_KEY_BYTES);
    memcpy(keys->ids[keys->count], hash, SESSION_KEY_ID_BYTES);
    memcpy(keys->keys[keys->count++], key, SESSION_KEY_BYTES);
    return 0;
}

/* Reads one line, without its remark and the white space at its ends. */
static int read_line(const char *line, size_t len, struct session_keys *keys)
{
    unsigned char key[SESSION_KEY_BYTES];
    size_t bytes = 0;
    const char *remark = memchr(line, '#', len);
    len = remark ? (size_t)(remark - line) : len;
    while (len > 0 && strchr(" \t\r", line[len - 1]))
        len--;
    size_t indent = strspn(line, " \t");
    indent = indent < len ? indent : len;
    line += indent;
    len -= indent;
    if (len == 0)
        return 0;
    int error = len != (size_t)2 * SESSION_KEY_BYTES ||
                        sodium_hex2bin(key, sizeof key, line, len, NULL, &bytes, NULL) != 0 ||
                        bytes != sizeof key
                    ? SVC_ESYNTAX
                    : add_key(keys, key);
    sodium_memzero(key, sizeof key);
    return error;
}

int svc__session_seal_read_keys(const char *text, struct session_keys *keys, unsigned *line)
{
    int error = 0;
    keys->count = 0;
    for (*line = 0; !error && *text; ++*line) {
        size_t len = strcspn(text, "\n");
        error = read_line(text, len, keys);
        text += len + (text[len] == '\n');
    }
    if (!error && keys->count == 0)
        error = SVC_ENOTFOUND;
    if (error)
        svc__session_seal_clear(keys);
    return error;
}

void svc__session_seal_clear(struct session_keys *keys)
{
    sodium_memzero(keys, sizeof *keys);
}

/* ---- Sealed texts: the key's id, the nonce, and the box */

/* A cookie of another name or form does not open. */
static size_t bind_to(const char *name, unsigned char out[static NAME_MOST + 16])
{
    static const char form[] = "session 1 ";
    size_t len = strnlen(name, NAME_MOST);
    memcpy(out, form, sizeof form - 1);
    memcpy(out + sizeof form - 1, name, len);
    return sizeof form - 1 + len;
}

size_t svc__session_seal_length(size_t len)
{
    return sodium_base64_ENCODED_LEN(len + SESSION_SEALING, VARIANT) - 1;
}

void svc__session_seal_write(const struct session_keys *keys, const char *name, const char *data,
                             size_t len, char *scratch, char *out)
{
    unsigned char bound[NAME_MOST + 16], *sealed = (unsigned char *)scratch;
    unsigned char *nonce = sealed + SESSION_KEY_ID_BYTES, *box = nonce + NONCE_BYTES;
    size_t bound_len = bind_to(name, bound);
    memcpy(sealed, keys->ids[0], SESSION_KEY_ID_BYTES);
    randombytes_buf(nonce, NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(box, NULL, (const unsigned char *)data, len, bound,
                                               bound_len, NULL, nonce, keys->keys[0]);
    sodium_bin2base64(out, svc__session_seal_length(len) + 1, sealed, len + SESSION_SEALING,
                      VARIANT);
}

/* The ids of keys are no secret. Two keys of one id are both tried. */
static int open_box(const struct session_keys *keys, const char *name, const unsigned char *sealed,
                    size_t sealed_len, char *out, size_t *len)
{
    unsigned char bound[NAME_MOST + 16];
    const unsigned char *nonce = sealed + SESSION_KEY_ID_BYTES, *box = nonce + NONCE_BYTES;
    size_t bound_len = bind_to(name, bound);
    unsigned long long opened = 0;
    for (size_t i = 0; i < keys->count; i++) {
        if (memcmp(keys->ids[i], sealed, SESSION_KEY_ID_BYTES) != 0)
            continue;
        if (crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *)out, &opened, NULL, box,
                                                       sealed_len - SESSION_KEY_ID_BYTES -
                                                           NONCE_BYTES,
                                                       bound, bound_len, nonce, keys->keys[i]) != 0)
            continue;
        *len = (size_t)opened;
        return 0;
    }
    return SVC_ESYNTAX;
}

int svc__session_seal_open(const struct session_keys *keys, const char *name, const char *text,
                           char *scratch, char *out, size_t *len)
{
    size_t sealed_len = read_base64((unsigned char *)scratch, strlen(text), text);
    if (sealed_len < SESSION_SEALING)
        return SVC_ESYNTAX;
    return open_box(keys, name, (const unsigned char *)scratch, sealed_len, out, len);
}

/* ---- Ids */

void svc__session_seal_make_id(char id[static SESSION_ID_CHARS + 1])
{
    unsigned char random[ID_BYTES];
    randombytes_buf(random, sizeof random);
    sodium_bin2base64(id, SESSION_ID_CHARS + 1, random, sizeof random, VARIANT);
}

int svc__session_seal_hash_id(const char *id, char hash[static SESSION_HASH_CHARS + 1])
{
    unsigned char random[ID_BYTES], hashed[HASH_BYTES];
    if (strlen(id) != SESSION_ID_CHARS || read_base64(random, sizeof random, id) != sizeof random)
        return SVC_ESYNTAX;
    crypto_generichash(hashed, sizeof hashed, random, sizeof random, NULL, 0);
    sodium_bin2hex(hash, SESSION_HASH_CHARS + 1, hashed, sizeof hashed);
    return 0;
}
