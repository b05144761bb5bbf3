/* Finds the files that the process was loaded from, and reads the names of functions from them. */
#include "libsvc/pprof/pprof_modules.h"

#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <svc/errors.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef ElfW(Phdr) elf_part;

enum { HEAD_BYTES = 4096 };

/* The program or a library. */
struct module {
    struct module *next;
    uintptr_t bias;
    char *path;
    size_t head_len;
    unsigned char head[HEAD_BYTES]; /* the beginning of its file, as it was loaded */
};

struct modules {
    struct module *first;
    bool starved; /* there was no memory for one of them */
};

/* The loader's lock is held here, which threads that unwind may need: so the file is read later,
 * and a copy of the bytes in memory shows whether it is still the same file. */
static void copy_head(struct module *module, const struct dl_phdr_info *info)
{
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const elf_part *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || part->p_offset != 0 || !(part->p_flags & PF_R))
            continue;
        module->head_len = part->p_filesz < HEAD_BYTES ? part->p_filesz : HEAD_BYTES;
        memcpy(module->head, (const void *)(info->dlpi_addr + part->p_vaddr), module->head_len);
        return;
    }
}

static int add_module(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct modules *modules = arg;
    struct module *module = calloc(1, sizeof *module);
    (void)size;
    if (module)
        module->path = strdup(info->dlpi_name[0] ? info->dlpi_name : "/proc/self/exe");
    if (!module || !module->path) {
        free(module);
        modules->starved = true;
        return 1;
    }
    module->bias = info->dlpi_addr;
    copy_head(module, info);
    module->next = modules->first;
    modules->first = module;
    return 0;
}

static bool is_same_file(const struct module *module, const void *file, size_t size)
{
    return module->head_len > 0 && size >= module->head_len &&
           !memcmp(file, module->head, module->head_len);
}

static void name_from_file(const struct module *module, struct pprof_place *const *places,
                           size_t count)
{
    struct stat status;
    int fd = open(module->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return;
    if (!fstat(fd, &status) && S_ISREG(status.st_mode) && status.st_size > 0) {
        size_t size = (size_t)status.st_size;
        void *file = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (file != MAP_FAILED) {
            if (is_same_file(module, file, size))
                svc__pprof_elf_name(file, size, module->bias, places, count);
            munmap(file, size);
        }
    }
    close(fd);
}

int svc__pprof_modules_name(struct pprof_place *const *places, size_t count)
{
    struct modules modules = {NULL, false};
    dl_iterate_phdr(add_module, &modules);
    while (modules.first) {
        struct module *module = modules.first;
        modules.first = module->next;
        if (!modules.starved)
            name_from_file(module, places, count);
        free(module->path);
        free(module);
    }
    return modules.starved ? SVC_ENOMEM : 0;
}
