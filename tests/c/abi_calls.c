/* The C boundary: what callbacks may do, one operation at a time, and interrupting it from elsewhere. */
#include "support.h"

#include <stdlib.h>

/* --- events ------------------------------------------------------------------------------------------------------- */

typedef struct {
    int calls;
    int stop_at; /* the call that returns non-zero, 0 for none */
    pthread_t thread;
    uint32_t size;
    long long bytes;
    char log[8];
} seen;

static int32_t note(seen *s, uint32_t size, char letter) {
    size_t n = strlen(s->log);
    s->thread = pthread_self();
    s->size = size;
    if (n + 1 < sizeof s->log) {
        s->log[n] = letter;
    }
    s->calls++;
    return s->calls == s->stop_at;
}

static int32_t on_trail(ssmtp_t *smtp, ssmtp_pi_trail_event *e, void *userdata) {
    (void)smtp;
    CHECK(e->message != NULL && strlen(e->message) == e->message_len);
    CHECK(e->direction >= 0 && e->direction <= 2);
    return note(userdata, e->size, 'p');
}

static int32_t on_status(ssmtp_t *smtp, ssmtp_connection_status_event *e, void *userdata) {
    (void)smtp;
    CHECK(e->description_len == strlen(e->description));
    return note(userdata, e->size, 'c');
}

static int32_t on_start(ssmtp_t *smtp, ssmtp_start_transfer_event *e, void *userdata) {
    (void)smtp;
    EQ(e->direction, 0);
    return note(userdata, e->size, 's');
}

static int32_t on_transfer(ssmtp_t *smtp, ssmtp_transfer_event *e, void *userdata) {
    seen *s = userdata;
    (void)smtp;
    s->bytes = e->bytes_transferred;
    CHECK(e->text_b_len > 0 && e->text_b != NULL);
    return note(s, e->size, 't');
}

static int32_t on_end(ssmtp_t *smtp, ssmtp_end_transfer_event *e, void *userdata) {
    (void)smtp;
    return note(userdata, e->size, 'e');
}

static int32_t on_error(ssmtp_t *smtp, ssmtp_error_event *e, void *userdata) {
    (void)smtp;
    EQ(e->error_code, SSMTP_ERROR_PROTOCOL);
    CHECK(strstr(e->description, "550") != NULL);
    return note(userdata, e->size, 'x');
}

static void callbacks_get_their_struct_on_the_calling_thread(void) {
    server s = server_with(NULL);
    ssmtp_t *smtp = message_to(s.port);
    seen trail = {0}, status = {0}, transfer = {0};
    EQ(ssmtp_on_pi_trail(smtp, on_trail, &trail), 0);
    EQ(ssmtp_on_connection_status(smtp, on_status, &status), 0);
    EQ(ssmtp_on_start_transfer(smtp, on_start, &transfer), 0);
    EQ(ssmtp_on_transfer(smtp, on_transfer, &transfer), 0);
    EQ(ssmtp_on_end_transfer(smtp, on_end, &transfer), 0);
    EQ(ssmtp_send(smtp), 0);
    CHECK(trail.calls >= 8);
    EQ(trail.size, sizeof(ssmtp_pi_trail_event));
    CHECK(status.calls >= 2);
    EQ(status.size, sizeof(ssmtp_connection_status_event));
    EQ_TEXT(transfer.log, "ste");
    EQ(transfer.bytes, strlen("One line.\r\n"));
    CHECK(pthread_equal(trail.thread, pthread_self()));
    /* NULL removes. */
    EQ(ssmtp_on_pi_trail(smtp, NULL, NULL), 0);
    trail.calls = 0;
    EQ(ssmtp_send(smtp), 0);
    EQ(trail.calls, 0);
    EQ(ssmtp_delete(smtp), 0);
    server_stop(&s);
}

