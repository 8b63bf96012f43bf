/* unload LIBRARY: loads and unloads the library a thousand times, using it in between. It stays in memory once loaded, so
 * that threads which resolve a name may outlive a dlclose; what must not happen is growth, a crash, or a crash at exit. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct ssmtp_t ssmtp_t;

/* Pages of memory in use. */
static long resident(void) {
    long all = 0, in_memory = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file != NULL) {
        if (fscanf(file, "%ld %ld", &all, &in_memory) != 2) {
            in_memory = 0;
        }
        fclose(file);
    }
    return in_memory;
}

static int round_trip(const char *path) {
    ssmtp_t *(*make)(void) = NULL;
    int32_t (*destroy)(ssmtp_t *) = NULL;
    int32_t (*set)(ssmtp_t *, const char *) = NULL;
    int32_t (*connect)(ssmtp_t *) = NULL;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    ssmtp_t *smtp;
    int fine;
    if (library == NULL) {
        printf("%s\n", dlerror());
        return 0;
    }
    *(void **)&make = dlsym(library, "ssmtp_new");
    *(void **)&destroy = dlsym(library, "ssmtp_delete");
    *(void **)&set = dlsym(library, "ssmtp_set_subject");
    *(void **)&connect = dlsym(library, "ssmtp_connect");
    if (make == NULL || destroy == NULL || set == NULL || connect == NULL) {
        return 0;
    }
    smtp = make();
    fine = smtp != NULL && set(smtp, "x") == 0 && connect(smtp) == 163 && destroy(smtp) == 0;
    return dlclose(library) == 0 && fine;
}

int main(int argc, char **argv) {
    int i, fine = argc == 2;
    long at_first = 0, grown;
    for (i = 0; fine && i < 1000; i++) {
        fine = round_trip(argv[1]);
        if (!fine) {
            printf("round %d failed\n", i);
        }
        if (i == 100) {
            at_first = resident();
        }
    }
    grown = (resident() - at_first) * sysconf(_SC_PAGESIZE);
    if (fine && grown > 200 * 1024) { /* a leak of 256 bytes a round */
        printf("memory grew by %ld bytes in 900 rounds\n", grown);
        fine = 0;
    }
    printf("%d passed, %d failed\n", fine ? 1 : 0, fine ? 0 : 1);
    return fine ? 0 : 1;
}
