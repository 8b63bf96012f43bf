/* Certificates over the C functions: every field against what openssl prints, every constructor, the flattened functions. */
#include "check.h"

#include <stdlib.h>

#define FOLDER "tests/data/certs/"
static const char *const KINDS[] = {"rsa", "pss", "p256", "p384", "p521", "ed25519", "ed448", "dsa", "ca"};
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* What a command prints, less its last line end. A buffer that the next call overwrites. */
static const char *printed(const char *format, const char *kind) {
    static char held[16384];
    char command[600];
    FILE *out;
    size_t n;
    snprintf(command, sizeof command, format, kind);
    out = popen(command, "r");
    n = out == NULL ? 0 : fread(held, 1, sizeof held - 1, out);
    if (out != NULL) pclose(out);
    held[n] = '\0';
    if (n > 0 && held[n - 1] == '\n') held[n - 1] = '\0';
    return held;
}

/* The octets of a file, released with free. */
static uint8_t *contents(const char *path, size_t *length) {
    uint8_t *octets = malloc(1 << 20);
    FILE *in = fopen(path, "rb");
    CHECK(in != NULL && octets != NULL);
    *length = in == NULL ? 0 : fread(octets, 1, 1 << 20, in);
    if (in != NULL) fclose(in);
    return octets;
}

/* Compares a text field, and releases it. */
static void field(ssmtp_cert_t *cert, int32_t (*get)(ssmtp_cert_t *, char **), const char *want, const char *what) {
    char *text = NULL;
    EQ(get(cert, &text), 0);
    check_text(text, want, what, __FILE__, __LINE__);
    ssmtp_free(text);
}

static void number(ssmtp_cert_t *cert, int32_t (*get)(ssmtp_cert_t *, int32_t *), int32_t want, const char *what) {
    int32_t value = -7;
    EQ(get(cert, &value), 0);
    check_int(value, want, what, __FILE__, __LINE__);
}

static const char X509[] = "openssl x509 -in " FOLDER "%s.crt -noout ";

/* `openssl x509` with these options, passed through a filter. */
static const char *x509(const char *options, const char *kind) {
    char format[500];
    snprintf(format, sizeof format, "%s%s", X509, options);
    return printed(format, kind);
}

