/* A reader of event streams, as WHATWG HTML 9.2.6 ("Interpreting an event stream") has it, with
 * nothing of the library's. */
#ifndef TESTS_SUPPORT_EVENT_READER_H
#define TESTS_SUPPORT_EVENT_READER_H

#include <stddef.h>

/*
 * The events of a stream as text: for each "TYPE|ID|DATA\n", where ID is the last id so far and a
 * line feed in DATA is written '/'. `*retry_ms` becomes the last retry, or -1. The caller frees the
 * text.
 */
char *event_reader_all(const char *stream, size_t len, long *retry_ms);

#endif
