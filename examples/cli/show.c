/* ssmtp: what is shown while something runs, and what came of it. Everything but what was asked for goes to standard error. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Text from a server is not to steer the terminal: no control characters, those behind 0x7F (in UTF-8 C2 80 to C2 9F) included. */
static void put(FILE *out, const char *text, size_t length) {
    for (size_t n = 0; n < length; n++) {
        unsigned char c = (unsigned char)text[n], next = n + 1 < length ? (unsigned char)text[n + 1] : 0;
        if (c == 0xC2 && next >= 0x80 && next < 0xA0) {
            fprintf(out, "\\x%02X", next);
            n++;
        } else if (c < 32 || c == 127) {
            fprintf(out, "\\x%02X", c);
        } else {
            fputc(c, out);
        }
    }
}

static int bar_is_shown = 0;

static void clear_bar(void) {
    if (bar_is_shown) fputs("\r\033[K", stderr);
    bar_is_shown = 0;
}

static int32_t trail(ssmtp_t *smtp, ssmtp_pi_trail_event *e, void *userdata) {
    static const char *const mark[] = {">", "<", "*"};
    (void)smtp;
    (void)userdata;
    clear_bar();
    fprintf(stderr, "%s ", mark[e->direction >= 0 && e->direction <= 2 ? e->direction : 2]);
    put(stderr, e->message, e->message_len);
    fputc('\n', stderr);
    return 0;
}

static int32_t tls(ssmtp_t *smtp, ssmtp_ssl_status_event *e, void *userdata) {
    (void)smtp;
    (void)userdata;
    clear_bar();
    fputs("= ", stderr);
    put(stderr, e->message, e->message_len);
    fputc('\n', stderr);
    return 0;
}

static int32_t connection(ssmtp_t *smtp, ssmtp_connection_status_event *e, void *userdata) {
    (void)smtp;
    (void)userdata;
    clear_bar();
    fputs("= ", stderr);
    put(stderr, e->connection_event, e->connection_event_len);
    if (e->status_code != 0) {
        fputs(": ", stderr);
        put(stderr, e->description, e->description_len);
    }
    fputc('\n', stderr);
    return 0;
}

static int32_t passed_over(ssmtp_t *smtp, ssmtp_error_event *e, void *userdata) {
    (void)smtp;
    ((job *)userdata)->passed_over++;
    clear_bar();
    fprintf(stderr, "warning %d: ", (int)e->error_code);
    put(stderr, e->description, e->description_len);
    fputc('\n', stderr);
    return 0;
}

static int32_t member(ssmtp_t *smtp, ssmtp_expand_event *e, void *userdata) {
    (void)smtp;
    (void)userdata;
    put(stdout, e->address, e->address_len);
    putchar('\n');
    return 0;
}

static void amount(char *text, size_t room, double bytes) {
    static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    int n = 0;
    while (bytes >= 1024 && n < 4) bytes /= 1024, n++;
    snprintf(text, room, n == 0 ? "%.0f %s" : "%.1f %s", bytes, unit[n]);
}

/* A bar of 40 characters, redrawn for each percent, or each MiB where the size is not known. */
static int32_t bar(ssmtp_t *smtp, ssmtp_transfer_event *e, void *userdata) {
    static long drawn = -1;
    long step = e->percent_done > 0 ? e->percent_done : (long)(e->bytes_transferred >> 20);
    char text[32];
    (void)smtp;
    (void)userdata;
    if (step == drawn || e->bytes_transferred < 256 * 1024) return 0;
    drawn = step;
    amount(text, sizeof text, (double)e->bytes_transferred);
    if (e->percent_done > 0) {
        int full = (e->percent_done > 100 ? 100 : e->percent_done) * 40 / 100;
        fprintf(stderr, "\r[%.*s%.*s] %3d%% %s\033[K", full, "########################################", 40 - full,
                "........................................", (int)e->percent_done, text);
    } else {
        fprintf(stderr, "\r%s\033[K", text);
    }
    bar_is_shown = 1;
    fflush(stderr);
    return 0;
}

