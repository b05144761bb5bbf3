/* Cells in the order of a table's columns. */
#include "libsvc/ops/status_writer.h"

void svc__status_writer_begin(struct status_writer *writer, const struct status_table *table)
{
    writer->table = table;
    writer->rows = writer->cells = 0;
    writer->format->begin_table(writer);
}

static const struct status_column *begin_cell(struct status_writer *writer)
{
    if (writer->cells == 0)
        writer->format->begin_row(writer);
    return &writer->table->columns[writer->cells];
}

static void end_cell(struct status_writer *writer)
{
    if (++writer->cells < writer->table->column_count)
        return;
    writer->format->end_row(writer);
    writer->cells = 0;
    writer->rows++;
}

void svc__status_writer_text(struct status_writer *writer, const char *text)
{
    const struct status_column *column = begin_cell(writer);
    writer->format->text(writer, column, svc__bytes_z(text));
    end_cell(writer);
}

void svc__status_writer_number(struct status_writer *writer, double number)
{
    const struct status_column *column = begin_cell(writer);
    writer->format->number(writer, column, number);
    end_cell(writer);
}

void svc__status_writer_end(struct status_writer *writer, size_t left_out)
{
    writer->format->end_table(writer, left_out);
    writer->tables++;
}
