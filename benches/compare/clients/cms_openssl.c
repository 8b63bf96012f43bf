/* S/MIME of a message in memory by libcrypto, as its documentation shows it, into a null BIO; bare signatures, and Base64 in lines of 76.
 *
 * usage: cms_openssl COUNT SIZE sign|encrypt|gcm|bare|base64 me.crt me.key you.crt */
#include "bench.h"
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>

static void fail(const char *what) {
    fprintf(stderr, "cms_openssl: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static X509 *certificate(const char *path) {
    BIO *bio = BIO_new_file(path, "r");
    X509 *cert = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    if (cert == NULL) fail(path);
    BIO_free(bio);
    return cert;
}

int main(int argc, char **argv) {
    if (argc < 7) return 2;
    long count = atol(argv[1]);
    size_t length;
    char *text = bench_message((size_t)atol(argv[2]), &length);
    X509 *me = certificate(argv[4]), *you = certificate(argv[6]);
    BIO *file = BIO_new_file(argv[5], "r"), *null = BIO_new(BIO_s_null());
    EVP_PKEY *key = PEM_read_bio_PrivateKey(file, NULL, NULL, NULL);
    if (key == NULL) fail(argv[5]);
    STACK_OF(X509) *to = sk_X509_new_null();
    sk_X509_push(to, you);
    unsigned char *lines = malloc(length / 57 * 78 + 256);
    int base64 = strcmp(argv[3], "base64") == 0;
    int bare = strcmp(argv[3], "bare") == 0, sign = strcmp(argv[3], "sign") == 0;
    const EVP_CIPHER *cipher = strcmp(argv[3], "gcm") == 0 ? EVP_aes_256_gcm() : EVP_aes_256_cbc();
    double start = wall_now(), cpu = cpu_now();
    for (long n = 0; n < count; n++) {
        if (base64) {
            unsigned char *end = lines;
            for (size_t at = 0; at < length; at += 57) {
                end += EVP_EncodeBlock(end, (unsigned char *)text + at, (int)(length - at < 57 ? length - at : 57));
                *end++ = '\r';
                *end++ = '\n';
            }
            continue;
        }
        if (bare) {
            EVP_MD_CTX *context = EVP_MD_CTX_new();
            unsigned char signature[512];
            size_t room = sizeof signature;
            if (EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) != 1 ||
                EVP_DigestSign(context, signature, &room, (const unsigned char *)text, 100) != 1) fail("a signature");
            EVP_MD_CTX_free(context);
            continue;
        }
        BIO *in = BIO_new_mem_buf(text, (int)length);
        int flags = sign ? CMS_DETACHED | CMS_STREAM : CMS_STREAM;
        CMS_ContentInfo *cms = sign ? CMS_sign(me, key, NULL, in, flags) : CMS_encrypt(to, in, cipher, flags);
        if (cms == NULL || SMIME_write_CMS(null, cms, in, flags) != 1) fail("a message");
        CMS_ContentInfo_free(cms);
        BIO_free(in);
    }
    bench_report(wall_now() - start, cpu_now() - cpu, 0);
    return 0;
}
