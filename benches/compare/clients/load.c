/* A library from its file to its first handle and its second, as a program that uses it for one message has it: nothing of it is
 * there before. Prints the times, what the memory of this process grew by, and the files that were loaded.
 *
 * usage: load LIBRARY ssmtp|curl */
#include "bench.h"
#include <dlfcn.h>
#include <link.h>

static long resident(void) {
    char line[128];
    long kib = 0;
    FILE *status = fopen("/proc/self/status", "r");
    if (status == NULL) exit(2);
    while (fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "VmRSS: %ld", &kib) == 1) break;
    fclose(status);
    return kib;
}

static void *function(void *library, const char *name) {
    void *found = dlsym(library, name);
    if (found == NULL) {
        fprintf(stderr, "load: no %s\n", name);
        exit(1);
    }
    return found;
}

static int print_file(struct dl_phdr_info *info, size_t size, void *comma) {
    (void)size;
    if (info->dlpi_name[0] == '/') {
        printf("%s\"%s\"", *(const char **)comma, info->dlpi_name);
        *(const char **)comma = ", ";
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    int curl = strcmp(argv[2], "curl") == 0;
    long before = resident();
    double start = wall_now();
    void *library = dlopen(argv[1], RTLD_NOW);
    double loaded = wall_now();
    if (library == NULL) {
        fprintf(stderr, "load: %s\n", dlerror());
        return 1;
    }
    /* A function comes as void * from dlsym, whatever C says about that. */
    void *(*new_handle)(void);
    int (*global_init)(long) = NULL;
    *(void **)&new_handle = function(library, curl ? "curl_easy_init" : "ssmtp_new_utf8");
    if (curl) *(void **)&global_init = function(library, "curl_global_init");
    double begun = wall_now();
    if (curl && global_init(3) != 0) return 1; /* CURL_GLOBAL_DEFAULT */
    void *one = new_handle();
    double first = wall_now();
    void *two = new_handle();
    double second = wall_now();
    if (one == NULL || two == NULL) return 1;
    long grown = resident() - before;
    printf("{\"dlopen\": %.9f, \"first\": %.9f, \"second\": %.9f, \"rss_kib\": %ld, \"files\": [",
           loaded - start, first - begun, second - first, grown);
    const char *comma = "";
    dl_iterate_phdr(print_file, &comma);
    puts("]}");
    return 0;
}
