/*
 * The cryptography of sessions, by libsodium: sealing by XChaCha20-Poly1305, whose nonces are long
 * enough to be random, so that instances need not agree on a counter; and random ids, whose hashes
 * alone a store gets.
 */
#ifndef SVC_SESSION_SESSION_SEAL_H
#define SVC_SESSION_SESSION_SEAL_H

#include <stddef.h>

enum {
    SESSION_KEY_BYTES = 32,
    SESSION_KEY_ID_BYTES = 4,
    SESSION_KEYS = 16,      /* the most */
    SESSION_SEALING = 44,   /* bytes that sealing adds: the key's id, the nonce and the tag */
    SESSION_ID_CHARS = 43,  /* of a random id, as text */
    SESSION_HASH_CHARS = 64 /* of its hash */
};

/* The keys: the first one seals, all of them open. */
struct session_keys {
    size_t count;
    unsigned char keys[SESSION_KEYS][SESSION_KEY_BYTES];
    unsigned char ids[SESSION_KEYS][SESSION_KEY_ID_BYTES]; /* which name them in a sealed text */
};

/* Begins: 0, or SVC_ESYSTEM without randomness. Any number of times. */
int svc__session_seal_begin(void);

/* Reads keys from the text of a file: 64 hexadecimal digits a line, beside empty lines and remarks
 * behind
 * '#'. 0; SVC_ESYNTAX with the number of the line, SVC_ETOOBIG for more than SESSION_KEYS,
 * SVC_ENOTFOUND for none. The keys are then cleared. */
int svc__session_seal_read_keys(const char *text, struct session_keys *keys, unsigned *line);

/* Clears the keys, so that no dump of memory has them. */
void svc__session_seal_clear(struct session_keys *keys);

/* The length of the text that sealing `len` bytes gives, without its NUL. */
size_t svc__session_seal_length(size_t len);

/* Seals `len` bytes for a cookie of that name. `out` gets the text, in base64 for URLs, and a NUL;
 * `scratch` has room for `len` and SESSION_SEALING bytes. */
void svc__session_seal_write(const struct session_keys *keys, const char *name, const char *data,
                             size_t len, char *scratch, char *out);

/*
 * Opens a sealed text. `out` has room for as many bytes as the text, and so has `scratch`. 0 with
 * `*len`; SVC_ESYNTAX for a text that is not sealed with one of the keys for that name, whatever is
 * wrong with it.
 */
int svc__session_seal_open(const struct session_keys *keys, const char *name, const char *text,
                           char *scratch, char *out, size_t *len);

/* Makes a random id of 256 bits, and a NUL. */
void svc__session_seal_make_id(char id[static SESSION_ID_CHARS + 1]);

/* Writes the hash of an id, in hexadecimal digits and a NUL. SVC_ESYNTAX for a text that is no id.
 */
int svc__session_seal_hash_id(const char *id, char hash[static SESSION_HASH_CHARS + 1]);

#endif
