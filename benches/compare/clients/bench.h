/* What the C clients share: clocks, the message, the line of results. */
#ifndef BENCH_H
#define BENCH_H
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static double wall_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_now(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static const char bench_headers[] = "From: <a@client.example>\r\nTo: <b@server.example>\r\nSubject: bench\r\n\r\n";
static const char bench_line[] = "The quick brown fox jumps over the lazy dog; the five boxing wizards jump q\r\n";

/* The very bytes that every client sends. */
static char *bench_message(size_t size, size_t *length) {
    size_t line = sizeof bench_line - 1, at = sizeof bench_headers - 1;
    char *text = malloc(size + at + line + 1);
    if (text == NULL) abort();
    memcpy(text, bench_headers, at);
    while (at < size) {
        memcpy(text + at, bench_line, line);
        at += line;
    }
    text[at] = '\0';
    *length = at;
    return text;
}

/* The most memory of this program; ru_maxrss would count what the one that started it had, too. */
static long bench_peak(void) {
    char line[128];
    long kib = 0;
    FILE *status = fopen("/proc/self/status", "r");
    if (status == NULL) return 0;
    while (fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "VmHWM: %ld", &kib) == 1) break;
    fclose(status);
    return kib;
}

static void bench_report(double wall, double cpu, double slowest) {
    printf("{\"wall\": %.9f, \"cpu\": %.9f, \"slowest\": %.9f, \"rss_kib\": %ld}\n", wall, cpu, slowest, bench_peak());
}
#endif
