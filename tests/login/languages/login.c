/* Logs in, sends a message, and prints what it saw of the conversation. usage: login HOST PORT USER PASSWORD */
#include <ssmtp.h>
#include <stdio.h>
#include <stdlib.h>

static int32_t show(ssmtp_t *smtp, ssmtp_pi_trail_event *event, void *userdata) {
    (void)smtp, (void)userdata;
    printf("%d %s\n", (int)event->direction, event->message);
    return 0;
}

int main(int argc, char **argv) {
    ssmtp_t *smtp = ssmtp_new();
    int32_t code;
    if (argc != 5 || smtp == NULL) {
        return 2;
    }
    ssmtp_on_pi_trail(smtp, show, NULL);
    ssmtp_set_mail_server(smtp, argv[1]);
    ssmtp_set_mail_port(smtp, atoi(argv[2]));
    ssmtp_set_user(smtp, argv[3]);
    ssmtp_set_password(smtp, argv[4]);
    ssmtp_set_auth_mechanism(smtp, SSMTP_AUTH_MECHANISM_CRAM_MD5);
    ssmtp_set_from(smtp, "alice@client.example");
    ssmtp_set_send_to(smtp, "bob@server.example");
    ssmtp_set_message_text(smtp, "Hello\r\n");
    code = ssmtp_send(smtp);
    if (code == 0) {
        printf("sent\n");
    } else {
        char *text = NULL;
        ssmtp_last_error(smtp, &text);
        printf("error %d: %s\n", (int)code, text);
        ssmtp_free(text);
    }
    ssmtp_delete(smtp);
    return code == 0 ? 0 : 1;
}
