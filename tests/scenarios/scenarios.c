/* scenarios NAME PORT FOLDER: one scenario of list.toml at a server on 127.0.0.1, told line by line. What the other programs of
   the tests and the examples show already is not here again. */
#include "scenario.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ssmtp_t *client(int port) {
    ssmtp_t *smtp = ssmtp_new();
    ssmtp_set_mail_server(smtp, "127.0.0.1");
    ssmtp_set_mail_port(smtp, port);
    ssmtp_config(smtp, "Hello=client.example", NULL);
    ssmtp_set_from(smtp, SCENARIO_FROM);
    ssmtp_set_send_to(smtp, SCENARIO_TO);
    ssmtp_set_cc(smtp, SCENARIO_CC);
    ssmtp_set_bcc(smtp, SCENARIO_BCC);
    ssmtp_set_subject(smtp, SCENARIO_SUBJECT);
    ssmtp_set_message_date(smtp, SCENARIO_DATE);
    ssmtp_set_message_id(smtp, SCENARIO_ID);
    ssmtp_set_other_headers(smtp, SCENARIO_HEADERS);
    ssmtp_set_message_text(smtp, SCENARIO_TEXT);
    return smtp;
}

static void tell(const char *done, int32_t code) {
    if (code == 0) {
        printf("%s\n", done);
    } else {
        printf("error %d\n", (int)code);
    }
}

static int32_t show_login(ssmtp_t *smtp, ssmtp_pi_trail_event *event, void *userdata) {
    (void)smtp, (void)userdata;
    if (event->direction == 0 && strncmp(event->message, "AUTH", 4) == 0) {
        printf("%s\n", event->message);
    }
    return 0;
}

static void login(int port) {
    const char *passwords[] = {"open sesame", "something else"};
    int i;
    for (i = 0; i < 2; i++) {
        ssmtp_t *smtp = client(port);
        ssmtp_on_pi_trail(smtp, show_login, NULL);
        ssmtp_set_user(smtp, "alice");
        ssmtp_set_password(smtp, passwords[i]);
        tell("sent", ssmtp_send(smtp));
        ssmtp_delete(smtp);
    }
}

static void queue(int port, const char *folder) {
    ssmtp_t *smtp = client(port);
    char *name = NULL, *text = NULL, path[4096];
    int32_t code = ssmtp_queue(smtp, folder, &name);
    if (code == 0) {
        snprintf(path, sizeof path, "%s/%s", folder, name);
        code = access(path, F_OK) == 0 ? 0 : -1;
    }
    tell("queued in the folder", code);
    tell("queued as text", ssmtp_queue(smtp, "*", &text));
    tell("processed", ssmtp_process_queue(smtp, folder));
    printf("%s\n", access(path, F_OK) == 0 ? "the file stays" : "the file is gone");
    tell("sent", ssmtp_send_queued(smtp, text));
    text[strlen(text) / 2] ^= 1;
    tell("sent", ssmtp_send_queued(smtp, text));
    ssmtp_free(name);
    ssmtp_free(text);
    ssmtp_delete(smtp);
}

static void *interrupt_soon(void *smtp) {
    usleep(300000);
    ssmtp_interrupt(smtp);
    return NULL;
}

static int32_t interrupt_now(ssmtp_t *smtp, ssmtp_end_transfer_event *event, void *userdata) {
    (void)event, (void)userdata;
    ssmtp_interrupt(smtp);
    return 0;
}

static void interrupt(int port) {
    ssmtp_t *smtp = client(port);
    pthread_t thread;
    int32_t idle = 0;
    pthread_create(&thread, NULL, interrupt_soon, smtp);
    tell("sent", ssmtp_send(smtp));
    pthread_join(thread, NULL);
    ssmtp_on_end_transfer(smtp, interrupt_now, NULL);
    tell("sent", ssmtp_send(smtp));
    ssmtp_get_idle(smtp, &idle);
    printf("idle %d\n", (int)idle);
    ssmtp_delete(smtp);
}

static int32_t show_error(ssmtp_t *smtp, ssmtp_error_event *event, void *userdata) {
    (void)smtp, (void)userdata;
    printf("event %d: %s\n", (int)event->error_code, event->description);
    return 0;
}

static void results(ssmtp_t *smtp) {
    int32_t count = 0, i;
    ssmtp_get_recipient_result_count(smtp, &count);
    for (i = 0; i < count; i++) {
        char *address = NULL, *enhanced = NULL;
        int32_t code = 0, accepted = 0;
        ssmtp_get_recipient_result_address(smtp, i, &address);
        ssmtp_get_recipient_result_enhanced_code(smtp, i, &enhanced);
        ssmtp_get_recipient_result_code(smtp, i, &code);
        ssmtp_get_recipient_result_accepted(smtp, i, &accepted);
        printf("%s: %d %s %s\n", address, (int)code, enhanced, accepted ? "accepted" : "refused");
        ssmtp_free(address);
        ssmtp_free(enhanced);
    }
}

