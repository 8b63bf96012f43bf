/* The queue from a program, for the torture: what it is told, a line of answer each, and a mark in the trace where the work begins.
 *   worker queue DIR COUNT TEXT             queues COUNT messages, prints each name as soon as it has it
 *   worker process DIR PORT HANDLES         ProcessQueue by that many threads with a handle each; prints results and Error events
 *   worker recover DIR                      RecoverQueue with QueueRecovery=Requeue
 *   worker large DIR PORT OCTETS            queues a message of that size from a stream and sends it; prints the peak of memory in KiB */
#include <pthread.h>
#include <ssmtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *folder;
static int port;

static long peak_kib(void)
{
    char line[256];
    long peak = -1;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0) peak = atol(line + 6);
    }
    if (status != NULL) fclose(status);
    return peak;
}

static void say(const char *text)
{
    char line[1024];
    int length = snprintf(line, sizeof line, "%s\n", text);
    if (length > (int)sizeof line) length = (int)sizeof line;
    if (write(1, line, (size_t)length) != length) _exit(3);
}

static void report(const char *what, ssmtp_t *smtp, int32_t code)
{
    char line[1000];
    char *text = NULL;
    if (code != 0) ssmtp_last_error(smtp, &text);
    snprintf(line, sizeof line, "%s %d %s", what, (int)code, text == NULL ? "" : text);
    ssmtp_free(text);
    say(line);
}

static int32_t on_error(ssmtp_t *smtp, ssmtp_error_event *e, void *userdata)
{
    char line[1000];
    (void)smtp;
    (void)userdata;
    snprintf(line, sizeof line, "event %d %s", (int)e->error_code, e->description);
    say(line);
    return 0;
}

/* The tracer counts from here. */
static void mark(void)
{
    (void)!access("/torture-begins", F_OK);
}

static ssmtp_t *message(const char *text)
{
    ssmtp_t *smtp = ssmtp_new_utf8();
    ssmtp_set_from(smtp, "sender@client.example");
    ssmtp_set_send_to(smtp, "to@server.example");
    ssmtp_set_subject(smtp, text);
    ssmtp_set_message_text(smtp, "one\r\n.two\r\nthree\r\n");
    return smtp;
}

static int queue(int count, const char *text)
{
    int n, failed = 0;
    ssmtp_t *smtp = message(text);
    mark();
    for (n = 0; n < count; n++) {
        char subject[200], *name = NULL;
        int32_t code;
        snprintf(subject, sizeof subject, "%s-%d", text, n);
        ssmtp_set_subject(smtp, subject);
        code = ssmtp_queue(smtp, folder, &name);
        if (code == 0) say(name);
        else report("result", smtp, code), failed = 1;
        ssmtp_free(name);
    }
    ssmtp_delete(smtp);
    return failed;
}

static void *process(void *unused)
{
    ssmtp_t *smtp = ssmtp_new_utf8();
    (void)unused;
    ssmtp_set_mail_server(smtp, "127.0.0.1");
    ssmtp_set_mail_port(smtp, port);
    ssmtp_set_timeout(smtp, 60);
    ssmtp_on_error(smtp, on_error, NULL);
    mark();
    report("result", smtp, ssmtp_process_queue(smtp, folder));
    ssmtp_delete(smtp);
    return NULL;
}

static int64_t zeros(void *left, uint8_t *buffer, size_t size)
{
    int64_t *rest = left;
    size_t n, count = *rest < (int64_t)size ? (size_t)*rest : size;
    for (n = 0; n < count; n++) buffer[n] = n % 64 == 63 ? '\n' : 'x';
    *rest -= (int64_t)count;
    return (int64_t)count;
}

int main(int argc, char **argv)
{
    pthread_t threads[64];
    int n, handles;
    char line[64];
    if (argc < 3) return 2;
    folder = argv[2];
    if (strcmp(argv[1], "queue") == 0 && argc == 5) return queue(atoi(argv[3]), argv[4]);
    if (strcmp(argv[1], "recover") == 0) {
        ssmtp_t *smtp = ssmtp_new_utf8();
        char *text = NULL;
        int32_t code;
        ssmtp_config(smtp, "QueueRecovery=Requeue", NULL);
        code = ssmtp_recover_queue(smtp, folder, &text);
        ssmtp_free(text);
        report("result", smtp, code);
        ssmtp_delete(smtp);
        return 0;
    }
    if (argc != 5) return 2;
    port = atoi(argv[3]);
    if (strcmp(argv[1], "large") == 0) {
        int64_t left = atoll(argv[4]);
        ssmtp_t *smtp = message("large");
        char *name = NULL;
        ssmtp_set_message_stream(smtp, zeros, NULL, &left, -1);
        report("queue", smtp, ssmtp_queue(smtp, folder, &name));
        ssmtp_free(name);
        ssmtp_delete(smtp);
        process(NULL);
    } else {
        handles = atoi(argv[4]);
        if (handles == 1) process(NULL);
        for (n = 0; handles > 1 && n < handles && n < 64; n++) pthread_create(&threads[n], NULL, process, NULL);
        for (n = 0; handles > 1 && n < handles && n < 64; n++) pthread_join(threads[n], NULL);
    }
    snprintf(line, sizeof line, "peak %ld", peak_kib());
    say(line);
    return 0;
}
