/* A private key that the program keeps (ssmtp_cert_set_signer): openssl signs in its place, once rightly, once with another key. */
#include "check.h"

#include <stdlib.h>
#include <unistd.h>

#define FOLDER "tests/data/certs/"

struct signer {
    const char *key;
    char folder[64];
    int asked;
    int closed;
    int32_t scheme;
    size_t length;
};

static int32_t sign(void *userdata, int32_t scheme, const uint8_t *input, size_t length, uint8_t *signature,
                    size_t *signature_length) {
    struct signer *signer = userdata;
    char name[128], command[512];
    FILE *file;
    signer->asked++;
    signer->scheme = scheme;
    signer->length = length;
    if (signer->key == NULL) {
        return 7;
    }
    snprintf(name, sizeof name, "%s/digest", signer->folder);
    file = fopen(name, "wb");
    if (file == NULL || fwrite(input, 1, length, file) != length || fclose(file) != 0) {
        return 1;
    }
    snprintf(command, sizeof command,
             "openssl pkeyutl -sign -inkey " FOLDER "%s -pkeyopt digest:sha256 -in %s/digest -out %s/signature", signer->key,
             signer->folder, signer->folder);
    if (system(command) != 0) {
        return 2;
    }
    snprintf(name, sizeof name, "%s/signature", signer->folder);
    file = fopen(name, "rb");
    if (file == NULL) {
        return 3;
    }
    *signature_length = fread(signature, 1, *signature_length, file);
    fclose(file);
    return 0;
}

static void done(void *userdata) {
    ((struct signer *)userdata)->closed++;
}

/* Signs a message with the certificate rsa.crt and this signer. */
static int32_t signed_with(struct signer *signer, char **text) {
    ssmtp_t *smtp = ssmtp_new();
    ssmtp_cert_t *cert = NULL;
    int32_t code;
    EQ(ssmtp_cert_new_file(FOLDER "rsa.crt", &cert), 0);
    EQ(ssmtp_cert_set_signer(cert, sign, done, signer), 0);
    EQ(ssmtp_set_certificate(smtp, cert), 0);
    EQ(ssmtp_cert_delete(cert), 0);
    EQ(signer->closed, 0);
    EQ(ssmtp_set_message_text(smtp, "signed elsewhere\r\n"), 0);
    code = ssmtp_sign(smtp);
    EQ(ssmtp_last_error(smtp, text), 0);
    EQ(ssmtp_delete(smtp), 0);
    EQ(signer->closed, 1);
    return code;
}

static void a_signer_signs_and_is_closed_once(void) {
    struct signer signer = {"rsa.p8", "/tmp/ssmtp-signer-XXXXXX", 0, 0, -1, 0};
    char *text = NULL;
    CHECK(mkdtemp(signer.folder) != NULL);
    EQ(signed_with(&signer, &text), 0);
    ssmtp_free(text);
    EQ(signer.asked, 1);
    EQ(signer.scheme, SSMTP_SIGN_SCHEME_RSA_PKCS1);
    EQ((int)signer.length, 32);

    signer.closed = 0;
    signer.key = "p256.p8";
    EQ(signed_with(&signer, &text), SSMTP_ERROR_ENCRYPT);
    CHECK(strstr(text, "no signature of the certificate's key") != NULL);
    ssmtp_free(text);

    signer.closed = 0;
    signer.key = NULL;
    EQ(signed_with(&signer, &text), SSMTP_ERROR_ENCRYPT);
    CHECK(strstr(text, "refused to sign RSA with SHA-256 (7)") != NULL);
    ssmtp_free(text);
    {
        char command[128];
        snprintf(command, sizeof command, "rm -r %s", signer.folder);
        EQ(system(command), 0);
    }
}

static void an_empty_certificate_and_a_signer_taken_away(void) {
    struct signer signer = {NULL, "", 0, 0, -1, 0};
    ssmtp_cert_t *cert = NULL;
    int32_t available = 1;
    EQ(ssmtp_cert_new(&cert), 0);
    EQ(ssmtp_cert_set_signer(cert, sign, done, &signer), SSMTP_ERROR_CERT_NOT_FOUND);
    EQ(signer.closed, 0);
    EQ(ssmtp_cert_delete(cert), 0);
    EQ(ssmtp_cert_new_file(FOLDER "rsa.crt", &cert), 0);
    EQ(ssmtp_cert_set_signer(cert, sign, done, &signer), 0);
    EQ(ssmtp_cert_set_signer(cert, sign, done, &signer), 0);
    EQ(signer.closed, 1);
    EQ(ssmtp_cert_set_signer(cert, NULL, NULL, NULL), 0);
    EQ(signer.closed, 2);
    EQ(ssmtp_cert_get_private_key_available(cert, &available), 0);
    EQ(available, 0);
    EQ(ssmtp_cert_delete(cert), 0);
    EQ(ssmtp_cert_set_signer(cert, sign, done, &signer), SSMTP_ERROR_CLOSED_HANDLE);
    EQ(signer.closed, 2);
}

int main(void) {
    RUN(a_signer_signs_and_is_closed_once);
    RUN(an_empty_certificate_and_a_signer_taken_away);
    return check_end();
}
