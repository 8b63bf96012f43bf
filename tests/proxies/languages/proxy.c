/* Sends a message through a proxy. usage: proxy HOST PORT TYPE PROXY-HOST PROXY-PORT USER PASSWORD */
#include <ssmtp.h>
#include <stdio.h>
#include <stdlib.h>

static int32_t show(ssmtp_t *smtp, ssmtp_connection_status_event *event, void *userdata) {
    (void)smtp, (void)userdata;
    printf("%s %d\n", event->connection_event, (int)event->status_code);
    return 0;
}

int main(int argc, char **argv) {
    ssmtp_t *smtp = ssmtp_new();
    int32_t code;
    if (argc != 8 || smtp == NULL) {
        return 2;
    }
    ssmtp_on_connection_status(smtp, show, NULL);
    ssmtp_set_mail_server(smtp, argv[1]);
    ssmtp_set_mail_port(smtp, atoi(argv[2]));
    ssmtp_set_firewall_type(smtp, atoi(argv[3]));
    ssmtp_set_firewall_host(smtp, argv[4]);
    ssmtp_set_firewall_port(smtp, atoi(argv[5]));
    ssmtp_set_firewall_user(smtp, argv[6]);
    ssmtp_set_firewall_password(smtp, argv[7]);
    ssmtp_set_from(smtp, "alice@client.example");
    ssmtp_set_send_to(smtp, "bob@server.example");
    ssmtp_set_message_text(smtp, "Hello\r\n");
    code = ssmtp_send(smtp);
    if (code == 0) {
        printf("sent\n");
        ssmtp_disconnect(smtp);
    } else {
        char *text = NULL;
        ssmtp_last_error(smtp, &text);
        printf("error %d: %s\n", (int)code, text);
        ssmtp_free(text);
    }
    ssmtp_delete(smtp);
    return code == 0 ? 0 : 1;
}
