#!/bin/bash
# The programs in the pages of docs/ give the replies, and accept the file, that these pages show. A `…` in a
# page stands for any text.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
library=$(echo "$top_builddir"/.libs/libsvc.so.[0-9])
[ -e "$library" ] || { echo "SKIP: there is no shared library"; exit 77; }
jansson=$($PKG_CONFIG --cflags --libs jansson)

# The n-th block of a page with that language, or without any.
block() { # page language n
    awk -v fence="\`\`\`$2" -v n="$3" '/^```/ { if (!open) n -= $0 == fence; open = !open; next }
        open && !n { seen = 1; print } !open && seen { exit }' "$top_srcdir/docs/$1.md"
}

# Builds the C of a page with further lines.
build() { # page lines flags...
    { awk '/^```c$/ { code = 1; next } /^```$/ { code = 0 } code' "$top_srcdir/docs/$1.md"; echo "$2"; } > "$work/$1.c"
    # shellcheck disable=SC2086 # flags
    $CC -std=c11 $test_cflags -I"$top_srcdir/include" -o "$work/$1" "$work/$1.c" "${@:3}" "$library" $jansson \
        -Wl,-rpath,"$top_builddir/.libs"
}

# The status, header fields and body of a reply of a page's app: of the first request with that status, or of
# the last of so many. A main of the page itself has another name then.
ask() { # page app method target body status times flags...
    build "$1" "
#undef main
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
    svc_reply *reply = NULL;
    svc_app *app = $2;
    const char *const headers[] = {\"Accept\", getenv(\"ACCEPT\"), NULL};
    svc_test get = SVC_TEST_INIT;
    get.target = argv[2];
    get.headers = headers[1] ? headers : NULL;
    for (int i = atoi(argv[5]); i > 0 && argc == 6 && svc_reply_status(reply) != atoi(argv[4]); i--) {
        svc_reply_free(reply);
        reply = argv[3][0] ? svc_app_test_json(app, argv[1], argv[2], argv[3]) : svc_app_test(app, &get);
    }
    const char *name, *value;
    printf(\"HTTP/1.1 %d\\n\", svc_reply_status(reply));
    for (size_t i = 0; !svc_reply_header_at(reply, i, &name, &value); i++)
        printf(\"%s: %s\\n\", name, value);
    printf(\"\\n%s\\n\", svc_reply_body(reply, NULL));
    svc_reply_free(reply);
    svc_app_free(app);
    return 0;
}" -Dmain=page_main "${@:8}"
    "$work/$1" "$3" "$4" "$5" "$6" "$7"
}

# Whether a reply is as shown: its status, the header fields that are shown, and its body.
compare() { # page shown reply
    local line shown pattern
    while read -r line; do
        case $line in
        HTTP/1.1*) line=$(echo "$line" | cut -d' ' -f-2) ;;
        '') break ;;
        esac
        grep -qxF "$line" <<< "$3" || { printf '%s.md shows %s, and the reply is\n%s\n' "$1" "$line" "$3"; exit 1; }
    done <<< "$2"
    shown=$(sed '1,/^$/d' <<< "$2" | sed 's/^ //' | tr -d '\n')
    pattern=$(sed 's/[][\\*?]/\\&/g; s/…/*/g' <<< "$shown")
    # shellcheck disable=SC2053 # a pattern
    [[ $(sed '1,/^$/d' <<< "$3") == $pattern ]] || { printf '%s.md shows\n%s\nand the reply is\n%s\n' "$1" "$shown" "$3"; exit 1; }
}

shown=$(block binding '' 1)
read -r method target <<< "$shown"
compare binding "$(sed '1,/^$/d' <<< "$shown")" \
    "$(ask binding 'notes_app()' "$method" "$target" "$(sed -n 2p <<< "$shown")" 422 1)"
compare json "$(printf 'HTTP/1.1 200\n\n%s' "$(block json '' 1)")" \
    "$(ask json 'svc_app_new("json"); register_notes(app)' GET /notes '' 200 1)"
compare negotiation "$(block negotiation '' 1)" \
    "$(ACCEPT='image/png, application/problem+json' ask negotiation 'make_app()' GET /report '' 406 1)"
compare files "$(block files '' 1)" \
    "$(ask files 'svc_app_new("files"); svc_app_get(app, "/report", report, NULL)' GET /report '' 200 1)"
compare rate-limit "$(block rate-limit '' 1)" "$(ask rate-limit 'notes_app()' GET /notes '' 429 10000)"
otlp=$(echo "$top_builddir"/.libs/libsvc-otlp.so.[0-9])
[ ! -e "$otlp" ] || compare observability "$(block observability '' 1)" \
    "$(OTEL_SDK_DISABLED=true ask observability 'numbers_app()' GET /numbers/91 '' 200 1 "$otlp")"

# Functions that test the page's own program.
try() { # page function
    build "$1" "int main(void) { return !$2(); }"
    "$work/$1" > "$work/printed" 2>&1 || { echo "$1.md: $2 is not so"; cat "$work/printed"; exit 1; }
}
! readelf -d "$library" | grep -q libz || try compression is_only_the_list_compressed
try cookies is_theme_kept
try events is_missed_event_sent
try forms is_form_bound
try memo is_stale_value_given
try ranges is_third_square_given
try uploads is_photo_kept
try uploads is_form_counted
try store is_kept_for_ten_minutes

# The environment file, and what --print-config then prints of it.
build configuration ''
block configuration sh 1 > "$work/sample.env"
cd "$work"
printed=$(env -i ./configuration --env-file=sample.env --print-config)
for line in 'SVC_LISTEN=:8080 # file sample.env:3' 'SVC_DATABASE=******** # file sample.env:4'; do
    grep -qxF "$line" <<< "$printed" || { printf 'not printed: %s, but\n%s\n' "$line" "$printed"; exit 1; }
done
