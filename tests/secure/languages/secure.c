/* Sends a message over TLS and prints what it saw of the handshake.
   usage: secure PORT implicit|explicit TRUSTED.pem|- leave|accept|refuse|stop */
#include <ssmtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int32_t told(ssmtp_t *smtp, ssmtp_connection_status_event *event, void *userdata) {
    (void)smtp, (void)userdata;
    printf("status %d %s\n", (int)event->status_code, event->connection_event);
    return 0;
}

static int32_t judge(ssmtp_t *smtp, ssmtp_ssl_server_authentication_event *event, void *userdata) {
    const char *word = userdata;
    (void)smtp;
    printf("asked %d %s %s %s\n", (int)event->accept, event->cert_subject, event->cert_issuer,
           event->accept ? event->status : "not OK");
    printf("leaf %s\n", event->cert_encoded_b_len > 100 && event->cert_encoded_b[0] == 0x30 ? "DER" : "?");
    printf("chain %s\n", strncmp(event->cert_encoded, "-----BEGIN CERTIFICATE-----", 27) == 0 ? "PEM" : "?");
    if (strcmp(word, "stop") == 0) {
        return 1;
    }
    if (strcmp(word, "leave") != 0) {
        event->accept = strcmp(word, "accept") == 0;
    }
    return 0;
}

static void trust(ssmtp_t *smtp, const char *path) {
    static char setting[65536] = "SSLServerCACerts=";
    const size_t start = strlen(setting);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return;
    }
    setting[start + fread(setting + start, 1, sizeof setting - start - 1, file)] = '\0';
    fclose(file);
    ssmtp_config(smtp, setting, NULL);
}

int main(int argc, char **argv) {
    ssmtp_t *smtp = ssmtp_new();
    char *version = NULL, *subject = NULL;
    int32_t code;
    if (argc != 5 || smtp == NULL) {
        return 2;
    }
    ssmtp_on_connection_status(smtp, told, NULL);
    ssmtp_on_ssl_server_authentication(smtp, judge, argv[4]);
    ssmtp_set_mail_server(smtp, "localhost");
    ssmtp_set_mail_port(smtp, atoi(argv[1]));
    ssmtp_set_ssl_start_mode(
        smtp, strcmp(argv[2], "implicit") == 0 ? SSMTP_SSL_START_MODE_IMPLICIT : SSMTP_SSL_START_MODE_EXPLICIT);
    trust(smtp, argv[3]);
    ssmtp_set_from(smtp, "alice@client.example");
    ssmtp_set_send_to(smtp, "bob@server.example");
    ssmtp_set_message_text(smtp, "Hello\r\n");
    code = ssmtp_send(smtp);
    if (code == 0) {
        ssmtp_config(smtp, "SSLNegotiatedVersion", &version);
        ssmtp_get_ssl_server_cert_subject(smtp, &subject);
        printf("sent %s %s\n", version, subject);
        ssmtp_free(version);
        ssmtp_free(subject);
    } else {
        printf("error %d\n", (int)code);
    }
    ssmtp_delete(smtp);
    return 0;
}
