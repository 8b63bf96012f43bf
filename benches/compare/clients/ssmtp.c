/* libssmtp through its C ABI: prepared messages by ssmtp_send_all (one), or ssmtp_send with a connection each (each), or
 * ssmtp_send on a connection that stays open (open), where each message may be set anew before (set), or come from a
 * callback as libcurl's do (stream). Else the message is given whole.
 *
 * usage: ssmtp PORT COUNT SIZE one|each|open|set|stream plain|tls ROOT */
#include "bench.h"
#include "ssmtp.h"

static void must(ssmtp_t *h, int32_t code) {
    if (code == 0) return;
    char *text = NULL;
    ssmtp_last_error(h, &text);
    fprintf(stderr, "ssmtp: %d %s\n", (int)code, text == NULL ? "" : text);
    exit(1);
}

static char *pem(const char *path) {
    FILE *file = fopen(path, "r");
    if (file == NULL) exit(2);
    char *text = calloc(1, 65536);
    size_t got = fread(text, 1, 65535, file);
    text[got] = '\0';
    fclose(file);
    return text;
}

static void envelope(ssmtp_t *h, const char *text, size_t length) {
    must(h, ssmtp_config(h, "MessageIncludesHeaders=True", NULL));
    must(h, ssmtp_set_from(h, "a@client.example"));
    must(h, ssmtp_set_send_to(h, "b@server.example"));
    must(h, ssmtp_set_message_b(h, (const uint8_t *)text, length));
}

/* What is left of the body, for ssmtp_set_message_stream. */
struct body { const char *text; size_t left; };

static int64_t on_read(void *userdata, uint8_t *buffer, size_t size) {
    struct body *body = userdata;
    if (size > body->left) size = body->left;
    memcpy(buffer, body->text, size);
    body->text += size, body->left -= size;
    return (int64_t)size;
}

int main(int argc, char **argv) {
    if (argc < 7) return 2;
    size_t count = (size_t)atol(argv[2]), length;
    int tls = strcmp(argv[5], "tls") == 0;
    char *text = bench_message((size_t)atol(argv[3]), &length);
    ssmtp_t *h = ssmtp_new_utf8();
    must(h, ssmtp_set_mail_server(h, "127.0.0.1"));
    must(h, ssmtp_set_mail_port(h, atoi(argv[1])));
    must(h, ssmtp_config(h, "Hello=client.example", NULL));
    if (tls) {
        char *root = pem(argv[6]), *setting = malloc(strlen(root) + 32);
        sprintf(setting, "SSLServerCACerts=%s", root);
        must(h, ssmtp_config(h, setting, NULL));
        must(h, ssmtp_set_ssl_start_mode(h, SSMTP_SSL_START_MODE_IMPLICIT));
        if (getenv("BENCH_RESUME") == NULL) must(h, ssmtp_config(h, "ReuseSSLSession=False", NULL));
    }
    if (getenv("BENCH_AHEAD") != NULL) {
        char setting[64];
        snprintf(setting, sizeof setting, "BdatAhead=%s", getenv("BENCH_AHEAD"));
        must(h, ssmtp_config(h, setting, NULL));
    }
    double slowest = 0, start, cpu, wall;
    if (strcmp(argv[4], "one") == 0) {
        ssmtp_t **messages = calloc(count, sizeof *messages);
        int32_t *results = calloc(count, sizeof *results);
        /* Large ones are one message again and again: everybody else sends the same memory each time, too. */
        for (size_t n = 0; n < count; n++) {
            if (n > 0 && length >= 100000) {
                messages[n] = messages[0];
            } else {
                envelope(messages[n] = ssmtp_new_utf8(), text, length);
            }
        }
        start = wall_now(), cpu = cpu_now();
        must(h, ssmtp_send_all(h, messages, count, results));
        wall = wall_now() - start, cpu = cpu_now() - cpu;
        for (size_t n = 0; n < count; n++) {
            must(h, results[n]);
            if (n == 0 || messages[n] != messages[0]) ssmtp_delete(messages[n]);
        }
    } else {
        envelope(h, text, length);
        start = wall_now(), cpu = cpu_now();
        int each = strcmp(argv[4], "each") == 0, set = strcmp(argv[4], "set") == 0, stream = strcmp(argv[4], "stream") == 0;
        struct body body;
        if (stream) {
            must(h, ssmtp_config(h, "MessageIncludesHeaders=False", NULL));
            must(h, ssmtp_set_message_b(h, NULL, 0));
            must(h, ssmtp_set_subject(h, "bench"));
        }
        if (!each) must(h, ssmtp_connect(h));
        for (size_t n = 0; n < count; n++) {
            double begun = wall_now();
            if (set) must(h, ssmtp_set_message_b(h, (const uint8_t *)text, length));
            if (stream) {
                size_t headers = sizeof bench_headers - 1;
                body = (struct body){ text + headers, length - headers };
                must(h, ssmtp_set_message_stream(h, on_read, NULL, &body, (int64_t)body.left));
            }
            must(h, ssmtp_send(h));
            double took = wall_now() - begun;
            if (took > slowest) slowest = took;
        }
        if (!each) must(h, ssmtp_disconnect(h));
        wall = wall_now() - start, cpu = cpu_now() - cpu;
    }
    ssmtp_delete(h);
    bench_report(wall, cpu, slowest);
    return 0;
}
