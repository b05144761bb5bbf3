/* Prints the README's table of settings. */
#include <stdio.h>

#include "libsvc/settings/settings_text.h"

int main(void)
{
    struct buf table;
    svc__buf_init(&table, 65536);
    svc__settings_text_table(&table);
    int error = svc__buf_error(&table);
    if (!error)
        fwrite(table.data, 1, table.len, stdout);
    svc__buf_free(&table);
    return error != 0;
}
