/*
 * Forms with files. The first line of an input is the Content-Type, the rest is the body. Whatever
 * the pieces, the same comes of it; and a form that is taken is, part by part, what a parser finds
 * that has all of it at once.
 */
#include "fuzz/fuzz.h"
#include "libsvc/form/multipart_parser.h"

enum { MAX_HEAD = 512 };

static const struct multipart_limits limits = {
    .parts = 20, .head = MAX_HEAD, .name = 64, .field = 1000, .file = 3000};

struct result {
    int status; /* 0: the form was taken */
    size_t parts, bytes;
    uint64_t hash; /* of events, names and data */
};

static void add_bytes(struct result *result, struct bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        result->hash = (result->hash ^ (unsigned char)bytes.data[i]) * UINT64_C(0x100000001b3);
}

static void add_mark(struct result *result, char mark)
{
    add_bytes(result, svc__bytes(&mark, 1));
}

static void add_text(struct result *result, struct bytes text)
{
    REQUIRE(!text.data || text.data[text.len] == '\0');
    add_bytes(result, text);
    add_mark(result, text.data ? '\0' : '!');
}

static void add_event(struct result *result, const struct multipart_parser *p,
                      enum multipart_event event, struct bytes input)
{
    switch (event) {
    case MULTIPART_PART:
        result->parts++;
        add_mark(result, 'p');
        add_text(result, p->head.name);
        add_text(result, p->head.filename);
        add_text(result, p->head.type);
        REQUIRE(!fuzz_has(p->head.name, '\0') && !fuzz_has(p->head.filename, '\0'));
        REQUIRE(!fuzz_has(p->head.filename, '/') && !fuzz_has(p->head.filename, '\\'));
        break;
    case MULTIPART_DATA:
        REQUIRE(p->data.len > 0 && fuzz_inside(p->data, input));
        result->bytes += p->data.len;
        add_bytes(result, p->data);
        break;
    case MULTIPART_PART_END:
        add_mark(result, 'e');
        break;
    default:
        result->status = p->why.status;
        add_mark(result, event == MULTIPART_END ? 'E' : 'F');
    }
}

/* Parses the body in pieces of up to `piece` bytes, as a reader does: in a window of its own, so
 * that the sanitizer sees each byte too far. */
static struct result parse_pieces(struct bytes type, struct bytes body, size_t piece)
{
    struct result result = {0, 0, 0, 0};
    struct multipart_parser p;
    char text[MAX_HEAD + 1];
    struct bytes in = {NULL, 0};
    char *window = fuzz_alloc(0);
    enum multipart_event event = MULTIPART_MORE;
    in.data = window;
    svc__multipart_begin(&p, type, &limits, text);
    for (bool last = false; event != MULTIPART_END && event != MULTIPART_FAILED;) {
        event = svc__multipart_parse(&p, &in, last);
        if (event != MULTIPART_MORE) {
            add_event(&result, &p, event, svc__bytes(window, (size_t)(in.data - window)));
            continue;
        }
        REQUIRE(!last && in.len < MAX_HEAD + MULTIPART_TAIL);
        size_t n = body.len < piece ? body.len : piece;
        char *next = fuzz_alloc(in.len + n);
        memcpy(next, in.data, in.len);
        if (n > 0)
            memcpy(next + in.len, body.data, n);
        free(window);
        window = next;
        in = svc__bytes(window, in.len + n);
        body = svc__bytes(n > 0 ? body.data + n : body.data, body.len - n);
        last = n == 0;
    }
    free(window);
    return result;
}

static const char *find(struct bytes text, const char *what, size_t len)
{
    return text.len == 0 ? NULL : memmem(text.data, text.len, what, len);
}

static struct bytes behind(struct bytes text, const char *at)
{
    return svc__bytes(at, text.len - (size_t)(at - text.data));
}

/* The parts of a form that was taken, found by looking for each boundary in the whole body. */
static void check_whole(struct bytes type, struct bytes body, const struct result *taken)
{
    struct multipart_parser p;
    char text[MAX_HEAD + 1];
    size_t parts = 0, bytes = 0;
    REQUIRE(svc__multipart_begin(&p, type, &limits, text) == 0);
    /* With a CRLF before it, the first boundary is like the others. */
    struct bytes all = {NULL, body.len + 2};
    char *copy = fuzz_alloc(all.len);
    memcpy(copy, "\r\n", 2);
    memcpy(copy + 2, body.data, body.len);
    all.data = copy;
    for (;;) {
        const char *at = find(all, p.delimiter, p.delimiter_len);
        REQUIRE(at);
        all = behind(all, at + p.delimiter_len);
        if (all.len >= 2 && memcmp(all.data, "--", 2) == 0)
            break;
        at = find(all, "\r\n\r\n", 4);
        REQUIRE(at);
        /* The CRLF of the empty line may be that of the next boundary. */
        all = behind(all, at + 2);
        const char *end = find(all, p.delimiter, p.delimiter_len);
        REQUIRE(end);
        parts++;
        bytes += end > all.data ? (size_t)(end - all.data) - 2 : 0;
    }
    free(copy);
    REQUIRE(parts == taken->parts && bytes == taken->bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line = size > 0 ? memchr(data, '\n', size) : NULL;
    if (!line)
        return 0;
    struct bytes type = fuzz_input(data, (size_t)(line - data));
    struct bytes body = fuzz_input(line + 1, size - type.len - 1);
    struct result whole = parse_pieces(type, body, body.len + 1);
    for (size_t piece = 1; piece < 100; piece += piece + 1) {
        struct result pieces = parse_pieces(type, body, piece);
        REQUIRE(pieces.status == whole.status && pieces.parts == whole.parts);
        REQUIRE(pieces.bytes == whole.bytes && pieces.hash == whole.hash);
    }
    if (whole.status == 0)
        check_whole(type, body, &whole);
    return 0;
}
