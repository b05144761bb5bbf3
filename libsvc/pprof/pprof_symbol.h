/* gperftools' protocol by which a reader of profiles asks for the names of functions. */
#ifndef SVC_PPROF_SYMBOL_H
#define SVC_PPROF_SYMBOL_H

#include <stddef.h>

enum { PPROF_ADDRESSES_MOST = 16384 };

/*
 * Answers a list of addresses, such as "0x4012af+0x7f00a1", with a line for each whose function is
 * known: the address as it was sent, a tab, the name. White space at the list's end is left out. On
 * success `*text` has
 * `*len` bytes and a NUL behind them, and is freed by the caller. 0; SVC_ESYNTAX, with the position
 * of the first bad byte in `*len`; SVC_ETOOBIG for more than PPROF_ADDRESSES_MOST addresses;
 * SVC_ENOMEM. Reads files, so it may block. Any thread.
 */
int svc__pprof_symbol_answer(const char *list, size_t list_len, char **text, size_t *len);

#endif
