# Reads preprocessed C and finds the structs svc_* in it. With mode=list it prints a line for each
# member, "struct member", and for each enumerator, "enum NAME". With mode=less or mode=more it prints
# the program again, in which each struct that begins with its size has its last member no more, or one
# behind it: as a program has it that was built against another release.

function braces(text,    open, close_) {
    open = gsub(/\{/, "{", text)
    close_ = gsub(/\}/, "}", text)
    return open - close_
}

# The text between the outermost braces.
function body_of(text) {
    sub(/^[^{]*\{/, "", text)
    sub(/\}[^}]*$/, "", text)
    return text
}

function print_member(name, declaration,    parts, count, i) {
    if (match(declaration, /\(\*[ ]*[a-z_0-9]+\)/)) {
        declaration = substr(declaration, RSTART, RLENGTH)
        gsub(/[(*) ]/, "", declaration)
        print name, declaration
        return
    }
    sub(/.*\}/, "", declaration) # of a union: its name
    count = split(declaration, parts, ",")
    for (i = 1; i <= count; i++) {
        sub(/\[.*/, "", parts[i])
        gsub(/ +$/, "", parts[i])
        sub(/.*[ *]/, "", parts[i])
        print name, parts[i]
    }
}

function list_members(name, body,    depth, i, c, declaration) {
    depth = 0
    declaration = ""
    for (i = 1; i <= length(body); i++) {
        c = substr(body, i, 1)
        depth += (c == "{" || c == "(") - (c == "}" || c == ")")
        if (c == ";" && depth == 0) {
            print_member(name, declaration)
            declaration = ""
        } else {
            declaration = declaration c
        }
    }
}

function list_enumerators(body,    parts, count, i) {
    count = split(body, parts, ",")
    for (i = 1; i <= count; i++)
        if (match(parts[i], /SVC_[A-Z0-9_]+/))
            print "enum", substr(parts[i], RSTART, RLENGTH)
}

function without_last(text,    end, at) {
    end = match(text, /;[^;]*$/)
    at = match(substr(text, 1, end - 1), /;[^;]*$/)
    return substr(text, 1, at) substr(text, end + 1)
}

function with_more(text) {
    match(text, /;[^;]*$/)
    return substr(text, 1, RSTART) " size_t one_more" substr(text, RSTART)
}

function take(text,    name, sized, tail) {
    gsub(/[ \t]+/, " ", text)
    if (text ~ /^ ?(typedef )?enum/) {
        if (mode == "list")
            list_enumerators(body_of(text))
        else
            print text
        return
    }
    match(text, /struct svc_[a-z_]+/)
    name = substr(text, RSTART + 7, RLENGTH - 7)
    sized = text ~ /\{ ?size_t size;/
    if (mode == "list") {
        list_members(name, body_of(text))
    } else if (!sized) {
        print text
    } else {
        match(text, /\}[^}]*$/)
        tail = substr(text, RSTART)
        text = substr(text, 1, RSTART - 1)
        print (mode == "less" ? without_last(text) : with_more(text)) tail
    }
}

!inside && /^ *(typedef )?(struct svc_[a-z_]+|enum( svc_[a-z_]+)?) *(\{|$)/ {
    inside = 1
    text = ""
    depth = 0
    opened = 0
}
inside {
    text = text " " $0
    depth += braces($0)
    opened = opened || /\{/
    if (opened && depth == 0 && /; *$/) {
        sub(/^ /, "", text)
        take(text)
        inside = 0
    }
    next
}
mode != "list" { print }
