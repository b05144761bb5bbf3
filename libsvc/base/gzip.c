/* Compression by zlib, piece by piece into the buffer's own memory. */
#include "libsvc/base/gzip.h"

#include <svc/errors.h>

#ifdef HAVE_ZLIB

#include <zlib.h>

enum { WINDOW_AND_GZIP = 15 + 16, MEMORY_LEVEL = 8, PIECE = 64 << 10 };

bool svc__gzip_available(void)
{
    return true;
}

/* zlib counts in 32 bits, so it gets the data by pieces. */
static void refill(z_stream *stream, struct bytes *data)
{
    size_t n = data->len < UINT32_MAX ? data->len : UINT32_MAX;
    if (stream->avail_in > 0 || n == 0)
        return;
    stream->next_in = (Bytef *)(uintptr_t)data->data;
    stream->avail_in = (uInt)n;
    *data = svc__bytes(data->data + n, data->len - n);
}

/* Compresses all of the data. 0 or an error. */
static int deflate_all(z_stream *stream, struct buf *out, struct bytes data)
{
    int state = Z_OK;
    while (state != Z_STREAM_END) {
        size_t left = out->ceiling - out->len, room = left < PIECE ? left : PIECE;
        char *to = svc__buf_reserve(out, room > 0 ? room : 1);
        if (to == NULL)
            return svc__buf_error(out);
        refill(stream, &data);
        stream->next_out = (Bytef *)to;
        stream->avail_out = (uInt)room;
        state = deflate(stream, data.len > 0 ? Z_NO_FLUSH : Z_FINISH);
        if (state != Z_OK && state != Z_BUF_ERROR && state != Z_STREAM_END)
            return SVC_ENOMEM;
        out->len += room - stream->avail_out;
    }
    return 0;
}

int svc__gzip_append(struct buf *out, struct bytes data)
{
    z_stream stream = {.next_in = Z_NULL};
    size_t start = out->len;
    if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, WINDOW_AND_GZIP, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return SVC_ENOMEM;
    int error = deflate_all(&stream, out, data);
    deflateEnd(&stream);
    if (error != 0)
        out->len = start;
    return error;
}

#else

bool svc__gzip_available(void)
{
    return false;
}

int svc__gzip_append(struct buf *out, struct bytes data)
{
    (void)data;
    return svc__buf_error(out) != 0 ? svc__buf_error(out) : SVC_ENOMEM;
}

#endif
