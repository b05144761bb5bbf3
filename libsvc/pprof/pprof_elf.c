/* Names of functions in an ELF file. Nothing in the file is trusted to lie within it. */
#include "libsvc/pprof/pprof_elf.h"

#include <link.h>
#include <stdbool.h>
#include <string.h>

/* Of this machine's kind. */
typedef ElfW(Ehdr) elf_head;
typedef ElfW(Shdr) elf_section;
typedef ElfW(Sym) elf_symbol;

/* A file, and the places that get names. */
struct naming {
    const unsigned char *file;
    size_t size;
    uintptr_t bias;
    struct pprof_place *const *places;
    size_t count;
};

/* Copies `len` bytes at `offset`, which may be misaligned; false if the file does not have them. */
static bool copy_part(const struct naming *n, void *to, uint64_t offset, size_t len)
{
    if (offset > n->size || len > n->size - offset)
        return false;
    memcpy(to, n->file + offset, len);
    return true;
}

static bool read_header(const struct naming *n, elf_head *head)
{
    const unsigned char class = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
    return copy_part(n, head, 0, sizeof *head) && !memcmp(head->e_ident, ELFMAG, SELFMAG) &&
           head->e_ident[EI_CLASS] == class && head->e_shentsize == sizeof(elf_section);
}

static bool read_section(const struct naming *n, const elf_head *head, size_t index,
                         elf_section *section)
{
    uint64_t offset = (uint64_t)head->e_shoff + index * sizeof *section;
    return index < head->e_shnum && offset >= head->e_shoff &&
           copy_part(n, section, offset, sizeof *section) && section->sh_offset <= n->size &&
           section->sh_size <= n->size - section->sh_offset;
}

/* The index of the first place that is not below the address. */
static size_t find_place(const struct naming *n, uintptr_t address)
{
    size_t low = 0, high = n->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (n->places[middle]->address < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void name_places(const struct naming *n, const elf_symbol *symbol, const char *strings,
                        size_t strings_len)
{
    if (symbol->st_name >= strings_len)
        return;
    const char *name = strings + symbol->st_name;
    size_t len = strnlen(name, strings_len - symbol->st_name);
    if (len == 0)
        return;
    uintptr_t begin = n->bias + symbol->st_value;
    uintptr_t size = symbol->st_size ? symbol->st_size : 1; /* 0: its size is not known */
    for (size_t i = find_place(n, begin); i < n->count; i++) {
        struct pprof_place *place = n->places[i];
        if (place->address - begin >= size)
            break;
        if (!place->name)
            place->name = strndup(name, len < PPROF_NAME_MOST ? len : PPROF_NAME_MOST);
    }
}

static bool is_function(const elf_symbol *symbol)
{
    int type = symbol->st_info & 0xf;
    return (type == STT_FUNC || type == STT_GNU_IFUNC) && symbol->st_shndx != SHN_UNDEF &&
           symbol->st_value != 0;
}

static void read_symbols(const struct naming *n, const elf_section *table,
                         const elf_section *strings)
{
    elf_symbol symbol;
    const char *text = (const char *)n->file + strings->sh_offset;
    for (uint64_t at = 0; at + sizeof symbol <= table->sh_size; at += sizeof symbol)
        if (copy_part(n, &symbol, table->sh_offset + at, sizeof symbol) && is_function(&symbol))
            name_places(n, &symbol, text, strings->sh_size);
}

static void read_tables(const struct naming *n, const elf_head *head, unsigned type)
{
    elf_section table, strings;
    for (size_t i = 0; i < head->e_shnum; i++)
        if (read_section(n, head, i, &table) && table.sh_type == type &&
            read_section(n, head, table.sh_link, &strings))
            read_symbols(n, &table, &strings);
}

void svc__pprof_elf_name(const void *file, size_t size, uintptr_t bias,
                         struct pprof_place *const *places, size_t count)
{
    elf_head head;
    const struct naming naming = {file, size, bias, places, count};
    if (!read_header(&naming, &head))
        return;
    read_tables(&naming, &head, SHT_SYMTAB); /* of all functions, unless the file is stripped */
    read_tables(&naming, &head, SHT_DYNSYM); /* of those that other files may call */
}
