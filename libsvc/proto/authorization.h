/* The Authorization field, as far as it holds one secret: a token or a password. */
#ifndef SVC_PROTO_AUTHORIZATION_H
#define SVC_PROTO_AUTHORIZATION_H

#include "libsvc/base/bytes.h"

enum { AUTHORIZATION_ROOM = 1024 };

/*
 * Reads the secret of a field's value: the token of `Bearer TOKEN` (RFC 6750), or the password of
 * `Basic …` (RFC 7617), whose user may have any name. A password is decoded into `room`. 0 with
 * `*secret`, which may be empty; SVC_ESYNTAX for another scheme and for malformed base64;
 * SVC_ETOOBIG for a password that needs more room. Any thread.
 */
int svc__authorization_secret(struct bytes value, char room[static AUTHORIZATION_ROOM],
                              struct bytes *secret);

#endif
