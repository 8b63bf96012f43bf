/* ssmtp: the library from the command line, for trying every feature without writing code.
 *
 *     ssmtp send --server mail.example:587 --from me@a.example --to you@b.example --subject Hi --text Hello -v
 */
#include "cli.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int usage(FILE *out, int code) {
    fputs("usage: ssmtp send [OPTION…]              send a message, or write it with --queue FOLDER or --save FILE\n"
          "       ssmtp process FOLDER [OPTION…]    send what waits in a queue folder\n"
          "       ssmtp recover FOLDER [OPTION…]    name what was being sent when something ended it, by --config QueueRecovery=…\n"
          "       ssmtp check [OPTION…]             connect, log in where asked to, and tell what the server is\n"
          "       ssmtp verify ADDRESS [OPTION…]    ask the server whether it knows an address (VRFY)\n"
          "       ssmtp expand LIST [OPTION…]       ask for the members of a list (EXPN)\n"
          "       ssmtp cert FILE [--sign-password-file FILE]   show a certificate or the first of a store\n"
          "       ssmtp version | help\n\noptions:\n",
          out);
    print_options(out);
    fputs("\nThe exit code is 0, or as in sysexits.h: 64 the command line, 65 an address, message or certificate, 66 a file, 68 a host name,\n"
          "69 refused, 70 a fault of the library, 74 standard output, 75 worth trying again, 76 TLS or certificate, 77 the login.\n",
          out);
    return code;
}

/* The certificate with its key in a store, for one of the certificate properties. */
static int use_store(job *j, const char *store, const char *password, int32_t (*set)(ssmtp_t *, ssmtp_cert_t *)) {
    ssmtp_cert_t *cert = NULL;
    int32_t code = ssmtp_cert_new_store(SSMTP_CERT_STORE_TYPE_AUTO, store, password, "*", NULL, &cert);
    if (code == 0) code = set(j->smtp, cert);
    ssmtp_cert_delete(cert);
    return code == 0 ? DONE : store_failed(store, code);
}

static int32_t secure_body(job *j) {
    if (j->sign != NULL && j->encrypt) return ssmtp_sign_and_encrypt(j->smtp);
    if (j->sign != NULL) return ssmtp_sign(j->smtp);
    return j->encrypt ? ssmtp_encrypt(j->smtp) : 0;
}

static int send_message(job *j) {
    int32_t code = secure_body(j);
    if (code != 0) return failed(j, "send", code);
    if (j->queue != NULL) {
        char *name = NULL;
        code = ssmtp_queue(j->smtp, j->queue, &name);
        if (code != 0) return failed(j, "send", code);
        printf("%s\n", name);
        ssmtp_free(name);
        return DONE;
    }
    if (j->save != NULL) {
        code = ssmtp_save_message(j->smtp, j->save);
        if (code == 303) { /* Elsewhere this is a file that cannot be read. */
            failed(j, "send", code);
            return NO_OUTPUT;
        }
        return code == 0 ? DONE : failed(j, "send", code);
    }
    code = ssmtp_send(j->smtp);
    show_results(j);
    return code == 0 ? DONE : failed(j, "send", code);
}

static int check(job *j) {
    int32_t code = ssmtp_connect(j->smtp);
    if (code != 0) return failed(j, "check", code);
    show_server(j);
    ssmtp_disconnect(j->smtp);
    return DONE;
}

static int run(job *j, const char *command) {
    static const char *const commands[] = {"send", "check", "process", "recover", "verify", "expand"};
    size_t n = 0;
    while (n < sizeof commands / sizeof *commands && strcmp(command, commands[n]) != 0) n++;
    if (n == sizeof commands / sizeof *commands) {
        fprintf(stderr, "ssmtp: no command is called %s; ssmtp help lists them\n", command);
        return BAD_USAGE;
    }
    int wanted = n >= 2;
    if (j->word_count != wanted) {
        fprintf(stderr, "ssmtp %s: %s\n", command, wanted ? "one argument beside the options" : "no arguments but options");
        return BAD_USAGE;
    }
    int32_t code = 0;
    if (j->identity != NULL) code = use_store(j, j->identity, j->identity_password, ssmtp_set_ssl_cert);
    if (code == 0 && j->sign != NULL) code = use_store(j, j->sign, j->sign_password, ssmtp_set_certificate);
    if (code != 0) return code;
    show_events(j);
    if (strcmp(command, "send") == 0) return send_message(j);
    if (strcmp(command, "check") == 0) return check(j);
    if (strcmp(command, "process") == 0) {
        code = ssmtp_process_queue(j->smtp, j->words[0]);
        if (code == 0 && j->passed_over > 0) return UNAVAILABLE;
    } else if (strcmp(command, "recover") == 0) {
        char *names = NULL;
        code = ssmtp_recover_queue(j->smtp, j->words[0], &names);
        if (code == 0 && *names != '\0') printf("%s\n", names);
        ssmtp_free(names);
    } else if (strcmp(command, "verify") == 0) {
        code = ssmtp_verify(j->smtp, j->words[0]);
        char *reply = NULL;
        if (code == 0 && ssmtp_get_last_reply(j->smtp, &reply) == 0) printf("%s\n", reply);
        ssmtp_free(reply);
    } else {
        code = ssmtp_expand(j->smtp, j->words[0]);
    }
    return code == 0 ? DONE : failed(j, command, code);
}

/* Where standard input, output or error is closed, a socket would get its number. What is opened in its place cannot be used. */
static void keep_standard_streams(void) {
    for (int fd = 0; fd < 3; fd++) {
        if (fcntl(fd, F_GETFD) < 0) open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
    }
}

static int command_line(int argc, char **argv) {
    if (argc < 2) return usage(stderr, BAD_USAGE);
    const char *command = argv[1];
    if (strcmp(command, "help") == 0 || strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0) return usage(stdout, DONE);
    if (strcmp(command, "version") == 0 || strcmp(command, "--version") == 0 || strcmp(command, "-V") == 0) {
        printf("ssmtp %s\n", ssmtp_version());
        return DONE;
    }
    job j = {0};
    j.progress = -1;
    j.smtp = ssmtp_new_utf8();
    if (j.smtp == NULL) return INTERNAL;
    ssmtp_set_ssl_start_mode(j.smtp, SSMTP_SSL_START_MODE_AUTOMATIC);
    /* Both kinds of address, as users of today expect. */
    ssmtp_config(j.smtp, "UseIPv6=2", NULL);
    int code = read_options(&j, argc - 2, argv + 2);
    if (code == 0 && j.help) {
        usage(stdout, DONE);
    } else if (code == 0 && strcmp(command, "cert") == 0) {
        code = j.word_count == 1 ? show_certificate(j.words[0], j.sign_password) : usage(stderr, BAD_USAGE);
    } else if (code == 0) {
        code = run(&j, command);
    }
    ssmtp_delete(j.smtp);
    forget((char *)j.sign_password);
    forget((char *)j.identity_password);
    return code;
}

int main(int argc, char **argv) {
    keep_standard_streams();
    int code = command_line(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("standard output");
        if (code == DONE) code = NO_OUTPUT;
    }
    return code;
}
