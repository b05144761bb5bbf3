#!/bin/sh
# Each public header compiles alone, twice in a row, as C99 and as C++, and what its macros make does.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
jansson=$($PKG_CONFIG --cflags jansson)
warnings="-Wall -Wextra -pedantic -Werror"
for header in svc.h $(cd "$top_srcdir/include" && ls svc/*.h svc/sys/*.h); do
    printf '#include <%s>\n#include <%s>\ntypedef int more;\n' "$header" "$header" > "$work/alone.c"
    cp "$work/alone.c" "$work/alone.cc"
    $CC -std=c99 $warnings -I"$top_srcdir/include" $jansson -fsyntax-only "$work/alone.c"
    $CXX -std=c++11 $warnings -I"$top_srcdir/include" $jansson -fsyntax-only "$work/alone.cc"
done

# They leave the names of other libraries for JSON to those: json-c has a type that jansson has a function for.
printf 'typedef struct json_object json_object;\n#include <svc.h>\n' > "$work/other.c"
cp "$work/other.c" "$work/other.cc"
$CC -std=c99 $warnings -I"$top_srcdir/include" -fsyntax-only "$work/other.c"
$CXX -std=c++11 $warnings -I"$top_srcdir/include" -fsyntax-only "$work/other.cc"

# So do the log's calls, with items and without, where a statement may stand.
cat > "$work/log.c" <<'END'
#define SVC_LOG_MODULE "test"
#include <svc.h>
void log_all(const svc_request *req, const svc_app *app, int error);
void log_all(const svc_request *req, const svc_app *app, int error)
{
    if (error)
        svc_log_error(req, "failed", svc_kv_err("error", error), svc_kv_int("code", error));
    else
        svc_log_debug(req, "done");
    svc_app_log_info(app, "told", svc_kv_str("a", "b"), svc_kv_bytes("c", "d", 1),
                     svc_kv_uint("e", 1), svc_kv_double("f", 1.5), svc_kv_bool("g", true));
    svc_app_log_warn(app, "told");
}
END
cp "$work/log.c" "$work/log.cc"
$CC -std=c99 $warnings -I"$top_srcdir/include" $jansson -fsyntax-only "$work/log.c"
$CXX -std=c++11 $warnings -I"$top_srcdir/include" $jansson -fsyntax-only "$work/log.cc"

# A program with every macro of the headers, in C++: settings, fields, options, flags, keys.
for standard in c++11 c++17 c++20; do
    $CXX -std=$standard $warnings -I"$top_srcdir/include" $jansson -fsyntax-only "$top_srcdir/tests/consumer/consumer.cc"
done
