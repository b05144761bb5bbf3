/* Chunked framing in libmicrohttpd's buffer. */
#include "libsvc/fronts/mhd/chunks.h"

#include "libsvc/proto/chunk.h"

static bool sees_chunks(const struct mhd_conn *conn)
{
    return conn->mhd->known_layout && conn->flight.x->framing.kind == BODY_CHUNKED;
}

/* Whether the bytes behind the last piece came by the same read as that piece: libmicrohttpd reads
 * once from a connection in a run. note_chunk_end excludes a run in which it handles the connection
 * before it reads. */
static bool is_same_read(const struct mhd_conn *conn)
{
    return conn->chunks.run == conn->mhd->runs;
}

/* Notes where a piece ended, and whether the body's end is behind it. The second counts only if the
 * end is reported in the same run: otherwise those bytes had not come yet. */
static void note_chunk_end(struct mhd_conn *conn, const char *end)
{
    struct chunks *chunks = &conn->chunks;
    const char *limit = conn->base + conn->mhd->pool;
    chunks->ends = svc__chunk_ends(svc__bytes(end, (size_t)(limit - end)), !chunks->is_head);
    chunks->end = end;
    chunks->run = conn->first_run == conn->mhd->runs ? 0 : conn->mhd->runs;
}

void svc__chunks_begin(struct mhd_conn *conn)
{
    if (!sees_chunks(conn) || !conn->head_end)
        return;
    conn->chunks.is_head = true;
    note_chunk_end(conn, conn->head_end);
}

/*
 * The framing before a piece begins at the piece before, if both came by one read. Otherwise it
 * begins where the head ends, where libmicrohttpd stores a later read. The earlier read may have
 * had the end of the last chunk, or all of the framing. If the run does not show this, any of these
 * forms is accepted.
 */
bool svc__chunks_lead(const struct mhd_conn *conn, const char *data)
{
    if (!sees_chunks(conn))
        return true;
    const char *last = conn->chunks.end, *begin = conn->head_end;
    bool behind = !conn->chunks.is_head;
    bool led_in = data > last && svc__chunk_leads(svc__bytes(last, (size_t)(data - last)), behind);
    if (led_in || (is_same_read(conn) && data > last))
        return led_in;
    struct bytes since = {begin, (size_t)(data - begin)};
    return !since.len || svc__chunk_leads(since, false) ||
           (behind && svc__chunk_leads(since, true));
}

void svc__chunks_took(struct mhd_conn *conn, const char *end)
{
    if (!sees_chunks(conn))
        return;
    conn->chunks.is_head = false;
    note_chunk_end(conn, end);
}

bool svc__chunks_end(const struct mhd_conn *conn)
{
    return !sees_chunks(conn) || !is_same_read(conn) || conn->chunks.ends;
}
