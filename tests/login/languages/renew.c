/* Logs in with a token that has expired, and gives another one when it is asked. usage: renew HOST PORT USER STALE GOOD */
#include <ssmtp.h>
#include <stdio.h>
#include <stdlib.h>

static int32_t give(ssmtp_t *smtp, ssmtp_token_wanted_event *event, void *userdata) {
    char setting[4096];
    printf("asked for %s\n", event->user);
    snprintf(setting, sizeof setting, "AuthorizationIdentity=Bearer %s", (const char *)userdata);
    return ssmtp_config(smtp, setting, NULL);
}

int main(int argc, char **argv) {
    ssmtp_t *smtp = ssmtp_new();
    char setting[4096];
    char *text = NULL;
    int32_t code;
    if (argc != 6 || smtp == NULL) {
        return 2;
    }
    ssmtp_on_token_wanted(smtp, give, argv[5]);
    ssmtp_set_mail_server(smtp, argv[1]);
    ssmtp_set_mail_port(smtp, atoi(argv[2]));
    ssmtp_set_user(smtp, argv[3]);
    ssmtp_set_auth_mechanism(smtp, SSMTP_AUTH_MECHANISM_XOAUTH2);
    snprintf(setting, sizeof setting, "AuthorizationIdentity=%s", argv[4]);
    ssmtp_config(smtp, setting, NULL);
    code = ssmtp_connect(smtp);
    if (code == 0) {
        printf("logged in\n");
        ssmtp_disconnect(smtp);
    } else {
        ssmtp_last_error(smtp, &text);
        printf("error %d: %s\n", (int)code, text);
        ssmtp_free(text);
    }
    ssmtp_delete(smtp);
    return code == 0 ? 0 : 1;
}