static void a_callback_that_returns_non_zero_stops_with_301(void) {
    server s = server_with(NULL);
    int event, at;
    for (event = 0; event < 5; event++) {
        for (at = 1; at <= (event == 0 ? 10 : 1); at++) {
            ssmtp_t *smtp = message_to(s.port);
            seen stop = {0}, none = {0};
            stop.stop_at = at;
            ssmtp_on_pi_trail(smtp, on_trail, event == 0 ? &stop : &none);
            ssmtp_on_connection_status(smtp, on_status, event == 1 ? &stop : &none);
            ssmtp_on_start_transfer(smtp, on_start, event == 2 ? &stop : &none);
            ssmtp_on_transfer(smtp, on_transfer, event == 3 ? &stop : &none);
            ssmtp_on_end_transfer(smtp, on_end, event == 4 ? &stop : &none);
            EQ(ssmtp_send(smtp), SSMTP_ERROR_INTERRUPTED);
            CHECK(*check_error(smtp) != '\0');
            /* The handle works on. */
            ssmtp_on_pi_trail(smtp, NULL, NULL);
            ssmtp_on_connection_status(smtp, NULL, NULL);
            ssmtp_on_start_transfer(smtp, NULL, NULL);
            ssmtp_on_transfer(smtp, NULL, NULL);
            ssmtp_on_end_transfer(smtp, NULL, NULL);
            EQ(ssmtp_send(smtp), 0);
            EQ(ssmtp_delete(smtp), 0);
        }
    }
    server_stop(&s);
}

static void a_refused_recipient_that_may_be_refused_is_an_event(void) {
    server s = server_with("RCPT:alice=550 5.1.1 no such user");
    ssmtp_t *smtp = message_to(s.port);
    seen errors = {0};
    EQ(ssmtp_send(smtp), SSMTP_ERROR_PROTOCOL);
    SAYS(smtp, "550");
    EQ(ssmtp_config(smtp, "StopOnToErrors=False", NULL), 0);
    EQ(ssmtp_set_cc(smtp, "bob@server.example"), 0);
    EQ(ssmtp_on_error(smtp, on_error, &errors), 0);
    EQ(ssmtp_send(smtp), 0);
    EQ(errors.calls, 1);
    EQ(errors.size, sizeof(ssmtp_error_event));
    EQ(ssmtp_delete(smtp), 0);
    server_stop(&s);
}

static void every_recipient_has_its_result(void) {
    server s = server_with("RCPT:bob=550 5.1.1 no such user");
    ssmtp_t *smtp = message_to(s.port);
    char *text = NULL;
    int32_t count = -1, value = -1;
    EQ(ssmtp_set_bcc(smtp, "bob@server.example"), 0);
    EQ(ssmtp_send(smtp), 0);
    EQ(ssmtp_get_recipient_result_count(smtp, &count), 0);
    EQ(count, 2);
    EQ(ssmtp_get_recipient_result_accepted(smtp, 0, &value), 0);
    EQ(value, 1);
    EQ(ssmtp_get_recipient_result_accepted(smtp, 1, &value), 0);
    EQ(value, 0);
    EQ(ssmtp_get_recipient_result_code(smtp, 1, &value), 0);
    EQ(value, 550);
    EQ(ssmtp_get_recipient_result_address(smtp, 1, &text), 0);
    EQ_TEXT(text, "bob@server.example");
    ssmtp_free(text);
    EQ(ssmtp_get(smtp, "RecipientResultEnhancedCode[1]", &text), 0);
    EQ_TEXT(text, "5.1.1");
    ssmtp_free(text);
    EQ(ssmtp_get_recipient_result_code(smtp, 2, &value), SSMTP_ERROR_INDEX);
    EQ(ssmtp_delete(smtp), 0);
    server_stop(&s);
}

/* --- what a callback may call --------------------------------------------------------------------------------------- */

static int32_t call_everything(ssmtp_t *smtp, ssmtp_pi_trail_event *e, void *userdata) {
    int32_t idle = 7, connected = 7;
    char *text = NULL;
    (void)e;
    if (++*(int *)userdata > 1) {
        return 0;
    }
    EQ(ssmtp_send(smtp), SSMTP_ERROR_BUSY);
    EQ(ssmtp_connect(smtp), SSMTP_ERROR_BUSY);
    EQ(ssmtp_disconnect(smtp), SSMTP_ERROR_BUSY);
    EQ(ssmtp_reset(smtp), SSMTP_ERROR_BUSY);
    EQ(ssmtp_do_events(smtp), SSMTP_ERROR_BUSY);
    EQ(ssmtp_send_command(smtp, "NOOP"), SSMTP_ERROR_BUSY);
    EQ(ssmtp_set_command(smtp, "NOOP"), SSMTP_ERROR_BUSY);
    EQ(ssmtp_set(smtp, "Command", "NOOP"), SSMTP_ERROR_BUSY);
    EQ(ssmtp_get_idle(smtp, &idle), 0);
    EQ(idle, 0);
    EQ(ssmtp_get_connected(smtp, &connected), 0);
    EQ(ssmtp_get(smtp, "From", &text), 0);
    EQ_TEXT(text, "sender@client.example");
    ssmtp_free(text);
    EQ(ssmtp_config(smtp, "MaxHeaderLength", &text), 0);
    ssmtp_free(text);
    EQ(ssmtp_set_subject(smtp, "set in a callback"), 0);
    EQ(ssmtp_config(smtp, "FoldHeaders=False", NULL), 0);
    EQ(ssmtp_on_start_transfer(smtp, NULL, NULL), 0);
    EQ(ssmtp_on_pi_trail(smtp, call_everything, userdata), 0);
    return 0;
}

