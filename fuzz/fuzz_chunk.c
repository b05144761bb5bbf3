/* Chunked framing: what passes has no line feed without its CR, and nothing that a lenient parser
 * could take for a line's end. */
#include "fuzz/fuzz.h"
#include "libsvc/proto/chunk.h"

/* Whether each CR and line feed of the text is one of a CRLF, and there is no NUL. */
static bool has_whole_lines(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        bool cr = text.data[i] == '\r', feed = text.data[i] == '\n';
        if (!text.data[i] || (cr && (i + 1 == text.len || text.data[i + 1] != '\n')) ||
            (feed && (!i || text.data[i - 1] != '\r')))
            return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = fuzz_input(data, size);
    for (int behind = 0; behind < 2; behind++) {
        bool leads = svc__chunk_leads(text, behind), ends = svc__chunk_ends(text, behind);
        REQUIRE(!leads || (has_whole_lines(text) && !ends && !svc__chunk_leads(text, !behind)));
        if (!ends)
            continue;
        /* The end is the first place up to which it is one. */
        size_t len = 0;
        while (!svc__chunk_ends(svc__bytes(text.data, len), behind))
            len++;
        REQUIRE(has_whole_lines(svc__bytes(text.data, len)));
        REQUIRE(len >= 5 && text.data[len - 1] == '\n' && text.data[len - 3] == '\n');
    }
    return 0;
}