void show_events(job *j) {
    ssmtp_on_error(j->smtp, passed_over, j);
    ssmtp_on_expand(j->smtp, member, NULL);
    if (j->verbose > 0) ssmtp_on_pi_trail(j->smtp, trail, NULL);
    if (j->verbose > 1) {
        ssmtp_on_ssl_status(j->smtp, tls, NULL);
        ssmtp_on_connection_status(j->smtp, connection, NULL);
    }
    if (j->progress == 1 || (j->progress == -1 && isatty(2))) ssmtp_on_transfer(j->smtp, bar, NULL);
}

static char *value(ssmtp_t *smtp, const char *format, int n) {
    char name[64], *text = NULL;
    snprintf(name, sizeof name, format, n);
    return ssmtp_get(smtp, name, &text) == 0 ? text : NULL;
}

/* A line for each recipient that the server did not accept; with -v for all it was asked for. */
void show_results(job *j) {
    char *count = value(j->smtp, "RecipientResultCount", 0);
    int all = count == NULL ? 0 : atoi(count);
    ssmtp_free(count);
    clear_bar();
    for (int n = 0; n < all; n++) {
        char *accepted = value(j->smtp, "RecipientResultAccepted[%d]", n);
        char *number = value(j->smtp, "RecipientResultCode[%d]", n);
        int good = accepted != NULL && strcmp(accepted, "True") == 0;
        int asked = number != NULL && strcmp(number, "0") != 0;
        ssmtp_free(accepted);
        ssmtp_free(number);
        if (!asked || (good && j->verbose == 0)) continue;
        char *address = value(j->smtp, "RecipientResultAddress[%d]", n), *text = value(j->smtp, "RecipientResultText[%d]", n);
        fprintf(stderr, "%s: %s ", address == NULL ? "" : address, good ? "accepted" : "refused");
        if (text != NULL) put(stderr, text, strlen(text));
        fputc('\n', stderr);
        ssmtp_free(address);
        ssmtp_free(text);
    }
}

static void line(const char *label, char *text) {
    if (text != NULL && *text != '\0') {
        printf("%-14s ", label);
        for (const char *at = text; *at != '\0';) {
            size_t length = strcspn(at, "\r\n");
            put(stdout, at, length);
            at += length;
            at += strspn(at, "\r\n");
            printf("\n%s", *at != '\0' ? "               " : "");
        }
    }
    ssmtp_free(text);
}

static char *setting(ssmtp_t *smtp, const char *name) {
    char *text = NULL;
    return ssmtp_config(smtp, name, &text) == 0 ? text : NULL;
}

void show_server(job *j) {
    line("server", value(j->smtp, "MailServer", 0));
    line("extensions", setting(j->smtp, "ServerExtensions"));
    line("TLS", setting(j->smtp, "SSLNegotiatedVersion"));
    line("suite", setting(j->smtp, "SSLNegotiatedCipherSuite"));
    line("key exchange", setting(j->smtp, "SSLNegotiatedKeyExchange"));
    line("certificate", value(j->smtp, "SSLServerCertSubject", 0));
    line("issuer", value(j->smtp, "SSLServerCertIssuer", 0));
    line("names", value(j->smtp, "SSLServerCertSubjectAltNames", 0));
    line("expires", value(j->smtp, "SSLServerCertExpirationDate", 0));
    line("SHA-256", value(j->smtp, "SSLServerCertFingerprintSHA256", 0));
}

int store_failed(const char *path, int32_t code) {
    char *text = NULL;
    ssmtp_last_error(NULL, &text);
    fprintf(stderr, "%s: %s (error %d)\n", path, text != NULL && *text != '\0' ? text : ssmtp_error_text(code), (int)code);
    ssmtp_free(text);
    /* A store may also be something else than a file. */
    return access(path, F_OK) == 0 || strncmp(path, "pkcs11:", 7) == 0 ? BAD_DATA : NO_INPUT;
}

