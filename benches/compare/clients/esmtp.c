/* libesmtp: all messages of a session over one connection (one), or a session each (each). Plain only.
 *
 * usage: esmtp PORT COUNT SIZE one|each plain ROOT */
#include "bench.h"
#include <libesmtp.h>

struct reading {
    char *text;
    size_t length;
    int given;
};

static const char *give(void **unused, int *length, void *data) {
    struct reading *r = data;
    (void)unused;
    if (length == NULL) {
        r->given = 0;
        return NULL;
    }
    if (r->given) {
        *length = 0;
        return NULL;
    }
    r->given = 1;
    *length = (int)r->length;
    return r->text;
}

static int session(const char *port, long count, struct reading *bodies) {
    char server[64];
    snprintf(server, sizeof server, "127.0.0.1:%s", port);
    smtp_session_t session = smtp_create_session();
    smtp_set_server(session, server);
    smtp_set_hostname(session, "client.example");
    for (long n = 0; n < count; n++) {
        smtp_message_t message = smtp_add_message(session);
        smtp_set_reverse_path(message, "a@client.example");
        smtp_set_messagecb(message, give, bodies + n);
        smtp_add_recipient(message, "b@server.example");
    }
    int done = smtp_start_session(session);
    if (!done) {
        char text[128];
        fprintf(stderr, "esmtp: %s\n", smtp_strerror(smtp_errno(), text, sizeof text));
    }
    smtp_destroy_session(session);
    return done;
}

int main(int argc, char **argv) {
    if (argc < 6) return 2;
    long count = atol(argv[2]);
    int each = strcmp(argv[4], "each") == 0;
    struct reading *bodies = calloc((size_t)count, sizeof *bodies);
    size_t length;
    char *text = bench_message((size_t)atol(argv[3]), &length);
    for (long n = 0; n < count; n++) bodies[n] = (struct reading){text, length, 0};
    double start = wall_now(), cpu = cpu_now();
    for (long n = 0; n < (each ? count : 1); n++) {
        if (!session(argv[1], each ? 1 : count, bodies + n)) return 1;
    }
    bench_report(wall_now() - start, cpu_now() - cpu, 0);
    return 0;
}
