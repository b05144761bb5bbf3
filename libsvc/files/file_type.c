/* The media type of a file, by its name. */
#include "libsvc/files/file_type.h"

#include <stdlib.h>
#include <string.h>

#include "libsvc/base/bytes.h"
#include "libsvc/files/media_table.h"

static int compare_rows(const void *suffix, const void *row)
{
    return strcmp(suffix, ((const struct media_row *)row)->suffix);
}

static const char *find_in_table(const char *suffix, size_t len)
{
    char lower[MEDIA_SUFFIX_MAX + 1];
    if (len > MEDIA_SUFFIX_MAX)
        return NULL;
    for (size_t i = 0; i <= len; i++)
        lower[i] = svc__bytes_lower(suffix[i]);
    const struct media_row *row =
        bsearch(lower, svc__media_table, MEDIA_TABLE_SIZE, sizeof *svc__media_table, compare_rows);
    return row ? row->type : NULL;
}

const char *svc__file_type_find(const svc_file_type *types, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    if (!dot)
        return NULL;
    struct bytes suffix = svc__bytes_z(dot + 1);
    for (const svc_file_type *own = types; own && own->suffix; own++)
        if (svc__bytes_eq_nocase(svc__bytes_z(own->suffix), suffix))
            return own->type;
    return find_in_table(suffix.data, suffix.len);
}