static void every_field_is_what_openssl_prints(void) {
    static const struct {
        const char *kind, *algorithm, *signature;
        int32_t bits;
    } keys[] = {
        {"rsa", "RSA", "ecdsa-with-SHA256", 2048},      {"pss", "RSA", "rsassaPss", 2048},
        {"p256", "EC", "ecdsa-with-SHA256", 256},       {"p384", "EC", "ecdsa-with-SHA256", 384},
        {"p521", "EC", "ecdsa-with-SHA256", 521},       {"ed25519", "Ed25519", "Ed25519", 256},
        {"ed448", "Ed448", "Ed448", 456},               {"dsa", "DSA", "dsa-with-SHA256", 2048},
        {"ca", "EC", "ecdsa-with-SHA256", 256},
    };
    size_t i;
    for (i = 0; i < COUNT(keys); i++) {
        const char *kind = keys[i].kind;
        char path[100], want[16384];
        ssmtp_cert_t *cert = NULL;
        uint8_t *der = NULL;
        size_t length = 0;
        snprintf(path, sizeof path, FOLDER "%s.crt", kind);
        EQ(ssmtp_cert_new_file(path, &cert), 0);
        field(cert, ssmtp_cert_get_serial_number, x509("-serial | cut -d= -f2", kind), kind);
        field(cert, ssmtp_cert_get_fingerprint, x509("-fingerprint -md5 | cut -d= -f2 | tr A-F a-f", kind), kind);
        field(cert, ssmtp_cert_get_fingerprint_sha1, x509("-fingerprint -sha1 | cut -d= -f2 | tr A-F a-f", kind), kind);
        field(cert, ssmtp_cert_get_fingerprint_sha256, x509("-fingerprint -sha256 | cut -d= -f2 | tr A-F a-f", kind), kind);
        field(cert, ssmtp_cert_get_thumbprint_md5, x509("-fingerprint -md5 | cut -d= -f2 | tr -d :", kind), kind);
        field(cert, ssmtp_cert_get_thumbprint_sha1, x509("-fingerprint -sha1 | cut -d= -f2 | tr -d :", kind), kind);
        field(cert, ssmtp_cert_get_thumbprint_sha256, x509("-fingerprint -sha256 | cut -d= -f2 | tr -d :", kind), kind);
        snprintf(want, sizeof want, "%s\n", x509("-pubkey", kind));
        field(cert, ssmtp_cert_get_public_key, want, kind);
        snprintf(want, sizeof want, "%s\n", printed("openssl x509 -in " FOLDER "%s.crt", kind));
        field(cert, ssmtp_cert_get_encoded, want, kind);
        field(cert, ssmtp_cert_get_version, x509("-text | sed -n 's/.*Version: \\([0-9]\\).*/V\\1/p'", kind), kind);
        field(cert, ssmtp_cert_get_public_key_algorithm, keys[i].algorithm, kind);
        number(cert, ssmtp_cert_get_public_key_length, keys[i].bits, kind);
        field(cert, ssmtp_cert_get_signature_algorithm, keys[i].signature, kind);
        number(cert, ssmtp_cert_get_private_key_available, 0, kind);
        field(cert, ssmtp_cert_get_private_key, "", kind);
        field(cert, ssmtp_cert_get_private_key_container, "", kind);
        /* In local time, which `date` knows as well. */
        field(cert, ssmtp_cert_get_effective_date,
              x509("-startdate | cut -d= -f2 | LC_ALL=C date -f - +%%d-%%b-%%Y' '%%T", kind), kind);
        field(cert, ssmtp_cert_get_expiration_date,
              x509("-enddate | cut -d= -f2 | LC_ALL=C date -f - +%%d-%%b-%%Y' '%%T", kind), kind);
        if (strcmp(kind, "rsa") != 0 && strcmp(kind, "ca") != 0) {
            field(cert, ssmtp_cert_get_subject, x509("-subject -nameopt RFC2253 | cut -d= -f2-", kind), kind);
            field(cert, ssmtp_cert_get_issuer, x509("-issuer -nameopt RFC2253 | cut -d= -f2-", kind), kind);
        }
        EQ(ssmtp_cert_get_encoded_b(cert, &der, &length), 0);
        snprintf(want, sizeof want, "%lu", (unsigned long)length);
        check_text(want, printed("openssl x509 -in " FOLDER "%s.crt -outform DER | wc -c | tr -d ' '", kind), kind, __FILE__, __LINE__);
        ssmtp_free(der);
        EQ(ssmtp_cert_delete(cert), 0);
    }
}

static void names_usages_and_lists_are_as_documented(void) {
    ssmtp_cert_t *cert = NULL;
    EQ(ssmtp_cert_new_file(FOLDER "rsa.crt", &cert), 0);
    field(cert, ssmtp_cert_get_subject,
          "0.9.2342.19200300.100.1.25=example, E=ann@example.com, CN=\"Leaf, Example\", OU=A + OU=B, O=Example, "
          "L=M\303\274nchen, S=Bavaria, C=DE",
          "subject");
    field(cert, ssmtp_cert_get_issuer, "CN=\"Root \\\"One\\\"\", O=\"Test, Inc.\", C=DE", "issuer");
    field(cert, ssmtp_cert_get_subject_alt_names,
          "mail.example.com,ann@example.com,192.0.2.1,2001:db8::1,https://example.com/,1.2.3.4,CN=Other,j\303\266rg@example.com",
          "alternative names");
    field(cert, ssmtp_cert_get_usage, "Digital Signatures,Key Authentication,Key Encryption,Data Encryption", "usage");
    number(cert, ssmtp_cert_get_usage_flags, 0xF0, "usage flags");
    field(cert, ssmtp_cert_get_extended_key_usage, "1.3.6.1.5.5.7.3.4,1.3.6.1.5.5.7.3.2,1.2.3.4", "extended usage");
    EQ(ssmtp_cert_delete(cert), 0);
}

