/* What the C tests share: checks that count, and a runner. A test is a function; it fails when one of its checks does. */
#ifndef CHECK_H
#define CHECK_H

#include "ssmtp.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

extern int check_failures;

void check_run(const char *name, void (*test)(void));
/* Prints `N passed, N failed`; the exit code of the program. */
int check_end(void);
void check_true(int holds, const char *what, const char *file, int line);
void check_int(long long got, long long want, const char *what, const char *file, int line);
void check_text(const char *got, const char *want, const char *what, const char *file, int line);
/* The text of the last error on `handle`, in a buffer that the next call overwrites. */
const char *check_error(ssmtp_t *handle);

#define RUN(test) check_run(#test, test)
#define CHECK(holds) check_true(!!(holds), #holds, __FILE__, __LINE__)
#define EQ(got, want) check_int((long long)(got), (long long)(want), #got, __FILE__, __LINE__)
#define EQ_TEXT(got, want) check_text((got), (want), #got, __FILE__, __LINE__)
/* The last error of a handle must hold this text. */
#define SAYS(handle, part) check_true(strstr(check_error(handle), part) != NULL, #part " in the error text", __FILE__, __LINE__)

#endif
