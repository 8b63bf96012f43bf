/* A TLS handshake as OpenSSL's own client does it, for the CPU of one: connect, handshake with the server verified, EHLO, QUIT.
 *
 * usage: handshake PORT COUNT full|resumed|plain ROOT     (plain: the same without TLS) */
#include "bench.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

static SSL_SESSION *kept = NULL;

static int keep(SSL *ssl, SSL_SESSION *session) {
    (void)ssl;
    SSL_SESSION_free(kept);
    kept = session;
    return 1;
}

static void fail(const char *what) {
    fprintf(stderr, "handshake: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static void read_reply(SSL *ssl, int fd) {
    char text[512];
    if ((ssl != NULL ? SSL_read(ssl, text, sizeof text) : (int)read(fd, text, sizeof text)) <= 0) fail("no reply");
}

static void say(SSL *ssl, int fd, const char *text) {
    int length = (int)strlen(text);
    if ((ssl != NULL ? SSL_write(ssl, text, length) : (int)write(fd, text, (size_t)length)) != length) fail("cannot write");
    read_reply(ssl, fd);
}

int main(int argc, char **argv) {
    if (argc < 5) return 2;
    long count = atol(argv[2]);
    int resumed = strcmp(argv[3], "resumed") == 0, plain = strcmp(argv[3], "plain") == 0;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (SSL_CTX_load_verify_locations(context, argv[4], NULL) != 1) fail("the root");
    if (resumed) {
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(context, keep);
    }
    struct sockaddr_in address = {0};
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)atoi(argv[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    double start = wall_now(), cpu = cpu_now();
    for (long n = 0; n < count; n++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("no connection");
        SSL *ssl = plain ? NULL : SSL_new(context);
        if (ssl != NULL) {
            SSL_set_fd(ssl, fd);
            SSL_set_tlsext_host_name(ssl, "localhost");
            SSL_set1_host(ssl, "localhost");
            if (resumed && kept != NULL) SSL_set_session(ssl, kept);
            if (SSL_connect(ssl) != 1) fail("the handshake");
            if (resumed && n > 1 && !SSL_session_reused(ssl)) fail("the session was not resumed");
        }
        read_reply(ssl, fd);
        say(ssl, fd, "EHLO client.example\r\n");
        say(ssl, fd, "QUIT\r\n");
        if (ssl != NULL) {
            SSL_shutdown(ssl);
            SSL_free(ssl);
        }
        close(fd);
    }
    bench_report(wall_now() - start, cpu_now() - cpu, 0);
    return 0;
}