int show_certificate(const char *path, const char *password) {
    static const struct {
        const char *label;
        int32_t (*get)(ssmtp_cert_t *, char **);
    } fields[] = {{"subject", ssmtp_cert_get_subject},
                  {"issuer", ssmtp_cert_get_issuer},
                  {"names", ssmtp_cert_get_subject_alt_names},
                  {"serial", ssmtp_cert_get_serial_number},
                  {"valid from", ssmtp_cert_get_effective_date},
                  {"valid until", ssmtp_cert_get_expiration_date},
                  {"usage", ssmtp_cert_get_usage},
                  {"purposes", ssmtp_cert_get_extended_key_usage},
                  {"signed with", ssmtp_cert_get_signature_algorithm},
                  {"key", ssmtp_cert_get_public_key_algorithm},
                  {"SHA-1", ssmtp_cert_get_fingerprint_sha1},
                  {"SHA-256", ssmtp_cert_get_fingerprint_sha256}};
    ssmtp_cert_t *cert = NULL;
    int32_t code = ssmtp_cert_new_store(SSMTP_CERT_STORE_TYPE_AUTO, path, password, "*", NULL, &cert);
    if (code == SSMTP_ERROR_CERT_NOT_FOUND) code = ssmtp_cert_new_file(path, &cert);
    if (code != 0) return store_failed(path, code);
    for (size_t n = 0; n < sizeof fields / sizeof *fields; n++) {
        char *text = NULL;
        if (fields[n].get(cert, &text) == 0) line(fields[n].label, text);
    }
    int32_t bits = 0, key = 0;
    ssmtp_cert_get_public_key_length(cert, &bits);
    ssmtp_cert_get_private_key_available(cert, &key);
    printf("%-14s %d\n%-14s %s\n", "key bits", (int)bits, "private key", key ? "yes" : "no");
    ssmtp_cert_delete(cert);
    return DONE;
}

/* What a refusal means is in its reply, 530, 534, 535 and 538 speak of the login; where recipients were refused, or the message for
   them, it is in their results: the last reply may be that to a later command of the same group. 4xx is worth trying again. */
static int refusal(ssmtp_t *smtp) {
    char *count = value(smtp, "RecipientResultCount", 0), *reply = NULL;
    int all = count == NULL ? 0 : atoi(count), refused = 0, later = 0, code = UNAVAILABLE;
    ssmtp_free(count);
    for (int n = 0; n < all; n++) {
        char *number = value(smtp, "RecipientResultCode[%d]", n);
        refused += number != NULL && number[0] > '3';
        later += number != NULL && number[0] == '4';
        ssmtp_free(number);
    }
    if (ssmtp_get_last_reply(smtp, &reply) == 0 && reply != NULL) {
        int temporary = refused > 0 ? later == refused : reply[0] == '4';
        code = temporary ? TEMPORARY : strncmp(reply, "53", 2) == 0 ? NO_PERMISSION : UNAVAILABLE;
    }
    ssmtp_free(reply);
    return code;
}

int failed(job *j, const char *what, int32_t code) {
    char *text = NULL;
    clear_bar();
    ssmtp_last_error(j->smtp, &text);
    const char *said = text != NULL && *text != '\0' ? text : ssmtp_error_text(code);
    fprintf(stderr, "ssmtp %s: ", what);
    put(stderr, said, strlen(said));
    fprintf(stderr, " (error %d)\n", (int)code);
    ssmtp_free(text);
    if (code >= 10000 && code < 11000) return TEMPORARY; /* the network */
    switch (code) {
        case 161: return refusal(j->smtp);
        case 201: case 301: case 1120: case 162: case 118: return TEMPORARY;
        case 11001: case 11002: case 11003: case 11004: return NO_HOST;
        case 270: case 276: case 280: return NOT_TRUSTED;
        case 163: case 601: case 602: case 604: case 605: return BAD_USAGE;
        case 302: case 303: return NO_INPUT;
        case 607: case 609: return INTERNAL;
        default: return BAD_DATA;
    }
}