/* The last error that this thread met, of a call without a handle. */
static void says(const char *part) {
    const char *text = check_error(NULL);
    check_true(strstr(text, part) != NULL, text, __FILE__, __LINE__);
    CHECK(strstr(text, "secret") == NULL);
}

static void every_constructor_makes_its_certificate(void) {
    ssmtp_cert_t *cert = NULL;
    size_t length = 0, encoded_length = 0;
    uint8_t *store = contents(FOLDER "modern.pfx", &length);
    uint8_t *encoded = contents(FOLDER "rsa.der", &encoded_length);
    const int32_t file = SSMTP_CERT_STORE_TYPE_PFX_FILE, blob = SSMTP_CERT_STORE_TYPE_PFX_BLOB;

    EQ(ssmtp_cert_new_data(encoded, encoded_length, &cert), 0);
    number(cert, ssmtp_cert_get_private_key_available, 0, "a certificate alone");
    EQ(ssmtp_cert_delete(cert), 0);
    EQ(ssmtp_cert_new_store(file, FOLDER "modern.pfx", "secret", "*", NULL, &cert), 0);
    number(cert, ssmtp_cert_get_private_key_available, 1, "a store");
    number(cert, ssmtp_cert_get_store_type, file, "its kind");
    field(cert, ssmtp_cert_get_store, FOLDER "modern.pfx", "its name");
    field(cert, ssmtp_cert_get_store_password, "secret", "its password");
    EQ(ssmtp_cert_delete(cert), 0);
    EQ(ssmtp_cert_new_store_data(blob, store, length, "secret", "leaf", "", &cert), 0);
    number(cert, ssmtp_cert_get_private_key_available, 1, "a store as octets");
    EQ(ssmtp_cert_delete(cert), 0);
    EQ(ssmtp_cert_new_store_encoded(file, FOLDER "modern.pfx", "secret", encoded, encoded_length, &cert), 0);
    number(cert, ssmtp_cert_get_private_key_available, 1, "by its octets");
    EQ(ssmtp_cert_delete(cert), 0);
    /* Another certificate, whose key is not there. */
    free(encoded);
    encoded = contents(FOLDER "p384.crt", &encoded_length);
    EQ(ssmtp_cert_new_store_encoded(file, FOLDER "modern.pfx", "secret", encoded, encoded_length, &cert), 0);
    field(cert, ssmtp_cert_get_subject, "", "without its key");
    field(cert, ssmtp_cert_get_issuer, "CN=p384.example.com", "without its key");
    EQ(ssmtp_cert_delete(cert), 0);
    cert = NULL;

    EQ(ssmtp_cert_new_file(FOLDER "absent.crt", &cert), SSMTP_ERROR_CERT_STORE);
    says("absent.crt");
    EQ(ssmtp_cert_new_file(NULL, &cert), SSMTP_ERROR_CERT_STORE);
    EQ(ssmtp_cert_new_file(FOLDER "modern.pfx", &cert), SSMTP_ERROR_CERT_NOT_FOUND);
    says("modern.pfx");
    EQ(ssmtp_cert_new_data(NULL, 0, &cert), SSMTP_ERROR_CERT_NOT_FOUND);
    EQ(ssmtp_cert_new_data(NULL, 5, &cert), SSMTP_ERROR_BAD_ARGUMENT);
    EQ(ssmtp_cert_new_store(file, FOLDER "modern.pfx", "wrong", "*", NULL, &cert), SSMTP_ERROR_CERT_STORE);
    says("password");
    EQ(ssmtp_cert_new_store(file, FOLDER "absent.pfx", "secret", "*", NULL, &cert), SSMTP_ERROR_CERT_STORE);
    EQ(ssmtp_cert_new_store(file, FOLDER "modern.pfx", "secret", "nobody", NULL, &cert), SSMTP_ERROR_CERT_NOT_FOUND);
    EQ(ssmtp_cert_new_store(file, FOLDER "modern.pfx", "secret", NULL, NULL, &cert), SSMTP_ERROR_CERT_NOT_FOUND);
    EQ(ssmtp_cert_new_store(file, FOLDER "modern.pfx", "secret", "*", "Colour=blue", &cert), SSMTP_ERROR_UNKNOWN_NAME);
    EQ(ssmtp_cert_new_store(file, FOLDER "modern.pfx", "secret", "*", "Thumbprint=1", &cert), SSMTP_ERROR_VALUE_REFUSED);
    EQ(ssmtp_cert_new_store(55, FOLDER "modern.pfx", "secret", "*", NULL, &cert), SSMTP_ERROR_VALUE_REFUSED);
    EQ(ssmtp_cert_new_store_encoded(file, FOLDER "modern.pfx", "secret", (const uint8_t *)"x", 1, &cert),
       SSMTP_ERROR_CERT_NOT_FOUND);
    EQ(ssmtp_cert_new_store(SSMTP_CERT_STORE_TYPE_AUTO, "no\xFFtext", "", "*", NULL, &cert), SSMTP_ERROR_VALUE_REFUSED);
    CHECK(cert == NULL);
    free(store);
    free(encoded);
}

