/* scenario HOST PORT: sends the scenario message, the one that every language's test sends, to a server. */
#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>

static int done(ssmtp_t *smtp, const char *step, int32_t code) {
    char *text = NULL;
    if (code == 0) {
        return 1;
    }
    ssmtp_last_error(smtp, &text);
    fprintf(stderr, "%s: error %d: %s\n", step, (int)code, text != NULL ? text : ssmtp_error_text(code));
    ssmtp_free(text);
    return 0;
}

int main(int argc, char **argv) {
    ssmtp_t *smtp;
    int ok;
    if (argc != 3) {
        fprintf(stderr, "usage: scenario HOST PORT\n");
        return 2;
    }
    smtp = ssmtp_new();
    ok = done(smtp, "MailServer", ssmtp_set_mail_server(smtp, argv[1])) &&
         done(smtp, "MailPort", ssmtp_set_mail_port(smtp, atoi(argv[2]))) &&
         done(smtp, "From", ssmtp_set_from(smtp, SCENARIO_FROM)) &&
         done(smtp, "SendTo", ssmtp_set_send_to(smtp, SCENARIO_TO)) &&
         done(smtp, "Cc", ssmtp_set_cc(smtp, SCENARIO_CC)) &&
         done(smtp, "BCc", ssmtp_set_bcc(smtp, SCENARIO_BCC)) &&
         done(smtp, "Subject", ssmtp_set_subject(smtp, SCENARIO_SUBJECT)) &&
         done(smtp, "MessageDate", ssmtp_set_message_date(smtp, SCENARIO_DATE)) &&
         done(smtp, "MessageId", ssmtp_set_message_id(smtp, SCENARIO_ID)) &&
         done(smtp, "OtherHeaders", ssmtp_set_other_headers(smtp, SCENARIO_HEADERS)) &&
         done(smtp, "MessageText", ssmtp_set_message_text(smtp, SCENARIO_TEXT)) &&
         done(smtp, "Send", ssmtp_send(smtp));
    if (ssmtp_delete(smtp) != 0) {
        ok = 0;
    }
    if (ok) {
        puts("sent");
    }
    return ok ? 0 : 1;
}
