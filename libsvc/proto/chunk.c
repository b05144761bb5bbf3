/* Lines of chunked framing. */
#include "libsvc/proto/chunk.h"

#include "libsvc/base/hex.h"
#include "libsvc/proto/token.h"

/* Takes a line and its CRLF off `*rest`. False when the line is malformed or incomplete. */
static bool take_line(struct bytes *rest, struct bytes *line)
{
    size_t len = 0;
    while (len < rest->len && (rest->data[len] == '\t' ||
                               ((unsigned char)rest->data[len] >= ' ' && rest->data[len] != 0x7f)))
        len++;
    if (rest->len - len < 2 || rest->data[len] != '\r' || rest->data[len + 1] != '\n')
        return false;
    *line = svc__bytes(rest->data, len);
    *rest = svc__bytes(rest->data + len + 2, rest->len - len - 2);
    return true;
}

static bool take_size(struct bytes *rest, bool *zero)
{
    struct bytes line;
    if (!take_line(rest, &line))
        return false;
    size_t digits = 0;
    *zero = true;
    for (; digits < line.len && svc__hex_value(line.data[digits]) >= 0; digits++)
        *zero &= line.data[digits] == '0';
    return digits > 0 && (digits == line.len || line.data[digits] == ';');
}

static bool take_end(struct bytes *rest, bool behind)
{
    struct bytes line = {NULL, 0};
    return !behind || (take_line(rest, &line) && !line.len);
}

/* Some parsers take a line that begins with its colon for the end. */
static bool is_field(struct bytes line)
{
    return svc__token_valid(svc__bytes_cut(&line, ':')) && line.data;
}

bool svc__chunk_leads(struct bytes framing, bool behind)
{
    bool zero;
    return take_end(&framing, behind) && take_size(&framing, &zero) && !zero && !framing.len;
}

bool svc__chunk_ends(struct bytes rest, bool behind)
{
    bool zero;
    struct bytes line;
    if (!take_end(&rest, behind) || !take_size(&rest, &zero) || !zero)
        return false;
    while (take_line(&rest, &line)) {
        if (!line.len)
            return true;
        if (!is_field(line))
            return false;
    }
    return false;
}