static void a_callback_may_get_and_set_but_not_block(void) {
    server s = server_with(NULL);
    ssmtp_t *smtp = message_to(s.port);
    char *text = NULL;
    int calls = 0;
    EQ(ssmtp_on_pi_trail(smtp, call_everything, &calls), 0);
    EQ(ssmtp_send(smtp), 0);
    CHECK(calls > 5);
    EQ(ssmtp_get_subject(smtp, &text), 0);
    EQ_TEXT(text, "set in a callback");
    ssmtp_free(text);
    EQ(ssmtp_delete(smtp), 0);
    server_stop(&s);
}

static int32_t remove_itself(ssmtp_t *smtp, ssmtp_pi_trail_event *e, void *userdata) {
    (void)e;
    ++*(int *)userdata;
    return ssmtp_on_pi_trail(smtp, NULL, NULL);
}

static void a_callback_may_remove_itself(void) {
    server s = server_with(NULL);
    ssmtp_t *smtp = message_to(s.port);
    int calls = 0;
    EQ(ssmtp_on_pi_trail(smtp, remove_itself, &calls), 0);
    EQ(ssmtp_send(smtp), 0);
    EQ(calls, 1);
    EQ(ssmtp_delete(smtp), 0);
    server_stop(&s);
}

static int32_t interrupt_now(ssmtp_t *smtp, ssmtp_pi_trail_event *e, void *userdata) {
    (void)e;
    (void)userdata;
    EQ(ssmtp_interrupt(smtp), 0);
    return 0;
}

static void a_callback_may_interrupt(void) {
    server s = server_with(NULL);
    ssmtp_t *smtp = message_to(s.port);
    EQ(ssmtp_interrupt(smtp), 0); /* nothing runs: nothing happens */
    EQ(ssmtp_send(smtp), 0);
    EQ(ssmtp_on_pi_trail(smtp, interrupt_now, NULL), 0);
    EQ(ssmtp_send(smtp), SSMTP_ERROR_INTERRUPTED);
    EQ(ssmtp_on_pi_trail(smtp, NULL, NULL), 0);
    EQ(ssmtp_send(smtp), 0);
    EQ(ssmtp_delete(smtp), 0);
    server_stop(&s);
}

static int32_t delete_at(ssmtp_t *smtp, ssmtp_pi_trail_event *e, void *userdata) {
    (void)e;
    if (--*(int *)userdata == 0) {
        EQ(ssmtp_delete(smtp), 0);
        EQ(ssmtp_delete(smtp), SSMTP_ERROR_CLOSED_HANDLE);
        EQ(ssmtp_set_subject(smtp, "x"), SSMTP_ERROR_CLOSED_HANDLE);
    }
    CHECK(*(int *)userdata >= 0); /* no event comes after it */
    return 0;
}

static void a_callback_may_delete_the_handle(void) {
    server s = server_with(NULL);
    int before = open_fds(), at;
    for (at = 1; at <= 8; at++) {
        ssmtp_t *smtp = message_to(s.port);
        int left = at;
        int32_t code;
        EQ(ssmtp_on_pi_trail(smtp, delete_at, &left), 0);
        code = ssmtp_send(smtp);
        CHECK(code == SSMTP_ERROR_INTERRUPTED || code == SSMTP_ERROR_CLOSED_HANDLE);
        EQ(ssmtp_send(smtp), SSMTP_ERROR_CLOSED_HANDLE);
    }
    CHECK(fds_return_to(before));
    server_stop(&s);
}

/* --- other threads --------------------------------------------------------------------------------------------------- */

typedef struct {
    ssmtp_t *smtp;
    pthread_t thread;
    volatile int32_t code;
    volatile int running;
    volatile double ended;
} job;

static void *job_run(void *argument) {
    job *j = argument;
    j->running = 1;
    j->code = ssmtp_send(j->smtp);
    j->ended = now_ms();
    return NULL;
}

