/*
 * The tables of the status page, in a form that its two writers have in common: a table is
 * described once, and written as HTML for people and as JSON for programs.
 */
#ifndef SVC_OPS_STATUS_WRITER_H
#define SVC_OPS_STATUS_WRITER_H

#include <stdbool.h>

#include "libsvc/base/buf.h"

/* How the values of a column are shown to people; programs get texts and plain numbers. */
enum status_unit {
    STATUS_TEXT,
    STATUS_STATE,  /* a text that is marked unless it is that of health */
    STATUS_NUMBER, /* as it is */
    STATUS_RATE,   /* a second */
    STATUS_SHARE,  /* of 1, as a percentage */
    STATUS_SECONDS
};

struct status_column {
    const char *key, *title;
    enum status_unit unit;
};

struct status_table {
    const char *key, *title;
    bool folded; /* people open it first */
    size_t column_count;
    const struct status_column *columns;
};

struct status_writer;

/* What a writer appends; a cell comes with its column. */
struct status_format {
    void (*begin_table)(struct status_writer *writer);
    void (*begin_row)(struct status_writer *writer);
    void (*text)(struct status_writer *writer, const struct status_column *column,
                 struct bytes text);
    void (*number)(struct status_writer *writer, const struct status_column *column, double number);
    void (*end_row)(struct status_writer *writer);
    void (*end_table)(struct status_writer *writer, size_t left_out);
};

struct status_writer {
    struct buf *out; /* keeps errors */
    const struct status_format *format;
    const struct status_table *table; /* that is being written */
    size_t tables, rows, cells; /* before this table, before this row of it, before this cell */
};

extern const struct status_format svc__status_html, svc__status_json;

/* Begins a table, whose cells follow in the order of its columns, row by row. */
void svc__status_writer_begin(struct status_writer *writer, const struct status_table *table);

/* A cell. A text may be of any bytes, and NULL is an empty one; a number that is not finite is
 * shown as none. */
void svc__status_writer_text(struct status_writer *writer, const char *text);
void svc__status_writer_number(struct status_writer *writer, double number);

/* Ends the table, of which so many rows were left out. */
void svc__status_writer_end(struct status_writer *writer, size_t left_out);

/* Appends text of any bytes for HTML, within an element or a quoted attribute: markup
 * is escaped, and a sequence that is no UTF-8, or a control character, becomes U+FFFD. */
void svc__status_html_text(struct buf *out, struct bytes text);

#endif
