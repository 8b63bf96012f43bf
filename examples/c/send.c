/* send: sends a message to any server, from the command line.
 *
 *     send --server mail.example --port 25 --from me@a.example --to you@b.example --subject Hi --text "Hello" --verbose
 */
#include "ssmtp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;
    int32_t (*set)(ssmtp_t *, const char *);
} option;

static const option options[] = {
    {"--server", ssmtp_set_mail_server}, {"--from", ssmtp_set_from}, {"--to", ssmtp_set_send_to},
    {"--cc", ssmtp_set_cc},              {"--bcc", ssmtp_set_bcc},   {"--subject", ssmtp_set_subject},
    {"--text", ssmtp_set_message_text},
};

static int usage(void) {
    fputs("usage: send --server HOST [--port N] --from ADDRESS --to ADDRESS[,ADDRESS]\n"
          "            [--cc …] [--bcc …] [--subject TEXT] [--text TEXT] [--verbose]\n",
          stderr);
    return 2;
}

static int32_t show(ssmtp_t *smtp, ssmtp_pi_trail_event *e, void *userdata) {
    (void)smtp;
    (void)userdata;
    fprintf(stderr, "%s %s\n", e->direction == 0 ? "-->" : e->direction == 1 ? "<--" : " * ", e->message);
    return 0;
}

/* A refused recipient that does not stop the message. */
static int32_t warn(ssmtp_t *smtp, ssmtp_error_event *e, void *userdata) {
    (void)smtp;
    (void)userdata;
    fprintf(stderr, "warning %d: %s\n", (int)e->error_code, e->description);
    return 0;
}

/* Tells what went wrong; the exit code of the program. */
static int failed(ssmtp_t *smtp, const char *what, int32_t code) {
    char *text = NULL;
    ssmtp_last_error(smtp, &text);
    fprintf(stderr, "%s: error %d: %s\n", what, (int)code, text != NULL ? text : ssmtp_error_text(code));
    ssmtp_free(text);
    ssmtp_delete(smtp);
    return 1;
}

int main(int argc, char **argv) {
    ssmtp_t *smtp = ssmtp_new();
    int32_t code = 0;
    int i;

    if (smtp == NULL || argc < 2) {
        ssmtp_delete(smtp);
        return usage();
    }
    ssmtp_on_error(smtp, warn, NULL);
    for (i = 1; i < argc; i++) {
        size_t k = 0;
        if (strcmp(argv[i], "--verbose") == 0) {
            ssmtp_on_pi_trail(smtp, show, NULL);
            continue;
        }
        if (i + 1 == argc) {
            ssmtp_delete(smtp);
            return usage();
        }
        if (strcmp(argv[i], "--port") == 0) {
            code = ssmtp_set_mail_port(smtp, atoi(argv[i + 1]));
        } else {
            while (k < sizeof options / sizeof *options && strcmp(argv[i], options[k].name) != 0) {
                k++;
            }
            if (k == sizeof options / sizeof *options) {
                ssmtp_delete(smtp);
                return usage();
            }
            code = options[k].set(smtp, argv[i + 1]);
        }
        if (code != 0) {
            return failed(smtp, argv[i], code);
        }
        i++;
    }
    code = ssmtp_send(smtp);
    if (code != 0) {
        return failed(smtp, "send", code);
    }
    puts("sent");
    ssmtp_delete(smtp);
    return 0;
}
