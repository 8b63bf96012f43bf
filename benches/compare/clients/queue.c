/* The queue through the C ABI: writes messages into a folder, then sends what is there.
 *
 * usage: queue PORT COUNT SIZE write|process FOLDER */
#include "bench.h"
#include "ssmtp.h"

static void must(ssmtp_t *h, int32_t code) {
    if (code == 0) return;
    char *text = NULL;
    ssmtp_last_error(h, &text);
    fprintf(stderr, "queue: %d %s\n", (int)code, text == NULL ? "" : text);
    exit(1);
}

int main(int argc, char **argv) {
    if (argc < 6) return 2;
    size_t length, count = (size_t)atol(argv[2]);
    char *text = bench_message((size_t)atol(argv[3]), &length);
    double slowest = 0;
    ssmtp_t *h = ssmtp_new_utf8();
    must(h, ssmtp_set_mail_server(h, "127.0.0.1"));
    must(h, ssmtp_set_mail_port(h, atoi(argv[1])));
    must(h, ssmtp_config(h, "MessageIncludesHeaders=True", NULL));
    must(h, ssmtp_set_from(h, "a@client.example"));
    must(h, ssmtp_set_send_to(h, "b@server.example"));
    must(h, ssmtp_set_message_b(h, (const uint8_t *)text, length));
    double start = wall_now(), cpu = cpu_now();
    if (strcmp(argv[4], "write") == 0) {
        for (size_t n = 0; n < count; n++) {
            char *name = NULL;
            double begun = wall_now();
            must(h, ssmtp_queue(h, argv[5], &name));
            double took = wall_now() - begun;
            if (took > slowest) slowest = took;
            ssmtp_free(name);
        }
    } else {
        must(h, ssmtp_process_queue(h, argv[5]));
    }
    bench_report(wall_now() - start, cpu_now() - cpu, slowest);
    ssmtp_delete(h);
    free(text);
    return 0;
}