/* Starts a Send on another thread and gives it time to come to where it waits. */
static void job_start(job *j, ssmtp_t *smtp, int ms) {
    j->smtp = smtp;
    j->code = -1;
    j->running = 0;
    pthread_create(&j->thread, NULL, job_run, j);
    while (!j->running) {
        sleep_ms(1);
    }
    sleep_ms(soon() > 1000 ? ms * 6 : ms);
    EQ(j->code, -1); /* it waits */
}

static void a_second_operation_gets_166_and_getters_work_meanwhile(void) {
    server s = server_with("GREETING=stall");
    ssmtp_t *smtp = message_to(s.port);
    int32_t idle = 7;
    char *text = NULL;
    double start;
    job j;
    job_start(&j, smtp, 120);
    start = now_ms();
    EQ(ssmtp_send(smtp), SSMTP_ERROR_BUSY);
    EQ(ssmtp_connect(smtp), SSMTP_ERROR_BUSY);
    EQ(ssmtp_get_idle(smtp, &idle), 0);
    EQ(idle, 0);
    EQ(ssmtp_get_subject(smtp, &text), 0);
    EQ_TEXT(text, "A test");
    ssmtp_free(text);
    EQ(ssmtp_set_subject(smtp, "Another"), 0);
    CHECK(now_ms() - start < soon());
    EQ(ssmtp_interrupt(smtp), 0);
    pthread_join(j.thread, NULL);
    EQ(j.code, SSMTP_ERROR_INTERRUPTED);
    EQ(ssmtp_get_idle(smtp, &idle), 0);
    EQ(idle, 1);
    EQ(ssmtp_delete(smtp), 0);
    server_stop(&s);
}

/* Interrupts a Send that waits; it must end with 301 at once, and the handle must work again. */
static void interrupted(ssmtp_t *smtp, const char *where, int ms) {
    double asked;
    job j;
    job_start(&j, smtp, ms);
    asked = now_ms();
    EQ(ssmtp_interrupt(smtp), 0);
    pthread_join(j.thread, NULL);
    check_int(j.code, SSMTP_ERROR_INTERRUPTED, where, __FILE__, __LINE__);
    check_true(j.ended - asked < soon(), where, __FILE__, __LINE__);
    if (j.ended - asked >= soon()) {
        printf("    %s: %.0f ms\n", where, j.ended - asked);
    }
}

static ssmtp_t *to_host(const char *host) {
    ssmtp_t *smtp = message_to(25);
    EQ(ssmtp_set_mail_server(smtp, host), 0);
    return smtp;
}

static void interrupt_ends_every_wait_within_100_ms(void) {
    const char *const points[] = {"GREETING=stall", "EHLO=stall", "MAIL=stall", "RCPT=stall",
                                  "DATA=stall",     "DATA-END=stall"};
    int before = open_fds();
    size_t i;
    ssmtp_t *smtp;
    full f;
    deaf d;
    for (i = 0; i < sizeof points / sizeof *points; i++) {
        server s = server_with(points[i]);
        smtp = message_to(s.port);
        interrupted(smtp, points[i], 120);
        EQ(ssmtp_delete(smtp), 0);
        server_stop(&s);
    }
    full_start(&f);
    smtp = message_to(f.port);
    interrupted(smtp, "connecting", 120);
    EQ(ssmtp_delete(smtp), 0);
    full_stop(&f);

    smtp = to_host(SLOW_HOST);
    interrupted(smtp, "resolving", 120);
    EQ(ssmtp_delete(smtp), 0);

    {
        enum { SIZE = 3 << 20 }; /* more than the buffers of both ends hold */
        char *text = malloc(SIZE + 1);
        memset(text, 'x', SIZE);
        for (i = 76; i + 2 < SIZE; i += 78) {
            memcpy(text + i, "\r\n", 2);
        }
        text[SIZE] = '\0';
        deaf_start(&d, 0);
        smtp = message_to(d.port);
        EQ(ssmtp_set_message_text(smtp, text), 0);
        free(text);
        interrupted(smtp, "sending", 1000);
        EQ(ssmtp_delete(smtp), 0);
        deaf_stop(&d);
    }
    CHECK(fds_return_to(before));
}

static void deleting_ends_what_runs_elsewhere(void) {
    server s = server_with("MAIL=stall");
    int before = open_fds();
    ssmtp_t *smtp = message_to(s.port);
    double asked;
    job j;
    job_start(&j, smtp, 120);
    asked = now_ms();
    EQ(ssmtp_delete(smtp), 0);
    pthread_join(j.thread, NULL);
    CHECK(j.code == SSMTP_ERROR_INTERRUPTED || j.code == SSMTP_ERROR_CLOSED_HANDLE);
    CHECK(j.ended - asked < soon());
    CHECK(fds_return_to(before));
    server_stop(&s);
}

