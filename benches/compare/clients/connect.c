/* Connect and Disconnect through the C ABI, for the CPU of a handshake.
 *
 * usage: connect PORT COUNT full|resumed|plain ROOT */
#include "bench.h"
#include "ssmtp.h"

static void must(ssmtp_t *h, int32_t code) {
    if (code == 0) return;
    char *text = NULL;
    ssmtp_last_error(h, &text);
    fprintf(stderr, "connect: %d %s\n", (int)code, text == NULL ? "" : text);
    exit(1);
}

int main(int argc, char **argv) {
    if (argc < 5) return 2;
    long count = atol(argv[2]);
    int tls = strcmp(argv[3], "plain") != 0;
    ssmtp_t *h = ssmtp_new_utf8();
    must(h, ssmtp_set_mail_server(h, "127.0.0.1"));
    must(h, ssmtp_set_mail_port(h, atoi(argv[1])));
    must(h, ssmtp_config(h, "Hello=client.example", NULL));
    if (tls) {
        char setting[600];
        snprintf(setting, sizeof setting, "CACertFilePaths=%s", argv[4]);
        must(h, ssmtp_config(h, setting, NULL));
        must(h, ssmtp_set_ssl_start_mode(h, SSMTP_SSL_START_MODE_IMPLICIT));
        if (strcmp(argv[3], "full") == 0) must(h, ssmtp_config(h, "ReuseSSLSession=False", NULL));
    }
    double start = wall_now(), cpu = cpu_now();
    for (long n = 0; n < count; n++) {
        must(h, ssmtp_connect(h));
        must(h, ssmtp_disconnect(h));
    }
    bench_report(wall_now() - start, cpu_now() - cpu, 0);
    ssmtp_delete(h);
    return 0;
}
