/* S/MIME of a message in memory through the C ABI: Sign or Encrypt on Message, whose
 * octets come with their length as libcrypto gets them; the result is in MessageText then.
 *
 * usage: cms_ssmtp COUNT SIZE sign|encrypt|gcm me.pfx you.crt */
#include "bench.h"
#include "ssmtp.h"

static void must(ssmtp_t *h, int32_t code) {
    if (code == 0) return;
    char *text = NULL;
    ssmtp_last_error(h, &text);
    fprintf(stderr, "cms_ssmtp: %d %s\n", (int)code, text == NULL ? "" : text);
    exit(1);
}

int main(int argc, char **argv) {
    if (argc < 6) return 2;
    long count = atol(argv[1]);
    size_t length;
    int sign = strcmp(argv[3], "sign") == 0;
    char *text = bench_message((size_t)atol(argv[2]), &length);
    ssmtp_t *h = ssmtp_new_utf8();
    must(h, ssmtp_set_from(h, "a@client.example"));
    must(h, ssmtp_set_send_to(h, "b@server.example"));
    must(h, ssmtp_set_signing_algorithm(h, "SHA256"));
    must(h, ssmtp_set_encrypting_algorithm(h, strcmp(argv[3], "gcm") == 0 ? "AESGCM256" : "AESCBC256"));
    ssmtp_cert_t *cert = NULL;
    must(h, ssmtp_cert_new_store(SSMTP_CERT_STORE_TYPE_PFX_FILE, argv[4], "secret", "*", NULL, &cert));
    must(h, ssmtp_set_certificate(h, cert));
    ssmtp_cert_delete(cert);
    uint8_t pem[65536];
    FILE *file = fopen(argv[5], "rb");
    if (file == NULL) return 2;
    must(h, ssmtp_add_recipient_cert(h, pem, fread(pem, 1, sizeof pem, file)));
    fclose(file);
    double start = wall_now(), cpu = cpu_now();
    for (long n = 0; n < count; n++) {
        must(h, ssmtp_set_message_b(h, (const uint8_t *)text, length));
        must(h, sign ? ssmtp_sign(h) : ssmtp_encrypt(h));
    }
    bench_report(wall_now() - start, cpu_now() - cpu, 0);
    ssmtp_delete(h);
    return 0;
}