static void a_thumbprint_chooses_the_entry(void) {
    ssmtp_cert_t *cert = NULL;
    char *thumbprint = NULL, line[200];
    const int32_t file = SSMTP_CERT_STORE_TYPE_PFX_FILE;
    EQ(ssmtp_cert_new_store(file, FOLDER "java.pfx", "secret", "CN=two.example.com", NULL, &cert), 0);
    EQ(ssmtp_cert_get_fingerprint_sha256(cert, &thumbprint), 0);
    EQ(ssmtp_cert_delete(cert), 0);
    snprintf(line, sizeof line, "PersistPFXKey=False\nThumbprint=%s\nUseInternalSecurityAPI=True\n", thumbprint);
    ssmtp_free(thumbprint);
    EQ(ssmtp_cert_new_store(file, FOLDER "java.pfx", "secret", "one", line, &cert), 0);
    field(cert, ssmtp_cert_get_subject, "CN=two.example.com", "subject");
    EQ(ssmtp_cert_delete(cert), 0);
}

static void setting_fields_selects(void) {
    ssmtp_cert_t *cert = NULL;
    EQ(ssmtp_cert_new(&cert), 0);
    EQ(ssmtp_cert_set_store(cert, FOLDER "java.pfx"), 0);
    EQ(ssmtp_cert_set_store_type(cert, SSMTP_CERT_STORE_TYPE_PFX_FILE), 0);
    EQ(ssmtp_cert_set_store_password(cert, "secret"), 0);
    EQ(ssmtp_cert_set_subject(cert, "TWO"), 0);
    field(cert, ssmtp_cert_get_subject, "CN=two.example.com", "a part of the name");
    EQ(ssmtp_cert_set_subject(cert, "three"), 0);
    field(cert, ssmtp_cert_get_subject, "", "nobody");
    field(cert, ssmtp_cert_get_encoded, "", "nobody");
    EQ(ssmtp_cert_set_store(cert, FOLDER "absent.pfx"), 0);
    EQ(ssmtp_cert_set_subject(cert, "*"), SSMTP_ERROR_CERT_STORE);
    EQ(ssmtp_cert_set_store_type(cert, 55), SSMTP_ERROR_VALUE_REFUSED);
    EQ(ssmtp_cert_set_encoded(cert, "no certificate"), SSMTP_ERROR_CERT_NOT_FOUND);
    EQ(ssmtp_cert_delete(cert), 0);
}

