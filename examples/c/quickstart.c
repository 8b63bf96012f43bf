/* quickstart HOST:PORT: sends a message and shows the conversation. `make demo` runs it against the embedded server. */
#include "ssmtp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every line of the conversation; 0 went out, 1 came in, 2 is a remark. */
static int32_t show(ssmtp_t *smtp, ssmtp_pi_trail_event *e, void *userdata) {
    static const char *const arrow[] = {"-->", "<--", " * "};
    (void)smtp;
    (void)userdata;
    printf("  %s %s\n", arrow[e->direction >= 0 && e->direction < 2 ? e->direction : 2], e->message);
    return 0; /* anything else stops the operation */
}

int main(int argc, char **argv) {
    char host[256] = "127.0.0.1";
    const char *colon = argc > 1 ? strrchr(argv[1], ':') : NULL;
    ssmtp_t *smtp = ssmtp_new();
    int32_t code;

    if (colon == NULL || smtp == NULL) {
        fprintf(stderr, "usage: quickstart HOST:PORT\n");
        return 2;
    }
    snprintf(host, sizeof host, "%.*s", (int)(colon - argv[1]), argv[1]);

    ssmtp_set_mail_server(smtp, host);
    ssmtp_set_mail_port(smtp, atoi(colon + 1));
    ssmtp_set_from(smtp, "\"Quick Start\" <me@client.example>");
    ssmtp_set_send_to(smtp, "you@server.example");
    ssmtp_set_subject(smtp, "Hello from libssmtp");
    ssmtp_set_message_text(smtp, "This message came out of a C program.\r\n\r\nBye!\r\n");
    ssmtp_on_pi_trail(smtp, show, NULL);

    printf("libssmtp %s sends a message to %s:\n\n", ssmtp_version(), argv[1]);
    code = ssmtp_send(smtp);
    if (code != 0) {
        char *text = NULL;
        ssmtp_last_error(smtp, &text);
        fprintf(stderr, "\nerror %d: %s\n", (int)code, text != NULL ? text : ssmtp_error_text(code));
        ssmtp_free(text);
    } else {
        puts("\nsent");
    }
    ssmtp_delete(smtp);
    return code == 0 ? 0 : 1;
}
