/* Signs, encrypts or does both to a file, the AttachedFile of a message, through the C ABI: while the message is written
 * to /dev/null, which is what the peer does, or with a port while it is sent to the sink.
 *
 * usage: smime PORT|- FILE sign|encrypt|both CIPHER SIGNER.pfx RECIPIENT.crt */
#include "bench.h"
#include "ssmtp.h"

static void must(ssmtp_t *h, int32_t code) {
    if (code == 0) return;
    char *text = NULL;
    ssmtp_last_error(h, &text);
    fprintf(stderr, "smime: %d %s\n", (int)code, text == NULL ? "" : text);
    exit(1);
}

int main(int argc, char **argv) {
    if (argc < 7) return 2;
    int sign = strcmp(argv[3], "encrypt") != 0, encrypt = strcmp(argv[3], "sign") != 0;
    ssmtp_t *h = ssmtp_new_utf8();
    must(h, ssmtp_set_mail_server(h, "127.0.0.1"));
    if (strcmp(argv[1], "-") != 0) must(h, ssmtp_set_mail_port(h, atoi(argv[1])));
    must(h, ssmtp_set_from(h, "a@client.example"));
    must(h, ssmtp_set_send_to(h, "b@server.example"));
    must(h, ssmtp_set_attached_file(h, argv[2]));
    must(h, ssmtp_set_signing_algorithm(h, "SHA256"));
    must(h, ssmtp_set_encrypting_algorithm(h, argv[4]));
    double start = wall_now(), cpu = cpu_now();
    if (sign) {
        ssmtp_cert_t *cert = NULL;
        must(h, ssmtp_cert_new_store(SSMTP_CERT_STORE_TYPE_PFX_FILE, argv[5], "secret", "*", NULL, &cert));
        must(h, ssmtp_set_certificate(h, cert));
        ssmtp_cert_delete(cert);
    }
    if (encrypt) {
        uint8_t pem[65536];
        FILE *file = fopen(argv[6], "rb");
        if (file == NULL) return 2;
        size_t length = fread(pem, 1, sizeof pem, file);
        fclose(file);
        must(h, ssmtp_add_recipient_cert(h, pem, length));
    }
    must(h, sign && encrypt ? ssmtp_sign_and_encrypt(h) : sign ? ssmtp_sign(h) : ssmtp_encrypt(h));
    must(h, strcmp(argv[1], "-") == 0 ? ssmtp_save_message(h, "/dev/null") : ssmtp_send(h));
    bench_report(wall_now() - start, cpu_now() - cpu, 0);
    ssmtp_delete(h);
    return 0;
}