static void many_threads_send_at_once(void) {
    enum { THREADS = 64 };
    server s = server_with(NULL);
    job jobs[THREADS];
    int i;
    for (i = 0; i < THREADS; i++) {
        jobs[i].smtp = message_to(s.port);
        EQ(ssmtp_set_timeout(jobs[i].smtp, 60), 0);
    }
    for (i = 0; i < THREADS; i++) {
        pthread_create(&jobs[i].thread, NULL, job_run, &jobs[i]);
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(jobs[i].thread, NULL);
        EQ(jobs[i].code, 0);
        EQ(ssmtp_delete(jobs[i].smtp), 0);
    }
    server_stop(&s);
}

/* --- the stream ------------------------------------------------------------------------------------------------------ */

typedef struct {
    long left;
    int fail;
    int closed;
} source;

static int64_t source_read(void *userdata, uint8_t *buffer, size_t size) {
    source *s = userdata;
    size_t n = size < 777 ? size : 777;
    if (s->left <= 0) {
        return s->fail ? -1 : 0;
    }
    if ((long)n > s->left) {
        n = (size_t)s->left;
    }
    memset(buffer, 'y', n);
    buffer[n - 1] = '\n';
    s->left -= (long)n;
    return (int64_t)n;
}

static void source_close(void *userdata) { ((source *)userdata)->closed++; }

static void a_stream_is_sent_and_closed(void) {
    server s = server_with(NULL);
    ssmtp_t *smtp = message_to(s.port);
    seen transfer = {0};
    source from = {200000, 0, 0};
    EQ(ssmtp_on_transfer(smtp, on_transfer, &transfer), 0);
    EQ(ssmtp_set_message_stream(smtp, source_read, source_close, &from, from.left), 0);
    EQ(ssmtp_send(smtp), 0);
    EQ(from.left, 0);
    EQ(from.closed, 1);
    CHECK(transfer.bytes >= 200000);
    /* It can be kept open. */
    from.left = 5000;
    EQ(ssmtp_config(smtp, "CloseStreamAfterTransfer=False", NULL), 0);
    EQ(ssmtp_set_message_stream(smtp, source_read, source_close, &from, -1), 0);
    EQ(ssmtp_send(smtp), 0);
    EQ(from.left, 0);
    EQ(ssmtp_delete(smtp), 0);
    EQ(from.closed, 1);
    server_stop(&s);
}

static void a_stream_that_fails_is_303(void) {
    server s = server_with(NULL);
    ssmtp_t *smtp = message_to(s.port);
    source from = {5000, 1, 0};
    EQ(ssmtp_set_message_stream(smtp, source_read, source_close, &from, -1), 0);
    EQ(ssmtp_send(smtp), SSMTP_ERROR_FILE);
    EQ(ssmtp_delete(smtp), 0);
    CHECK(from.closed <= 1);
    server_stop(&s);
}

static void an_attached_file_that_is_missing_is_302(void) {
    server s = server_with(NULL);
    ssmtp_t *smtp = message_to(s.port);
    EQ(ssmtp_set_attached_file(smtp, "/nowhere/at/all"), 0);
    EQ(ssmtp_send(smtp), SSMTP_ERROR_ATTACHED_FILE);
    SAYS(smtp, "/nowhere/at/all");
    EQ(ssmtp_delete(smtp), 0);
    server_stop(&s);
}

void test_calls(void) {
    RUN(callbacks_get_their_struct_on_the_calling_thread);
    RUN(a_callback_that_returns_non_zero_stops_with_301);
    RUN(a_refused_recipient_that_may_be_refused_is_an_event);
    RUN(every_recipient_has_its_result);
    RUN(a_callback_may_get_and_set_but_not_block);
    RUN(a_callback_may_remove_itself);
    RUN(a_callback_may_interrupt);
    RUN(a_callback_may_delete_the_handle);
    RUN(a_second_operation_gets_166_and_getters_work_meanwhile);
    RUN(interrupt_ends_every_wait_within_100_ms);
    RUN(deleting_ends_what_runs_elsewhere);
    RUN(many_threads_send_at_once);
    RUN(a_stream_is_sent_and_closed);
    RUN(a_stream_that_fails_is_303);
    RUN(an_attached_file_that_is_missing_is_302);
}
