/* The status as JSON: a member for each table, a member for each column of a row. */
#include <math.h>

#include "libsvc/base/double.h"
#include "libsvc/ops/status_writer.h"

static void put_key(struct buf *out, const char *key)
{
    svc__buf_json_string(out, svc__bytes_z(key));
    svc__buf_putc(out, ':');
}

static void begin_object(struct status_writer *writer)
{
    svc__buf_puts(writer->out, writer->tables ? "," : "");
    put_key(writer->out, writer->table->key);
    svc__buf_puts(writer->out, "{\"rows\":[");
}

static void begin_member_row(struct status_writer *writer)
{
    svc__buf_puts(writer->out, writer->rows ? ",{" : "{");
}

static void put_json_text(struct status_writer *writer, const struct status_column *column,
                          struct bytes text)
{
    svc__buf_puts(writer->out, writer->cells ? "," : "");
    put_key(writer->out, column->key);
    svc__buf_json_string(writer->out, text);
}

static void put_json_number(struct status_writer *writer, const struct status_column *column,
                            double number)
{
    struct buf *out = writer->out;
    svc__buf_puts(out, writer->cells ? "," : "");
    put_key(out, column->key);
    char *to = isfinite(number) ? svc__buf_reserve(out, DOUBLE_LEN) : NULL;
    if (to)
        out->len += svc__double_format(to, number);
    else
        svc__buf_puts(out, "null");
}

static void end_member_row(struct status_writer *writer)
{
    svc__buf_putc(writer->out, '}');
}

static void end_object(struct status_writer *writer, size_t left_out)
{
    svc__buf_puts(writer->out, "],\"left_out\":");
    svc__buf_u64(writer->out, left_out);
    svc__buf_putc(writer->out, '}');
}

const struct status_format svc__status_json = {begin_object,    begin_member_row, put_json_text,
                                               put_json_number, end_member_row,   end_object};
