/* Listings of folders as HTML and as JSON. */
#include "libsvc/files/listing_text.h"

#include "libsvc/base/clock.h"
#include "libsvc/base/utf8.h"
#include "libsvc/files/file_path.h"

#define STYLE                                                                                      \
    "body{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}"     \
    "table{border-collapse:collapse;width:100%}th{text-align:left}"                                \
    "td,th{border-bottom:1px solid #ccc;padding:.2rem .5rem}"                                      \
    "td:nth-child(2),th:nth-child(2){text-align:right}"

#define COLUMN(key, title)                                                                         \
    "<th>" title " <a href=\"?sort=" key "\" aria-label=\"" title ", ascending\">&uarr;</a>"       \
    "<a href=\"?sort=" key "&amp;order=desc\" aria-label=\"" title                                 \
    ", descending\">&darr;</a></th>"

static const char *entity_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void svc__listing_text_escape(struct buf *out, struct bytes text)
{
    while (text.len > 0) {
        size_t len = svc__utf8_sequence(text);
        const char *entity = entity_of(*text.data);
        if (entity)
            svc__buf_puts(out, entity);
        else if (len)
            svc__buf_append(out, text.data, len);
        else
            svc__buf_puts(out, UTF8_REPLACEMENT);
        len = len ? len : svc__utf8_bad(text);
        text = svc__bytes(text.data + len, text.len - len);
    }
}

/* A reference relative to the listing: "./" keeps a colon in a name from ending a scheme. */
static void write_href(struct buf *out, const struct listing_entry *entry)
{
    svc__buf_puts(out, "./");
    svc__file_path_escape(out, svc__bytes_z(entry->name), false);
    svc__buf_puts(out, entry->folder ? "/" : "");
}

static void write_time(struct buf *out, int64_t unix_seconds)
{
    char text[CLOCK_RFC3339_SIZE];
    int64_t most = INT64_MAX / 1000000;
    if (unix_seconds < -most || unix_seconds > most)
        unix_seconds = 0;
    svc__buf_append(out, text, svc__clock_timestamp(text, unix_seconds * 1000000));
}

static void write_row(struct buf *out, const struct listing_entry *entry)
{
    svc__buf_puts(out, "<tr><td><a href=\"");
    write_href(out, entry);
    svc__buf_puts(out, "\">");
    svc__listing_text_escape(out, svc__bytes_z(entry->name));
    svc__buf_puts(out, entry->folder ? "/</a></td><td></td><td>" : "</a></td><td>");
    if (!entry->folder) {
        svc__buf_u64(out, entry->size);
        svc__buf_puts(out, "</td><td>");
    }
    write_time(out, entry->modified_s);
    svc__buf_puts(out, "</td></tr>\n");
}

void svc__listing_text_html(struct buf *out, const struct listing *listing, struct bytes path,
                            bool top)
{
    svc__buf_puts(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                       "<meta name=\"viewport\" content=\"width=device-width\"><title>Files in ");
    svc__listing_text_escape(out, path);
    svc__buf_puts(out, "</title><style>" STYLE "</style></head>\n<body><h1>Files in ");
    svc__listing_text_escape(out, path);
    svc__buf_puts(out, "</h1>\n<table><thead><tr>" COLUMN("name", "Name") COLUMN("size", "Bytes")
                           COLUMN("modified", "Modified") "</tr></thead><tbody>\n");
    if (!top)
        svc__buf_puts(out, "<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n");
    for (size_t i = 0; i < listing->count; i++)
        write_row(out, &listing->entries[i]);
    svc__buf_puts(out, "</tbody></table>\n");
    if (listing->truncated)
        svc__buf_puts(out, "<p>There are more files, which are not listed.</p>\n");
    svc__buf_puts(out, "</body></html>\n");
}

static void write_member(struct buf *out, const struct listing_entry *entry)
{
    svc__buf_puts(out, "{\"name\":");
    svc__buf_json_string(out, svc__bytes_z(entry->name));
    svc__buf_puts(out, ",\"href\":\"");
    write_href(out, entry);
    svc__buf_puts(out, entry->folder ? "\",\"type\":\"folder\"" : "\",\"type\":\"file\",\"size\":");
    if (!entry->folder)
        svc__buf_u64(out, entry->size);
    svc__buf_puts(out, ",\"modified\":\"");
    write_time(out, entry->modified_s);
    svc__buf_puts(out, "\"}");
}

void svc__listing_text_json(struct buf *out, const struct listing *listing, struct bytes path)
{
    svc__buf_puts(out, "{\"path\":");
    svc__buf_json_string(out, path);
    svc__buf_puts(out, ",\"entries\":[");
    for (size_t i = 0; i < listing->count; i++) {
        svc__buf_puts(out, i ? ",\n" : "\n");
        write_member(out, &listing->entries[i]);
    }
    svc__buf_puts(out, listing->truncated ? "],\"truncated\":true}\n" : "],\"truncated\":false}\n");
}
