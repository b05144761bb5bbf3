/* The table of conditions. */
#include "tests/support/conditions.h"

#define STATE_ROW(name, absent, tag, weak, dated) {#name, absent, tag, weak, dated},
const struct condition_state_row condition_states[STATE_COUNT] = {CONDITION_STATES(STATE_ROW)};
#undef STATE_ROW

const char *const condition_methods[CONDITION_METHODS] = {"GET", "HEAD", "PUT", "PATCH", "DELETE"};

#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define SAME "Sun, 06 Nov 1994 08:49:37 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"

#define MATCH(value) "If-Match", value
#define NONE_MATCH(value) "If-None-Match", value
#define SINCE(value) "If-Modified-Since", value
#define UNLESS(value) "If-Unmodified-Since", value
#define RANGE "Range", "bytes=0-1"
#define IF_RANGE(value) "If-Range", value

const struct condition_row condition_rows[] = {
    {STATE_BOTH, "-----", {NULL}},
    /* row 1: If-Match, by strong comparison */
    {STATE_STRONG, "hhhhh", {MATCH("\"1\"")}},
    {STATE_WEAK, "fffff", {MATCH("\"1\"")}},
    {STATE_STRONG, "fffff", {MATCH("W/\"1\"")}},
    {STATE_WEAK, "fffff", {MATCH("W/\"1\"")}},
    {STATE_STRONG, "fffff", {MATCH("\"2\"")}},
    {STATE_STRONG, "hhhhh", {MATCH("\"2\", \"1\"")}},
    {STATE_STRONG, "hhhhh", {MATCH("W/\"1\",\"1\"")}},
    {STATE_STRONG, "fffff", {MATCH("\"2\", W/\"1\"")}},
    {STATE_STRONG, "hhhhh", {MATCH("\"2\""), MATCH("\"1\"")}},
    {STATE_STRONG, "fffff", {MATCH("\"2\""), MATCH("\"3\"")}},
    {STATE_STRONG, "hhhhh", {MATCH("*")}},
    {STATE_WEAK, "hhhhh", {MATCH("*")}},
    {STATE_BARE, "hhhhh", {MATCH("*")}},
    {STATE_DATED, "hhhhh", {MATCH("*")}},
    {STATE_ABSENT, "fffff", {MATCH("*")}},
    {STATE_ABSENT, "fffff", {MATCH("\"1\"")}},
    {STATE_BARE, "fffff", {MATCH("\"1\"")}},
    {STATE_DATED, "fffff", {MATCH("\"1\"")}},
    /* a malformed tag does not match */
    {STATE_STRONG, "fffff", {MATCH("1")}},
    {STATE_STRONG, "fffff", {MATCH("\"1")}},
    {STATE_STRONG, "fffff", {MATCH("\"1\" \"1\"")}},
    {STATE_STRONG, "fffff", {MATCH("w/\"1\"")}},
    {STATE_STRONG, "fffff", {MATCH("\"*\"")}},
    {STATE_STRONG, "fffff", {MATCH("*, \"1\"")}},
    {STATE_STRONG, "fffff", {MATCH("*"), MATCH("\"1\"")}},
    {STATE_STRONG, "fffff", {MATCH("**")}},
    {STATE_STRONG, "fffff", {MATCH(",")}},
    {STATE_STRONG, "fffff", {MATCH("\"1,2\"")}},
    {STATE_STRONG, "fffff", {MATCH("broken, \"1\"")}},
    {STATE_STRONG, "hhhhh", {MATCH("\"1\", broken")}},
    /* row 2: If-Unmodified-Since, without If-Match */
    {STATE_DATED, "hhhhh", {UNLESS(SAME)}},
    {STATE_DATED, "hhhhh", {UNLESS(AFTER)}},
    {STATE_DATED, "fffff", {UNLESS(BEFORE)}},
    {STATE_BOTH, "hhhhh", {UNLESS(SAME)}},
    {STATE_BOTH, "fffff", {UNLESS(BEFORE)}},
    {STATE_WEAK_BOTH, "fffff", {UNLESS(BEFORE)}},
    {STATE_DATED, "fffff", {UNLESS("Sunday, 06-Nov-94 08:49:36 GMT")}},
    {STATE_DATED, "fffff", {UNLESS("Sun Nov  6 08:49:36 1994")}},
    {STATE_STRONG, "-----", {UNLESS(BEFORE)}},
    {STATE_BARE, "-----", {UNLESS(BEFORE)}},
    {STATE_ABSENT, "-----", {UNLESS(BEFORE)}},
    {STATE_DATED, "-----", {UNLESS("yesterday")}},
    {STATE_DATED, "-----", {UNLESS("0")}},
    {STATE_DATED, "-----", {UNLESS("Sun, 06 Nov 1994 08:49:36 gmt")}},
    {STATE_DATED, "-----", {UNLESS(BEFORE ", " BEFORE)}},
    {STATE_DATED, "-----", {UNLESS(BEFORE), UNLESS(BEFORE)}},
    {STATE_BOTH, "hhhhh", {MATCH("\"1\""), UNLESS(BEFORE)}},
    {STATE_BOTH, "fffff", {MATCH("\"2\""), UNLESS(AFTER)}},
    {STATE_BOTH, "fffff", {MATCH("broken"), UNLESS(AFTER)}},
    /* row 3: If-None-Match, by weak comparison */
    {STATE_STRONG, "nnfff", {NONE_MATCH("\"1\"")}},
    {STATE_STRONG, "nnfff", {NONE_MATCH("W/\"1\"")}},
    {STATE_WEAK, "nnfff", {NONE_MATCH("\"1\"")}},
    {STATE_WEAK, "nnfff", {NONE_MATCH("W/\"1\"")}},
    {STATE_STRONG, "hhhhh", {NONE_MATCH("\"2\"")}},
    {STATE_STRONG, "nnfff", {NONE_MATCH("\"2\", \"3\", W/\"1\"")}},
    {STATE_STRONG, "hhhhh", {NONE_MATCH("\"2\", \"3\"")}},
    {STATE_STRONG, "nnfff", {NONE_MATCH("\"2\""), NONE_MATCH("\"1\"")}},
    {STATE_STRONG, "nnfff", {NONE_MATCH("*")}},
    {STATE_BARE, "nnfff", {NONE_MATCH("*")}},
    {STATE_DATED, "nnfff", {NONE_MATCH("*")}},
    {STATE_ABSENT, "hhhhh", {NONE_MATCH("*")}},
    {STATE_ABSENT, "hhhhh", {NONE_MATCH("\"1\"")}},
    {STATE_BARE, "hhhhh", {NONE_MATCH("\"1\"")}},
    {STATE_DATED, "hhhhh", {NONE_MATCH("\"1\"")}},
    {STATE_STRONG, "hhhhh", {NONE_MATCH("\"*\"")}},
    {STATE_STRONG, "hhhhh", {NONE_MATCH(",")}},
    /* for a malformed tag, a read gets the body and a write is refused */
    {STATE_STRONG, "hhfff", {NONE_MATCH("1")}},
    {STATE_STRONG, "hhfff", {NONE_MATCH("*, \"2\"")}},
    {STATE_STRONG, "hhfff", {NONE_MATCH("*"), NONE_MATCH("*")}},
    {STATE_STRONG, "hhfff", {NONE_MATCH("\"2\", broken")}},
    {STATE_STRONG, "nnfff", {NONE_MATCH("\"1\", broken")}},
    {STATE_ABSENT, "hhfff", {NONE_MATCH("broken")}},
    /* rows 1 and 2, then 3 */
    {STATE_STRONG, "nnfff", {MATCH("\"1\""), NONE_MATCH("\"1\"")}},
    {STATE_STRONG, "hhhhh", {MATCH("\"1\""), NONE_MATCH("\"2\"")}},
    {STATE_STRONG, "fffff", {MATCH("\"2\""), NONE_MATCH("\"1\"")}},
    {STATE_BOTH, "nnfff", {UNLESS(SAME), NONE_MATCH("\"1\"")}},
    {STATE_BOTH, "fffff", {UNLESS(BEFORE), NONE_MATCH("\"1\"")}},
    {STATE_BOTH, "nnfff", {UNLESS("broken"), NONE_MATCH("\"1\"")}},
    /* row 4: If-Modified-Since, for GET and HEAD without If-None-Match */
    {STATE_DATED, "nn---", {SINCE(SAME)}},
    {STATE_DATED, "nn---", {SINCE(AFTER)}},
    {STATE_DATED, "hh---", {SINCE(BEFORE)}},
    {STATE_BOTH, "nn---", {SINCE(SAME)}},
    {STATE_WEAK_BOTH, "nn---", {SINCE(SAME)}},
    {STATE_DATED, "nn---", {SINCE("Sunday, 06-Nov-94 08:49:37 GMT")}},
    {STATE_DATED, "nn---", {SINCE("Sun Nov  6 08:49:37 1994")}},
    {STATE_DATED, "nn---", {SINCE("Fri, 31 Dec 9999 23:59:59 GMT")}},
    {STATE_STRONG, "-----", {SINCE(SAME)}},
    {STATE_BARE, "-----", {SINCE(SAME)}},
    {STATE_DATED, "-----", {SINCE("tomorrow")}},
    {STATE_DATED, "-----", {SINCE("Sun, 31 Feb 2100 08:49:37 GMT")}},
    {STATE_DATED, "-----", {SINCE(AFTER), SINCE(AFTER)}},
    {STATE_DATED, "-----", {SINCE(AFTER ", " AFTER)}},
    {STATE_BOTH, "hhhhh", {NONE_MATCH("\"2\""), SINCE(AFTER)}},
    {STATE_BOTH, "nnfff", {NONE_MATCH("\"1\""), SINCE(BEFORE)}},
    {STATE_BOTH, "hhfff", {NONE_MATCH("broken"), SINCE(AFTER)}},
    {STATE_BOTH, "nnhhh", {MATCH("\"1\""), SINCE(SAME)}},
    {STATE_DATED, "nnhhh", {UNLESS(SAME), SINCE(SAME)}},
    {STATE_DATED, "hhhhh", {UNLESS(SAME), SINCE(BEFORE)}},
    /* row 5: If-Range, for GET with Range, exactly and by strong comparison */
    {STATE_STRONG, "r----", {RANGE, IF_RANGE("\"1\"")}},
    {STATE_STRONG, "-----", {RANGE, IF_RANGE("\"2\"")}},
    {STATE_STRONG, "-----", {RANGE, IF_RANGE("W/\"1\"")}},
    {STATE_WEAK, "-----", {RANGE, IF_RANGE("\"1\"")}},
    {STATE_WEAK, "-----", {RANGE, IF_RANGE("W/\"1\"")}},
    {STATE_STRONG, "-----", {IF_RANGE("\"1\"")}},
    {STATE_STRONG, "p----", {RANGE}},
    {STATE_WEAK, "p----", {RANGE}},
    {STATE_BARE, "p----", {RANGE}},
    {STATE_STRONG, "-----", {RANGE, IF_RANGE("\"1\", \"1\"")}},
    {STATE_STRONG, "-----", {RANGE, IF_RANGE("\"1\""), IF_RANGE("\"1\"")}},
    {STATE_STRONG, "-----", {RANGE, IF_RANGE("*")}},
    {STATE_STRONG, "-----", {RANGE, IF_RANGE("abc\"1\"")}},
    {STATE_BOTH, "r----", {RANGE, IF_RANGE(SAME)}}, /* a date whose second is over is strong */
    {STATE_DATED, "r----", {RANGE, IF_RANGE(SAME)}},
    {STATE_WEAK_BOTH, "r----", {RANGE, IF_RANGE(SAME)}},
    {STATE_BOTH, "-----", {RANGE, IF_RANGE(BEFORE)}},
    {STATE_BOTH, "-----", {RANGE, IF_RANGE(AFTER)}},
    {STATE_STRONG, "-----", {RANGE, IF_RANGE(SAME)}},
    {STATE_BOTH, "-----", {RANGE, IF_RANGE("tomorrow")}},
    {STATE_BOTH, "qhhhh", {UNLESS(SAME), RANGE}},
    {STATE_BOTH, "fffff", {UNLESS(BEFORE), RANGE}},
    {STATE_STRONG, "rhhhh", {NONE_MATCH("\"2\""), RANGE, IF_RANGE("\"1\"")}},
    {STATE_STRONG, "nnfff", {NONE_MATCH("\"1\""), RANGE, IF_RANGE("\"1\"")}},
    {STATE_STRONG, "rhhhh", {MATCH("\"1\""), RANGE, IF_RANGE("\"1\"")}},
    {STATE_STRONG, "fffff", {MATCH("\"2\""), RANGE, IF_RANGE("\"1\"")}},
    {STATE_STRONG, "qhhhh", {MATCH("\"1\""), RANGE}},
    {STATE_STRONG, "fffff", {MATCH("\"2\""), RANGE}},
    {STATE_STRONG, "nnfff", {NONE_MATCH("\"1\""), RANGE}},
};

const size_t condition_count = sizeof condition_rows / sizeof *condition_rows;

int condition_status(char outcome)
{
    switch (outcome) {
    case 'n':
        return 304;
    case 'f':
        return 412;
    case 'r':
    case 'p':
    case 'q':
        return 206;
    default:
        return 200;
    }
}
