/* Types of text, and of binary formats that are not compressed in themselves. */
#include "libsvc/coding/compressible.h"

#include "libsvc/proto/media.h"
#include "libsvc/proto/token.h"

/* Of application/, in order. Images, audio, video and archives are compressed, but for those below.
 */
static const char *const applications[] = {"atom+xml",
                                           "ecmascript",
                                           "geo+json",
                                           "graphql",
                                           "javascript",
                                           "json",
                                           "ld+json",
                                           "manifest+json",
                                           "n-triples",
                                           "openmetrics-text",
                                           "problem+json",
                                           "rtf",
                                           "sql",
                                           "toml",
                                           "vnd.ms-fontobject",
                                           "wasm",
                                           "x-ndjson",
                                           "x-javascript",
                                           "x-httpd-php",
                                           "x-sh",
                                           "x-tex",
                                           "x-www-form-urlencoded",
                                           "xhtml+xml",
                                           "xml",
                                           "xml-dtd",
                                           "yaml"};

static const struct {
    const char *type, *subtype;
} others[] = {{"font", "collection"}, {"font", "otf"},
              {"font", "sfnt"},       {"font", "ttf"},
              {"image", "bmp"},       {"image", "svg+xml"},
              {"image", "x-icon"},    {"image", "vnd.microsoft.icon"},
              {"message", "rfc822"},  {"model", "gltf+json"}};

static bool ends_with(struct bytes text, const char *end)
{
    struct bytes wanted = svc__bytes_z(end);
    return text.len > wanted.len &&
           svc__bytes_eq_nocase(svc__bytes(text.data + text.len - wanted.len, wanted.len), wanted);
}

bool svc__compressible_known(struct bytes content_type)
{
    struct media media;
    if (svc__media_parse(content_type, &media))
        return false;
    if (svc__bytes_eq_nocase(media.type, svc__bytes_z("text")))
        return true;
    if (ends_with(media.subtype, "+json") || ends_with(media.subtype, "+xml") ||
        ends_with(media.subtype, "+text") || ends_with(media.subtype, "+yaml"))
        return true;
    for (size_t i = 0; i < sizeof applications / sizeof *applications; i++)
        if (svc__media_is(&media, "application", applications[i]))
            return true;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (svc__media_is(&media, others[i].type, others[i].subtype))
            return true;
    return false;
}

/* Takes "type/subtype" off a list. */
static bool take_range(struct bytes *list, struct bytes *type, struct bytes *subtype)
{
    *subtype = svc__bytes_trim(svc__bytes_cut(list, ','));
    *type = svc__bytes_cut(subtype, '/');
    return svc__token_valid(*type) && subtype->data && svc__token_valid(*subtype);
}

bool svc__compressible_list_valid(struct bytes list)
{
    struct bytes type, subtype;
    do {
        if (!take_range(&list, &type, &subtype) || svc__bytes_eq_z(type, "*"))
            return false;
    } while (list.data);
    return true;
}

bool svc__compressible_listed(struct bytes content_type, struct bytes list)
{
    struct media media;
    struct bytes type, subtype;
    if (svc__media_parse(content_type, &media))
        return false;
    while (list.data && take_range(&list, &type, &subtype))
        if (svc__bytes_eq_nocase(type, media.type) &&
            (svc__bytes_eq_z(subtype, "*") || svc__bytes_eq_nocase(subtype, media.subtype)))
            return true;
    return false;
}