static void errors(int port) {
    ssmtp_t *smtp = client(port);
    char *text = NULL;
    ssmtp_on_error(smtp, show_error, NULL);
    ssmtp_config(smtp, "StopOnCcErrors=False", NULL);
    tell("sent", ssmtp_send(smtp)); /* one recipient is refused, and it goes to the others */
    results(smtp);
    ssmtp_on_error(smtp, NULL, NULL);
    ssmtp_set_cc(smtp, "");
    ssmtp_set_bcc(smtp, "");
    ssmtp_set_send_to(smtp, "bob@postfix.test");
    tell("sent", ssmtp_send(smtp));
    ssmtp_last_error(smtp, &text);
    printf("%s\n", text);
    ssmtp_free(text);
    ssmtp_set_from(smtp, "");
    tell("sent", ssmtp_send(smtp));
    tell("set", ssmtp_set_mail_port(smtp, 70000));
    tell("set", ssmtp_set(smtp, "NoSuchName", "1"));
    tell("set", ssmtp_set(smtp, "MessageRecipientAddress[9]", "x@y.example"));
    tell("set", ssmtp_set_from(smtp, "a\r\nb@c.example"));
    ssmtp_delete(smtp);
    smtp = client(1);
    tell("sent", ssmtp_send(smtp)); /* nobody listens there */
    ssmtp_delete(smtp);
}

static int32_t connection_status(ssmtp_t *smtp, ssmtp_connection_status_event *event, void *userdata) {
    (void)smtp, (void)userdata;
    printf("status %d %s\n", (int)event->status_code, event->connection_event);
    return 0;
}

static int32_t start_transfer(ssmtp_t *smtp, ssmtp_start_transfer_event *event, void *userdata) {
    (void)smtp, (void)userdata;
    printf("start %d\n", (int)event->direction);
    return 0;
}

static int32_t transfer(ssmtp_t *smtp, ssmtp_transfer_event *event, void *userdata) {
    (void)smtp, (void)userdata;
    printf("transfer %d %ld %d%%: %u\n", (int)event->direction, (long)event->bytes_transferred, (int)event->percent_done,
           (unsigned)event->text_len);
    return 0;
}

static int32_t end_transfer(ssmtp_t *smtp, ssmtp_end_transfer_event *event, void *userdata) {
    (void)smtp, (void)userdata;
    printf("end %d\n", (int)event->direction);
    return 0;
}

static int32_t pi_trail(ssmtp_t *smtp, ssmtp_pi_trail_event *event, void *userdata) {
    (void)smtp, (void)userdata;
    printf("%d %s\n", (int)event->direction, event->message);
    return 0;
}

static int32_t stop(ssmtp_t *smtp, ssmtp_start_transfer_event *event, void *userdata) {
    (void)smtp, (void)event, (void)userdata;
    return 1;
}

static void events(int port) {
    ssmtp_t *smtp = client(port);
    ssmtp_on_connection_status(smtp, connection_status, NULL);
    ssmtp_on_start_transfer(smtp, start_transfer, NULL);
    ssmtp_on_transfer(smtp, transfer, NULL);
    ssmtp_on_end_transfer(smtp, end_transfer, NULL);
    ssmtp_on_pi_trail(smtp, pi_trail, NULL);
    tell("sent", ssmtp_send(smtp));
    ssmtp_on_connection_status(smtp, NULL, NULL);
    ssmtp_on_transfer(smtp, NULL, NULL);
    ssmtp_on_end_transfer(smtp, NULL, NULL);
    ssmtp_on_pi_trail(smtp, NULL, NULL);
    ssmtp_on_start_transfer(smtp, stop, NULL);
    /* In the other languages it is an exception that stops, and comes out. */
    puts(ssmtp_send(smtp) == 301 ? "stopped by the handler" : "not stopped");
    ssmtp_delete(smtp);
}

int main(int argc, char **argv) {
    const char *name = argc == 4 ? argv[1] : "";
    const int port = argc == 4 ? atoi(argv[2]) : 0;
    if (strcmp(name, "login") == 0) {
        login(port);
    } else if (strcmp(name, "queue") == 0) {
        queue(port, argv[3]);
    } else if (strcmp(name, "interrupt") == 0) {
        interrupt(port);
    } else if (strcmp(name, "errors") == 0) {
        errors(port);
    } else if (strcmp(name, "events") == 0) {
        events(port);
    } else {
        fprintf(stderr, "usage: scenarios login|queue|interrupt|errors|events PORT FOLDER\n");
        return 2;
    }
    return 0;
}
