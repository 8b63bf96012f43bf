/* libcurl as its documentation shows it: one easy handle, the connection kept between messages (one), or closed after each (each).
 *
 * usage: curl PORT COUNT SIZE one|each plain|tls ROOT */
#include "bench.h"
#include <curl/curl.h>

struct reading {
    const char *text;
    size_t length, at;
};

static size_t give(char *to, size_t size, size_t count, void *data) {
    struct reading *r = data;
    size_t room = size * count, left = r->length - r->at;
    if (room > left) room = left;
    memcpy(to, r->text + r->at, room);
    r->at += room;
    return room;
}

int main(int argc, char **argv) {
    if (argc < 7) return 2;
    long count = atol(argv[2]);
    int each = strcmp(argv[4], "each") == 0, tls = strcmp(argv[5], "tls") == 0;
    struct reading body = {NULL, 0, 0};
    body.text = bench_message((size_t)atol(argv[3]), &body.length);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURL *curl = curl_easy_init();
    struct curl_slist *to = curl_slist_append(NULL, "<b@server.example>");
    char url[64];
    snprintf(url, sizeof url, "%s://127.0.0.1:%s/client.example", tls ? "smtps" : "smtp", argv[1]);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V4);
    curl_easy_setopt(curl, CURLOPT_CAINFO, argv[6]);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, "<a@client.example>");
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(curl, CURLOPT_READDATA, &body);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, (long)each);
    curl_easy_setopt(curl, CURLOPT_SSL_SESSIONID_CACHE, getenv("BENCH_RESUME") != NULL ? 1L : 0L);
    double slowest = 0, start = wall_now(), cpu = cpu_now();
    for (long n = 0; n < count; n++) {
        double begun = wall_now();
        body.at = 0;
        CURLcode code = curl_easy_perform(curl);
        if (code != CURLE_OK) {
            fprintf(stderr, "curl: %s\n", curl_easy_strerror(code));
            return 1;
        }
        double took = wall_now() - begun;
        if (took > slowest) slowest = took;
    }
    bench_report(wall_now() - start, cpu_now() - cpu, slowest);
    return 0;
}