static void the_flattened_functions_are_the_fields_of_the_copy(void) {
    size_t i;
    for (i = 0; i < COUNT(KINDS); i++) {
        ssmtp_t *smtp = ssmtp_new();
        ssmtp_cert_t *cert = NULL, *copy = NULL;
        char path[100], *one = NULL, *other = NULL;
        snprintf(path, sizeof path, FOLDER "%s.crt", KINDS[i]);
        EQ(ssmtp_cert_new_file(path, &cert), 0);
        EQ(ssmtp_set_ssl_cert(smtp, cert), 0);
        EQ(ssmtp_set_ssl_accept_server_cert(smtp, cert), 0);
        EQ(ssmtp_set_certificate(smtp, cert), 0);
        EQ(ssmtp_cert_get_thumbprint_sha256(cert, &one), 0);
        EQ(ssmtp_cert_delete(cert), 0);
        EQ(ssmtp_get_ssl_cert_thumbprint_sha256(smtp, &other), 0);
        EQ_TEXT(other, one);
        ssmtp_free(other);
        EQ(ssmtp_get_ssl_accept_server_cert_thumbprint_sha256(smtp, &other), 0);
        EQ_TEXT(other, one);
        ssmtp_free(other);
        EQ(ssmtp_get(smtp, "CertificateThumbprintSHA256", &other), 0);
        EQ_TEXT(other, one);
        ssmtp_free(other);
        EQ(ssmtp_get_ssl_cert(smtp, &copy), 0);
        field(copy, ssmtp_cert_get_thumbprint_sha256, one, KINDS[i]);
        EQ(ssmtp_cert_delete(copy), 0);
        ssmtp_free(one);
        EQ(ssmtp_delete(smtp), 0);
    }
}

static void flattened_functions_select(void) {
    ssmtp_t *smtp = ssmtp_new();
    char *text = NULL;
    int32_t has = 0;
    EQ(ssmtp_set_ssl_cert_store(smtp, FOLDER "modern.pfx"), 0);
    EQ(ssmtp_set_ssl_cert_store_type(smtp, SSMTP_CERT_STORE_TYPE_PFX_FILE), 0);
    EQ(ssmtp_set_ssl_cert_store_password(smtp, "wrong"), 0);
    EQ(ssmtp_set_ssl_cert_subject(smtp, "*"), SSMTP_ERROR_CERT_STORE);
    SAYS(smtp, "password");
    EQ(ssmtp_set_ssl_cert_store_password(smtp, "secret"), 0);
    EQ(ssmtp_set_ssl_cert_subject(smtp, "*"), 0);
    EQ(ssmtp_get_ssl_cert_private_key_available(smtp, &has), 0);
    EQ(has, 1);
    EQ(ssmtp_get_ssl_cert_private_key(smtp, &text), 0);
    CHECK(text != NULL && strncmp(text, "-----BEGIN PRIVATE KEY-----\n", 28) == 0);
    ssmtp_free(text);
    EQ(ssmtp_reset(smtp), 0);
    EQ(ssmtp_get_ssl_cert_subject(smtp, &text), 0);
    EQ_TEXT(text, "");
    ssmtp_free(text);
    EQ(ssmtp_delete(smtp), 0);
}

int main(void) {
    RUN(every_field_is_what_openssl_prints);
    RUN(names_usages_and_lists_are_as_documented);
    RUN(every_constructor_makes_its_certificate);
    RUN(a_thumbprint_chooses_the_entry);
    RUN(setting_fields_selects);
    RUN(the_flattened_functions_are_the_fields_of_the_copy);
    RUN(flattened_functions_select);
    return check_end();
}
