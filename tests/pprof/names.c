/* Names of functions by their addresses: of this program, and of files that are not what they
 * should be. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svc/errors.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libsvc/pprof/pprof_elf.h"
#include "libsvc/pprof/pprof_symbol.h"

/* A function that no other file may call. */
__attribute__((noinline)) static int add_numbers(int a, int b)
{
    return a * 7 + b;
}

static volatile int number = 3;
static unsigned char *own_file;
static size_t own_size;

static void expect_answer(const char *list, const char *answer)
{
    char *text;
    size_t len;
    int error = svc__pprof_symbol_answer(list, strlen(list), &text, &len);
    cr_assert_eq(error, 0, "%d", error);
    cr_expect_str_eq(text, answer);
    cr_expect_eq(len, strlen(answer));
    free(text);
}

Test(names, functions_of_the_program_and_of_libraries_have_names)
{
    char list[128], answer[256];
    uintptr_t own = (uintptr_t)add_numbers, other = (uintptr_t)svc_error_text;
    number = add_numbers(number, 4);
    snprintf(list, sizeof list, "%#zx+0x0+%#zX+%zx", own + 1, own, other);
    snprintf(answer, sizeof answer, "%#zx\tadd_numbers\n%#zX\tadd_numbers\n%zx\tsvc_error_text\n",
             own + 1, own, other);
    expect_answer(list, answer);
}

Test(names, the_same_address_is_answered_as_often_as_it_is_asked_for)
{
    char list[128], answer[256];
    uintptr_t own = (uintptr_t)add_numbers;
    number = add_numbers(number, 4);
    snprintf(list, sizeof list, "%#zx+%#zx\n", own, own);
    snprintf(answer, sizeof answer, "%#zx\tadd_numbers\n%#zx\tadd_numbers\n", own, own);
    expect_answer(list, answer);
}

Test(names, what_is_no_function_has_no_name)
{
    char list[64];
    snprintf(list, sizeof list, "%p+%p+1+ffffffffffffffff", (void *)&own_size, (void *)list);
    expect_answer(list, "");
    expect_answer("", "");
    expect_answer(" \r\n", "");
}

Test(names, a_malformed_list_is_refused_at_its_first_bad_byte)
{
    static const struct {
        const char *list;
        size_t position;
    } bad[] = {{"x", 0},
               {"1+", 1},
               {"12+g", 3},
               {"+1", 0},
               {"1 2", 1},
               {"0x", 1},
               {"1+11111111111111111", 2}};
    char *text;
    size_t len;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int error = svc__pprof_symbol_answer(bad[i].list, strlen(bad[i].list), &text, &len);
        cr_expect_eq(error, SVC_ESYNTAX, "%s: %d", bad[i].list, error);
        cr_expect_eq(len, bad[i].position, "%s: %zu", bad[i].list, len);
    }
}

/* ---- Files */

static void read_own_file(void)
{
    struct stat status;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    cr_assert(fd >= 0 && !fstat(fd, &status));
    own_size = (size_t)status.st_size;
    own_file = malloc(own_size);
    cr_assert(own_file && read(fd, own_file, own_size) == (ssize_t)own_size);
    close(fd);
}

static int take_bias(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    *(uintptr_t *)arg = info->dlpi_addr;
    return 1; /* the program comes first */
}

/* How many of the addresses around a function of this program have a name in a file. */
static size_t count_names(const unsigned char *file, size_t size)
{
    enum { PLACES = 512, DISTANCE = 16 };
    static struct pprof_place places[PLACES];
    static struct pprof_place *sorted[PLACES];
    size_t named = 0;
    uintptr_t bias = 0;
    dl_iterate_phdr(take_bias, &bias);
    for (size_t i = 0; i < PLACES; i++) {
        places[i].address = (uintptr_t)add_numbers - bias + (i - PLACES / 2) * DISTANCE;
        places[i].name = NULL;
        sorted[i] = &places[i];
    }
    svc__pprof_elf_name(file, size, 0, sorted, PLACES);
    for (size_t i = 0; i < PLACES; i++) {
        named += places[i].name != NULL;
        free(places[i].name);
    }
    return named;
}

/* The same for the first bytes of this program's file, in memory that ends where they end. */
static size_t count_first(size_t size)
{
    unsigned char *first = malloc(size ? size : 1);
    cr_assert(first);
    memcpy(first, own_file, size);
    size_t named = count_names(first, size);
    free(first);
    return named;
}

Test(names, a_file_that_ends_early_is_read_as_far_as_it_goes)
{
    read_own_file();
    cr_assert_gt(count_first(own_size), 0);
    for (size_t size = 0; size < sizeof(ElfW(Ehdr)) + 8; size++)
        cr_expect_eq(count_first(size), 0);
    for (size_t i = 0; i < 64; i++)
        count_first(own_size / 64 * i);
    free(own_file);
}

static ElfW(Shdr) * section(size_t index)
{
    ElfW(Ehdr) *head = (void *)own_file;
    return (ElfW(Shdr) *)(void *)(own_file + head->e_shoff) + index;
}

/* Each field of the header and of the sections, with values at the ends of their ranges. */
Test(names, offsets_that_lead_out_of_the_file_are_not_followed)
{
    static const uint64_t values[] = {0, 1, 7, UINT32_MAX, UINT64_MAX, UINT64_MAX - 63, 1ULL << 63};
    read_own_file();
    const ElfW(Ehdr) head = *(ElfW(Ehdr) *)(void *)own_file;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        ElfW(Ehdr) changed = head;
        changed.e_shoff = (ElfW(Off))values[i];
        memcpy(own_file, &changed, sizeof changed);
        count_names(own_file, own_size);
        changed = head;
        changed.e_shnum = (ElfW(Half))values[i];
        memcpy(own_file, &changed, sizeof changed);
        count_names(own_file, own_size);
        memcpy(own_file, &head, sizeof head);
        for (size_t k = 0; k < head.e_shnum; k++) {
            ElfW(Shdr) *at = section(k), before = *at;
            at->sh_offset = (ElfW(Off))values[i];
            count_names(own_file, own_size);
            *at = before;
            at->sh_size = values[i];
            count_names(own_file, own_size);
            *at = before;
            at->sh_link = (ElfW(Word))values[i];
            count_names(own_file, own_size);
            *at = before;
        }
    }
    cr_expect_gt(count_names(own_file, own_size), 0);
    free(own_file);
}

/* Symbols with names, values and sizes that are anything. */
Test(names, any_symbols_are_read)
{
    unsigned seed = 1;
    read_own_file();
    const ElfW(Ehdr) *head = (void *)own_file;
    for (size_t k = 0; k < head->e_shnum; k++) {
        if (section(k)->sh_type != SHT_SYMTAB && section(k)->sh_type != SHT_DYNSYM)
            continue;
        for (size_t i = 0; i < section(k)->sh_size; i++) {
            seed = seed * 1103515245 + 12345;
            if (seed >> 29 == 0)
                own_file[section(k)->sh_offset + i] = (unsigned char)(seed >> 16);
        }
    }
    count_names(own_file, own_size);
    free(own_file);
}
