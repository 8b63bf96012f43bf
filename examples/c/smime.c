/* smime send HOST:PORT SIGNER.pem RECIPIENT.pem     signs with one certificate, encrypts for the other, sends
 * smime read MESSAGE RECIPIENT.pem                  decrypts a received message and says who signed it
 * SIGNER.pem, and RECIPIENT.pem for reading, hold the private key too. */
#include "ssmtp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *load(const char *path, size_t *length) {
    static uint8_t octets[1 << 20];
    FILE *file = fopen(path, "rb");
    *length = file != NULL ? fread(octets, 1, sizeof octets, file) : 0;
    if (file != NULL) fclose(file);
    return octets;
}

static int32_t use_key(ssmtp_t *smtp, const char *path) {
    ssmtp_cert_t *cert = NULL;
    int32_t code = ssmtp_cert_new_store(SSMTP_CERT_STORE_TYPE_PEM_KEY_FILE, path, NULL, "*", NULL, &cert);
    if (code == 0) code = ssmtp_set_certificate(smtp, cert);
    ssmtp_cert_delete(cert);
    return code;
}

static int32_t send_to(ssmtp_t *smtp, const char *server, const char *signer, const char *recipient) {
    const char *colon = strrchr(server, ':');
    char host[256];
    size_t length;
    uint8_t *certificate;
    int32_t code;
    if (colon == NULL) return 2;
    snprintf(host, sizeof host, "%.*s", (int)(colon - server), server);
    ssmtp_set_mail_server(smtp, host);
    ssmtp_set_mail_port(smtp, atoi(colon + 1));
    ssmtp_config(smtp, "SecurityProfile=Modern", NULL); /* AES in place of 3DES, and more */
    ssmtp_set_from(smtp, "rsa@b.example");
    ssmtp_set_send_to(smtp, "second@b.example");
    ssmtp_set_subject(smtp, "Signed and encrypted");
    ssmtp_set_message_text(smtp, "Between us: \xc3\xbc.\r\n");
    code = use_key(smtp, signer);
    certificate = load(recipient, &length);
    if (code == 0) code = ssmtp_add_recipient_cert(smtp, certificate, length);
    if (code == 0) code = ssmtp_sign_and_encrypt(smtp);
    return code == 0 ? ssmtp_send(smtp) : code;
}

static int32_t read_it(ssmtp_t *smtp, const char *path, const char *recipient) {
    size_t length, signed_length = 0, content_length = 0;
    uint8_t *message = load(path, &length), *entity = NULL, *content = NULL;
    char *signer = NULL;
    int32_t code = use_key(smtp, recipient);
    if (code == 0) code = ssmtp_decrypt(smtp, message, length, &entity, &signed_length);
    if (code == 0) code = ssmtp_verify_signature(smtp, entity, signed_length, &content, &content_length);
    if (code == 0) code = ssmtp_get(smtp, "SignerCertSubject", &signer);
    if (code == 0) {
        printf("Signed by %s\n", signer);
        fwrite(content, 1, content_length, stdout);
    }
    ssmtp_free(entity);
    ssmtp_free(content);
    ssmtp_free(signer);
    return code;
}

int main(int argc, char **argv) {
    ssmtp_t *smtp = ssmtp_new();
    char *text = NULL;
    int32_t code = 2;
    if (argc == 5 && strcmp(argv[1], "send") == 0) {
        code = send_to(smtp, argv[2], argv[3], argv[4]);
    } else if (argc == 4 && strcmp(argv[1], "read") == 0) {
        code = read_it(smtp, argv[2], argv[3]);
    } else {
        fprintf(stderr, "usage: smime send HOST:PORT SIGNER.pem RECIPIENT.pem | read MESSAGE RECIPIENT.pem\n");
    }
    if (code != 0 && ssmtp_last_error(smtp, &text) == 0) {
        fprintf(stderr, "error %d: %s\n", (int)code, text);
        ssmtp_free(text);
    }
    ssmtp_delete(smtp);
    return code == 0 ? 0 : 1;
}
