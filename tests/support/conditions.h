/*
 * Every row of the precedence of RFC 9110 13.2.2 in one table. Tests run it through the pure
 * function, through handlers and layers without a socket, and over TCP.
 */
#ifndef TESTS_SUPPORT_CONDITIONS_H
#define TESTS_SUPPORT_CONDITIONS_H

#include <svc.h>

/* X(NAME, absent, tag or NULL, weak, dated): the states that a resource can be in. */
#define CONDITION_STATES(X)                                                                        \
    X(ABSENT, true, NULL, false, false)                                                            \
    X(BARE, false, NULL, false, false)                                                             \
    X(STRONG, false, "1", false, false)                                                            \
    X(WEAK, false, "1", true, false)                                                               \
    X(DATED, false, NULL, false, true)                                                             \
    X(BOTH, false, "1", false, true)                                                               \
    X(WEAK_BOTH, false, "1", true, true)

#define CONDITION_STATE(name, absent, tag, weak, dated) STATE_##name,
enum condition_state { CONDITION_STATES(CONDITION_STATE) STATE_COUNT };
#undef CONDITION_STATE

struct condition_state_row {
    const char *name;
    bool absent;
    const char *tag;
    bool weak, dated;
};

extern const struct condition_state_row condition_states[STATE_COUNT];

enum { CONDITION_MODIFIED = 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */, CONDITION_LENGTH = 12 };

/* The methods of a row's outcomes, in their order. */
enum { CONDITION_METHODS = 5 };
extern const char *const condition_methods[CONDITION_METHODS];

/*
 * A letter each for GET, HEAD, PUT, PATCH and DELETE: '-' no condition applies, 'h' all conditions
 * that apply hold, 'r' the same, If-Range among them, so that a part is sent, 'n' 304, 'f' 412. 'p'
 * and 'q' are '-' and 'h' of a request for a part without If-Range, which is sent.
 */
struct condition_row {
    enum condition_state state;
    const char *outcome;
    const char *headers[7]; /* name, value, …, NULL */
};

extern const struct condition_row condition_rows[];
extern const size_t condition_count;

/* The status of an outcome letter: 200 or 206 if the method is performed. */
int condition_status(char outcome);

/*
 * An app with each state at two paths: at `/asked/<state>`, for all methods, the handler checks the
 * conditions; at `/settled/<state>`, for GET and HEAD, the layer does. NULL when out of memory.
 */
svc_app *conditions_app(void);

#endif
