/* Compression. */
#include "libsvc/otlp/otlp_gzip.h"

#include <zlib.h>

enum { WINDOW_AND_GZIP = 15 + 16, MEMORY_LEVEL = 8, PIECE = 16 << 10 };

bool svc__otlp_gzip_write(const struct otlp_text *from, struct otlp_text *to)
{
    char piece[PIECE];
    z_stream stream = {.next_in = (Bytef *)from->data, .avail_in = (uInt)from->len};
    if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, WINDOW_AND_GZIP, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    int state;
    do {
        stream.next_out = (Bytef *)piece;
        stream.avail_out = sizeof piece;
        state = deflate(&stream, Z_FINISH);
        svc__otlp_text_add(to, piece, sizeof piece - stream.avail_out);
    } while (state == Z_OK);
    deflateEnd(&stream);
    return state == Z_STREAM_END && !to->failed;
}
