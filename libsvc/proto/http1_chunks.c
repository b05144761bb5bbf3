/* The lines of chunked framing are read byte by byte, by a table that is their grammar, so that a
 * piece may end anywhere and nothing of a line is kept. */
#include "libsvc/proto/http1_chunks.h"

#include "libsvc/base/hex.h"

/* The place that a byte was read at, or the next byte is. */
enum state {
    BEGIN,      /* of the body */
    SIZE_START, /* behind the CRLF of a chunk */
    SIZE,
    GAP,        /* white space, which only another extension may follow */
    NAME_START, /* of an extension, behind its semicolon */
    NAME,
    NAME_GAP,
    VALUE_START,
    VALUE,
    QUOTED,
    ESCAPED, /* in a quoted string, behind a backslash */
    UNQUOTED,
    LINE_FEED, /* of a line with a size */
    LINE_END,
    DATA,
    DATA_CR,
    DATA_LF,
    DATA_END,
    STATES
};

/* Of a byte. TOKEN: a tchar that is no digit; OTHER: what only a quoted string may have. */
enum kind { CTL, OTHER, TOKEN, HEX, BLANK, SEMICOLON, EQUALS, QUOTE, BACKSLASH, CR, LF, KINDS };

/* The kinds of the bytes below 0x80; those above are OTHER. */
/* clang-format off */
static const unsigned char kinds[0x80] = {
    /* 0x00 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, BLANK, LF, 0, 0, CR, 0, 0,
    /* 0x10 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    /* 0x20 */ BLANK, 2, QUOTE, 2, 2, 2, 2, 2, 1, 1, 2, 2, 1, 2, 2, 1,
    /* 0x30 */ 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 1, SEMICOLON, 1, EQUALS, 1, 1,
    /* 0x40 */ 1, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2,
    /* 0x50 */ 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, BACKSLASH, 1, 2, 2,
    /* 0x60 */ 2, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2,
    /* 0x70 */ 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 2, 1, 2, 0,
};
/* clang-format on */

/* The state that a byte leads to, by its kind; BEGIN where the grammar has no such byte. */
static const unsigned char next_state[STATES][KINDS] = {
    [BEGIN] = {[HEX] = SIZE},
    [SIZE_START] = {[HEX] = SIZE},
    [SIZE] = {[HEX] = SIZE, [BLANK] = GAP, [SEMICOLON] = NAME_START, [CR] = LINE_FEED},
    [GAP] = {[BLANK] = GAP, [SEMICOLON] = NAME_START},
    [NAME_START] = {[BLANK] = NAME_START, [HEX] = NAME, [TOKEN] = NAME},
    [NAME] = {[HEX] = NAME,
              [TOKEN] = NAME,
              [BLANK] = NAME_GAP,
              [EQUALS] = VALUE_START,
              [SEMICOLON] = NAME_START,
              [CR] = LINE_FEED},
    [NAME_GAP] = {[BLANK] = NAME_GAP, [EQUALS] = VALUE_START, [SEMICOLON] = NAME_START},
    [VALUE_START] = {[BLANK] = VALUE_START, [HEX] = VALUE, [TOKEN] = VALUE, [QUOTE] = QUOTED},
    [VALUE] =
        {[HEX] = VALUE, [TOKEN] = VALUE, [BLANK] = GAP, [SEMICOLON] = NAME_START, [CR] = LINE_FEED},
    [QUOTED] = {[HEX] = QUOTED,
                [TOKEN] = QUOTED,
                [BLANK] = QUOTED,
                [SEMICOLON] = QUOTED,
                [EQUALS] = QUOTED,
                [OTHER] = QUOTED,
                [BACKSLASH] = ESCAPED,
                [QUOTE] = UNQUOTED},
    [ESCAPED] = {[HEX] = QUOTED,
                 [TOKEN] = QUOTED,
                 [BLANK] = QUOTED,
                 [SEMICOLON] = QUOTED,
                 [EQUALS] = QUOTED,
                 [OTHER] = QUOTED,
                 [BACKSLASH] = QUOTED,
                 [QUOTE] = QUOTED},
    [UNQUOTED] = {[BLANK] = GAP, [SEMICOLON] = NAME_START, [CR] = LINE_FEED},
    [LINE_FEED] = {[LF] = LINE_END},
    [DATA_CR] = {[CR] = DATA_LF},
    [DATA_LF] = {[LF] = SIZE_START},
};

static int refuse_framing(const char **reason, int status, const char *text)
{
    *reason = text;
    return status;
}

static int add_digit(struct http1_chunks *c, char digit, const char **reason)
{
    if (c->left > INT64_MAX >> 4)
        return refuse_framing(reason, 413, "a chunk is too large");
    c->left = c->left << 4 | (uint64_t)svc__hex_value(digit);
    return 0;
}

static int count_byte(struct http1_chunks *c, const char **reason)
{
    bool extension = c->state > SIZE && c->state < LINE_FEED;
    c->excess += extension;
    if (++c->framing > HTTP1_CHUNK_FRAMING || c->excess > HTTP1_CHUNK_EXTENSIONS)
        return refuse_framing(reason, 413, "the lines of the chunks are too long");
    return 0;
}

static void end_line(struct http1_chunks *c)
{
    c->excess = c->excess > c->left ? c->excess - c->left : 0;
    c->framing = 0;
    c->state = c->left ? DATA : DATA_END;
}

/* Takes a byte of framing. 0, or a status. */
static int take_byte(struct http1_chunks *c, char byte, const char **reason)
{
    unsigned char place = (unsigned char)byte;
    int state = next_state[c->state][place < sizeof kinds ? kinds[place] : OTHER];
    if (state == BEGIN)
        return refuse_framing(reason, 400,
                              c->state == DATA_CR ? "a chunk is longer than its size"
                                                  : "the framing of a chunk is malformed");
    c->state = state;
    int status = count_byte(c, reason);
    if (!status && state == SIZE)
        status = add_digit(c, byte, reason);
    if (!status && state == LINE_END)
        end_line(c);
    return status;
}

static struct bytes take_data(struct http1_chunks *c, struct bytes *rest)
{
    size_t len = c->left < rest->len ? (size_t)c->left : rest->len;
    struct bytes data = svc__bytes(rest->data, len);
    *rest = svc__bytes(rest->data + len, rest->len - len);
    c->left -= len;
    if (!c->left)
        c->state = DATA_CR;
    return data;
}

int svc__http1_chunks_next(struct http1_chunks *c, struct bytes *rest, struct bytes *piece,
                           const char **reason)
{
    while (rest->len) {
        if (c->state == DATA) {
            *piece = take_data(c, rest);
            return 0;
        }
        int status = take_byte(c, *rest->data, reason);
        if (status)
            return status;
        *rest = svc__bytes(rest->data + 1, rest->len - 1);
        if (c->state == DATA_END) {
            *piece = svc__bytes(rest->data, 0);
            return 0;
        }
    }
    return HTTP1_PART;
}
