/* The checks and the runner of the C tests. */
#include "check.h"

int check_failures;
static int tests_passed;
static int tests_failed;

void check_run(const char *name, void (*test)(void)) {
    int before = check_failures;
    test();
    if (check_failures == before) {
        tests_passed++;
    } else {
        tests_failed++;
        printf("FAILED %s\n", name);
    }
    fflush(stdout);
}

int check_end(void) {
    printf("%d passed, %d failed\n", tests_passed, tests_failed);
    return tests_failed == 0 && tests_passed > 0 ? 0 : 1;
}

void check_true(int holds, const char *what, const char *file, int line) {
    if (!holds) {
        check_failures++;
        printf("%s:%d: not so: %s\n", file, line, what);
    }
}

void check_int(long long got, long long want, const char *what, const char *file, int line) {
    if (got != want) {
        check_failures++;
        printf("%s:%d: %s is %lld, expected %lld\n", file, line, what, got, want);
    }
}

void check_text(const char *got, const char *want, const char *what, const char *file, int line) {
    if (got == NULL || want == NULL ? got != want : strcmp(got, want) != 0) {
        check_failures++;
        printf("%s:%d: %s is \"%s\", expected \"%s\"\n", file, line, what, got ? got : "(NULL)", want ? want : "(NULL)");
    }
}

const char *check_error(ssmtp_t *handle) {
    static char held[512];
    char *text = NULL;
    held[0] = '\0';
    if (ssmtp_last_error(handle, &text) == 0 && text != NULL) {
        strncpy(held, text, sizeof held - 1);
        held[sizeof held - 1] = '\0';
        ssmtp_free(text);
    }
    return held;
}
