/* What the tests of codings have in common: each holds for any coding, in both directions. */
#ifndef TESTS_SUPPORT_CODING_CHECKS_H
#define TESTS_SUPPORT_CODING_CHECKS_H

#include <svc/sys/coding.h>

enum { TEXT = 100000 };

/* Text such as a service sends: much of it shrinks. */
void fill_text(char *text, size_t len);

/* Encodes pieces of `piece` bytes into a room that grows by as little. Returns the length. */
size_t encode_all(const svc_sys_coding *coding, int light, const char *text, size_t len,
                  size_t piece, char *coded, size_t room);

struct decoded {
    int result;  /* 0, SVC_EAGAIN for data that is not whole, or an error */
    size_t len;  /* of the output */
    size_t left; /* bytes behind the end that were not taken */
};

/* Decodes pieces of `piece` bytes into as little room. */
struct decoded decode_all(const svc_sys_coding *coding, const char *coded, size_t len, size_t piece,
                          char *text, size_t room);

void expect_round_trips(const svc_sys_coding *coding);
void expect_flushes(const svc_sys_coding *coding);
void expect_resets(const svc_sys_coding *coding);
void expect_cuts_and_changes(const svc_sys_coding *coding);
void expect_rest_is_left(const svc_sys_coding *coding);

#endif
